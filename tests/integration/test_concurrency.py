"""Many at once, in threads, tasks and loops: everyone's operation happens, whole, and only once."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import Chain, config_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple


def writes_of(found: CheckpointTuple | None) -> list[tuple[str, str, Any]]:
    assert found is not None
    assert found.pending_writes is not None
    return found.pending_writes


@pytest.mark.every_server
def test_writes_may_come_before_their_checkpoint(saver: RedisSaver) -> None:
    put = Chain().next(channel="value")
    config = config_of(checkpoint_id=put.checkpoint["id"])
    saver.put_writes(config, [("channel", "early")], "task")
    assert saver.get_tuple(config) is None

    saver.put(*put)
    saver.put_writes(config, [("channel", "too late"), ("channel", "late")], "task")

    assert writes_of(saver.get_tuple(config)) == [
        ("task", "channel", "early"),
        ("task", "channel", "late"),
    ]


@pytest.mark.every_server
async def test_concurrent_writes_of_many_tasks_are_all_stored(async_saver: AsyncRedisSaver) -> None:
    config = await Chain().aput(async_saver, channel="value")

    await asyncio.gather(*(async_saver.aput_writes(config, [("c", n)], f"{n:03}") for n in range(200)))

    found = await async_saver.aget_tuple(config)
    assert writes_of(found) == [(f"{n:03}", "c", n) for n in range(200)]


def test_concurrent_writes_of_many_threads_are_all_stored(saver: RedisSaver) -> None:
    config = Chain().put(saver, channel="value")

    in_threads(lambda n: saver.put_writes(config, [("c", n)], f"{n:03}"), 200)

    assert writes_of(saver.get_tuple(config)) == [(f"{n:03}", "c", n) for n in range(200)]


async def test_of_concurrent_equal_writes_one_stays(async_saver: AsyncRedisSaver) -> None:
    config = await Chain().aput(async_saver, channel="value")

    await asyncio.gather(*(async_saver.aput_writes(config, [("a", n), ("b", n)], "task") for n in range(100)))

    a, b = writes_of(await async_saver.aget_tuple(config))
    assert a[2] == b[2]


async def test_a_hundred_namespaces_of_a_thread_grow_at_once(async_saver: AsyncRedisSaver) -> None:
    async def grow(ns: str) -> None:
        chain = Chain(config_of("thread", ns))
        for step in range(5):
            messages = [*chain.values.get("messages", []), f"{ns} {step} {'x' * 300}"]
            await chain.aput(async_saver, messages=messages)

    await asyncio.gather(*(grow(f"child:{n}") for n in range(100)))

    for n in range(100):
        found = await async_saver.aget(config_of("thread", f"child:{n}"))
        assert found is not None
        messages = found["channel_values"]["messages"]
        assert messages == [f"child:{n} {step} {'x' * 300}" for step in range(5)]


async def test_five_hundred_operations_at_once_all_succeed(async_saver: AsyncRedisSaver) -> None:
    chains = [Chain(config_of(f"thread {n}")) for n in range(100)]
    await asyncio.gather(*(chain.aput(async_saver, channel=n) for n, chain in enumerate(chains)))

    done = await asyncio.gather(
        *(chain.aput(async_saver, channel=-n) for n, chain in enumerate(chains)),
        *(async_saver.aput_writes(chain.config, [("c", 1)], "task") for chain in chains),
        *(async_saver.aget_tuple(chain.config) for chain in chains),
        *(listed(async_saver, chain.config) for chain in chains),
        *(async_saver.aget_tuple(config_of(f"absent {n}")) for n in range(100)),
    )

    assert all(found is not None for found in done[200:400])
    assert all(found is None for found in done[400:])


async def test_operations_beyond_the_connections_wait_instead_of_failing(
    redis_url: str, key_prefix: str
) -> None:
    """500 tasks, two connections."""
    async with AsyncRedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, connection_args={"max_connections": 2}
    ) as saver:
        config = await Chain().aput(saver, channel=1)
        await asyncio.gather(*(saver.aput_writes(config, [("c", n)], f"{n:03}") for n in range(500)))
        assert len(writes_of(await saver.aget_tuple(config))) == 500


def test_threads_beyond_the_connections_wait_instead_of_failing(redis_url: str, key_prefix: str) -> None:
    with RedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, connection_args={"max_connections": 2}
    ) as saver:
        config = Chain().put(saver, channel=1)
        in_threads(lambda n: saver.put_writes(config, [("c", n)], f"{n:03}"), 100)
        assert len(writes_of(saver.get_tuple(config))) == 100


async def test_a_cancelled_put_leaves_the_old_state_or_the_new_one(
    async_saver: AsyncRedisSaver,
) -> None:
    """Cancelled at random points, on its way and in the queue; its neighbours notice nothing."""
    chance = random.Random(1)
    chain = Chain()
    neighbour = Chain(config_of("neighbour"))
    await neighbour.aput(async_saver, step=-1)
    outcomes = set()
    for step in range(150):
        before = chain.config, chain.values, chain.versions
        messages = [*chain.values.get("messages", []), f"{step} {'x' * 400}"]
        put = chain.next(messages=messages)
        task = asyncio.create_task(async_saver.aput(*put))
        beside = [
            asyncio.create_task(neighbour.aput(async_saver, step=step)),
            asyncio.create_task(async_saver.aput_writes(neighbour.config, [("c", 1)], "t")),
        ]
        await turns(chance.randrange(40))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.gather(*beside)

        found = await async_saver.aget_tuple(config_of())
        stored = found is not None and found.checkpoint["id"] == put.checkpoint["id"]
        outcomes.add(stored)
        if stored:
            assert found is not None
            chain.config = found.config
        else:
            chain.config, chain.values, chain.versions = before
        held = found.checkpoint["channel_values"] if found is not None else {}
        assert held == chain.values

    assert outcomes == {True, False}


async def test_cancelled_writes_are_stored_whole_or_not_at_all(
    async_saver: AsyncRedisSaver,
) -> None:
    chance = random.Random(2)
    config = await Chain().aput(async_saver, channel=1)
    outcomes = set()
    for n in range(150):
        name = f"{n:03}"
        writes = [("a", n), ("b", "x" * 500), ("c", n)]
        task = asyncio.create_task(async_saver.aput_writes(config, writes, name))
        beside = [
            asyncio.create_task(async_saver.aput_writes(config, [("c", n)], f"beside {name}")),
            asyncio.create_task(async_saver.aget_tuple(config)),
        ]
        await turns(chance.randrange(40))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.gather(*beside)

        pending = writes_of(await async_saver.aget_tuple(config))
        stored = [write[1:] for write in pending if write[0] == name]
        assert stored in ([], writes)
        assert (f"beside {name}", "c", n) in pending
        outcomes.add(bool(stored))

    assert outcomes == {True, False}


async def test_a_saver_works_after_everything_was_cancelled(async_saver: AsyncRedisSaver) -> None:
    config = await Chain().aput(async_saver, channel=1)
    for _ in range(20):
        tasks = [asyncio.create_task(async_saver.aput_writes(config, [("c", n)], f"{n}")) for n in range(100)]
        await turns(3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    await asyncio.gather(*(async_saver.aget_tuple(config) for _ in range(50)))


def test_a_saver_is_shared_by_threads(saver: RedisSaver) -> None:
    def converse(n: int) -> list[str]:
        chain = Chain(config_of(f"thread {n}"))
        for step in range(20):
            messages = [*chain.values.get("messages", []), f"{n} {step} {'x' * 300}"]
            chain.put(saver, messages=messages)
            saver.put_writes(chain.config, [("c", step)], "task")
            found = saver.get_tuple(config_of(f"thread {n}"))
            assert found is not None
            assert found.checkpoint["channel_values"] == chain.values
        return [str(message) for message in chain.values["messages"]]

    done = in_threads(converse, 16)

    assert [messages[0].split()[0] for messages in done] == [str(n) for n in range(16)]


def echo(saver: Any, name: str) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node(name, lambda state: {"messages": [("ai", state["messages"][-1].content)]})
    builder.add_edge(START, name)
    return builder.compile(checkpointer=saver)


def test_a_saver_is_shared_by_graphs_in_threads(saver: RedisSaver) -> None:
    graphs = [echo(saver, f"node {n}") for n in range(8)]

    def converse(n: int) -> int:
        config = config_of(f"thread {n}")
        for turn in range(5):
            graphs[n % 8].invoke({"messages": [("human", f"{n} {turn}")]}, config)
        contents = [m.content for m in graphs[n % 8].get_state(config).values["messages"]]
        assert contents == [f"{n} {turn}" for turn in range(5) for _ in range(2)]
        return len(contents)

    assert in_threads(converse, 24) == [10] * 24


async def test_a_saver_is_shared_by_graphs_in_a_loop(async_saver: AsyncRedisSaver) -> None:
    graphs = [echo(async_saver, f"node {n}") for n in range(8)]

    async def converse(n: int) -> int:
        config = config_of(f"thread {n}")
        for turn in range(5):
            await graphs[n % 8].ainvoke({"messages": [("human", f"{n} {turn}")]}, config)
        state = await graphs[n % 8].aget_state(config)
        assert {m.content.split()[0] for m in state.values["messages"]} == {str(n)}
        return len(state.values["messages"])

    assert await asyncio.gather(*map(converse, range(24))) == [10] * 24


async def turns(count: int) -> None:
    """Let the loop run a number of times: where a task stands then is anybody's guess."""
    for _ in range(count):
        await asyncio.sleep(0)


async def listed(saver: AsyncRedisSaver, config: RunnableConfig) -> list[CheckpointTuple] | None:
    return [found async for found in saver.alist(config, limit=3)] or None


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    with ThreadPoolExecutor(24) as pool:
        return list(pool.map(work, range(count)))

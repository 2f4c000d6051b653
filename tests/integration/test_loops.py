"""An async saver and event loops: none when it is built, several one after the other, or its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
import redis.asyncio
from langgraph.graph import START, MessagesState, StateGraph

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import Chain, config_of
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_async_saver_is_built_without_a_loop(redis_url: str, key_prefix: str) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)

    async def use() -> Any:
        async with saver:
            await Chain().aput(saver, channel="value")
            return await saver.aget(config_of())

    assert asyncio.run(use())["channel_values"] == {"channel": "value"}


def test_an_async_saver_that_connects_to_nothing_is_built_all_the_same() -> None:
    saver = AsyncRedisSaver("redis://127.0.0.1:1/0")

    saver.close()


def test_loops_take_turns_on_one_saver(redis_url: str, key_prefix: str) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)
    chain = Chain()

    async def put(number: int) -> list[int]:
        messages = [*chain.values.get("messages", []), number]
        await asyncio.gather(
            chain.aput(saver, messages=messages),
            *(Chain(config_of(f"other {n}")).aput(saver, channel=n) for n in range(20)),
        )
        found = await saver.aget(config_of())
        assert found is not None
        return list(found["channel_values"]["messages"])

    for number in range(5):
        assert asyncio.run(put(number)) == list(range(number + 1))
    asyncio.run(saver.aclose())


def test_loops_side_by_side_share_one_saver(redis_url: str, key_prefix: str) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)
    found: dict[int, Any] = {}

    async def use(number: int) -> None:
        config = config_of(f"thread {number}")
        chain = Chain(config)
        for step in range(20):
            await chain.aput(saver, step=step)
        found[number] = await saver.aget(config)

    threads = [threading.Thread(target=lambda n=n: asyncio.run(use(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(saver.aclose())

    assert {n: it["channel_values"] for n, it in found.items()} == {n: {"step": 19} for n in range(4)}


def test_loops_that_ended_leave_no_connections(
    redis_url: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix, connection_args={"client_name": key_prefix})

    async def use() -> None:
        await asyncio.gather(*(saver.aget(config_of(f"{n}")) for n in range(20)))

    for _ in range(3):
        asyncio.run(use())

    assert eventually(lambda: connections(redis_client, key_prefix) == 0)
    asyncio.run(saver.aclose())


async def test_sync_methods_work_from_other_threads(async_saver: AsyncRedisSaver) -> None:
    chain = Chain()

    config = await asyncio.to_thread(chain.put, async_saver, channel="value")
    await asyncio.to_thread(async_saver.put_writes, config, [("channel", 1)], "task")

    found = await asyncio.to_thread(async_saver.get_tuple, config)
    assert found == await async_saver.aget_tuple(config)
    listed = await asyncio.to_thread(lambda: list(async_saver.list(config_of())))
    assert listed == [found]
    await asyncio.to_thread(async_saver.copy_thread, "thread", "copy")
    await asyncio.to_thread(async_saver.prune, ["thread"])
    history = await asyncio.to_thread(
        lambda: async_saver.get_delta_channel_history(config=config, channels=["channel"])
    )
    assert history == {"channel": {"writes": []}}
    await asyncio.to_thread(async_saver.delete_for_runs, ["no such run"])
    await asyncio.to_thread(async_saver.delete_thread, "thread")
    assert await async_saver.aget_tuple(config) is None


def test_sync_methods_work_without_any_loop(redis_url: str, key_prefix: str) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)

    config = Chain().put(saver, channel="value")

    found = saver.get(config)
    saver.close()
    assert found is not None
    assert found["channel_values"] == {"channel": "value"}


def test_sync_methods_work_with_a_client_that_was_brought(redis_url: str, key_prefix: str) -> None:
    client = redis.asyncio.Redis.from_url(redis_url)
    saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix)

    config = Chain().put(saver, channel="value")

    assert saver.get(config) is not None
    saver.close()
    asyncio.run(client.aclose())


SYNC_METHODS: dict[str, Callable[[AsyncRedisSaver], Any]] = {
    "get": lambda saver: saver.get(config_of()),
    "get_tuple": lambda saver: saver.get_tuple(config_of()),
    "list": lambda saver: list(saver.list(config_of())),
    "put": lambda saver: saver.put(*Chain().next(channel=1)),
    "put_writes": lambda saver: saver.put_writes(config_of(checkpoint_id="1"), [("c", 1)], "t"),
    "delete_thread": lambda saver: saver.delete_thread("thread"),
    "delete_for_runs": lambda saver: saver.delete_for_runs(["run"]),
    "copy_thread": lambda saver: saver.copy_thread("thread", "copy"),
    "prune": lambda saver: saver.prune(["thread"]),
    "get_delta_channel_history": lambda saver: saver.get_delta_channel_history(
        config=config_of(), channels=["c"]
    ),
}


@pytest.mark.parametrize("method", SYNC_METHODS.values(), ids=SYNC_METHODS)
async def test_sync_methods_refuse_the_savers_own_loop_and_say_what_to_do(
    async_saver: AsyncRedisSaver, method: Callable[[AsyncRedisSaver], Any]
) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)event loop.*await.*aget_tuple"):
        method(async_saver)


async def test_async_methods_of_the_sync_saver_leave_the_loop_free(saver: RedisSaver) -> None:
    """They run in threads: while one waits, others go on."""
    chains = [Chain(config_of(f"thread {n}")) for n in range(20)]

    await asyncio.gather(*(chain.aput(saver, channel=1) for chain in chains))
    await asyncio.gather(*(saver.aput_writes(it.config, [("c", 1)], "task") for it in chains))

    found = await asyncio.gather(*(saver.aget_tuple(chain.config) for chain in chains))
    assert [it.pending_writes for it in found if it] == [[("task", "c", 1)]] * 20
    assert len([it async for it in saver.alist(None)]) == 20
    await saver.acopy_thread("thread 0", "copy")
    await saver.aprune(["copy"])
    history = await saver.aget_delta_channel_history(config=chains[0].config, channels=["channel"])
    assert history == {"channel": {"writes": []}}
    await saver.adelete_for_runs(["run"])
    await saver.adelete_thread("copy")
    assert await saver.aget(config_of("copy")) is None


async def test_a_sync_graph_runs_on_the_async_saver_from_a_thread(
    async_saver: AsyncRedisSaver,
) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("answer", lambda _: {"messages": [("ai", "hello")]})
    builder.add_edge(START, "answer")
    graph = builder.compile(checkpointer=async_saver)

    given: Any = {"messages": [("human", "hi")]}
    await asyncio.to_thread(lambda: graph.invoke(given, config_of()))

    state = await graph.aget_state(config_of())
    assert [message.content for message in state.values["messages"]] == ["hi", "hello"]


async def test_an_async_listing_may_be_left_early(async_saver: AsyncRedisSaver) -> None:
    chain = Chain()
    for step in range(5):
        await chain.aput(async_saver, step=step)

    async for found in async_saver.alist(config_of()):
        assert found.config == chain.config
        break

    assert await async_saver.aget(config_of()) is not None


def connections(client: redis.Redis, name: str) -> int:
    listed: Any = client.client_list()
    return sum(connection["name"] == name for connection in listed)

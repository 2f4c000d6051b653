"""One operation, one round trip: by the server's own counters, see `counters`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from counters import RoundTrips
from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from langchain_core.runnables import RunnableConfig

    from langgraph.checkpoint.redis.aio import AsyncRedisSaver

Counting: TypeAlias = Callable[[], RoundTrips]

pytestmark = pytest.mark.every_server


def twenty_steps(saver: RedisSaver | AsyncRedisSaver) -> Chain:
    """A DeltaChannel's snapshot at the root, writes at each step; the saver is connected and warm."""
    chain = Chain()
    put = chain.next(delta=_DeltaSnapshot(["root"]), messages=["x" * 300])
    chain.config = saver.put(*put)
    del chain.values["delta"]
    for step in range(20):
        saver.put_writes(chain.config, [("delta", [step])], "task")
        chain.put(saver, step=step)
    list(saver.list(config_of(), filter={"step": 1}, limit=1))
    list(saver.list(config_of(), limit=1))
    saver.copy_thread("thread", "warm")
    saver.get_tuple(config_of("never"))
    saver.get_delta_channel_history(config=chain.config, channels=["delta"])
    saver.delete_thread("never")
    return chain


def list_page(saver: RedisSaver, **query: Any) -> int:
    return len(list(saver.list(config_of(), **query)))


OPERATIONS: dict[str, Callable[[RedisSaver, Chain], Any]] = {
    "put": lambda saver, chain: chain.put(saver, messages=["x" * 300, "y" * 300], step=99),
    "put what nothing changed": lambda saver, chain: chain.put(saver),
    "put into a new thread": lambda saver, _: Chain(config_of("new")).put(saver, channel=1),
    "put into a new namespace": lambda saver, _: Chain(config_of("thread", "ns")).put(saver, c=1),
    "put_writes": lambda saver, chain: saver.put_writes(chain.config, [("a", 1), ("b", 2)], "t"),
    "put_writes again": lambda saver, chain: saver.put_writes(chain.config, [("a", 1)], "task"),
    "put_writes before put": lambda saver, _: saver.put_writes(
        config_of("thread", checkpoint_id="later"), [("a", 1)], "task"
    ),
    "get_tuple latest": lambda saver, _: saver.get_tuple(config_of()),
    "get_tuple by id": lambda saver, chain: saver.get_tuple(chain.config),
    "get_tuple by id, missing": lambda saver, _: saver.get_tuple(config_of(checkpoint_id="no")),
    "get_tuple of no thread": lambda saver, _: saver.get_tuple(config_of("nobody")),
    "a page of list": lambda saver, _: list_page(saver, limit=10),
    "a page of list, all of it": lambda saver, _: list_page(saver),
    "a page of list, all namespaces": lambda saver, _: list(
        saver.list({"configurable": {"thread_id": "thread"}})
    ),
    "list of no thread": lambda saver, _: list(saver.list(config_of("nobody"))),
    "delete_thread": lambda saver, _: saver.delete_thread("thread"),
    "delete_thread of no thread": lambda saver, _: saver.delete_thread("nobody"),
    "delta history": lambda saver, chain: saver.get_delta_channel_history(
        config=chain.config, channels=["delta"]
    ),
    "copy_thread": lambda saver, _: saver.copy_thread("thread", "copy"),
}

ASYNC_OPERATIONS: dict[str, Callable[[AsyncRedisSaver, Chain], Awaitable[Any]]] = {
    "aput": lambda saver, chain: chain.aput(saver, messages=["x" * 300, "y" * 300], step=99),
    "aput into a new thread": lambda saver, _: Chain(config_of("new")).aput(saver, channel=1),
    "aput_writes": lambda saver, chain: saver.aput_writes(chain.config, [("a", 1), ("b", 2)], "t"),
    "aget_tuple latest": lambda saver, _: saver.aget_tuple(config_of()),
    "aget_tuple by id": lambda saver, chain: saver.aget_tuple(chain.config),
    "aget_tuple of no thread": lambda saver, _: saver.aget_tuple(config_of("nobody")),
    "a page of alist": lambda saver, _: alist_page(saver, config_of()),
    "adelete_thread": lambda saver, _: saver.adelete_thread("thread"),
    "adelta history": lambda saver, chain: saver.aget_delta_channel_history(
        config=chain.config, channels=["delta"]
    ),
    "acopy_thread": lambda saver, _: saver.acopy_thread("thread", "copy"),
}


async def alist_page(saver: AsyncRedisSaver, config: RunnableConfig) -> int:
    return len([found async for found in saver.alist(config, limit=10)])


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_one_round_trip_and_one_script(
    saver: RedisSaver, round_trips: Counting, operation: Callable[[RedisSaver, Chain], Any]
) -> None:
    chain = twenty_steps(saver)

    with round_trips() as seen:
        operation(saver, chain)

    assert (seen.round_trips, seen.scripts) == (1, 1), str(seen)


@pytest.mark.parametrize("operation", ASYNC_OPERATIONS.values(), ids=ASYNC_OPERATIONS)
async def test_an_async_operation_is_one_round_trip_and_one_script(
    async_saver: AsyncRedisSaver,
    round_trips: Counting,
    operation: Callable[[AsyncRedisSaver, Chain], Awaitable[Any]],
) -> None:
    chain = await asyncio.to_thread(twenty_steps, async_saver)
    await async_saver.aget(config_of())

    with round_trips() as seen:
        await operation(async_saver, chain)

    assert (seen.round_trips, seen.scripts) == (1, 1), str(seen)


def test_a_filtered_page_of_list_is_two_round_trips(saver: RedisSaver, round_trips: Counting) -> None:
    twenty_steps(saver)

    with round_trips() as seen:
        assert list_page(saver, filter={"step": 3}) == 1

    assert seen.round_trips == 2


def test_a_thread_is_registered_in_the_round_trip_of_its_first_write_and_then_not_again(
    saver: RedisSaver, round_trips: Counting
) -> None:
    twenty_steps(saver)
    chain = Chain(config_of("new"))

    with round_trips() as first:
        chain.put(saver, channel=1)
    with round_trips() as second:
        chain.put(saver, channel=2)

    assert (first.round_trips, second.round_trips) == (1, 1)
    assert first.commands["zadd"] == second.commands["zadd"] + 1


def test_an_operation_without_work_is_no_round_trip(saver: RedisSaver, round_trips: Counting) -> None:
    chain = twenty_steps(saver)

    with round_trips() as seen:
        saver.put_writes(chain.config, [], "task")
        list_page(saver, limit=0)
        saver.get_delta_channel_history(config=chain.config, channels=[])
        saver.delete_for_runs([])
        saver.prune([])

    assert seen.round_trips == 0


def test_a_read_fetches_no_segment_twice(saver: RedisSaver, redis_url: str, key_prefix: str) -> None:
    """What a saver holds of a conversation, the server leaves out of its reply."""
    chain = Chain()
    for turn in range(100):
        chain.put(saver, messages=[*chain.values.get("messages", []), noise(turn)])

    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as cold:
        first, second = (bytes_sent(cold) for _ in range(2))

    assert first > 40_000
    assert second < first / 10


def noise(seed: int) -> str:
    return random.Random(seed).randbytes(400).hex()


def bytes_sent(saver: RedisSaver) -> int:
    before = net_output(saver)
    assert saver.get_tuple(config_of()) is not None
    return net_output(saver) - before


def net_output(saver: RedisSaver) -> int:
    return int(saver._driver.client.info("stats")["total_net_output_bytes"])


async def test_concurrent_calls_travel_together(async_saver: AsyncRedisSaver, round_trips: Counting) -> None:
    """500 calls are some batches, not 500 round trips."""
    config = await Chain().aput(async_saver, channel=1)
    await asyncio.gather(*(async_saver.aget_tuple(config) for _ in range(20)))

    with round_trips() as seen:
        await asyncio.gather(*(async_saver.aput_writes(config, [("c", n)], f"{n}") for n in range(500)))

    assert seen.round_trips < 40
    found = await async_saver.aget_tuple(config)
    assert found is not None
    assert len(found.pending_writes or ()) == 500

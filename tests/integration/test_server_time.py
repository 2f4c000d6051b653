"""No script holds the server for long, however deep a thread: 10 ms, and 50 ms for maintenance.

Time is the server's own. SLOWLOG tells each script's, by the clock on the wall: on a busy machine now
and then one is interrupted in the middle, so an operation gets some tries, and the best one counts.
Where an operation is one long script, it is interrupted in every try: there the server's processor time
counts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import redis

from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from servers import start_valkey
from steps import Chain, config_of, id_of
from texts import prose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from servers import Server

DEPTH = 10_000
NAMESPACES = 4
TRIES = 5
ALL_NAMESPACES: RunnableConfig = {"configurable": {"thread_id": "thread"}}


class SlowLog:
    """The server's log of what took longer than a millisecond."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def reset(self) -> None:
        self._client.slowlog_reset()

    def durations(self) -> list[float]:
        """Milliseconds."""
        entries = self._client.slowlog_get(100_000)
        return [entry["duration"] / 1_000 for entry in entries]

    async def best(self, operation: Callable[[int], Awaitable[Any]]) -> float:
        """Milliseconds of the longest script of an operation, in the best of some tries."""
        longest = []
        for attempt in range(TRIES):
            self.reset()
            await operation(attempt)
            longest.append(max(self.durations(), default=0.0))
        return min(longest)

    async def processor(self, operation: Callable[[int], Awaitable[Any]]) -> float:
        """Milliseconds that the server computed for a whole operation, in the best of some tries."""
        spent = []
        for attempt in range(TRIES):
            before = self._computed()
            await operation(attempt)
            spent.append(self._computed() - before)
        return min(spent)

    def _computed(self) -> float:
        cpu = self._client.info("cpu")
        return 1_000 * float(cpu["used_cpu_user_main_thread"] + cpu["used_cpu_sys_main_thread"])


@pytest.fixture(scope="module")
def deep_server() -> Iterator[Server]:
    """A server with one thread of 10,000 checkpoints in four namespaces."""
    with start_valkey(slowlog_log_slower_than=1_000, slowlog_max_len=100_000) as server:
        asyncio.run(build(server.url))
        yield server


async def build(url: str) -> None:
    """The namespaces grow at once, so that their puts travel together."""
    async with AsyncRedisSaver.from_conn_string(url) as saver:
        spaces = ["", *(f"child:{n}" for n in range(1, NAMESPACES))]
        await asyncio.gather(*(grow(saver, ns) for ns in spaces))


async def grow(saver: AsyncRedisSaver, ns: str) -> None:
    chain = Chain(config_of("thread", ns))
    for step in range(DEPTH // NAMESPACES):
        messages = [*chain.values.get("messages", []), prose(step, 40)][-30:]
        await chain.aput(saver, messages=messages, step=step)


@pytest.fixture
async def deep(deep_server: Server) -> AsyncIterator[AsyncRedisSaver]:
    async with AsyncRedisSaver.from_conn_string(deep_server.url) as saver:
        yield saver


@pytest.fixture
def slow_log(deep_server: Server) -> Iterator[SlowLog]:
    with redis.Redis.from_url(deep_server.url) as client:
        yield SlowLog(client)


def test_building_a_deep_thread_held_the_server_for_no_long_time(slow_log: SlowLog) -> None:
    """Every put of it: of ten thousand, interruptions may lengthen a few."""
    assert len([it for it in slow_log.durations() if it > 10]) <= 5


async def listed(saver: AsyncRedisSaver, config: RunnableConfig, **query: Any) -> list[str]:
    return [id_of(found.config) async for found in saver.alist(config, **query)]


async def put(saver: AsyncRedisSaver, latest: RunnableConfig) -> None:
    found = await saver.aget_tuple(latest)
    assert found is not None
    versions = dict(found.checkpoint["channel_versions"])
    chain = Chain(found.config, found.checkpoint["channel_values"], versions)
    await chain.aput(saver, step=-1)


OPERATIONS: dict[str, Callable[[AsyncRedisSaver, RunnableConfig], Awaitable[Any]]] = {
    "get": lambda saver, _: saver.aget_tuple(config_of()),
    "get by id": lambda saver, latest: saver.aget_tuple(latest),
    "put": put,
    "put_writes": lambda saver, latest: saver.aput_writes(latest, [("channel", 1)], "task"),
    "list": lambda saver, _: listed(saver, config_of(), limit=500),
    "list before": lambda saver, latest: listed(saver, config_of(), before=latest, limit=500),
    "list all namespaces": lambda saver, _: listed(saver, ALL_NAMESPACES, limit=1_000),
    "list filtered": lambda saver, _: listed(saver, config_of(), filter={"step": 3}),
    "list of the last page": lambda saver, _: listed(saver, config_of(), filter={"step": 0}),
    "delta history": lambda saver, latest: saver.aget_delta_channel_history(
        config=latest, channels=["never"]
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_no_operation_on_a_deep_thread_holds_the_server_for_long(
    deep: AsyncRedisSaver,
    slow_log: SlowLog,
    operation: Callable[[AsyncRedisSaver, RunnableConfig], Awaitable[Any]],
) -> None:
    latest = await deep.aget_tuple(config_of())
    assert latest is not None

    assert await slow_log.best(lambda _: operation(deep, latest.config)) <= 10


async def test_no_maintenance_of_a_deep_thread_holds_the_server_for_long(
    deep: AsyncRedisSaver, slow_log: SlowLog
) -> None:
    async def copy(attempt: int) -> None:
        await deep.acopy_thread("thread", f"copy {attempt}")

    async def prune(attempt: int) -> None:
        await deep.aprune([f"copy {attempt}"])

    async def delete(attempt: int) -> None:
        await deep.adelete_thread(f"copy {attempt}")

    assert await slow_log.processor(copy) <= 50
    assert await slow_log.best(prune) <= 50
    left = await listed(deep, {"configurable": {"thread_id": "copy 0"}})
    assert len(left) == NAMESPACES
    await slow_log.processor(copy)
    assert await slow_log.processor(delete) <= 50


async def test_reading_thousands_of_writes_does_not_hold_the_server_for_long(
    deep: AsyncRedisSaver, slow_log: SlowLog
) -> None:
    config = await Chain(config_of("wide")).aput(deep, channel=1)

    async def write(attempt: int) -> None:
        names = [f"{attempt} {n:04}" for n in range(500)]
        await asyncio.gather(*(deep.aput_writes(config, [("c", 1)], name) for name in names))

    assert await slow_log.best(write) <= 10
    assert await slow_log.best(lambda _: deep.aget_tuple(config)) <= 10

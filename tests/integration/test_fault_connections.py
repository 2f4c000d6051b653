"""Connections that break midway, a server that is slow: what was acknowledged is there, and nothing hangs."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from proxy import Proxy
from servers import Server
from steps import Chain, config_of, long_list, values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = (redis.ConnectionError, redis.TimeoutError)
QUICK: dict[str, Any] = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3, "retry": None}
PATIENT: dict[str, Any] = {"socket_timeout": 10}


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.port) as opened:
        yield opened


def assert_whole(saver: RedisSaver, thread: str, acknowledged: list[tuple[str, dict[str, Any]]]) -> None:
    """All that was acknowledged is there, and each checkpoint that is there loads with all its values."""
    found = {each.checkpoint["id"]: each for each in saver.list(config_of(thread))}
    for checkpoint_id, values in acknowledged:
        assert found[checkpoint_id].checkpoint["channel_values"] == values
        assert [write[1] for write in found[checkpoint_id].pending_writes or []] == ["a", "b"]
    for each in found.values():
        assert len(each.pending_writes or []) in (0, 2)


def test_connections_that_are_cut_midway_lose_nothing_that_was_acknowledged(
    proxy: Proxy, saver: RedisSaver, key_prefix: str
) -> None:
    proxy.cut_now_and_then(0.03)

    def converse(n: int) -> tuple[list[tuple[str, dict[str, Any]]], int]:
        acknowledged, failed = [], 0
        chain = Chain(config_of(f"thread {n}"))
        for step in range(60):
            put = chain.next(messages=long_list(step % 20), step=step)
            try:
                chain.config = through.put(*put)
                through.put_writes(chain.config, [("a", step), ("b", long_list(5))], "task")
            except BROKEN:
                failed += 1
            else:
                acknowledged.append((put.checkpoint["id"], dict(chain.values)))
        return acknowledged, failed

    with (
        RedisSaver(proxy.url, key_prefix=key_prefix, connection_args={**PATIENT, "retry": None}) as through,
        ThreadPoolExecutor(4) as pool,
    ):
        done = list(pool.map(converse, range(4)))

    assert sum(failed for _, failed in done) > 0
    assert sum(len(acknowledged) for acknowledged, _ in done) > 0
    for n, (acknowledged, _) in enumerate(done):
        assert_whole(saver, f"thread {n}", acknowledged)


async def test_connections_that_are_cut_midway_lose_nothing_that_was_acknowledged_async(
    proxy: Proxy, saver: RedisSaver, key_prefix: str
) -> None:
    """With the retries that a client has which is ours, hardly a call fails."""
    proxy.cut_now_and_then(0.02)

    async def converse(n: int) -> list[tuple[str, dict[str, Any]]]:
        acknowledged = []
        chain = Chain(config_of(f"thread {n}"))
        for step in range(40):
            put = chain.next(messages=long_list(step % 20), step=step)
            try:
                chain.config = await through.aput(*put)
                await through.aput_writes(chain.config, [("a", step), ("b", long_list(5))], "task")
            except BROKEN:
                continue
            acknowledged.append((put.checkpoint["id"], dict(chain.values)))
        return acknowledged

    async with AsyncRedisSaver(proxy.url, key_prefix=key_prefix, connection_args=PATIENT) as through:
        done = await asyncio.gather(*(converse(n) for n in range(4)))

    assert proxy.connections > 4
    assert sum(map(len, done)) > 0.8 * 160
    for n, acknowledged in enumerate(done):
        assert_whole(saver, f"thread {n}", acknowledged)


def test_a_connection_that_was_closed_while_idle_is_not_noticed(proxy: Proxy, key_prefix: str) -> None:
    with RedisSaver(proxy.url, key_prefix=key_prefix) as saver:
        chain = Chain()
        for step in range(5):
            chain.put(saver, step=step)
            proxy.cut()
        assert len(list(saver.list(config_of()))) == 5


def test_a_server_that_does_not_answer_is_an_error_within_the_timeout(proxy: Proxy, key_prefix: str) -> None:
    with RedisSaver(proxy.url, key_prefix=key_prefix, connection_args=QUICK) as saver:
        chain = Chain()
        chain.put(saver, channel=1)
        proxy.stall()
        for operation in (
            lambda: saver.get_tuple(config_of()),
            lambda: list(saver.list(config_of())),
            lambda: saver.put(*chain.next(channel=2)),
            lambda: saver.put_writes(chain.config, [("c", 1)], "task"),
            lambda: saver.delete_thread("thread"),
        ):
            began = time.monotonic()
            with pytest.raises(BROKEN):
                operation()
            assert time.monotonic() - began < 3
        proxy.flow()

        assert saver.get_tuple(config_of("another")) is None


async def test_the_event_loop_goes_on_while_a_server_does_not_answer(proxy: Proxy, key_prefix: str) -> None:
    longest = 0.0

    async def heartbeat() -> None:
        nonlocal longest
        before = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()

    async with AsyncRedisSaver(proxy.url, key_prefix=key_prefix, connection_args=QUICK) as saver:
        config = await Chain().aput(saver, channel=1)
        beating = asyncio.create_task(heartbeat())
        proxy.stall()
        began = time.monotonic()
        results = await asyncio.gather(
            *(saver.aget_tuple(config) for _ in range(50)),
            *(saver.aput_writes(config, [("c", n)], f"{n}") for n in range(50)),
            *(saver.aput(*Chain(config_of(f"{n}")).next(channel=n)) for n in range(3)),
            return_exceptions=True,
        )
        took = time.monotonic() - began
        proxy.flow()
        beating.cancel()

        assert all(isinstance(result, BROKEN) for result in results)
        assert took < 5
        assert longest < 0.25
        assert await saver.aget_tuple(config) is not None


class Forgetful(redis.Connection):
    """Loses a reply, once, when a test says so."""

    loses = False

    def read_response(self, *args: Any, **options: Any) -> Any:
        reply = super().read_response(*args, **options)
        if Forgetful.loses:
            Forgetful.loses = False
            raise redis.ConnectionError("the reply is lost")
        return reply


@pytest.mark.every_server
@pytest.mark.parametrize("keep_last", [None, 1])
@pytest.mark.parametrize(
    "changed", [{"messages": long_list(65)}, {"step": 1}], ids=["a value grows", "all stay"]
)
def test_a_put_that_is_sent_again_after_a_lost_reply_is_the_put_that_was_stored(
    redis_url: str, key_prefix: str, changed: dict[str, Any], keep_last: int | None
) -> None:
    """It finds its own work; what it built on may be dropped by then."""
    pool = redis.ConnectionPool.from_url(redis_url, connection_class=Forgetful, retry=Retry(NoBackoff(), 1))
    with redis.Redis.from_pool(pool) as client:
        saver = RedisSaver(redis_client=client, key_prefix=key_prefix, keep_last=keep_last)
        chain = Chain()
        chain.put(saver, messages=long_list(60), other=long_list(9, "other"))
        key = f"{key_prefix}:{{thread}}:data"
        before: Any = client.hkeys(key)
        Forgetful.loses = True
        chain.put(saver, **changed)

        after: Any = client.hkeys(key)
        assert not Forgetful.loses
        assert saver.stats().sent_again == 0
        assert len({name for name in after if name[:2] == b"s/"} - set(before)) == ("messages" in changed)
        assert values_at(saver, config_of()) == chain.values

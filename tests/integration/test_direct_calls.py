"""Single calls go to a connection of the client's pool; a client that somebody changed is called as it is."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.retry import Retry

from langgraph._redis import direct
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from steps import Chain

CONFIG: Any = {"configurable": {"thread_id": "direct"}}


class Noting(redis.Redis):
    """A client that a user derived, to see what is asked."""

    seen: list[Any]

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.seen.append(args[0])
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # it has none


class AsyncNoting(redis.asyncio.Redis):
    """Its async twin."""

    seen: list[Any]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.seen.append(args[0])
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # it has none


def derived(url: str, kind: Any) -> Any:
    client = kind.from_url(url)
    client.seen = []
    return client


def test_a_derived_client_sees_each_call(redis_url: str) -> None:
    with derived(redis_url, Noting) as client:
        RedisSaver(redis_client=client).get_tuple(CONFIG)
        assert client.seen[0] == "EVALSHA"


async def test_a_derived_async_client_sees_each_call(redis_url: str) -> None:
    async with derived(redis_url, AsyncNoting) as client:
        await AsyncRedisSaver(redis_client=client).aget_tuple(CONFIG)
        assert client.seen[0] == "EVALSHA"


def test_a_client_patched_after_it_was_made_sees_each_call(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tracers do it."""
    seen = []
    original: Any = redis.Redis.execute_command

    def traced(self: Any, *args: Any, **options: Any) -> Any:
        seen.append(args[0])
        return original(self, *args, **options)

    with redis.Redis.from_url(redis_url) as client:
        saver = RedisSaver(redis_client=client)
        monkeypatch.setattr(redis.Redis, "execute_command", traced)
        saver.get_tuple(CONFIG)
    assert seen[0] == "EVALSHA"


def test_metrics_of_the_client_are_kept(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Instance:
        def get_provider_manager(self) -> object:
            return object()

    monkeypatch.setattr(direct, "get_observability_instance", Instance)
    with redis.Redis.from_url(redis_url) as client:
        assert not direct._plain(client, direct._SYNC)
        assert RedisSaver(redis_client=client).get_tuple(CONFIG) is None


def test_a_single_connection_client_is_called_as_it_is(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, single_connection_client=True) as client:
        assert RedisSaver(redis_client=client).get_tuple(CONFIG) is None


def test_a_call_goes_by_the_connection_and_gives_it_back(
    redis_url: str,
) -> None:
    with redis.Redis.from_url(redis_url, max_connections=1) as client:
        assert direct._plain(client, direct._SYNC)
        for _ in range(3):
            assert direct.execute(client, ["ECHO", "a"]) == b"a"


async def test_an_async_call_gives_its_connection_back_when_cancelled(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url, max_connections=1) as client:
        call = asyncio.create_task(direct.aexecute(client, ["BLPOP", "nothing", 5]))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await direct.aexecute(client, ["ECHO", "a"]) == b"a"


@pytest.mark.parametrize("retries", [0, 2])
def test_retries_are_those_of_the_client(redis_url: str, retries: int) -> None:
    """A connection that dropped is made anew as often as the client allows."""
    retry = Retry(redis.backoff.NoBackoff(), retries)
    with redis.Redis.from_url(redis_url, retry=retry, decode_responses=True) as client:
        connection = client.connection_pool.get_connection()
        failures: list[Any] = []
        send = connection.send_packed_command

        def failing(*args: Any, **options: Any) -> None:
            if len(failures) < 2:
                failures.append(args)
                raise redis.ConnectionError("dropped")
            send(*args, **options)

        connection.send_packed_command = failing
        client.connection_pool.release(connection)
        if retries:
            assert direct.execute(client, ["ECHO", "a"]) == b"a"
        else:
            with pytest.raises(redis.ConnectionError, match="dropped"):
                direct.execute(client, ["ECHO", "a"])
        assert len(failures) == (2 if retries else 1)


async def test_a_small_async_call_needs_no_task_of_its_own(redis_url: str) -> None:
    loop, made = asyncio.get_running_loop(), list[Any]()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    async with AsyncRedisSaver.from_conn_string(redis_url, connection_args={"socket_timeout": 5}) as saver:
        await saver.aget_tuple(CONFIG)
        loop.set_task_factory(make)
        try:
            assert await saver.aget_tuple(CONFIG) is None
        finally:
            loop.set_task_factory(None)

    assert not made


@pytest.mark.parametrize("size", [10, 200_000])
async def test_a_connections_time_limit_is_what_it_was_after_a_call(
    redis_url: str, key_prefix: str, size: int
) -> None:
    async with redis.asyncio.Redis.from_url(redis_url, socket_timeout=3, max_connections=1) as client:
        saver, chain = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix), Chain()
        await chain.aput(saver, data=b"x")
        await chain.aput(saver, data=random.Random(1).randbytes(size))
        pool: Any = client.connection_pool
        connection = await pool.get_connection()
        assert connection.socket_timeout == 3
        await pool.release(connection)


class Spelling(redis.Connection):
    """A connection to a server on which a command has another name."""

    def pack_command(self, *args: Any) -> Any:
        pack: Any = super().pack_command
        return pack("ECHO" if args[0] == "SAY" else args[0], *args[1:])


class AsyncSpelling(redis.asyncio.Connection):
    """Its async twin."""

    def pack_command(self, *args: Any) -> Any:
        return super().pack_command("ECHO" if args[0] == "SAY" else args[0], *args[1:])


def test_a_connection_that_packs_in_its_own_way_does(redis_url: str) -> None:
    pool = redis.ConnectionPool.from_url(redis_url, connection_class=Spelling)
    with redis.Redis.from_pool(pool) as client:
        assert direct.execute(client, ["SAY", "a"]) == b"a"


async def test_an_async_connection_that_packs_in_its_own_way_does(redis_url: str) -> None:
    pool = redis.asyncio.ConnectionPool.from_url(redis_url, connection_class=AsyncSpelling)
    async with redis.asyncio.Redis.from_pool(pool) as client:
        assert await direct.aexecute(client, ["SAY", "a"]) == b"a"


@pytest.mark.parametrize("size", [10, 100_000, 3_000_000])
async def test_commands_of_every_size_arrive_as_they_are(redis_url: str, size: int) -> None:
    words = ["ECHO", random.Random(1).randbytes(size)]
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await direct.aexecute(client, words) == words[1]
    with redis.Redis.from_url(redis_url) as client:
        assert direct.execute(client, words) == words[1]

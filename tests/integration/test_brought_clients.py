"""Clients that users bring do what ours do: redis-py's and valkey-py's, on a server, sentinels, clusters."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
import valkey.asyncio.sentinel
import valkey.sentinel
from redis.exceptions import ResponseError

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from steps import Chain, config_of, long_list, values_at
from topologies import SERVICE, Together

WRITES = [("é", b"\xfd"), ("list", [1, None])]
THREADS = ("a", "b", "c")


def watchers(sentinels: Together) -> list[tuple[str, int]]:
    return [("127.0.0.1", each.port) for each in sentinels.watchers]


def one(url: str, package: Any, **args: Any) -> Any:
    """A client of one server, sync or async."""
    return getattr(package, package.__name__.partition(".")[0].capitalize()).from_url(url, **args)


def exercise(saver: RedisSaver) -> None:
    saver.setup()
    for thread in THREADS:
        chain = Chain(config_of(thread))
        for step in range(3):
            chain.put(saver, messages=long_list(20 + step), blob=b"\xff" * 300)
            saver.put_writes(chain.config, WRITES, "täsk")
        found = saver.get_tuple(config_of(thread))
        assert found is not None
        assert found.checkpoint["channel_values"] == chain.values
        assert sorted(found.pending_writes or []) == sorted(("täsk", *write) for write in WRITES)
        saver.copy_thread("a", f"{thread} again")
    assert len(list(saver.list(None))) == 18
    assert {thread.thread_id for thread in saver.threads()} == {*THREADS, "a again", "b again", "c again"}
    saver.prune(THREADS)
    for thread in THREADS:
        saver.delete_thread(thread)
        saver.delete_thread(f"{thread} again")


async def aexercise(saver: AsyncRedisSaver) -> None:
    await saver.asetup()
    for thread in THREADS:
        chain = Chain(config_of(thread))
        for step in range(3):
            await chain.aput(saver, messages=long_list(20 + step), blob=b"\xff" * 300)
        await asyncio.gather(*(saver.aput_writes(chain.config, WRITES, f"{n}") for n in range(40)))
        found = await saver.aget_tuple(config_of(thread))
        assert found is not None
        assert found.checkpoint["channel_values"] == chain.values
        assert len(found.pending_writes or []) == 80
        await saver.acopy_thread("a", f"{thread} again")
    assert len([found async for found in saver.alist(None)]) == 18
    await saver.aprune(THREADS)
    for thread in THREADS:
        await saver.adelete_thread(thread)
        await saver.adelete_thread(f"{thread} again")


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
def test_a_client_of_valkey_py_does_everything(
    redis_url: str, key_prefix: str, protocol: int, *, decode: bool
) -> None:
    with one(redis_url, valkey, protocol=protocol, decode_responses=decode) as client:
        exercise(RedisSaver(redis_client=client, key_prefix=key_prefix))
        assert client.ping()


@pytest.mark.parametrize("package", [redis.asyncio, valkey.asyncio], ids=["redis", "valkey"])
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
async def test_an_async_client_does_everything_and_its_sync_twin_goes_there(
    redis_url: str, key_prefix: str, package: Any, protocol: int, *, decode: bool
) -> None:
    async with one(redis_url, package, protocol=protocol, decode_responses=decode) as client:
        saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix)
        await aexercise(saver)
        chain = Chain()
        await chain.aput(saver, channel="é")

        assert await asyncio.to_thread(values_at, saver, config_of()) == {"channel": "é"}

        await saver.aclose()
        assert await client.ping()


async def test_a_client_that_sentinels_lead_does_everything_and_so_does_its_sync_twin(
    sentinels: Together, key_prefix: str
) -> None:
    for manager in (redis.asyncio.Sentinel, valkey.asyncio.sentinel.Sentinel):
        watching: Any = manager(watchers(sentinels))
        async with watching.master_for(SERVICE) as client:
            saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix)
            await aexercise(saver)
            await Chain().aput(saver, channel=1)
            assert await asyncio.to_thread(values_at, saver, config_of()) == {"channel": 1}
            await saver.adelete_thread("thread")
            await saver.aclose()
        for each in watching.sentinels:
            await each.aclose()


@pytest.mark.parametrize("manager", [redis.Sentinel, valkey.sentinel.Sentinel], ids=["redis", "valkey"])
def test_a_sync_client_that_sentinels_lead_does_everything(
    sentinels: Together, key_prefix: str, manager: Any
) -> None:
    watching = manager(watchers(sentinels))
    with watching.master_for(SERVICE) as client:
        exercise(RedisSaver(redis_client=client, key_prefix=key_prefix))
    for each in watching.sentinels:
        each.close()


@pytest.mark.parametrize("kind", [redis.RedisCluster, valkey.ValkeyCluster])
def test_a_clients_cluster_does_everything(cluster_of_six: Together, key_prefix: str, kind: Any) -> None:
    client = kind.from_url(cluster_of_six.servers[0].url)

    exercise(RedisSaver(redis_client=client, key_prefix=key_prefix))

    client.close()


@pytest.mark.parametrize("kind", [redis.asyncio.RedisCluster, valkey.asyncio.ValkeyCluster])
async def test_an_async_clients_cluster_does_everything(
    cluster_of_six: Together, key_prefix: str, kind: Any
) -> None:
    client = kind.from_url(cluster_of_six.servers[0].url)
    saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix)

    await aexercise(saver)

    await saver.aclose()
    await client.aclose()


def test_what_a_server_answers_valkey_py_is_an_error_of_redis_py(
    redis_url: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    redis_client.set(f"{key_prefix}:{{thread}}:data", "text")

    with one(redis_url, valkey) as client, pytest.raises(ResponseError, match="WRONGTYPE"):
        RedisSaver(redis_client=client, key_prefix=key_prefix).get_tuple(config_of())

    redis_client.delete(f"{key_prefix}:{{thread}}:data")


def test_that_a_connection_failed_is_valkey_pys_own_error() -> None:
    with one("redis://localhost:1", valkey) as client, pytest.raises(valkey.ConnectionError):
        RedisSaver(redis_client=client).get_tuple(config_of())


@pytest.mark.parametrize("servers", ["sentinels", "cluster_of_six"])
def test_more_threads_than_a_pool_holds_by_default_read_at_once(
    request: pytest.FixtureRequest, key_prefix: str, servers: str
) -> None:
    together: Together = request.getfixturevalue(servers)
    together_now = Barrier(150)
    with RedisSaver.from_conn_string(together.url, key_prefix=key_prefix) as saver:
        chain = Chain()
        chain.put(saver, messages=long_list(300))

        def read(_: int) -> Any:
            together_now.wait(30)
            return values_at(saver, config_of())

        with ThreadPoolExecutor(150) as threads:
            found = list(threads.map(read, range(150)))
        saver.delete_thread("thread")

    assert found == [chain.values] * 150


async def test_no_sentinel_is_forgotten_when_many_ask_at_once(sentinels: Together, key_prefix: str) -> None:
    async with AsyncRedisSaver.from_conn_string(sentinels.url, key_prefix=key_prefix) as saver:
        await saver.asetup()
        manager = saver.client.connection_pool.sentinel_manager
        known = {id(each) for each in manager.sentinels}
        first, *others = manager.sentinels
        manager.sentinels[0] = others[-1]

        found: list[Any] = await asyncio.gather(*(manager.discover_master(SERVICE) for _ in range(20)))

        assert {id(each) for each in manager.sentinels} == known
        assert len(set(found)) == 1
        for each in (first, *others):
            manager.sentinels[0], manager.sentinels[2] = each, manager.sentinels[0]
            assert manager.sentinels[0] is each
            assert {id(one) for one in manager.sentinels} == known

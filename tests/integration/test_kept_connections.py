"""Connections kept at hand between commands: none has a reply of another's, and none is one too many."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import redis

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.store.redis import RedisStore
from steps import Chain, config_of
from waiting import eventually

THREADS = 40


def cut_all(client: redis.Redis) -> None:
    """Close every connection but this one's, as a server that restarts does."""
    client.client_kill_filter(_type="normal", skipme=True)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(
    saver: RedisSaver, redis_client: redis.Redis
) -> None:
    chain = Chain()
    chain.put(saver, channel=1)

    for step in range(3):
        cut_all(redis_client)
        chain.put(saver, channel=step)
        cut_all(redis_client)
        assert saver.get(chain.config) is not None


async def test_so_it_is_in_async(async_saver: AsyncRedisSaver, redis_client: redis.Redis) -> None:
    chain = Chain()
    await chain.aput(async_saver, channel=1)

    for step in range(3):
        cut_all(redis_client)
        await chain.aput(async_saver, channel=step)
        cut_all(redis_client)
        assert await async_saver.aget(chain.config) is not None


def test_a_reply_that_was_not_read_to_its_end_is_nobodys(
    saver: RedisSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between the sending and the reading: the next call must not read the reply that comes then."""
    chain, other = Chain(), Chain(config_of("other"))
    chain.put(saver, channel="mine")
    other.put(saver, channel="other's")
    pool = saver.client.connection_pool
    kind = type(pool._connections[0])

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kind, "read_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            saver.get(chain.config)

    for asked, value in ((other, "other's"), (chain, "mine")) * 3:
        found = saver.get(asked.config)
        assert found is not None
        assert found["channel_values"]["channel"] == value


@pytest.mark.parametrize("most", [1, 2, 9])
def test_a_small_pool_suffices(redis_url: str, key_prefix: str, most: int) -> None:
    """Whatever is kept is there for pipelines, too; a thread's first put is one."""
    with RedisSaver(redis_url, key_prefix=key_prefix, connection_args={"max_connections": most}) as saver:

        def use(number: int) -> Any:
            chain = Chain(config_of(f"thread-{number}"))
            chain.put(saver, channel=number)
            found = saver.get(chain.config)
            return found and found["channel_values"]["channel"]

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(use, range(THREADS))) == list(range(THREADS))
        assert len(saver.client.connection_pool._connections) <= most


async def test_a_small_pool_suffices_in_async(redis_url: str, key_prefix: str) -> None:
    args = {"max_connections": 5}
    async with AsyncRedisSaver(redis_url, key_prefix=key_prefix, connection_args=args) as saver:
        chains = [Chain(config_of(f"thread-{number}")) for number in range(THREADS)]
        await asyncio.gather(*(chain.aput(saver, channel=at) for at, chain in enumerate(chains)))
        found = await asyncio.gather(*(saver.aget(chain.config) for chain in chains))

    assert [each and each["channel_values"]["channel"] for each in found] == list(range(THREADS))


async def test_a_client_that_only_others_used_is_closed_with_its_saver(
    redis_url: str, key_prefix: str
) -> None:
    """A store may share it before the saver itself asks anything."""
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)
    client = saver.client
    await client.ping()

    await saver.aclose()

    assert not any(each.is_connected for each in client.connection_pool._available_connections)


def test_where_credentials_may_change_connections_go_back_to_the_pool(
    redis_url: str, key_prefix: str
) -> None:
    """redis-py authenticates them anew there."""
    provider = redis.UsernamePasswordCredentialProvider("default", "")
    chain = Chain()
    for args, all_are_back in (({}, False), ({"credential_provider": provider}, True)):
        with RedisSaver(redis_url, key_prefix=key_prefix, connection_args=args) as saver:
            chain.put(saver, channel=1)
            chain.put(saver, channel=2)

            assert saver.client.connection_pool.pool.full() == all_are_back


@pytest.mark.parametrize("kind", [RedisSaver, RedisStore])
def test_what_nobody_closed_is_closed_when_nobody_has_it(
    request: pytest.FixtureRequest, redis_url: str, redis_client: redis.Redis, kind: type[Any]
) -> None:
    """At once, and not when a garbage collection comes by; also where a script's first call was refused."""
    name = f"left-{uuid4()}"
    redis_client.script_flush()
    gc.disable()
    request.addfinalizer(gc.enable)
    left = kind(redis_url, connection_args={"client_name": name})
    left.setup()
    assert name in _names(redis_client)

    del left

    assert eventually(lambda: name not in _names(redis_client))


def _names(client: redis.Redis) -> list[str]:
    return [connection["name"] for connection in client.client_list()]

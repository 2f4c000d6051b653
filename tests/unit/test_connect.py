"""What a saver may be built with, before anything is sent: connections are made at first use."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey

from langgraph._redis.connect import Endpoint
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import config_of

NOWHERE = "redis://localhost:1"
BOTH = [RedisSaver, AsyncRedisSaver]
SECRET = "s3cret"

both = pytest.mark.parametrize("kind", BOTH)


def client_for(kind: type[Any]) -> Any:
    """A client that this saver takes, of a server that is not there."""
    maker: Any = redis if kind is RedisSaver else redis.asyncio
    return maker.Redis.from_url(NOWHERE)


@both
@pytest.mark.parametrize(
    "url",
    ["http://localhost", "localhost:6379", "redis:localhost", "", "redis", "Embedded:/x", "sentinel://a"],
)
def test_an_unknown_scheme_is_refused_and_the_known_are_named(kind: type[Any], url: str) -> None:
    with pytest.raises(ValueError, match=r"must begin with redis://, .* or embedded://, not"):
        kind(url)


@both
@pytest.mark.parametrize("url", [7, b"redis://localhost", redis.Redis])
def test_a_url_that_is_no_text_is_refused(kind: type[Any], url: Any) -> None:
    with pytest.raises(TypeError, match=r"redis_url must be a str, not .*redis_client"):
        kind(url)


@both
def test_neither_a_url_nor_a_client_is_refused(kind: type[Any]) -> None:
    with pytest.raises(ValueError, match="either redis_url or redis_client"):
        kind()


@both
def test_a_url_and_a_client_are_refused(kind: type[Any]) -> None:
    with pytest.raises(ValueError, match="either redis_url or redis_client"):
        kind(NOWHERE, redis_client=client_for(kind))


@both
def test_connection_arguments_go_with_a_url(kind: type[Any]) -> None:
    with pytest.raises(ValueError, match="connection_args goes with redis_url"):
        kind(redis_client=client_for(kind), connection_args={"socket_timeout": 5})


def test_a_sync_saver_refuses_an_async_client_and_names_the_saver_for_it() -> None:
    with pytest.raises(TypeError, match=r"redis_client is redis\.asyncio.*Redis: use AsyncRedisSaver"):
        RedisSaver(redis_client=client_for(AsyncRedisSaver))


def test_an_async_saver_refuses_a_sync_client_and_names_the_saver_for_it() -> None:
    with pytest.raises(TypeError, match=r"redis_client is redis\..*Redis: use RedisSaver"):
        AsyncRedisSaver(redis_client=client_for(RedisSaver))


@both
@pytest.mark.parametrize("client", [NOWHERE, object(), 7])
def test_what_is_no_client_is_refused(kind: type[Any], client: Any) -> None:
    with pytest.raises(TypeError, match=f"must be a Redis client, not {type(client).__name__}"):
        kind(redis_client=client)


@both
def test_a_valkey_client_is_refused_and_says_what_to_bring(kind: type[Any]) -> None:
    client = valkey.Valkey.from_url(NOWHERE)

    with pytest.raises(TypeError, match=r"valkey-py client: bring one of redis-py"):
        kind(redis_client=client)


@both
@pytest.mark.parametrize("prefix", ["", "a{b", "}", None, 7])
def test_a_key_prefix_is_a_text_without_braces(kind: type[Any], prefix: Any) -> None:
    with pytest.raises(ValueError, match="key_prefix must be a non-empty str without braces"):
        kind(NOWHERE, key_prefix=prefix)


@both
@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"redis://user:{SECRET}@example.com:6380/3", "redis://example.com:6380/3"),
        (f"rediss://:{SECRET}@example.com/0", "rediss://example.com/0"),
        (f"redis://example.com?password={SECRET}", "redis://example.com"),
        (f"redis://user:{SECRET}%40@[::1]:6379", "redis://[::1]:6379"),
        (f"unix://user:{SECRET}@/run/redis.sock?db=2", "unix:///run/redis.sock"),
    ],
)
def test_a_saver_shows_where_it_stores_and_no_password(kind: type[Any], url: str, place: str) -> None:
    shown = repr(kind(url, key_prefix="mine"))

    assert shown == f"<{kind.__name__} {place} prefix='mine'>"


@both
def test_a_saver_shows_the_client_that_was_brought(kind: type[Any]) -> None:
    assert "a Redis client" in repr(kind(redis_client=client_for(kind)))


@both
@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@example.com",
        f"user:{SECRET}@example.com:6379",
        f":{SECRET}@example.com",
    ],
)
def test_a_refused_url_is_not_shown_with_its_password(kind: type[Any], url: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - another URL may be refused by redis-py.
        kind(url)

    assert SECRET not in str(refusal.value)


@both
def test_a_saver_is_built_without_a_connection(kind: type[Any]) -> None:
    assert kind(NOWHERE).config_specs == []
    assert kind("unix:///nowhere.sock").config_specs == []


def test_an_outage_is_an_error_and_not_an_empty_answer() -> None:
    with (
        RedisSaver.from_conn_string(NOWHERE) as saver,
        pytest.raises(redis.ConnectionError, match="localhost:1"),
    ):
        saver.get_tuple(config_of())


async def test_an_outage_is_an_error_and_not_an_empty_answer_async() -> None:
    async with AsyncRedisSaver.from_conn_string(NOWHERE) as saver:
        with pytest.raises(redis.ConnectionError, match="localhost:1"):
            await saver.aget_tuple(config_of())


def test_connection_arguments_reach_the_connections() -> None:
    endpoint = Endpoint(NOWHERE, None, {"socket_timeout": 7, "max_connections": 3}, wants_async=False)

    client, owned = endpoint.sync_client()

    assert owned
    assert client.connection_pool.connection_kwargs["socket_timeout"] == 7
    assert client.connection_pool.max_connections == 3
    client.close()


async def test_connection_arguments_reach_the_connections_async() -> None:
    endpoint = Endpoint(NOWHERE, None, {"socket_timeout": 7}, wants_async=True)

    client = endpoint.async_client()

    assert client.connection_pool.connection_kwargs["socket_timeout"] == 7
    await client.aclose()


def test_the_client_that_was_brought_is_the_one_that_is_used() -> None:
    brought = client_for(RedisSaver)

    client, owned = Endpoint(None, brought, None, wants_async=False).sync_client()

    assert client is brought
    assert not owned


def test_the_sync_twin_of_an_async_client_goes_to_the_same_place() -> None:
    brought = redis.asyncio.Redis(host="example.com", port=6380, db=3, password=SECRET, ssl=True)

    client, owned = Endpoint(None, brought, None, wants_async=True).sync_client()

    settings = client.connection_pool.connection_kwargs
    assert owned
    assert type(client) is redis.Redis
    assert (settings["host"], settings["port"], settings["db"]) == ("example.com", 6380, 3)
    assert settings["password"] == SECRET
    assert client.connection_pool.connection_class is redis.SSLConnection
    client.close()


def test_an_async_cluster_client_has_no_sync_twin_and_says_what_to_use() -> None:
    cluster = redis.asyncio.RedisCluster(host="localhost", port=1)
    saver = AsyncRedisSaver(redis_client=cluster)

    with pytest.raises(TypeError, match=r"use RedisSaver with a redis\.RedisCluster"):
        saver.get_tuple(config_of())
    asyncio.run(saver.aclose())


async def test_sync_methods_are_refused_where_a_loop_runs() -> None:
    saver = AsyncRedisSaver(NOWHERE)

    with pytest.raises(RuntimeError, match=r"get_tuple -> aget_tuple.*asyncio.to_thread"):
        saver.get_tuple(config_of())
    await saver.aclose()

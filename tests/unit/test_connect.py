"""What a saver may be built with, before anything is sent: connections are made at first use."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
import valkey.asyncio.sentinel

from langgraph._redis.connect import Endpoint
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import config_of

NOWHERE = "redis://localhost:1"
BOTH = [RedisSaver, AsyncRedisSaver]
SECRET = "s3cret"
VALKEY_CLUSTER = valkey.asyncio.ValkeyCluster

both = pytest.mark.parametrize("kind", BOTH)


def client_for(kind: type[Any]) -> Any:
    """A client that this saver takes, of a server that is not there."""
    maker: Any = redis if kind is RedisSaver else redis.asyncio
    return maker.Redis.from_url(NOWHERE)


def valkey_client_for(kind: type[Any]) -> Any:
    """Likewise, of valkey-py."""
    maker: Any = valkey if kind is RedisSaver else valkey.asyncio
    return maker.Valkey.from_url(NOWHERE)


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
def test_a_client_of_valkey_py_is_taken(kind: type[Any]) -> None:
    client = valkey_client_for(kind)

    assert "a Valkey client" in repr(kind(redis_client=client))


def test_a_valkey_client_of_the_other_kind_is_refused_and_the_right_one_named() -> None:
    with pytest.raises(TypeError, match=r"valkey\.asyncio.*Valkey: use AsyncRedisSaver"):
        RedisSaver(redis_client=valkey_client_for(AsyncRedisSaver))
    with pytest.raises(TypeError, match=r"use RedisSaver, or bring a client of valkey\.asyncio"):
        AsyncRedisSaver(redis_client=valkey_client_for(RedisSaver))


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
        (f"redis+sentinel://user:{SECRET}@a:1,[::1]/mymaster/2", "redis+sentinel://a:1,[::1]/mymaster/2"),
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
        f"redis://user:{SECRET}/x@example.com",
        f"redis+cluster://user:{SECRET}?x@a,b",
        f"redis+sentinel://user:{SECRET}@a,b",
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


def twin_of(brought: Any) -> Any:
    client, owned = Endpoint(None, brought, None, wants_async=True).sync_client()
    assert owned
    return client


def test_the_sync_twin_of_an_async_valkey_client_is_valkeys() -> None:
    brought: Any = valkey.asyncio.Valkey(host="example.com", port=6380, db=3, password=SECRET, ssl=True)

    client: Any = twin_of(brought)

    settings = client.connection_pool.connection_kwargs
    assert type(client) is valkey.Valkey
    assert (settings["host"], settings["port"], settings["db"]) == ("example.com", 6380, 3)
    assert settings["password"] == SECRET
    assert client.connection_pool.connection_class is valkey.SSLConnection


class Mine(valkey.asyncio.Valkey):
    """A client that somebody derived."""


def test_the_sync_twin_of_a_derived_client_is_of_the_package_it_is_derived_from() -> None:
    client = twin_of(Mine(host="example.com"))

    assert type(client) is valkey.Valkey


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("sentinel", "kind"),
    [(redis.asyncio.Sentinel, redis.Redis), (valkey.asyncio.sentinel.Sentinel, valkey.Valkey)],
)
def test_the_sync_twin_of_a_client_that_sentinels_lead_asks_the_same(
    sentinel: Any, kind: type[Any], *, tls: bool
) -> None:
    hosts = [("a", 1), ("b", 2)]
    watching = sentinel(hosts, sentinel_kwargs={"password": "x"}, password=SECRET, db=2, ssl=tls)

    client = twin_of(watching.master_for("mymaster"))

    pool = client.connection_pool
    assert isinstance(client, kind)
    assert (pool.service_name, pool.is_master) == ("mymaster", True)
    assert (pool.connection_kwargs["password"], pool.connection_kwargs["db"]) == (SECRET, 2)
    assert ("SSL" in pool.connection_class.__name__) is tls
    asked = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"], each["password"]) for each in asked] == [
        ("a", 1, "x"),
        ("b", 2, "x"),
    ]
    client.close()


@pytest.mark.parametrize(
    ("cluster", "name"),
    [(redis.asyncio.RedisCluster, "redis.RedisCluster"), (VALKEY_CLUSTER, "valkey.ValkeyCluster")],
)
def test_an_async_cluster_client_has_no_sync_twin_and_says_what_to_use(cluster: Any, name: str) -> None:
    saver = AsyncRedisSaver(redis_client=cluster(host="localhost", port=1))

    with pytest.raises(TypeError, match=f"use RedisSaver with a {name}"):
        saver.get_tuple(config_of())
    asyncio.run(saver.aclose())


class Tunnel(redis.asyncio.Connection):
    """A kind of connection that has no sync twin."""


async def greet(_connection: Any) -> None:
    """What a client does on each of its connections."""


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"connection_class": Tunnel}, "makes connections of Tunnel"),
        ({"redis_connect_func": greet}, "runs a coroutine on each connection"),
    ],
)
def test_a_client_that_cannot_be_told_in_sync_terms_has_no_sync_twin(
    settings: dict[str, Any], why: str
) -> None:
    pool: Any = redis.asyncio.ConnectionPool(**settings)

    with pytest.raises(TypeError, match=rf"{why}: use RedisSaver with a redis\.Redis"):
        twin_of(redis.asyncio.Redis.from_pool(pool))


async def test_sync_methods_are_refused_where_a_loop_runs() -> None:
    saver = AsyncRedisSaver(NOWHERE)

    with pytest.raises(RuntimeError, match=r"get_tuple -> aget_tuple.*asyncio.to_thread"):
        saver.get_tuple(config_of())
    await saver.aclose()

"""From a URL to a client of redis-py: one server, sentinels, or a cluster; sync or async."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.sentinel
import redis.cluster
import redis.sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from langgraph._redis.urls import nodes

# redis-py has no types for these.
_ClusterNode: Any = redis.cluster.ClusterNode
_Sentinel: Any = redis.sentinel.Sentinel
_AsyncSentinel: Any = redis.asyncio.sentinel.Sentinel

# A blocking pool: more threads than connections wait for one, and do not fail.
POOL: Final[dict[str, Any]] = {"max_connections": 50, "timeout": 20}

# Where primaries change, redis-py cuts idle connections, and only its plain pool keeps threads from those
# meanwhile. It fails beyond its limit, so there is none: a thread that asks has a connection.
_PLAIN_POOL: Final[dict[str, Any]] = {"max_connections": 2**31}

# A server or a balancer closes connections that are idle; every script may be sent again.
_RETRIES: Final = 3
_BACKOFF: Final = ExponentialBackoff(cap=0.5, base=0.02)
_RETRIED: Final[dict[str, Any]] = {"retry_on_error": [redis.ConnectionError, redis.TimeoutError]}


def sync_client(url: str, args: Mapping[str, Any]) -> Any:
    """A client for threads; whoever asked closes it."""
    several = nodes(url)
    if several is None:
        retried = {**_RETRIED, "retry": Retry(_BACKOFF, _RETRIES), **args}
        return redis.Redis.from_pool(redis.BlockingConnectionPool.from_url(url, **{**POOL, **retried}))
    if not several.service:
        first = [_ClusterNode(host, port) for host, port in several.hosts]
        return redis.RedisCluster(startup_nodes=first, **{**_PLAIN_POOL, **several.args, **args})
    retried = {**_PLAIN_POOL, **_RETRIED, "retry": Retry(_BACKOFF, _RETRIES), **several.args, **args}
    return _primary(_Sentinel(several.hosts, **_watched(retried)), several.service, _Primary)


def async_client(url: str, args: Mapping[str, Any]) -> Any:
    """A client for one event loop; whoever asked closes it.

    Its pool does not block (and takes no `timeout`): the driver never has more round trips under way than
    there are connections.
    """
    args = {name: value for name, value in args.items() if name != "timeout"}
    several = nodes(url)
    if several is None:
        retried = {**_RETRIED, "retry": AsyncRetry(_BACKOFF, _RETRIES), **args}
        return redis.asyncio.Redis.from_pool(redis.asyncio.ConnectionPool.from_url(url, **retried))
    if not several.service:
        first = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in several.hosts]
        return redis.asyncio.RedisCluster(startup_nodes=first, **{**several.args, **args})
    retried = {**_RETRIED, "retry": AsyncRetry(_BACKOFF, _RETRIES), **several.args, **args}
    return _primary(_AsyncSentinel(several.hosts, **_watched(retried)), several.service, _AsyncPrimary)


def _watched(args: dict[str, Any]) -> dict[str, Any]:
    """How to connect to sentinels, who do not share the data servers' users; TLS is for both."""
    own = {name: args[name] for name in args if name.startswith(("socket_", "ssl"))}
    return {"sentinel_kwargs": {**own, **args.pop("sentinel_kwargs", {})}, **args}


def _sentinels(client: Any) -> list[Any]:
    found: list[Any] = client.connection_pool.sentinel_manager.sentinels
    return found


def _primary(sentinels: Any, service: str, kind: type[Any]) -> Any:
    sentinels.sentinels = _InTurn(sentinels.sentinels)
    return sentinels.master_for(service, redis_class=kind)


class _InTurn(list[Any]):
    """Sentinels, the one that answered last in front.

    redis-py swaps it with the first. Two threads or tasks that do so at once would leave one twice, and lose
    another; so here it goes to the front in one step, and the rest stay.
    """

    def __setitem__(self, index: Any, sentinel: Any) -> None:
        if index == 0:
            self[:] = [sentinel, *(each for each in self if each is not sentinel)]
        elif isinstance(index, slice):
            super().__setitem__(index, sentinel)


class _Primary(redis.Redis):
    """The primary that sentinels name; closed with its connections to them."""

    def close(self) -> None:
        super().close()
        for sentinel in _sentinels(self):
            sentinel.close()


class _AsyncPrimary(redis.asyncio.Redis):
    """Its async twin."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's.
        await super().aclose(close_connection_pool)
        for sentinel in _sentinels(self):
            await sentinel.aclose()

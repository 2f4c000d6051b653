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
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from langgraph._redis.urls import nodes

# redis-py has no types for these.
_ClusterNode: Any = redis.cluster.ClusterNode
_AsyncClusterNode: Any = redis.asyncio.cluster.ClusterNode
_Sentinel: Any = redis.sentinel.Sentinel
_AsyncSentinel: Any = redis.asyncio.sentinel.Sentinel

# A blocking pool: more threads than connections wait for one, and do not fail.
POOL: Final[dict[str, Any]] = {"max_connections": 50, "timeout": 20}

# Where primaries change, redis-py cuts idle connections, and only its plain pool keeps threads from those
# meanwhile. It fails beyond its limit, so there is none: a thread that asks has a connection.
_PLAIN_POOL: Final[dict[str, Any]] = {"max_connections": 2**31}

# After some redirections redis-py's async client would close all connections, also those of calls under way.
_PATIENT: Final[dict[str, Any]] = {"reinitialize_steps": 0}

# A server or a balancer closes connections that are idle; every script may be sent again.
_RETRIES: Final = 3
_BACKOFF: Final = ExponentialBackoff(cap=0.5, base=0.02)
_RETRIED: Final[dict[str, Any]] = {"retry_on_error": [redis.ConnectionError, redis.TimeoutError]}

_REPLACED: Final = "the primary was replaced while it was connected to"


def sync_client(url: str, args: Mapping[str, Any]) -> Any:
    """A client for threads; whoever asked closes it."""
    several = nodes(url)
    if several is None:
        retried = {**_RETRIED, "retry": Retry(_BACKOFF, _RETRIES), **args}
        return redis.Redis.from_pool(redis.BlockingConnectionPool.from_url(url, **{**POOL, **retried}))
    if not several.service:
        first = [_ClusterNode(host, port) for host, port in several.hosts]
        return _Cluster(startup_nodes=first, **{**_PLAIN_POOL, **several.args, **args})
    retried = {**_PLAIN_POOL, **_RETRIED, "retry": Retry(_BACKOFF, _RETRIES), **several.args, **args}
    watching = _Sentinel(several.hosts, **_watched(retried, Retry(NoBackoff(), 0)))
    connection = _SSLConnection if several.args.get("ssl") or args.get("ssl") else _Connection
    return _primary(watching, several.service, _Primary, connection)


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
        first = [_AsyncClusterNode(host, port) for host, port in several.hosts]
        return _AsyncCluster(startup_nodes=first, **{**_PATIENT, **several.args, **args})
    retried = {**_RETRIED, "retry": AsyncRetry(_BACKOFF, _RETRIES), **several.args, **args}
    connection = _AsyncSSLConnection if several.args.get("ssl") or args.get("ssl") else _AsyncConnection
    watching = _AsyncSentinel(several.hosts, **_watched(retried, AsyncRetry(NoBackoff(), 0)))
    return _primary(watching, several.service, _AsyncPrimary, connection)


def _watched(args: dict[str, Any], retry: Any) -> dict[str, Any]:
    """How to connect to sentinels, who do not share the data servers' users; TLS is for both.

    One that does not answer is not waited for: the next one is asked.
    """
    own = {"retry": retry, **{name: args[name] for name in args if name.startswith(("socket_", "ssl"))}}
    return {"sentinel_kwargs": {**own, **args.pop("sentinel_kwargs", {})}, **args}


def _sentinels(client: Any) -> list[Any]:
    found: list[Any] = client.connection_pool.sentinel_manager.sentinels
    return found


def _primary(sentinels: Any, service: str, kind: type[Any], connection: type[Any]) -> Any:
    sentinels.sentinels = _InTurn(sentinels.sentinels)
    return sentinels.master_for(service, redis_class=kind, connection_class=connection)


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


class _Connection(redis.sentinel.SentinelManagedConnection):
    """A connection to the primary that sentinels name, also where a call is tried again.

    A primary that hangs is replaced meanwhile. When it goes on it takes itself for the primary, until a
    sentinel tells it, which can take ten seconds; and what is written there is lost. So sentinels are asked
    each time that it connects, and again once it is there: it may have waited for a server that hung.
    """

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        if not self._sock:  # Else redis-py would connect to the address that it had before.
            self._connect_retry()  # type: ignore[no-untyped-call]  # likewise
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]  # likewise

    def connect_to(self, address: Any) -> None:
        super().connect_to(address)  # type: ignore[no-untyped-call]  # redis-py's
        if self.connection_pool.get_master_address() != address:
            self.disconnect()  # type: ignore[no-untyped-call]  # likewise
            raise redis.ConnectionError(_REPLACED)


class _SSLConnection(_Connection, redis.SSLConnection):
    """The same over TLS."""


class _AsyncConnection(redis.asyncio.sentinel.SentinelManagedConnection):
    """Its async twin."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        if not self.is_connected:
            await self._connect_retry()  # type: ignore[no-untyped-call]  # likewise
        await super().send_packed_command(command, check_health)

    async def connect_to(self, address: Any) -> None:
        await super().connect_to(address)  # type: ignore[no-untyped-call]  # redis-py's
        if await self.connection_pool.get_master_address() != address:
            await self.disconnect()
            raise redis.ConnectionError(_REPLACED)


class _AsyncSSLConnection(_AsyncConnection, redis.asyncio.SSLConnection):
    """The same over TLS."""


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


class _Cluster(redis.RedisCluster):
    """A cluster that may send a call (ASK) to a node that joined just now.

    Such a node has no slots yet, so it is on no client's map. redis-py fails there, and gives a connection
    back to its pool that another thread may use meanwhile.
    """

    def __init__(self, **told: Any) -> None:
        self._newcomers: dict[str, Any] = {}
        super().__init__(**told)

    def get_node(self, host: Any = None, port: Any = None, node_name: Any = None) -> Any:
        found = super().get_node(host, port, node_name)  # type: ignore[no-untyped-call]  # redis-py's
        if found is not None:
            return found
        new = _ClusterNode(*_address(host, port, node_name), "primary")
        return self._newcomers.setdefault(new.name, new)

    def close(self) -> None:
        super().close()
        for node in self._newcomers.values():
            if node.redis_connection is not None:
                node.redis_connection.close()


class _AsyncCluster(redis.asyncio.RedisCluster):
    """Its async twin. The base closes itself, too, in order to connect anew."""

    def __init__(self, **told: Any) -> None:
        self._newcomers: dict[str, Any] = {}
        super().__init__(**told)

    def get_node(self, host: Any = None, port: Any = None, node_name: Any = None) -> Any:
        found = super().get_node(host, port, node_name)
        if found is not None:
            return found
        args = self.nodes_manager.connection_kwargs
        new = _AsyncClusterNode(*_address(host, port, node_name), "primary", **args)
        return self._newcomers.setdefault(new.name, new)

    async def aclose(self) -> None:
        await super().aclose()
        for node in self._newcomers.values():
            await node.disconnect()


def _address(host: Any, port: Any, name: Any) -> tuple[str, int]:
    """A node's host and port, by which alone it may be named."""
    if name is None:
        return host, int(port)
    host, _, port = name.rpartition(":")
    return host, int(port)

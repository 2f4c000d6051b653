"""Clients that users bring: whose they are, of what kind, and a sync one that goes where an async one goes.

A client may be redis-py's or valkey-py's, which is made after it: modules, classes and arguments have the
same names, except that a client is called Valkey. Its twin is made of its own package.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, Final

from langgraph._redis.clients import POOL
from langgraph._redis.senders import Client

# What an async client holds as objects of its own kind, or makes for itself.
_NOT_SHARED: Final = frozenset(
    {
        *("retry", "parser_class", "event_dispatcher", "connection_pool"),
        *("oss_cluster_maint_notifications_handler", "maint_notifications_pool_handler"),
    }
)
_ON_CONNECT: Final = ("redis_connect_func", "valkey_connect_func")


def is_async(client: Client) -> bool:
    """Whether a client's commands are awaited."""
    return inspect.iscoroutinefunction(client.execute_command)


def is_cluster(client: Client) -> bool:
    """Whether a client talks to a cluster: redis-py's, valkey-py's, or derived from one of them."""
    return any(kind.__name__ in ("RedisCluster", "ValkeyCluster") for kind in type(client).__mro__)


def made_by(client: Client) -> str:
    """The package that a client comes from, or is derived from: redis, or valkey."""
    packages = [kind.__module__.partition(".")[0] for kind in type(client).__mro__]
    return "valkey" if "valkey" in packages else "redis"


def sync_twin(client: Client) -> Client:
    """A sync client for the server, database and credentials of an async one.

    Raises:
        TypeError: If an async client cannot be told in sync terms; the message says what to do.
    """
    if is_cluster(client):
        raise TypeError(
            "the sync methods of AsyncRedisSaver do not reach a cluster through an async client: "
            f"use RedisSaver with a {_name(client, 'Cluster')}"
        )
    pool = client.connection_pool
    told = {name: item for name, item in pool.connection_kwargs.items() if name not in _NOT_SHARED}
    if any(inspect.iscoroutinefunction(told.get(name)) for name in _ON_CONNECT):
        raise TypeError(_untold(client, "runs a coroutine on each connection"))
    if hasattr(pool, "sentinel_manager"):
        return _watched_twin(client, told)
    connections: Any = import_module(f"{made_by(client)}.connection")
    kind = getattr(connections, pool.connection_class.__name__, None)
    if kind is None:
        raise TypeError(_untold(client, f"makes connections of {pool.connection_class.__name__}"))
    return _kind(client).from_pool(
        connections.BlockingConnectionPool(**{**POOL, **told, "connection_class": kind})
    )


def _watched_twin(client: Client, told: dict[str, Any]) -> Client:
    """A sync client of the server that the same sentinels name."""
    pool = client.connection_pool
    manager = pool.sentinel_manager
    addresses = [each.connection_pool.connection_kwargs for each in manager.sentinels]
    sentinels: Any = import_module(f"{made_by(client)}.sentinel")
    watching = sentinels.Sentinel(
        [(address["host"], address["port"]) for address in addresses],
        min_other_sentinels=manager.min_other_sentinels,
        sentinel_kwargs={name: it for name, it in manager.sentinel_kwargs.items() if name not in _NOT_SHARED},
        **{**told, "ssl": issubclass(pool.connection_class, _ssl(client))},
    )
    named = watching.master_for if pool.is_master else watching.slave_for
    return named(pool.service_name, _kind(client))


def _kind(client: Client) -> Any:
    return getattr(import_module(made_by(client)), made_by(client).capitalize())


def _ssl(client: Client) -> Any:
    return import_module(f"{made_by(client)}.asyncio.connection").SSLConnection


def _name(client: Client, suffix: str = "") -> str:
    return f"{made_by(client)}.{made_by(client).capitalize()}{suffix}"


def _untold(client: Client, why: str) -> str:
    return (
        f"the sync methods of AsyncRedisSaver cannot connect as redis_client does, which {why}: "
        f"use RedisSaver with a {_name(client)}"
    )

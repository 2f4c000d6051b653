"""One command, over a connection of a client's pool: what `execute_command` does, and no more.

Of the time that a small command takes in redis-py's `execute_command`, a tenth goes to callbacks and metrics
that a script call has no use for. Retries are the connection's own, as ever. A client that somebody
changed (a subclass, a patch that traces, metrics that are switched on, a cache) is used as it is.
"""

from __future__ import annotations

import types
from typing import Any, Final

import redis
import redis.asyncio
from redis.client import NEVER_DECODE

from langgraph._redis.packing import aexchange, exchange
from langgraph._redis.replies import familiar

try:
    from redis.observability.providers import get_observability_instance
except ImportError:
    get_observability_instance = None  # type: ignore[assignment]  # redis-py before 7.2 has no metrics

RAW: Final[dict[str, Any]] = {NEVER_DECODE: True}


def _original(kind: type) -> Any:
    """A client's own `execute_command`, or None if it was patched before this module was imported."""
    found = vars(kind).get("execute_command")
    plain = type(found) is types.FunctionType and not hasattr(found, "__wrapped__")
    return found if plain and hasattr(redis.Connection, "should_reconnect") else None


_SYNC: Final = _original(redis.Redis)
_ASYNC: Final = _original(redis.asyncio.Redis)


def _measured() -> bool:
    """Whether redis-py's own metrics are on."""
    return (
        get_observability_instance is not None
        and get_observability_instance().get_provider_manager() is not None
    )


def _plain(client: Any, original: Any) -> bool:
    """Whether a client is as redis-py made it, with connections that come from its pool."""
    return (
        original is not None
        and getattr(client.execute_command, "__func__", None) is original
        and client.connection is None
        and getattr(client.connection_pool, "cache", None) is None
        and not _measured()
    )


def is_plain(client: Any) -> bool:
    """Whether a sync client is as redis-py made it."""
    return _plain(client, _SYNC)


def ais_plain(client: Any) -> bool:
    """Likewise an async one."""
    return _plain(client, _ASYNC) and not client.single_connection_client


def execute(client: Any, words: list[Any]) -> Any:
    """Send one command over a sync client, and return its reply as bytes."""
    if not is_plain(client):
        try:
            return client.execute_command(*words, **RAW)
        except Exception as error:
            if (same := familiar(error)) is error:
                raise
            raise same from error
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        return exchange(connection, words)
    finally:
        if connection.should_reconnect():
            connection.disconnect()
        pool.release(connection)


async def aexecute(client: Any, words: list[Any]) -> Any:
    """`execute`, over an async client."""
    if not ais_plain(client):
        try:
            return await client.execute_command(*words, **RAW)
        except Exception as error:
            if (same := familiar(error)) is error:
                raise
            raise same from error
    pool = client.connection_pool
    connection = await pool.get_connection()
    try:
        return await aexchange(connection, words)
    finally:
        await pool.release(connection)

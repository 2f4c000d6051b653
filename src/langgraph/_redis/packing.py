"""One command over a connection: its words packed by hiredis, sent, and the reply read as bytes.

redis-py looks at each word in Python first, and its async connection joins them one by one. A connection
that packs in a way of its own is left to it. So is an async command of some size: there redis-py passes large
words on as they are, and hiredis would copy them.
"""

from __future__ import annotations

from typing import Any, Final

import redis.asyncio.connection
import redis.connection

try:
    import hiredis
except ImportError:  # redis-py was installed without its extra.
    _pack: Any = None
else:
    _pack = getattr(hiredis, "pack_command", None)

_SERIALIZER: Final = getattr(redis.connection, "HiredisRespSerializer", None)
_SYNC: Final = redis.connection.AbstractConnection.pack_command
_ASYNC: Final = redis.asyncio.connection.AbstractConnection.pack_command

_LARGE: Final = 1024 * 1024

_SMALL: Final = 48 * 1024
"""Bytes that an event loop's transport takes at once: asyncio's limit is 64 KiB."""


def exchange(connection: Any, words: list[Any]) -> Any:
    """Send a command, whose verb may be of two words, over a connection that no reply is due on.

    Retries are the connection's own.
    """

    def exchanged() -> Any:
        connection.send_packed_command(_packed(connection, words))
        return connection.read_response(disable_decoding=True)

    return connection.retry.call_with_retry(exchanged, lambda _: connection.disconnect())


async def aexchange(connection: Any, words: list[Any]) -> Any:
    """Likewise over an async connection."""

    async def exchanged() -> Any:
        await _send(connection, _packed(connection, words))
        return await connection.read_response(disable_decoding=True)

    return await connection.retry.call_with_retry(exchanged, lambda _: connection.disconnect())


def _packed(connection: Any, words: list[Any]) -> list[bytes]:
    """A command in the pieces in which it is sent."""
    if _pack is not None and " " not in words[0] and _by_hiredis(connection, words):
        return [_pack(tuple(words))]
    pieces: list[bytes] = connection.pack_command(*words)
    return pieces


def _by_hiredis(connection: Any, words: list[Any]) -> bool:
    way = type(connection).pack_command
    if way is _SYNC:
        return type(getattr(connection, "_command_packer", None)) is _SERIALIZER
    return way is _ASYNC and sum([len(word) for word in words if type(word) is bytes]) <= _LARGE


async def _send(connection: Any, pieces: list[bytes]) -> None:
    """Send a command in pieces.

    Before Python 3.12, redis-py runs a task for each command that is sent within a time limit. A small one
    needs no limit: it fits what the loop takes without waiting. What is waited for is the reply.
    """
    small = sum(map(len, pieces)) <= _SMALL
    if not small or not connection.is_connected or connection.health_check_interval:
        await connection.send_packed_command(pieces)
        return
    limit, connection.socket_timeout = connection.socket_timeout, None
    try:
        await connection.send_packed_command(pieces)
    finally:
        if connection.socket_timeout is None:  # Else redis-py gave it another meanwhile.
            connection.socket_timeout = limit

"""A command as it travels: its words packed by hiredis, and sent.

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


def packed(connection: Any, words: list[Any]) -> list[bytes]:
    """A command in the pieces in which it is sent; a verb may be of two words."""
    if _pack is not None and " " not in words[0] and _by_hiredis(connection, words):
        return [_pack(tuple(words))]
    pieces: list[bytes] = connection.pack_command(*words)
    return pieces


def _by_hiredis(connection: Any, words: list[Any]) -> bool:
    way = type(connection).pack_command
    if way is _SYNC:
        return type(getattr(connection, "_command_packer", None)) is _SERIALIZER
    return way is _ASYNC and sum([len(word) for word in words if type(word) is bytes]) <= _LARGE


async def send(connection: Any, words: list[Any]) -> None:
    """Send a command over an async connection that no reply is due on.

    Before Python 3.12, redis-py runs a task for each command that is sent within a time limit. A small one
    needs no limit: it fits what the loop takes without waiting. What is waited for is the reply.
    """
    pieces = packed(connection, words)
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

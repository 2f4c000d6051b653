"""Connections that are kept at hand between commands, of a client that is ours alone.

A pool looks at each connection that it hands out, whether it is still open and has nothing left to read: a
system call and some Python, a tenth of a small command. A connection that served a command within the last
second needs no such look. It is kept only if that command's reply was read to its end, so no reply can be
another's; what breaks nevertheless is for the connection's own retries, as ever.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any, Final

import redis
from redis.exceptions import ResponseError

from langgraph._redis.direct import execute, is_plain
from langgraph._redis.forked import renewed

MOST: Final = 4
"""Connections that are kept; the pool has the others."""

FRESH: Final = 1.0
"""Seconds after which a connection is looked at before it is used again."""


class Kept:
    """Sends single commands over a client's connections.

    Args:
        client: A client that nobody else brought. One whose pool is not redis-py's blocking one, which
            sentinels and clusters have of their own, is used as it is.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._pool: Any = getattr(client, "connection_pool", None)
        self._usable = type(self._pool) is redis.BlockingConnectionPool
        renewed(self)

    def renew(self) -> None:
        """None are kept: a forked process has connections of its own."""
        self._idle: deque[tuple[float, Any]] = deque()

    def execute(self, words: list[Any]) -> Any:
        """Send one command, and return its reply as bytes."""
        if not self._usable or not is_plain(self._client):
            return execute(self._client, words)
        connection = self._taken()

        def exchange() -> Any:
            connection.send_packed_command(connection.pack_command(*words))
            return connection.read_response(disable_decoding=True)

        try:
            reply = connection.retry.call_with_retry(exchange, lambda _: connection.disconnect())
        except ResponseError:
            self._keep(connection)
            raise
        except BaseException:
            connection.disconnect()  # Whatever is still to come on it is nobody's.
            self._pool.release(connection)
            raise
        self._keep(connection)
        return reply

    def _taken(self) -> Any:
        try:
            since, connection = self._idle.pop()
        except IndexError:
            return self._pool.get_connection()
        if monotonic() - since < FRESH:
            return connection
        self._pool.release(connection)
        return self._pool.get_connection()

    def _keep(self, connection: Any) -> None:
        if len(self._idle) < MOST and not connection.should_reconnect():
            self._idle.append((monotonic(), connection))
            return
        if connection.should_reconnect():
            connection.disconnect()
        self._pool.release(connection)

"""Connections that are kept at hand between commands, of a client that is ours alone.

A pool looks at each connection that it hands out, whether it is still open and has nothing left to read: a
system call and some Python, a tenth of a small command and more. One that served a command within the last
second needs no such look. It is kept only if its reply was read to its end, so none can be another's;
what breaks nevertheless is for the connection's own retries, as ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, Final, NamedTuple

import redis
import redis.asyncio
from redis.exceptions import ResponseError

from langgraph._redis.direct import aexecute, ais_plain, execute, is_plain
from langgraph._redis.forked import renewed
from langgraph._redis.packing import aexchange, exchange

MOST: Final = 4
"""Connections that are kept; the pool has the others."""

FRESH: Final = 1.0
"""Seconds after which a connection is looked at before it is used again."""


class _Taken(NamedTuple):
    """A connection to use, if one is at hand; else, maybe, one that must be looked at first."""

    fresh: Any = None
    stale: Any = None


class _AtHand:
    """The connections, in both styles.

    Args:
        client: The client.
        kind: The pool that is understood. Sentinels and clusters have pools of their own, a small one has
            none to spare, and one whose credentials may change authenticates connections anew when they
            come back: their clients are used as they are.
    """

    def __init__(self, client: Any, kind: type[Any]) -> None:
        self.client = client
        self.pool: Any = getattr(client, "connection_pool", None)
        pool: Any = self.pool
        self.usable = type(pool) is kind and pool.max_connections > 2 * MOST and not _renews(pool)
        renewed(self)

    def renew(self) -> None:
        """None are kept: a forked process has connections of its own."""
        self._idle: deque[tuple[float, Any]] = deque()

    def taken(self) -> _Taken:
        """The connection that was used last."""
        try:
            since, connection = self._idle.pop()
        except IndexError:
            return _Taken()
        return _Taken(connection) if monotonic() - since < FRESH else _Taken(stale=connection)

    def all(self) -> Iterator[Any]:
        """Let go of all."""
        with suppress(IndexError):
            while True:
                yield self._idle.pop()[1]

    def kept(self, connection: Any) -> bool:
        """Keep a connection, if it can serve again and few are kept."""
        if len(self._idle) >= MOST or connection.should_reconnect():
            return False
        self._idle.append((monotonic(), connection))
        return True


def _renews(pool: Any) -> bool:
    return pool.connection_kwargs.get("credential_provider") is not None


class Kept:
    """Sends single commands over a sync client's connections; thread-safe."""

    def __init__(self, client: Any) -> None:
        self._at_hand = _AtHand(client, redis.BlockingConnectionPool)

    def execute(self, words: list[Any]) -> Any:
        """Send one command, and return its reply as bytes."""
        client, pool = self._at_hand.client, self._at_hand.pool
        if not self._at_hand.usable or not is_plain(client):
            return execute(client, words)
        connection = self._taken()
        try:
            reply = exchange(connection, words)
        except ResponseError:
            self._keep(connection)
            raise
        except BaseException:
            connection.disconnect()  # Whatever is still to come on it is nobody's.
            pool.release(connection)
            raise
        self._keep(connection)
        return reply

    def give_back(self) -> None:
        """Give the pool what is kept, for a pipeline to use."""
        for connection in self._at_hand.all():
            self._at_hand.pool.release(connection)

    def _taken(self) -> Any:
        fresh, stale = self._at_hand.taken()
        if stale is not None:
            self._at_hand.pool.release(stale)
        return fresh or self._at_hand.pool.get_connection()

    def _keep(self, connection: Any) -> None:
        if not self._at_hand.kept(connection):
            if connection.should_reconnect():
                connection.disconnect()
            self._at_hand.pool.release(connection)


class AKept:
    """Its async twin, for one event loop."""

    def __init__(self, client: Any) -> None:
        self._at_hand = _AtHand(client, redis.asyncio.ConnectionPool)

    async def execute(self, words: list[Any]) -> Any:
        """Send one command, and return its reply as bytes."""
        client, pool = self._at_hand.client, self._at_hand.pool
        if not self._at_hand.usable or not ais_plain(client):
            return await aexecute(client, words)
        connection = await self._taken()
        try:
            reply = await aexchange(connection, words)
        except ResponseError:
            await self._keep(connection)
            raise
        except BaseException:
            await connection.disconnect(nowait=True)  # Whatever is still to come on it is nobody's.
            await pool.release(connection)
            raise
        await self._keep(connection)
        return reply

    async def give_back(self) -> None:
        """Give the pool what is kept, for a pipeline to use."""
        for connection in self._at_hand.all():
            await self._at_hand.pool.release(connection)

    async def _taken(self) -> Any:
        fresh, stale = self._at_hand.taken()
        if stale is not None:
            await self._at_hand.pool.release(stale)
        return fresh or await self._at_hand.pool.get_connection()

    async def _keep(self, connection: Any) -> None:
        if not self._at_hand.kept(connection):
            await self._at_hand.pool.release(connection)

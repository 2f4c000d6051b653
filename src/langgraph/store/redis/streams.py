"""What several shards hold, as one: each is read a page at a time, and the heads are merged.

A stream says what to ask of its shard next, and takes the reply. As many pages as are needed are read, those
of all shards in the same round trips.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from langgraph._redis.plan import Plan
from langgraph.store.redis.spread import Ask, Spread

T = TypeVar("T")


class Stream(Protocol, Generic[T]):
    """One shard's part of what is read.

    Attributes:
        ready: What was read and is not merged yet, each with its place; the smallest place first.
        ended: Whether there is no more.
    """

    ready: deque[tuple[Any, T]]
    ended: bool

    def ask(self) -> Ask:
        """What to ask for next."""
        ...

    def take(self, reply: Any) -> None:
        """Take the reply."""
        ...


def merged(spread: Spread, streams: Sequence[Stream[T]], wanted: int) -> Plan[list[T]]:
    """The first items of all streams together, at most as many as are wanted."""
    found: list[T] = []
    while len(found) < wanted:
        hungry = [stream for stream in streams if not stream.ready and not stream.ended]
        if hungry:
            replies = yield from spread.ask([stream.ask() for stream in hungry])
            for stream, reply in zip(hungry, replies, strict=True):
                stream.take(reply)
            continue
        full = [stream for stream in streams if stream.ready]
        if not full:
            break
        first = min(full, key=lambda stream: stream.ready[0][0]) if len(full) > 1 else full[0]
        found.append(first.ready.popleft()[1])
    return found

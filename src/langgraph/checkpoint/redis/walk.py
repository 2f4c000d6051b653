"""Going through threads in the order of their last use, some of each sorted set at a time.

A place in that order is a score and a name: of threads that were used in the same millisecond the name
decides, so there is one order, and a walk can go on after any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.keys import SHARDS, Thread

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core

PAGE: Final = 256
"""Members that are asked of one sorted set at once, unless it takes more to get beyond those of one score."""

Place: TypeAlias = "tuple[float, bytes]"
"""A last use in ms, and a name as the registry has it."""


class Met(NamedTuple):
    """A thread, and when it was last used (ms)."""

    thread: Thread
    score: float


@dataclass(slots=True)
class Shard:
    """Where the walk through one sorted set of threads stands.

    Attributes:
        key: The sorted set.
        size: How many members to ask for next; later pages are larger.
        after: The place to go on after.
        edge: The scores to begin with, as ZREVRANGEBYSCORE (or ZRANGEBYSCORE) is told; b"" for all.
        oldest_first: Whether to go upwards.
    """

    key: bytes
    size: int = PAGE
    after: Place | None = None
    edge: bytes = b""
    oldest_first: bool = False
    buffer: list[Place] = field(default_factory=list)
    done: bool = False

    def call(self) -> Call:
        """Ask for the next members; those with the last score again, since a score is no place."""
        first, last = (b"-inf", b"+inf") if self.oldest_first else (b"+inf", b"-inf")
        if self.oldest_first:
            last = self.edge or last
        else:
            first = self.edge or first
        if self.after is not None:
            first = b"%.17g" % self.after[0]
        verb = "ZRANGEBYSCORE" if self.oldest_first else "ZREVRANGEBYSCORE"
        return Call(verb, [self.key], [first, last, b"WITHSCORES", b"LIMIT", 0, self.size])

    def take(self, flat: list[tuple[bytes, float]]) -> None:
        """Keep what is new of a reply."""
        fresh = [(score, name) for name, score in flat if self._beyond((score, name))]
        self.done = len(flat) < self.size
        self.size *= 2
        if fresh:  # Else more members share one score than a page holds.
            self.size = min(self.size, PAGE)
            self.buffer = fresh
            self.after = fresh[-1]

    def _beyond(self, place: Place) -> bool:
        if self.after is None:
            return True
        return place > self.after if self.oldest_first else place < self.after


def everything(core: Core, **how: Any) -> list[Shard]:
    """The shards of the registry, to be walked through as `Shard` says."""
    return [Shard(core.keys.shard(number), **how) for number in range(SHARDS)]


@dataclass(slots=True)
class Walk:
    """Goes through all threads of sorted sets, those of the registry unless others are given."""

    core: Core
    shards: list[Shard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shards = self.shards or everything(self.core)

    def some(self, count: int) -> Plan[list[Met]]:
        """The next threads; fewer than asked for at the end."""
        found: list[Met] = []
        while len(found) < count and (following := (yield from self.next())) is not None:
            found.append(following)
        return found

    def next(self) -> Plan[Met | None]:
        """The next thread; None at the end."""
        while hungry := [shard for shard in self.shards if not shard.buffer and not shard.done]:
            replies = yield [shard.call() for shard in hungry]
            for shard, reply in zip(hungry, replies, strict=True):
                shard.take(scored(reply))
        full = [shard for shard in self.shards if shard.buffer]
        if not full:
            return None
        chosen = (min if full[0].oldest_first else max)(full, key=lambda shard: shard.buffer[0])
        score, name = chosen.buffer.pop(0)
        return Met(self.core.keys.thread(keys.thread_named(name)), score)


def scored(reply: list[Any]) -> list[tuple[bytes, float]]:
    """Members and scores, however the client's protocol version pairs them."""
    if reply and isinstance(reply[0], (list, tuple)):
        return [(name, float(score)) for name, score in reply]
    return [(name, float(score)) for name, score in zip(reply[::2], reply[1::2], strict=True)]

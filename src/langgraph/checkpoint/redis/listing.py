"""Listing checkpoints, page by page, of one thread or of all.

A page of one thread is one round trip; with a filter two, since only the values of checkpoints that
match are fetched. Filters are decided here, on decoded metadata: none becomes a query.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.keys import BUDGET, SHARDS, Bounds, Thread
from langgraph.checkpoint.redis.reader import GONE, Reader, matches, unreadable

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph.checkpoint.redis.plans import Plans

_LIST: Final = scripts.load("list")
_LOAD: Final = scripts.load("load")
_FORGET: Final = scripts.load("forget")

PAGE: Final = 100
"""Checkpoints a page holds at most, and records where a filter may pass over many."""

_THREADS: Final = 256
_SETTLED_MS: Final = 5 * 60 * 1000
"""A registry entry this old whose thread is gone is no thread about to be written."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to list. `ns` None means all namespaces; `id` restricts to one checkpoint id."""

    ns: str | None = None
    id: str | None = None
    before: str | None = None
    filter: Mapping[str, Any] | None = None
    limit: int | None = None

    @property
    def bounds(self) -> Bounds:
        """Where the listing begins and ends."""
        if self.id is None:
            return keys.bounds(self.ns, self.before)
        return keys.bounds_of_id(self.ns, self.id)

    @property
    def empty(self) -> bool:
        """Whether nothing can match."""
        out_of_range = self.id is not None and self.before is not None and self.id >= self.before
        return out_of_range or (self.limit is not None and self.limit <= 0)


def query(
    config: RunnableConfig | None,
    filter: Mapping[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
) -> Query:
    """The query that `list`'s arguments make.

    Raises:
        TypeError: If the limit is no int, or an id no `str`, `int` or `UUID`.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        raise TypeError(f"limit must be an int or None, not {type(limit).__name__}: {limit!r:.80}")
    at = keys.configurable(config) if config is not None else {}
    below = keys.configurable(before, "before") if before is not None else {}
    return Query(
        ns=keys.namespace_of(at),
        id=keys.checkpoint_id_of(at),
        before=keys.checkpoint_id_of(below, "before"),
        filter=filter,
        limit=limit,
    )


class Page(NamedTuple):
    """Some checkpoints, and the bounds of what is left, None after the last page."""

    found: list[CheckpointTuple]
    left: Bounds | None


NOTHING: Final = Page([], None)
"""Stands for the page of a thread that does not exist."""


def page(plans: Plans, thread: Thread, wanted: Query, bounds: Bounds) -> Plan[Page]:
    """One page of a thread's checkpoints, largest id first."""
    whole = not wanted.filter
    most = PAGE if wanted.limit is None or not whole else min(wanted.limit, PAGE)
    shelf = plans.core.shelves.get(plans.shelf_key(thread, wanted.ns or ""))
    reply = yield Call(_LIST, thread.keys, (*bounds, most, BUDGET, int(whole), shelf.names))
    if reply is None:
        return NOTHING
    if isinstance(reply, bytes):
        raise unreadable(thread, reply, GONE)
    last_ns, last_id, entries, values, segments = reply
    reader = Reader(plans.codec, thread, values, segments, shelf)
    if whole:
        found = [reader.tuple_of(entry) for entry in entries]
    else:
        matching = [(ns, name) for ns, name, data, _ in entries if _passes(reader, wanted, ns, name, data)]
        found = yield from _load(plans, thread, matching[: wanted.limit])
    return Page(found, bounds.below(last_ns, last_id) if last_id else None)


def _passes(reader: Reader, wanted: Query, ns: bytes, checkpoint_id: bytes, data: bytes) -> bool:
    return matches(reader.record(ns, checkpoint_id, data).metadata, wanted.filter)


def _load(plans: Plans, thread: Thread, wanted: list[tuple[bytes, bytes]]) -> Plan[list[CheckpointTuple]]:
    found: list[CheckpointTuple] = []
    shelf = plans.core.shelves.get(plans.shelf_key(thread, ""))
    while wanted:
        args: list[bytes | int] = [BUDGET, shelf.names, *(name for pair in wanted for name in pair)]
        count, entries, values, segments = yield Call(_LOAD, thread.keys[:1], args)
        reader = Reader(plans.codec, thread, values, segments, shelf)
        found += [reader.tuple_of(entry) for entry in entries]
        wanted = wanted[count:]
    return found


@dataclass(slots=True)
class Shard:
    """Where the walk through one shard of the registry stands: latest use first."""

    key: bytes
    buffer: list[tuple[float, bytes]] = field(default_factory=list)
    score: bytes = b"+inf"
    seen: set[bytes] = field(default_factory=set)
    size: int = _THREADS
    done: bool = False

    def call(self) -> Call:
        """Ask for the next members; those with the last score again, since a score is no position."""
        args: list[bytes | int] = [self.score, b"-inf", b"WITHSCORES", b"LIMIT", 0, self.size]
        return Call("ZREVRANGEBYSCORE", [self.key], args)

    def take(self, flat: list[tuple[bytes, float]]) -> None:
        """Keep what is new of a reply."""
        fresh = [(score, name) for name, score in flat if name not in self.seen]
        self.done = len(flat) < self.size
        if not fresh:
            self.size *= 2  # More members share one score than a page holds.
            return
        self.buffer = fresh
        lowest = fresh[-1][0]
        self.score = b"%.17g" % lowest
        self.seen = {name for name, score in flat if score == lowest}


@dataclass(slots=True)
class Walk:
    """Goes through all threads of the registry, the last used first."""

    plans: Plans
    shards: list[Shard] = field(init=False)

    def __post_init__(self) -> None:
        names = self.plans.core.keys
        self.shards = [Shard(names.shard(number)) for number in range(SHARDS)]

    def next(self) -> Plan[tuple[Thread, float] | None]:
        """The next thread and when it was last used (ms); None at the end."""
        while hungry := [shard for shard in self.shards if not shard.buffer and not shard.done]:
            replies = yield [shard.call() for shard in hungry]
            for shard, reply in zip(hungry, replies, strict=True):
                shard.take(_scored(reply))
        full = [shard for shard in self.shards if shard.buffer]
        if not full:
            return None
        score, name = max(full, key=lambda shard: shard.buffer[0]).buffer.pop(0)
        return self.plans.core.keys.thread(keys.thread_named(name)), score

    def forget(self, thread: Thread, score: float) -> Plan[None]:
        """Take a thread that is gone out of the registry, unless it may be about to be written."""
        if score < time.time() * 1000 - _SETTLED_MS:
            registry = self.plans.core.keys.registry(thread)
            yield Call(_FORGET, [registry], [keys.member(thread), b"%.17g" % score])


def _scored(reply: list[Any]) -> list[tuple[bytes, float]]:
    """Members and scores, however the client's protocol version pairs them."""
    if reply and isinstance(reply[0], (list, tuple)):
        return [(name, float(score)) for name, score in reply]
    return [(name, float(score)) for name, score in zip(reply[::2], reply[1::2], strict=True)]


class Listing:
    """One `list` call: ask for `next_page` until `done`.

    Args:
        plans: The saver's operations.
        config: The thread (and namespace, and id), or None for all threads, the last used first.
        wanted: What to list.
    """

    def __init__(self, plans: Plans, config: RunnableConfig | None, wanted: Query) -> None:
        self.done = wanted.empty
        self._plans = plans
        self._wanted = wanted
        self._bounds = wanted.bounds
        self._walk = Walk(plans) if config is None else None
        self._thread = plans.core.keys.address(config).thread if config is not None else None
        self._score = 0.0

    def next_page(self) -> Plan[Iterator[CheckpointTuple]]:
        """The next checkpoints, maybe none although more follow."""
        if self._thread is None and not (yield from self._next_thread()):
            return iter(())
        assert self._thread is not None
        got = yield from page(self._plans, self._thread, self._wanted, self._bounds)
        if got is NOTHING and self._walk is not None:
            yield from self._walk.forget(self._thread, self._score)
        self._advance(got)
        return iter(got.found)

    def _next_thread(self) -> Plan[bool]:
        assert self._walk is not None
        following = yield from self._walk.next()
        if following is None:
            self.done = True
            return False
        self._thread, self._score = following
        return True

    def _advance(self, got: Page) -> None:
        self._bounds = got.left or self._wanted.bounds
        if self._wanted.limit is not None:
            left = self._wanted.limit - len(got.found)
            self._wanted = replace(self._wanted, limit=left)
            self.done = left <= 0
        if got.left is None:
            self._thread = None
            self.done = self.done or self._walk is None

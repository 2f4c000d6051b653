"""Listing checkpoints, page by page, of one thread or of all.

A page of one thread is one round trip; with a filter two, since only the values of checkpoints that
match are fetched. Filters are decided here, on decoded metadata: none becomes a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.bounds import Bounds, bounds, bounds_of_id
from langgraph.checkpoint.redis.keys import BUDGET, Thread
from langgraph.checkpoint.redis.policy import NO_READ
from langgraph.checkpoint.redis.reader import GONE, Reader, matches, stored, unreadable
from langgraph.checkpoint.redis.registry import Gone, bury, settled
from langgraph.checkpoint.redis.walk import Walk

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph.checkpoint.redis.plans import Plans

_LIST: Final = scripts.load("list")
_LOAD: Final = scripts.load("load")

PAGE: Final = 100
"""Checkpoints a page holds at most, and records where a filter may pass over many."""


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
            return bounds(self.ns, self.before)
        return bounds_of_id(self.ns, self.id)

    @property
    def empty(self) -> bool:
        """Whether nothing can match."""
        out_of_range = self.id is not None and self.before is not None and self.id >= self.before
        return out_of_range or (self.limit is not None and self.limit <= 0)


def checked_limit(limit: Any) -> int | None:
    """The most that a caller wants of a listing.

    Raises:
        TypeError: If it is no int.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        raise TypeError(f"limit must be an int or None, not {type(limit).__name__}: {limit!r:.80}")
    return None if limit is None else int(limit)


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
    at = keys.configurable(config) if config is not None else {}
    below = keys.configurable(before, "before") if before is not None else {}
    return Query(
        ns=keys.namespace_of(at),
        id=keys.checkpoint_id_of(at),
        before=keys.checkpoint_id_of(below, "before"),
        filter=filter,
        limit=checked_limit(limit),
    )


class Page(NamedTuple):
    """Some checkpoints, and the bounds of what is left, None after the last page."""

    found: list[CheckpointTuple]
    left: Bounds | None


NOTHING: Final = Page([], None)
"""Stands for the page of a thread that does not exist."""


def page(plans: Plans, thread: Thread, wanted: Query, bounds: Bounds, life: bytes = NO_READ) -> Plan[Page]:
    """One page of a thread's checkpoints, largest id first; `life` is what reading it gives the thread."""
    whole = not wanted.filter
    most = PAGE if wanted.limit is None or not whole else min(wanted.limit, PAGE)
    shelf = plans.core.shelves.get(plans.shelf_key(thread, wanted.ns or ""))
    reply = yield Call(_LIST, thread.keys, (*bounds, most, BUDGET, int(whole), shelf.names(), life))
    if reply is None:
        return NOTHING
    if isinstance(reply, bytes):
        raise unreadable(thread, reply, GONE)
    last_ns, last_id = reply[:2]
    answer = stored(reply, 2)
    reader = Reader(plans.codec, thread, answer, shelf)
    if whole:
        found = list(reader.tuples(answer.entries))
    else:
        matching = [
            (ns, name) for ns, name, data, _ in answer.entries if _passes(reader, wanted, ns, name, data)
        ]
        found = yield from _load(plans, thread, matching[: wanted.limit])
    return Page(found, bounds.below(last_ns, last_id) if last_id else None)


def _passes(reader: Reader, wanted: Query, ns: bytes, checkpoint_id: bytes, data: bytes) -> bool:
    return matches(reader.body(ns, checkpoint_id, data).metadata, wanted.filter)


def _load(plans: Plans, thread: Thread, wanted: list[tuple[bytes, bytes]]) -> Plan[list[CheckpointTuple]]:
    found: list[CheckpointTuple] = []
    shelf = plans.core.shelves.get(plans.shelf_key(thread, ""))
    while wanted:
        args: list[bytes | int] = [BUDGET, shelf.names(), *(name for pair in wanted for name in pair)]
        reply = yield Call(_LOAD, thread.keys[:1], args)
        answer = stored(reply, 1)
        reader = Reader(plans.codec, thread, answer, shelf)
        found += reader.tuples(answer.entries)
        wanted = wanted[reply[0] :]
    return found


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
        self._walk = Walk(plans.core) if config is None else None
        self._thread = plans.core.keys.address(config).thread if config is not None else None
        # To list all threads is no use of any.
        self._life = NO_READ if config is None else plans.core.policy.on_read(keys.configurable(config))
        self._score = 0.0

    def next_page(self) -> Plan[Iterator[CheckpointTuple]]:
        """The next checkpoints, maybe none although more follow."""
        if self._thread is None and not (yield from self._next_thread()):
            return iter(())
        assert self._thread is not None
        got = yield from page(self._plans, self._thread, self._wanted, self._bounds, self._life)
        if got is NOTHING and self._walk is not None and settled(self._plans.core, self._score):
            yield from bury(self._plans.core, [Gone(self._thread, self._score)])
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

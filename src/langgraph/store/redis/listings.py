"""Listing namespaces in their order, those that fit conditions, cut after a number of labels.

A prefix without wildcards is a range of the index. What else there is to fit is decided here, on what that
range holds. Namespaces that begin alike stand in one shard, so none is met twice.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from langgraph.store.base import ListNamespacesOp, MatchCondition

from langgraph._redis.plan import Plan
from langgraph.store.redis import keys
from langgraph.store.redis.spread import Ask, Spread
from langgraph.store.redis.streams import merged

_PAGE: Final = 1000
_SWEEP: Final = 200
_TYPES: Final = ("prefix", "suffix")


class Listing(NamedTuple):
    """What is listed.

    Attributes:
        ns: What all of them begin with, as keys spell it.
        conditions: What else they fit.
        depth: After how many labels to cut them, or None.
        limit: How many to return.
        offset: How many to leave out before.
    """

    ns: bytes
    conditions: tuple[MatchCondition, ...]
    depth: int | None
    limit: int
    offset: int


def listing_of(op: ListNamespacesOp, limit: int, offset: int) -> Listing:
    """What an operation lists, checked.

    Raises:
        InvalidNamespaceError: If a label cannot be one.
        TypeError: If `max_depth` is no int.
        ValueError: If a condition is of no known type, or `max_depth` is negative.
    """
    conditions = tuple(op.match_conditions or ())
    literals = [_literal(condition) for condition in conditions]
    longest = max(literals, key=len, default=())
    _check_depth(op.max_depth)
    rest = tuple(each for each in conditions if _says_more(each, longest))
    return Listing(keys.joined(longest), rest, op.max_depth, limit, offset)


def _check_depth(given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f"max_depth must be an int or None, not {type(given).__name__}: {given!r:.80}")
    if given < 0:
        raise ValueError(f"max_depth must be None or at least 0, not {given}")


def _literal(condition: MatchCondition) -> tuple[str, ...]:
    """The labels with which all that fit a condition begin."""
    if condition.match_type not in _TYPES:
        raise ValueError(f"match_type must be one of {', '.join(_TYPES)}, not {condition.match_type!r}")
    path = tuple(condition.path)
    keys.joined(path)
    if condition.match_type == "suffix":
        return ()
    return path[: path.index("*")] if "*" in path else path


def _says_more(condition: MatchCondition, beginning: tuple[str, ...]) -> bool:
    return condition.match_type == "suffix" or tuple(condition.path) != beginning[: len(condition.path)]


def _fits(ns: tuple[str, ...], condition: MatchCondition) -> bool:
    path = tuple(condition.path)
    if len(ns) < len(path):
        return False
    part = ns[: len(path)] if condition.match_type == "prefix" else ns[len(ns) - len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))


class _Names:
    """The namespaces of one shard."""

    def __init__(self, shard: int, listing: Listing, skip: int, count: int) -> None:
        self.ready: deque[tuple[tuple[str, ...], tuple[str, ...]]] = deque()
        self.ended = False
        self._shard, self._listing, self._skip, self._count = shard, listing, skip, count
        self._from, self._to = keys.below(listing.ns)
        self._late = False
        self._last: tuple[str, ...] | None = None
        # What is to be looked at whole is cut here; the rest by the server, which leaps to the next.
        self._depth = 0 if listing.conditions else listing.depth or 0

    def ask(self) -> Ask:
        if self._late:
            return Ask(self._shard, (b"e", _SWEEP))
        return Ask(self._shard, (b"n", self._from, self._to, self._skip, self._count, self._depth))

    def take(self, reply: Any) -> None:
        if self._late:
            self._late = bool(reply[1])
            return
        late, following, skip, *found = reply
        if late:
            self._late = True
            return
        self.ended = not following
        self._from, self._skip, self._count = following, skip, _PAGE
        for ns in map(keys.parted, found):
            if all(_fits(ns, condition) for condition in self._listing.conditions):
                self._add(ns if self._listing.depth is None else ns[: self._listing.depth])

    def _add(self, ns: tuple[str, ...]) -> None:
        if ns != self._last:
            self._last = ns
            self.ready.append((ns, ns))


def listed(spread: Spread, listing: Listing) -> Plan[list[tuple[str, ...]]]:
    """The namespaces; one round trip where only a prefix is given, else one for each page."""
    if listing.depth == 0:
        first = yield from listed(spread, listing._replace(depth=None, limit=1, offset=0))
        cut: list[tuple[str, ...]] = [()] if first else []
        return cut[listing.offset : listing.offset + listing.limit]
    shards = spread.below(listing.ns)
    wanted = listing.offset + listing.limit
    if len(shards) == 1 and not listing.conditions:
        names = [_Names(shards[0], listing, listing.offset, listing.limit)]
        return (yield from merged(spread, names, listing.limit))
    count = _PAGE if listing.conditions else wanted
    names = [_Names(shard, listing, 0, count) for shard in shards]
    return (yield from merged(spread, names, wanted))[listing.offset :]

"""Finding by meaning on any server: vectors are ranked here, so that nothing alike is ever missed.

A search asks each shard what was updated below its prefix since this process last asked, and in the same
round trip, which is one atomic step of the shard, for the records that would be the answer if nothing was. So
a search is one round trip as long as nothing changed, and two when something did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.names import decode
from langgraph.store.redis import keys
from langgraph.store.redis.blocks import Block, Entry, Measure, Name, Scored
from langgraph.store.redis.order import Hit, Order
from langgraph.store.redis.searches import Found, refreshed
from langgraph.store.redis.snapshots import Cache, Passing
from langgraph.store.redis.spread import Ask

if TYPE_CHECKING:
    from langgraph.store.base import SearchItem

    from langgraph._redis.plan import Argument, Plan
    from langgraph.store.redis.index import Vector
    from langgraph.store.redis.searches import Search
    from langgraph.store.redis.spread import Spread

_PAGE: Final = 1000
_READ: Final = 64
_MOST_READ: Final = 500
_MUCH: Final = 1_000_000
_TRIES: Final = 3


class Exact:
    """Ranks all vectors below a prefix.

    Args:
        spread: The shards.
        measure: How vectors are compared.
        cache_bytes: How many bytes of them to keep.
        place: Where the script keeps them: b"" or b"2".
    """

    def __init__(self, spread: Spread, measure: Measure, cache_bytes: int, place: bytes) -> None:
        self.kind = b"x" + place
        self.place = place
        self.spread = spread
        self.measure = measure
        self.cache = Cache(measure, cache_bytes)

    def searched(self, search: Search, query: Vector) -> Plan[list[SearchItem]]:
        """The items; one round trip, or two, where the vectors are known; with a filter some more."""
        if not search.limit:
            return []
        ranking = _Ranking(self, search, self.measure.query(query))
        while asked := ranking.asks():
            ranking.take((yield from self.spread.ask(asked)))
        ranking.forget_what_is_gone()
        found = ranking.found[search.offset :]
        yield from refreshed(self.spread, search, [each.record for each, _ in found])
        return [each.record.found(each.value, score) for each, score in found]


class _Side:
    """The items of one shard, brought up to date.

    Attributes:
        behind: Whether the shard must be asked what is new.
    """

    def __init__(self, exact: Exact, shard: int, ns: bytes, query: Vector) -> None:
        self.behind = True
        self._exact, self._shard, self._ns, self._query = exact, shard, ns, query
        self._snapshot = exact.cache.of((shard, ns))
        self._passing: Passing | None = None
        self._scores: dict[Block, Vector] = {}
        self._begun = 0

    @property
    def known(self) -> bool:
        """Whether there is enough to rank, which may have to be done again."""
        return not self.behind or (self._passing is None and self._snapshot.complete)

    @property
    def state(self) -> object:
        """Is another object after each change."""
        return self._snapshot.parts if self._passing is None else self._passing.after

    def ask(self) -> Ask:
        after = self._snapshot.after if self._passing is None else self._passing.after
        since = b"(%d" % after if after else b"-inf"
        return Ask(self._shard, [b"v", self._ns, since, _PAGE, self._exact.place])

    def take(self, reply: Any) -> None:
        count, more, *flat = reply
        entries = [self._entry(*flat[at : at + 4]) for at in range(0, len(flat), 4)]
        self.behind = bool(more)
        if self._passing is not None:
            self._passing.add(entries)
        elif self._snapshot.add(entries, ended=not more):
            self._keep(count)
        if not more and self._passing is None and not self._snapshot.fits(count):
            self._begin_anew()

    def _entry(self, ns: bytes, key: bytes, instant: bytes, data: bytes) -> Entry:
        if len(data) % (4 * self._exact.measure.dims):
            raise CorruptRecordError(
                f"the vectors of item {decode(key)!r} of namespace {keys.parted(ns)!r} are {len(data)} bytes"
                f": none of {self._exact.measure.dims} numbers; put it anew, or delete it"
            )
        return Entry((ns, key), int(instant), data)

    def _keep(self, count: int) -> None:
        snapshot = self._snapshot
        share = count / max(1, sum(len(part.block.names) for part in snapshot.parts))
        if not self._exact.cache.keeps((self._shard, self._ns), snapshot, snapshot.size * share):
            self._passing = Passing(self._exact.measure, self._query, snapshot)

    def _begin_anew(self) -> None:
        if self._begun == _TRIES:
            return
        self._begun += 1
        place = self._shard, self._ns
        self._exact.cache.forget(place, self._snapshot)
        self._snapshot = self._exact.cache.of(place)
        self.behind = True

    def scored(self) -> list[Scored]:
        if self._passing is not None:
            return self._passing.scored()
        return self._snapshot.scored(self._query, self._scores)

    def drop(self, gone: dict[Name, int]) -> None:
        self._snapshot.drop(gone)


class _Ranking:
    """One search: what is ranked, and what was read of it.

    Attributes:
        found: What passed, and its score.
    """

    def __init__(self, exact: Exact, search: Search, query: Vector) -> None:
        self.found: list[tuple[Found, float | None]] = []
        self._spread, self._search = exact.spread, search
        shards = exact.spread.below(search.ns)
        self._sides = {shard: _Side(exact, shard, search.ns, query) for shard in shards}
        self._order: Order | None = None
        self._states: list[object] = []
        self._at = 0
        self._read: dict[Name, tuple[int, Found | None]] = {}
        self._page = max(_READ, search.limit) if search.wanted else 0
        self._gone: dict[Name, int] = {}
        self._asked: list[list[Hit]] = []
        self._behind: list[_Side] = []
        self._tries = 0

    def asks(self) -> list[Ask]:
        """What to ask next; nothing at the end."""
        self._behind = [side for side in self._sides.values() if side.behind]
        self._asked = (
            self._by_shard(self._unread()) if all(side.known for side in self._sides.values()) else []
        )
        return [*(side.ask() for side in self._behind), *map(self._candidates, self._asked)]

    def take(self, replies: Sequence[Any]) -> None:
        """Take the replies."""
        for side, reply in zip(self._behind, replies, strict=False):
            side.take(reply)
        size = 0
        for hits, records in zip(self._asked, replies[len(self._behind) :], strict=True):
            for hit, data in zip(hits, records, strict=True):
                self._note(hit, data)
                size += len(data)
        self._page = min(_MOST_READ, 2 * self._page) if size < _MUCH else max(1, self._page // 2)

    def forget_what_is_gone(self) -> None:
        """Spare the next search what this one found to be gone."""
        for side in self._sides.values():
            side.drop(self._gone)

    def _note(self, hit: Hit, data: bytes) -> None:
        found = Found.of(*hit.name, data, self._search.wanted) if data else None
        instant = hit.instant if found is None else max(hit.instant, found.record.updated)
        self._read[hit.name] = instant, found
        if not data and not self._search.needles:
            self._gone[hit.name] = hit.instant
        if instant > hit.instant and self._tries < _TRIES:
            self._tries += 1
            self._sides[self._spread.of(hit.name[0])].behind = True

    def _unread(self) -> list[Hit]:
        """Go on through the order; which items must be read to go further."""
        order = self._ranked()
        wanted = self._search.offset + self._search.limit
        unread: list[Hit] = []
        at = self._at
        while at < len(order) and len(self.found) < wanted:
            hit = order.at(at)
            instant, found = self._read.get(hit.name, (-1, None))
            if instant < hit.instant:
                unread.append(hit)
                if len(unread) >= (self._page or wanted - len(self.found)):
                    break
            elif not unread:
                self._at += 1
                if found is not None:
                    self.found.append((found, hit.score))
            at += 1
        return unread

    def _ranked(self) -> Order:
        states = [side.state for side in self._sides.values()]
        if self._order is None or any(
            now is not then for now, then in zip(states, self._states, strict=True)
        ):
            self._order = Order([scored for side in self._sides.values() for scored in side.scored()])
            self._states, self._at, self.found = states, 0, []
        return self._order

    def _by_shard(self, hits: list[Hit]) -> list[list[Hit]]:
        groups: dict[int, list[Hit]] = {}
        for hit in hits:
            groups.setdefault(self._spread.of(hit.name[0]), []).append(hit)
        return [
            group[at : at + _MOST_READ]
            for group in groups.values()
            for at in range(0, len(group), _MOST_READ)
        ]

    def _candidates(self, hits: list[Hit]) -> Ask:
        needles = self._search.needles
        words: list[Argument] = [b"c", len(needles), *needles, len(hits)]
        return Ask(self._spread.of(hits[0].name[0]), [*words, *(part for hit in hits for part in hit.name)])

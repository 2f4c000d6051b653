"""Finding by meaning with the Redis Query Engine: an index for each shard over documents the script writes.

A document's tags are digests of the prefixes that its item stands below, so that a query holds nothing which
needed escaping. The engine knows nothing of filters: more is fetched than was asked for, and records decide.
A shard that had more to give says nothing of what is less alike than the last that it gave: only what is at
least as good as that counts, until more is fetched. Which of equals it gives at the
end of what was asked for is the engine's choice.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.plan import Call, Refusal
from langgraph.store.redis import keys
from langgraph.store.redis.searches import Found, Pages, newest, refreshed
from langgraph.store.redis.spread import Ask

if TYPE_CHECKING:
    from langgraph.store.base import SearchItem

    from langgraph._redis.plan import Argument, Plan
    from langgraph.store.redis.blocks import Measure
    from langgraph.store.redis.index import Vector
    from langgraph.store.redis.searches import Search
    from langgraph.store.redis.spread import Spread

_FILTERED: Final = 64
_READ: Final = 500
_GROWTH: Final = 4
_MOST: Final = 1_000_000  # The engine gives no more at once, unless it is configured to.


class Engine:
    """Leaves ranking to the server.

    Args:
        spread: The shards.
        measure: How vectors are compared.
        place: Where the script keeps documents: b"" or b"2".
    """

    def __init__(self, spread: Spread, measure: Measure, place: bytes) -> None:
        self.kind = b"s" + place
        self.place = place
        self.spread = spread
        self.measure = measure

    def searched(self, search: Search, query: Vector) -> Plan[list[SearchItem]]:
        """The items; two round trips, and two more as often as too few of them pass the filter."""
        if not search.limit:
            return []
        wanted = search.offset + search.limit
        ranking = _Ranking(self, search, query)
        while True:
            yield from ranking.fetch()
            found = yield from ranking.read()
            if len(found) >= wanted or not ranking.truncated:
                break
        if len(found) < wanted:
            found += yield from ranking.unscored(wanted)
        found = found[search.offset : wanted]
        yield from refreshed(self.spread, search, [each.record for each, _ in found])
        return [each.record.found(each.value, score) for each, score in found]

    def score(self, distance: float) -> float:
        """A score of a distance as the engine has it; what compares with nothing is like nothing."""
        if math.isnan(distance):
            return 0.0
        return -math.sqrt(max(0.0, distance)) if self.measure.distance == "l2" else 1 - distance


class _Ranking:
    """One search: what shards gave, and what was read of it.

    Attributes:
        truncated: The shards that may have more, each with the score of the last that it gave.
    """

    def __init__(self, engine: Engine, search: Search, query: Vector) -> None:
        self._engine, self._search, self._query = engine, search, query
        self.truncated: dict[int, float] = dict.fromkeys(engine.spread.below(search.ns), 0.0)
        self._scores: dict[bytes, float] = {}
        self._read: dict[bytes, Found | None] = {}
        wanted = search.offset + search.limit
        self._count = max(_FILTERED, wanted) if search.wanted else wanted

    def fetch(self) -> Plan[None]:
        """Ask those shards that may have more for more."""
        shards = list(self.truncated)
        replies = yield [self._call(shard) for shard in shards]
        self.truncated = {}
        for shard, reply in zip(shards, replies, strict=True):
            found = [(member, self._engine.score(distance)) for member, distance in _documents(reply)]
            for member, score in found:
                self._scores[member] = max(score, self._scores.get(member, score))
            if len(found) >= self._count < _MOST:
                self.truncated[shard] = min(score for _, score in found)
        self._count = min(_MOST, self._count * _GROWTH)

    def _call(self, shard: int) -> Call:
        index = self._engine.spread.keys.documents(shard, self._engine.place)
        tag = hashlib.sha1(self._search.ns).hexdigest()  # noqa: S324 - a short name, as the script makes it.
        query = f"(@tags:{{{tag}}})=>[KNN $count @vector $query AS distance]".encode()
        words: list[Argument] = [query, b"PARAMS", 4, b"count", self._count, b"query", self._query.tobytes()]
        words += [b"SORTBY", b"distance", b"LIMIT", 0, self._count, b"RETURN", 2, b"member", b"distance"]
        return Call("FT.SEARCH", [index], [*words, b"TIMEOUT", 0, b"DIALECT", 2], tolerant=True)

    def read(self) -> Plan[list[tuple[Found, float | None]]]:
        """The items that are surely among the most alike, and pass the filter, in order."""
        floor = max(self.truncated.values(), default=-math.inf)
        sure = [member for member, score in self._scores.items() if score >= floor]
        yield from self._read_records([member for member in sure if member not in self._read])
        found = [(each, self._scores[member]) for member in sure if (each := self._read[member])]
        found.sort(key=lambda pair: (-pair[1], -pair[0].record.updated))
        return list(found)

    def _read_records(self, members: Sequence[bytes]) -> Plan[None]:
        if not members:
            return
        spread, needles = self._engine.spread, self._search.needles
        groups: dict[int, list[bytes]] = {}
        for member in members:
            groups.setdefault(spread.of(keys.item_of(member)[0]), []).append(member)
        pages = [group[at : at + _READ] for group in groups.values() for at in range(0, len(group), _READ)]
        asked = []
        for page in pages:
            items = [keys.item_of(member) for member in page]
            words: list[Argument] = [b"c", len(needles), *needles, len(page)]
            asked.append(Ask(spread.of(items[0][0]), [*words, *(part for item in items for part in item)]))
        replies = yield from spread.ask(asked)
        for page, records in zip(pages, replies, strict=True):
            for member, data in zip(page, records, strict=True):
                found = Found.of(*keys.item_of(member), data, self._search.wanted) if data else None
                self._read[member] = found

    def unscored(self, wanted: int) -> Plan[list[tuple[Found, float | None]]]:
        """The items without vectors that pass the filter, the newest first: among so many that pass it."""
        spread, search = self._engine.spread, self._search
        pages = [Pages(shard, search, 0, wanted, refresh=False) for shard in spread.below(search.ns)]
        found = yield from newest(spread, pages, wanted)
        return [
            (each, None) for each in found if keys.member(each.record.ns, each.record.key) not in self._scores
        ]


def _documents(reply: Any) -> Iterable[tuple[bytes, float]]:
    """Member and distance of each document, of a reply in either of the protocol's shapes."""
    if isinstance(reply, Refusal):
        raise RedisPersistenceError(
            f"the server's search refused ({reply.message}): if its index was dropped, a store that is "
            "opened anew makes another"
        ) from reply.error
    if isinstance(reply, dict):
        rows = [row[b"extra_attributes"] for row in reply[b"results"]]
    else:
        rows = [dict(zip(row[::2], row[1::2], strict=True)) for row in reply[2::2]]
    return [(row[b"member"], float(row[b"distance"])) for row in rows if b"member" in row]

"""Searching without a query: what is below a prefix and passes a filter, the last updated first.

What is updated while a search goes from page to page goes up, past the place where the search is. So each
page brings what was updated since the one before: no item that is there all the time is missed, or met twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from langgraph.store.base import SearchItem

from langgraph._redis.plan import Argument, Plan
from langgraph.store.redis import filters, keys, records
from langgraph.store.redis.records import Record
from langgraph.store.redis.spread import Ask, Spread

_PAGE: Final = 500
"""Records of a page where only the client can tell which of them match."""

_FROM_THE_TOP: Final = b"+inf"


class Search(NamedTuple):
    """What is searched for.

    Attributes:
        ns: The prefix, as keys spell it.
        wanted: The filter, checked.
        needles: Texts that a match holds.
        limit: How many items to return.
        offset: How many to leave out before.
        refresh: Whether to read them prolongs their lives.
    """

    ns: bytes
    wanted: dict[str, Any]
    needles: list[bytes]
    limit: int
    offset: int
    refresh: bool


class Found(NamedTuple):
    """A record that matches, and its value."""

    record: Record
    value: Any

    @classmethod
    def of(cls, ns: bytes, key: bytes, data: bytes, wanted: dict[str, Any]) -> Found | None:
        """A record, if it matches."""
        record = records.read(ns, key, data)
        value = record.value
        return cls(record, value) if not wanted or filters.matches(value, wanted) else None


class Pages:
    """The items of one shard that match.

    Args:
        shard: Its number.
        search: What is searched for.
        skip: How many the server may leave out.
        count: How many to ask for at once.
        refresh: Whether the server shall prolong the lives of what it sends.
    """

    def __init__(self, shard: int, search: Search, skip: int, count: int, *, refresh: bool) -> None:
        self.found: dict[bytes, Found] = {}
        self._ended = False
        self._below, self._since = _FROM_THE_TOP, b""
        # Where the server leaves items out, what goes up goes to these.
        self._looks_back = not skip
        self._shard, self._search, self._skip, self._count = shard, search, skip, count
        self._refresh = b"1" if refresh else b"0"

    def ask(self) -> Ask:
        """What to ask of the shard next."""
        needles, since = self._search.needles, self._since if self._looks_back else b""
        words: list[Argument] = [b"s", self._search.ns, self._below, since, self._skip, self._count]
        return Ask(self._shard, [*words, self._refresh, len(needles), *needles])

    def take(self, reply: Any) -> None:
        """Take the reply."""
        self._below, self._since, self._skip, *flat = reply
        self._ended = not self._below
        self._count = max(self._count, _PAGE)
        for name, data in zip(flat[::2], flat[1::2], strict=True):
            found = Found.of(*keys.item_of(name), data, self._search.wanted)
            if found is not None:
                self.found[name] = found
            else:
                self.found.pop(name, None)

    def may_hold(self, instant: int) -> bool:
        """Whether there may be more that was updated after an instant."""
        return not self._ended and (self._below == _FROM_THE_TOP or int(self._below[1:]) > instant)


def newest(spread: Spread, pages: Sequence[Pages], wanted: int) -> Plan[list[Found]]:
    """The first of all shards together, at most as many as are wanted."""
    while wanted:
        best = [found for page in pages for found in page.found.values()]
        last = -1
        if len(best) >= wanted:
            best = sorted(best, key=_newest)[:wanted]
            last = best[-1].record.updated
        hungry = [page for page in pages if page.may_hold(last)]
        if not hungry:
            return sorted(best, key=_newest)
        replies = yield from spread.ask([page.ask() for page in hungry])
        for page, reply in zip(hungry, replies, strict=True):
            page.take(reply)
    return []


def _newest(found: Found) -> int:
    return -found.record.updated


def searched(spread: Spread, search: Search) -> Plan[list[SearchItem]]:
    """The items; one round trip without a filter, else one for each page."""
    shards = spread.below(search.ns)
    if len(shards) == 1 and not search.wanted:
        pages = [Pages(shards[0], search, search.offset, search.limit, refresh=search.refresh)]
        return _items((yield from newest(spread, pages, search.limit)))
    wanted = search.offset + search.limit
    count = wanted if not search.wanted or search.needles else _PAGE
    pages = [Pages(shard, search, 0, count, refresh=False) for shard in shards]
    found = (yield from newest(spread, pages, wanted))[search.offset :]
    yield from refreshed(spread, search, [each.record for each in found])
    return _items(found)


def refreshed(spread: Spread, search: Search, found: Iterable[Record]) -> Plan[None]:
    """Prolong the lives of what was found, where it has any: one round trip more."""
    mortal = [record for record in found if record.life] if search.refresh else []
    if mortal:
        asked = [Ask(spread.of(record.ns), (b"t", record.ns, record.key)) for record in mortal]
        yield from spread.ask(asked)


def _items(found: Sequence[Found]) -> list[SearchItem]:
    return [each.record.found(each.value) for each in found]

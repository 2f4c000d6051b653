"""What this process knows of the vectors below a prefix of a shard, and how it is kept within bounds.

A snapshot knows all items that were updated up to some instant, since instants of a shard rise. What was
updated later is asked for and added: as a small block beside the large one, and blocks of a size are joined,
so that an update does not copy what has not changed. Items that are gone do no harm: a search reads the
records of what it ranks first, and finds out. When too many are gone, the snapshot is made anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from langgraph._redis.forked import renewed
from langgraph.store.redis.blocks import Block, Entry, Measure, Name, Scored
from langgraph.store.redis.index import Vector

Place: TypeAlias = "tuple[int, bytes]"
"""Shard and prefix."""

_SMALL: Final = 64
_SHARE: Final = 4
_EMPTY: Final = 4000  # Bytes of a snapshot without items, about.


class Part(NamedTuple):
    """A block, and which of its items are still as it says."""

    block: Block
    alive: NDArray[np.bool_]


class Snapshot:
    """The items below one prefix of one shard. Reading takes no lock: parts are replaced, never changed.

    Attributes:
        after: The instant up to which everything is known; 0: nothing is.
        complete: Whether all was known at some time.
        parts: The items.
        size: Bytes that all this takes, about.
    """

    def __init__(self, measure: Measure) -> None:
        self.after = 0
        self.complete = False
        self.parts: tuple[Part, ...] = ()
        self.size = _EMPTY
        self._measure = measure
        self._places: dict[Name, tuple[int, int]] = {}
        self._dropped = 0
        self._lock = threading.Lock()

    def add(self, entries: Sequence[Entry], *, ended: bool) -> bool:
        """Add what was told of items, all those that follow some known instant; whether any was news."""
        with self._lock:
            latest = {entry.name: entry for entry in entries if entry.instant > self._instant(entry.name)}
            if latest:
                self._remove(latest)
                self._append(Block.of(list(latest.values()), self._measure))
            if entries:
                self.after = max(self.after, entries[-1].instant)
            self.complete = self.complete or ended
            return bool(latest)

    def fits(self, count: int) -> bool:
        """Whether it can go on, where there are so many items: nothing is missing, and not too much is gone.

        Something is missing where the server lost writes, and others were made since.
        """
        known = len(self._places) + self._dropped
        return count <= known <= count + _SMALL + count // _SHARE

    def drop(self, gone: Mapping[Name, int]) -> None:
        """Forget items that are gone, if none was stored since: by the instants that were known of them."""
        with self._lock:
            held = [name for name, instant in gone.items() if self._instant(name) == instant]
            self._remove(held)
            for name in held:
                del self._places[name]
            self._dropped += len(held)

    def scored(self, query: Vector, known: dict[Block, Vector]) -> list[Scored]:
        """All items, with their scores; `known` keeps those of blocks, for when only others change."""
        parts = self.parts
        for block, _ in parts:
            if block not in known:
                known[block] = block.scores(self._measure, query)
        return [_scored(part, known[part.block]) for part in parts]

    def _instant(self, name: Name) -> int:
        found = self._places.get(name)
        return int(self.parts[found[0]].block.instants[found[1]]) if found else 0

    def _remove(self, names: Collection[Name]) -> None:
        gone: dict[int, list[int]] = {}
        for name in names:
            found = self._places.get(name)
            if found:
                gone.setdefault(found[0], []).append(found[1])
        parts = list(self.parts)
        for number, places in gone.items():
            alive = parts[number].alive.copy()
            alive[places] = False
            parts[number] = Part(parts[number].block, alive)
        self.parts = tuple(parts)

    def _append(self, block: Block) -> None:
        parts = list(self.parts)
        while parts and len(parts[-1].block.names) <= len(block.names):
            last = parts.pop()
            block = last.block.kept(last.alive).joined(block)
        for at, name in enumerate(block.names):
            self._places[name] = len(parts), at
        parts.append(Part(block, np.ones(len(block.names), np.bool_)))
        self.parts = tuple(parts)
        self.size = _EMPTY + sum(part.block.size for part in parts)


def _scored(part: Part, scores: Vector) -> Scored:
    return Scored(part.block.names, part.block.instants, scores, part.alive)


class Passing:
    """Items below a prefix that are too large to be kept: each page is scored for one query, and forgotten.

    Attributes:
        after: As that of a `Snapshot`.
    """

    def __init__(self, measure: Measure, query: Vector, before: Snapshot) -> None:
        self.after = before.after
        self._measure = measure
        self._query = query
        self._scored = before.scored(query, {})
        self._places: dict[Name, tuple[int, int]] = {}
        for number, scored in enumerate(self._scored):
            self._scored[number] = scored._replace(alive=scored.alive.copy())
            self._note(number, scored)

    def _note(self, number: int, scored: Scored) -> None:
        for at in np.flatnonzero(scored.alive):
            self._places[scored.names[at]] = number, int(at)

    def add(self, entries: Sequence[Entry]) -> bool:
        """Add a page; whether there was anything."""
        if not entries:
            return False
        block = Block.of(entries, self._measure)
        for number, at in filter(None, map(self._places.get, block.names)):
            self._scored[number].alive[at] = False
        alive = np.ones(len(block.names), np.bool_)
        self._scored.append(_scored(Part(block, alive), block.scores(self._measure, self._query)))
        self._note(len(self._scored) - 1, self._scored[-1])
        self.after = entries[-1].instant
        return True

    def scored(self) -> list[Scored]:
        """All items, with their scores."""
        return list(self._scored)


class Cache:
    """The snapshots of a store, the least recently used forgotten first.

    Args:
        measure: How vectors are compared.
        limit: Bytes of all snapshots together, about.

    Attributes:
        size: Bytes that are taken, about.
    """

    def __init__(self, measure: Measure, limit: int) -> None:
        self._measure = measure
        self._limit = limit
        renewed(self)

    def renew(self) -> None:
        """Begin empty, with a lock that is free."""
        self._lock = threading.Lock()
        self._all: OrderedDict[Place, Snapshot] = OrderedDict()
        self._counted: dict[Place, int] = {}
        self.size = 0

    def of(self, place: Place) -> Snapshot:
        """The snapshot of a prefix, which may be empty as yet."""
        with self._lock:
            found = self._all.get(place)
            if found is None:
                found = self._all[place] = Snapshot(self._measure)
                self._count(place)
            self._all.move_to_end(place)
            return found

    def forget(self, place: Place, old: Snapshot) -> None:
        """Keep a snapshot no longer: it does not fit any more."""
        with self._lock:
            if self._all.get(place) is old:
                self._drop(place)

    def keeps(self, place: Place, grown: Snapshot, expected: float) -> bool:
        """Make room for a snapshot that has grown; or keep it no longer, if it will be too large."""
        if max(grown.size, expected) > self._limit:
            self.forget(place, grown)
            return False
        with self._lock:
            if self._all.get(place) is grown:
                self._count(place)
            while self.size > self._limit and len(self._all) > 1:
                self._drop(next(iter(self._all)))
        return True

    def _count(self, place: Place) -> None:
        size = self._all[place].size
        self.size += size - self._counted.get(place, 0)
        self._counted[place] = size

    def _drop(self, place: Place) -> None:
        del self._all[place]
        self.size -= self._counted.pop(place)

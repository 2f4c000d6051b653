"""The order of what was scored: the most alike first, of equals the newest; what has no score comes last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from langgraph.store.redis.blocks import UNSCORED, Name, Scored


class Hit(NamedTuple):
    """An item at its place in the order."""

    name: Name
    instant: int
    score: float | None


class Order:
    """Items in order, sorted as far as anybody looks.

    Args:
        scored: The items.
    """

    def __init__(self, scored: Sequence[Scored]) -> None:
        self._scored = scored
        self._alive = [np.flatnonzero(each.alive) for each in scored]
        self._ends = np.cumsum([len(alive) for alive in self._alive])
        kept = list(zip(scored, self._alive, strict=True))
        nothing = np.empty(0, np.float32), np.empty(0, np.int64)
        self._scores = np.concatenate([nothing[0], *(each.scores[alive] for each, alive in kept)])
        self._instants = np.concatenate([nothing[1], *(each.instants[alive] for each, alive in kept)])
        self._sorted: NDArray[np.intp] = np.empty(0, np.intp)

    def __len__(self) -> int:
        return len(self._scores)

    def at(self, place: int) -> Hit:
        """What stands at a place; the first is 0."""
        if place >= len(self._sorted):
            self._sorted = self._first(max(32, 4 * place))
        item = int(self._sorted[place])
        part = int(np.searchsorted(self._ends, item, "right"))
        first = int(self._ends[part - 1]) if part else 0
        name = self._scored[part].names[int(self._alive[part][item - first])]
        score = self._scores[item]
        return Hit(name, int(self._instants[item]), None if score == UNSCORED else float(score))

    def _first(self, count: int) -> NDArray[np.intp]:
        """The first so many, sorted; all that are as good as the last of them are looked at."""
        chosen: NDArray[np.intp] = np.arange(len(self))
        if count < len(self) // 2:
            least = np.partition(self._scores, len(self) - count)[len(self) - count]
            chosen = np.flatnonzero(self._scores >= least)
        order = np.lexsort((-self._instants[chosen], -self._scores[chosen]))
        return chosen[order][:count] if count < len(chosen) else chosen[order]

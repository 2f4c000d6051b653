"""The controller: everyone runs each workload in turn, at the server; then once more, counted and weighed.

A cell is one workload, size and network delay. Its blocks alternate: A B C, B C A, C A B, and nothing else
runs meanwhile. What is counted takes as many round trips whoever else is busy, so there as many contenders
run at once as there are processors. Each cell begins with empty places. Whoever is wrong or fails is left
out of the rest of the cell.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.peers.contract import LEFT, Outcome, Workload
from benchmarks.peers.lanes import Cell, Lane


@dataclass(frozen=True)
class Effort:
    """How much is run.

    Attributes:
        quick: Whether only the sizes and rounds of a quick run are.
        delays: Milliseconds that are added to a round trip, for workloads that ask for it, at their smallest
            size and in a full run at those of a quick one.
        sizes: Only these, where given.
        rounds: So many instead of the workload's own.
        seconds: After its share of this time a cell begins no further round than the least that it has.
    """

    quick: bool = False
    delays: tuple[float, ...] = (1.0, 10.0)
    sizes: tuple[int, ...] = ()
    rounds: int | None = None
    seconds: float | None = None

    def cells(self, workloads: Iterable[Workload]) -> list[Cell]:
        """All that is to be run."""
        found: list[Cell] = []
        for each in workloads:
            sizes = self._sizes(each)
            for size in sizes:
                late = each.delayed and (size == min(sizes) or (size in each.quick and not self.quick))
                found += [Cell(each, size, delay) for delay in (0.0, *(self.delays if late else ()))]
        return found

    def rounds_of(self, cell: Cell) -> int:
        """Blocks of each contender; half as many with delay, which is most of the time then, and steady."""
        full, quick = cell.workload.rounds[cell.size]
        rounds = self.rounds or (quick if self.quick else full)
        return (rounds + 1) // 2 if cell.delay_ms else rounds

    def least_of(self, cell: Cell) -> int:
        """Rounds that it has even if time is short."""
        return 1 if cell.delay_ms or self.quick else cell.workload.least

    def _sizes(self, workload: Workload) -> list[int]:
        offered = workload.quick if self.quick else workload.sizes
        return [size for size in offered if not self.sizes or size in self.sizes]


@dataclass
class Race:
    """All lanes, and how far they are.

    Attributes:
        step: Told what is run next, and that it is over (None).
        short: Cells that had fewer rounds than they should, for a reader.
    """

    lanes: Sequence[Lane]
    effort: Effort
    step: Callable[[str | None], None]
    short: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _blocks: Iterator[int] = field(default_factory=itertools.count)

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Every cell, one after the other."""
        found: list[Outcome] = []
        for number, cell in enumerate(cells):
            found += self._run(cell, self._share(len(cells) - number))
        return found

    def blocks(self, cells: Sequence[Cell]) -> int:
        """How many blocks it takes if nobody fails."""
        return sum(
            self.effort.rounds_of(cell) * len(self._in(cell)) + len(self._counted(cell)) for cell in cells
        )

    def _share(self, left: int) -> float:
        """Seconds for the next cell, if all that are left have the same."""
        if self.effort.seconds is None:
            return float("inf")
        return (self.effort.seconds - (time.monotonic() - self._began)) / left

    def _in(self, cell: Cell) -> list[Lane]:
        return [lane for lane in self.lanes if lane.wire is not None or not cell.delay_ms]

    def _counted(self, cell: Cell) -> list[Lane]:
        if cell.delay_ms or not cell.workload.counted:
            return []
        return [lane for lane in self.lanes if lane.gauged]

    def _run(self, cell: Cell, share: float) -> list[Outcome]:
        field_ = [(lane, lane.outcome(cell)) for lane in self._in(cell)]
        end = time.monotonic() + share
        for lane, outcome in {id(lane.place): (lane, outcome) for lane, outcome in field_}.values():
            lane.empty(outcome)
        self._open(field_, cell)
        self._rounds(cell, field_, end)
        for lane, _ in field_:
            lane.close()
        self._count_all(cell, field_)
        return [outcome for _, outcome in field_]

    def _rounds(self, cell: Cell, field_: Sequence[tuple[Lane, Outcome]], end: float) -> None:
        rounds = self.effort.rounds_of(cell)
        for number in range(rounds):
            if number >= self.effort.least_of(cell) and time.monotonic() > end:
                self.short.append(f"{_name(cell)}: {number} of {rounds}")
                for _ in range((rounds - number) * len(field_)):
                    self.step(None)
                return
            self._round(cell, field_, number)

    def _open(self, field_: Sequence[tuple[Lane, Outcome]], cell: Cell) -> None:
        """All of one style at once; two of a contender would make the same tables at the same time."""
        for style in dict.fromkeys(lane.style for lane, _ in field_):
            same = [(lane, outcome) for lane, outcome in field_ if lane.style == style]
            for lane, outcome in same:
                lane.begin_opening(outcome, wired=bool(cell.delay_ms))
            for lane, outcome in same:
                lane.finish_opening(outcome)

    def _round(self, cell: Cell, field_: Sequence[tuple[Lane, Outcome]], number: int) -> None:
        first = number % len(field_)
        for lane, outcome in (*field_[first:], *field_[:first]):
            if _sound(outcome):
                self._say(cell, lane)
                lane.run(cell, outcome, self._thread())
            self.step(None)

    def _count_all(self, cell: Cell, field_: Sequence[tuple[Lane, Outcome]]) -> None:
        """Contenders at once, their styles one after the other: these have one place."""
        wanted, own = self._counted(cell), defaultdict[str, list[tuple[Lane, Outcome]]](list)
        for lane, outcome in field_:
            if lane in wanted:
                own[lane.contender.name].append((lane, outcome))

        def count(mine: list[tuple[Lane, Outcome]]) -> None:
            for lane, outcome in mine:
                self._count(cell, lane, outcome)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(count, own.values()))

    def _count(self, cell: Cell, lane: Lane, outcome: Outcome) -> None:
        """On an empty place, through the proxy."""
        if _sound(outcome) and lane.wanted:
            self._say(cell, lane)
            lane.empty(outcome)
            lane.begin_opening(outcome, wired=True)
            lane.finish_opening(outcome)
            if _sound(outcome):
                lane.run(cell, outcome, self._thread(), counted=True)
            lane.close()
        self.step(None)

    def _thread(self) -> str:
        return f"bench-{next(self._blocks)}"

    def _say(self, cell: Cell, lane: Lane) -> None:
        self.step(f"{_name(cell)}: {lane.contender.name}, {lane.style}")


def _name(cell: Cell) -> str:
    delay = f" +{cell.delay_ms:g} ms" if cell.delay_ms else ""
    return f"{cell.workload.name} {cell.size}{delay}"


def _only_left(outcome: Outcome) -> str | None:
    """Why, if a contender was left and did nothing wrong."""
    return outcome.failed if outcome.failed is not None and outcome.failed.startswith(LEFT) else None


def _sound(outcome: Outcome) -> bool:
    return outcome.wrong is None and outcome.failed is None

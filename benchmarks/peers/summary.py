"""What a run's figures come to: medians, quartiles, ratios. What was wrong or failed has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.measure import Spread, spread
from benchmarks.peers.contract import LEFT

if TYPE_CHECKING:
    from benchmarks.peers.contract import Entrant, Outcome, Results, Sample

OURS, MEMORY, PUBLIC = "ours", "memory", "redis-0.5.2"
STYLES = ("sync", "async")

LABELS = {
    OURS: "this project",
    "ours-embedded": "this project, embedded",
    "ours-cluster": "this project, cluster",
    MEMORY: "in memory",
    "sqlite": "SQLite",
    "postgres": "Postgres",
    PUBLIC: "redis 0.5.2",
    "plainredis": "plainredis",
    "aws-valkey": "aws Valkey",
}
"""Contenders as tables and plots call them, in the order in which they stand there."""

WINDOW = 10
"""A place on a workload's axis is these many samples up to it: one alone says little."""


def label(contender: str) -> str:
    """What a reader knows a contender by."""
    return LABELS.get(contender, contender)


@dataclass(frozen=True)
class Case:
    """What contenders are compared in. `upto` is a place on the axis, such as turn 500; None is all of it."""

    workload: str
    size: int
    style: str
    delay_ms: float = 0.0
    upto: int | None = None

    def covers(self, at: int) -> bool:
        """Whether a sample taken there belongs to the case."""
        return self.upto is None or self.upto - WINDOW < at <= self.upto


class Summary:
    """A run's results, asked by contender and case. None stands for whatever was not measured."""

    def __init__(self, results: Results) -> None:
        self.where = results.where
        self.entrants = sorted(results.entrants, key=lambda each: _place(each.name))
        self.outcomes = {_key(each): each for each in results.outcomes}

    @property
    def contenders(self) -> list[str]:
        """Those that ran, in the order of `LABELS`."""
        return [each.name for each in self.entrants if each.missing is None]

    @property
    def missing(self) -> list[Entrant]:
        """Those that did not, each with its reason."""
        return [each for each in self.entrants if each.missing is not None]

    @property
    def workloads(self) -> list[str]:
        """What was run, in the order in which it was."""
        return list(dict.fromkeys(case.workload for _, case in self.outcomes))

    def sizes(self, workload: str, style: str | None = None, *, delayed: bool = False) -> list[int]:
        """What the workload was run with, ascending; or only what was run with network delay."""
        return sorted({case.size for case in self._cases(workload, style) if case.delay_ms or not delayed})

    def styles(self, workload: str) -> list[str]:
        """The styles that the workload was run in."""
        run = {case.style for case in self._cases(workload)}
        return [style for style in STYLES if style in run]

    def delays(self, workload: str) -> list[float]:
        """The network delays that the workload was run with, ascending."""
        return sorted({case.delay_ms for case in self._cases(workload)})

    def outcome(self, contender: str, case: Case) -> Outcome | None:
        """Everything known of it, right or wrong."""
        return self.outcomes.get((contender, Case(case.workload, case.size, case.style, case.delay_ms)))

    def trouble(self, contender: str, case: Case) -> str | None:
        """Why there is nothing to show, for a reader; None if nothing was wrong."""
        found = self.outcome(contender, case)
        if found is None or found.wrong is not None:
            return None if found is None else f"wrong: {found.wrong}"
        if found.failed is None or (_left(found) and self._covered(found, case)):
            return None
        return f"failed: {found.failed}"

    def left(self, contender: str, case: Case) -> str | None:
        """Why a contender did less of it than the others, if it was too slow for that."""
        found = self.outcome(contender, case)
        return found.failed if found is not None and _left(found) else None

    def time(self, contender: str, case: Case) -> Spread | None:
        """Nanoseconds of one sample."""
        return _spread(each.nanoseconds for each in self._samples(contender, case) if case.covers(each.at))

    def ratio(self, contender: str, over: str, case: Case) -> float | None:
        """The median of one contender's times, in medians of another's."""
        mine, theirs = self.time(contender, case), self.time(over, case)
        return None if mine is None or theirs is None else mine.median / theirs.median

    def series(self, contender: str, case: Case) -> list[tuple[int, Spread]]:
        """Times along the axis."""
        by_place = defaultdict[int, list[float]](list)
        for each in self._samples(contender, case):
            by_place[each.at].append(each.nanoseconds)
        return [(at, spread(by_place[at])) for at in sorted(by_place)]

    def round_trips(self, contender: str, case: Case) -> float | None:
        """Of one sample, through the proxy that counts: the median."""
        return self._counted(contender, case, lambda each: each.round_trips)

    def sent(self, contender: str, case: Case) -> float | None:
        """Bytes to the server in one sample: the median."""
        return self._counted(contender, case, lambda each: each.sent)

    def received(self, contender: str, case: Case) -> float | None:
        """Bytes from the server in one sample: the median."""
        return self._counted(contender, case, lambda each: each.received)

    def added(self, contender: str, case: Case) -> dict[int, int]:
        """Bytes that the contender keeps by place on the axis, less what it kept at the first."""
        found = self._sound(contender, case)
        kept = {} if found is None else {each.at: each.bytes for each in found.weights}
        return {at: kept[at] - kept[min(kept)] for at in sorted(kept)}

    def added_a_unit(self, contender: str, case: Case) -> float | None:
        """Of these bytes, the share of each turn or step up to the case's place, or to the last."""
        added = self.added(contender, case)
        first, last = min(added, default=0), max(added, default=0) if case.upto is None else case.upto
        return added[last] / (last - first) if last in added and last > first else None

    def _cases(self, workload: str, style: str | None = None) -> list[Case]:
        styles = STYLES if style is None else (style,)
        return [case for _, case in self.outcomes if case.workload == workload and case.style in styles]

    @staticmethod
    def _covered(found: Outcome, case: Case) -> bool:
        return any(case.covers(each.at) for each in found.samples)

    def _sound(self, contender: str, case: Case) -> Outcome | None:
        return None if self.trouble(contender, case) else self.outcome(contender, case)

    def _samples(self, contender: str, case: Case) -> Sequence[Sample]:
        found = self._sound(contender, case)
        return [] if found is None else found.samples

    def _counted(self, contender: str, case: Case, what: Callable[[Sample], int | None]) -> float | None:
        found = self._sound(contender, case)
        samples = [] if found is None else [each for each in found.counted if case.covers(each.at)]
        counts = [count for count in map(what, samples) if count is not None]
        return median(counts) if counts else None


def _left(outcome: Outcome) -> bool:
    return outcome.failed is not None and outcome.failed.startswith(LEFT)


def _key(outcome: Outcome) -> tuple[str, Case]:
    case = Case(outcome.workload, outcome.size, outcome.style, outcome.delay_ms)
    return outcome.contender, case


def _place(contender: str) -> tuple[int, str]:
    order = list(LABELS)
    return (order.index(contender) if contender in order else len(order)), contender


def _spread(values: Iterable[float]) -> Spread | None:
    found = list(values)
    return spread(found) if found else None

"""What the parts of the race agree on: workloads say what to do, workers do it, results say how it went.

A workload is written once for both styles and all contenders: a generator that yields what is to be done and
is sent what that returned. It knows neither the contender nor the clock, so it cannot favour one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeAlias

from benchmarks.measure import Act, Methods


@dataclass(frozen=True)
class Do:
    """Do this, unmeasured: what a workload needs before or after what it measures."""

    act: Act


@dataclass(frozen=True)
class Timed:
    """Do this, and measure it; `at` is the place on the workload's axis, such as the turn."""

    act: Act
    at: int = 0


@dataclass(frozen=True)
class Weigh:
    """Ask how many bytes the contender keeps now; `at` as in `Timed`. Sent back: the bytes, or None."""

    at: int = 0


Step: TypeAlias = Do | Timed | Weigh
Course: TypeAlias = Generator[Step, Any, None]


LEFT = "left after"
"""How `Outcome.failed` begins where a contender was only too slow: what it had done by then counts."""


class WrongResultError(AssertionError):
    """A contender gave back something other than what it was given; its times count for nothing."""


class Subject(Protocol):
    """One contender in one style, as workloads see it: acts that the worker calls, or awaits."""

    methods: Methods

    def graph(self, builder: Any, **options: Any) -> Callable[..., Act]:
        """Compile a StateGraph on the contender's saver: `invoke(input, config, **options)` makes an act."""
        ...

    def states(self, builder: Any, config: Any, limit: int | None = None) -> Act:
        """Read a thread's history, newest first, through the graph: a list of StateSnapshot."""
        ...

    def state(self, builder: Any, config: Any) -> Act:
        """Read a thread's state, or an earlier one where the config names it: a StateSnapshot."""
        ...

    def together(self, acts: Sequence[Act]) -> Act:
        """All at once: in a thread each, or as tasks of one loop; the list of what they returned."""
        ...


@dataclass(frozen=True)
class Workload:
    """One thing that is measured.

    Attributes:
        name: As on the command line and in results.
        title: One line for a reader.
        unit: What one sample is: "call", "turn", "run", "step".
        sizes: What the block is run with, and `quick` which of these in a quick run.
        block: Makes the course of one block, on a thread id of its own that the course may extend.
        rounds: Blocks a contender, in a full and in a quick run, by size: a contender's blocks alternate with
            those of all others.
        delayed: Whether it is run with network delay too.
        cost: Seconds that a block of a slow contender may take; a contender that takes longer is left out
            of the rounds that are left, and that is said.
        counted: Whether it is run once more, to count round trips and bytes and to weigh what is kept.
        least: Rounds of a full run, without delay, that it has whatever the time, as where samples are few.
    """

    name: str
    title: str
    unit: str
    sizes: tuple[int, ...]
    block: Callable[[Subject, str, int], Course]
    rounds: Mapping[int, tuple[int, int]]
    quick: tuple[int, ...] = ()
    delayed: bool = False
    cost: float = 60.0
    counted: bool = True
    least: int = 1


@dataclass
class Sample:
    """One measured act. Round trips and bytes are None where they were not counted."""

    at: int
    nanoseconds: int
    round_trips: int | None = None
    sent: int | None = None
    received: int | None = None


@dataclass
class Weight:
    """What a contender kept at a place of the axis."""

    at: int
    bytes: int


@dataclass
class Outcome:
    """What all blocks of one contender, style, workload, size and delay gave.

    Attributes:
        samples: Taken directly at the server, or with the delay.
        counted: Taken through a proxy that counts, apart from the others: their times mean nothing.
        weights: Of the block that is counted, which begins on an empty place.
        wrong: What was wrong with a result, for a reader. Such an outcome has no times to show.
        failed: The error that ended it, for a reader.
    """

    contender: str
    style: str
    workload: str
    size: int
    delay_ms: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    counted: list[Sample] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    wrong: str | None = None
    failed: str | None = None


@dataclass
class Entrant:
    """A contender as it ran: what was installed, on which server; or why it is missing."""

    name: str
    title: str
    styles: tuple[str, ...]
    server: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    missing: str | None = None


@dataclass
class Results:
    """One whole run."""

    where: dict[str, str]
    entrants: list[Entrant]
    outcomes: list[Outcome]

    def as_json(self) -> dict[str, Any]:
        """For a file; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Results:
        """What `as_json` gave."""
        entrants = [Entrant(**{**each, "styles": tuple(each["styles"])}) for each in found["entrants"]]
        return cls(dict(found["where"]), entrants, [_outcome(each) for each in found["outcomes"]])


def _outcome(found: Mapping[str, Any]) -> Outcome:
    samples = {name: [Sample(**each) for each in found[name]] for name in ("samples", "counted")}
    return Outcome(**{**found, **samples, "weights": [Weight(**each) for each in found["weights"]]})

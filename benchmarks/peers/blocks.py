"""One block of a workload, walked through: what is called, what is measured, and how it ended.

The walk is a generator, so that one logic serves blocking and awaited acts: it yields each act and is sent
what the act returned, and the nanoseconds that it took.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from time import perf_counter_ns
from typing import Any, Protocol, TypeAlias

from benchmarks.measure import Act
from benchmarks.peers.contract import LEFT, Course, Sample, Timed, Weigh, Weight, WrongResultError

Counts: TypeAlias = tuple[int, int, int]
Walk: TypeAlias = Generator[Act, tuple[Any, int], None]


class TooLongError(RuntimeError):
    """A block took longer than its workload allows."""


class Outside(Protocol):
    """What is around a block's measured acts; by default nothing, for whatever is asked takes time."""

    def before(self) -> None:
        """A measured act is next."""

    def after(self) -> Counts | None:
        """It is over: the round trips, bytes sent and bytes received meanwhile, where they are counted."""

    def bytes(self) -> int | None:
        """How many bytes are kept now, where that is asked."""


class Nothing:
    """Around what is timed at the server itself."""

    def before(self) -> None:
        """Nothing."""

    def after(self) -> Counts | None:
        """Not counted."""
        return None

    def bytes(self) -> int | None:
        """Not asked."""
        return None


@dataclass
class Block:
    """A course, and what came of it so far."""

    course: Course
    cost: float
    outside: Outside = field(default_factory=Nothing)
    samples: list[Sample] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    asked_to_weigh: bool = False
    wrong: str | None = None
    failed: str | None = None

    def call(self) -> None:
        """Walk through it by calling."""
        try:
            _call(self._walk())
        except Exception as error:  # noqa: BLE001  # whatever a saver raises is its result
            self._end(error)

    async def wait(self) -> None:
        """Walk through it by awaiting."""
        try:
            await _await(self._walk())
        except Exception as error:  # noqa: BLE001  # whatever a saver raises is its result
            self._end(error)

    def as_json(self) -> dict[str, Any]:
        """For the controller."""
        return {
            "samples": [asdict(each) for each in self.samples],
            "weights": [asdict(each) for each in self.weights],
            "asked_to_weigh": self.asked_to_weigh,
            "wrong": self.wrong,
            "failed": self.failed,
        }

    def _end(self, error: Exception) -> None:
        if isinstance(error, WrongResultError):
            self.wrong = str(error)
        elif isinstance(error, TooLongError):
            self.failed = str(error)
        else:
            self.failed = f"{type(error).__name__}: {error}"

    def _walk(self) -> Walk:
        result, end = None, time.monotonic() + self.cost
        while True:
            try:
                step = self.course.send(result)
            except StopIteration:
                return
            if time.monotonic() > end:
                raise TooLongError(f"{LEFT} {self.cost:g} s in a block, {len(self.samples)} measured")
            if isinstance(step, Weigh):
                result = self._weigh(step)
            elif isinstance(step, Timed):
                result = yield from self._time(step)
            else:
                result, _ = yield step.act

    def _weigh(self, step: Weigh) -> int | None:
        self.asked_to_weigh = True
        weight = self.outside.bytes()
        if weight is not None:
            self.weights.append(Weight(step.at, weight))
        return weight

    def _time(self, step: Timed) -> Generator[Act, tuple[Any, int], Any]:
        self.outside.before()
        result, nanoseconds = yield step.act
        self.samples.append(Sample(step.at, nanoseconds, *(self.outside.after() or ())))
        return result


def _call(walk: Walk) -> None:
    act = next(walk, None)
    while act is not None:
        began = perf_counter_ns()
        result = act()
        act = _next(walk, (result, perf_counter_ns() - began))


async def _await(walk: Walk) -> None:
    act = next(walk, None)
    while act is not None:
        began = perf_counter_ns()
        result = await act()
        act = _next(walk, (result, perf_counter_ns() - began))


def _next(walk: Walk, sent: tuple[Any, int]) -> Act | None:
    try:
        return walk.send(sent)
    except StopIteration:
        return None

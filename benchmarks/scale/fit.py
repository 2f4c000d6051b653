"""A line through what was weighed, how well it holds, and what it says of numbers that were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression


@dataclass(frozen=True)
class Line:
    """``start + each * n``, and the largest distance of a point from it, as a share of the point."""

    start: float
    each: float
    residual: float

    def at(self, number: float) -> float:
        """What the line says."""
        return self.start + self.each * number


def fitted(numbers: Sequence[float], found: Sequence[float]) -> Line:
    """The line of least squares."""
    each, start = linear_regression(numbers, found)
    line = Line(start, each, 0.0)
    return Line(start, each, max(off(line.at(n), value) for n, value in zip(numbers, found, strict=True)))


def off(said: float, found: float) -> float:
    """How far a figure is from what was found, as a share of that."""
    return abs(said - found) / found


def foretold(numbers: Sequence[float], found: Sequence[float]) -> float:
    """How far the line through all points but the last misses the last: such a guess, and the truth."""
    return off(fitted(numbers[:-1], found[:-1]).at(numbers[-1]), found[-1])

"""What a benchmark reports: figures, what was asked of them, and tables of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Figure:
    """One line of a table; `value` is what the target, where there is one, bounds from above."""

    name: str
    cells: tuple[str, ...]
    value: float
    target: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether the value keeps to the target; empty where nothing was asked."""
        if self.target is None:
            return ""
        return "PASS" if self.value <= self.target else "over"

    def as_json(self) -> dict[str, Any]:
        """Everything known of the figure, unrounded."""
        asked = {"value": self.value, "target": self.target, "verdict": self.verdict}
        return {"name": self.name, **asked, **self.raw}


@dataclass(frozen=True)
class Section:
    """A table: its figures, and what a reader must know to judge them."""

    title: str
    columns: tuple[str, ...]
    figures: tuple[Figure, ...]
    note: str

    @property
    def header(self) -> tuple[str, ...]:
        """All column titles; the last two are the same in every table."""
        return (*self.columns, "target", "")

    def rows(self) -> list[tuple[str, ...]]:
        """The table's text, line by line."""
        return [
            (
                each.name,
                *each.cells,
                "" if each.target is None else f"{each.target:g}",
                each.verdict,
            )
            for each in self.figures
        ]

    def as_json(self) -> dict[str, Any]:
        """The table with its raw figures."""
        figures = [figure.as_json() for figure in self.figures]
        return {"title": self.title, "note": self.note, "figures": figures}


@dataclass(frozen=True)
class Effort:
    """How much is measured: enough for a figure to quote, or for a look."""

    name: str
    blocks: Mapping[int, int]  # Threads, by their number of messages.
    window: int  # Timed calls per thread and operation.
    pages: int  # Timed pages of `list` per thread.
    burst_rounds: int
    fanout_rounds: Mapping[int, int]  # Graph runs, by their number of sends.
    depth: int  # Checkpoints of the deep thread.
    deep_blocks: int
    threads: int  # Threads of the large directory.
    thread_pages: int  # Timed pages of it.


FULL = Effort("full", {20: 40, 100: 25, 600: 12}, 8, 3, 25, {100: 25, 500: 11}, 10_000, 25, 100_000, 400)
QUICK = Effort("quick", {20: 10, 100: 8, 600: 5}, 8, 2, 7, {100: 7, 500: 3}, 10_000, 8, 50_000, 100)


def microseconds(nanoseconds: float) -> str:
    """A time as tables show it."""
    return f"{nanoseconds / 1000:,.0f}"


def milliseconds(nanoseconds: float) -> str:
    """A longer time as tables show it."""
    return f"{nanoseconds / 1e6:,.1f}"

"""The plots with bars: single operations, and fan-outs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.peers import messages
from benchmarks.peers.drawing import COLOURS, GREY, absent, canvas, ink, save
from benchmarks.peers.summary import MEMORY, OURS, STYLES, Case, Summary, label
from benchmarks.peers.texts import NOTHING, digits, times

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

OPERATIONS, MESSAGES = ("put", "get_tuple", "put_writes"), (20, 600)
ROOM = {3: 1.28, 2: 1.5, 1: 1.2}
"""How much longer the axis is than the longest bar, by panels in a row: figures stand there."""

LONGEST = 8
"""A bar is no longer than so many of this project's."""

CUT = "A bar with → goes on"
"""Said below the title of each such plot."""


class Bar(NamedTuple):
    """How long it is, and what stands at its end; without a length, what stands in its place."""

    length: float | None
    text: str


@dataclass(frozen=True)
class Bars:
    """A plot of bars: a panel for each case, in rows.

    The axis is as long as the bars need, but for the one of `beyond` and for those that are very much longer
    than this project's: these are cut off at its end.
    """

    name: str
    title: str
    below: str
    rows: Sequence[Sequence[Case]]
    head: Callable[[Case], str]
    bar: Callable[[str, Case], Bar]
    beyond: str | None = None

    def draw(self, found: Summary, folder: Path) -> Path | None:
        """Write it, if there is a bar."""
        cases, drawn = [case for row in self.rows for case in row], self.drawn()
        if not drawn:
            return None
        height = 1.2 + len(self.rows) * (0.7 + 0.26 * len(drawn))
        figure, axes = canvas(self.title, self.below, len(self.rows), len(self.rows[0]), height, sharey=True)
        for panels, row in zip(axes, self.rows, strict=True):
            for panel, case in zip(panels, row, strict=True):
                self._panel(panel, case, drawn, ROOM[len(row)])
        return save(figure, folder / f"{self.name}.png", absent(found, drawn, cases), height)

    def drawn(self) -> list[str]:
        """Who has a bar."""
        cases = [case for row in self.rows for case in row]
        return [name for name in COLOURS if any(self.bar(name, case).length is not None for case in cases)]

    def _panel(self, panel: Axes, case: Case, drawn: Sequence[str], room: float) -> None:
        made = {name: self.bar(name, case) for name in drawn}
        limit = room * self._reach({name: bar.length for name, bar in made.items() if bar.length})
        for place, (name, bar) in enumerate(made.items()):
            _put(panel, place, name, bar, limit)
        panel.set_yticks(range(len(made)), [label(name) for name in made])
        panel.set_xticks([])
        panel.set_ylim(len(made) - 0.4, -0.6)
        panel.set_xlim(0, limit)
        panel.grid(visible=False)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.set_title(self.head(case))

    def _reach(self, lengths: dict[str, float]) -> float:
        """The longest bar that is not cut off."""
        kept = [length for name, length in lengths.items() if name != self.beyond]
        return min(max(kept, default=1.0), lengths.get(OURS, float("inf")) * LONGEST)


def _put(panel: Axes, place: int, name: str, bar: Bar, limit: float) -> None:
    weight = "bold" if name == OURS else "normal"
    if bar.length is None:
        panel.text(limit * 0.01, place, bar.text, va="center", color=GREY, style="italic")
        return
    panel.barh(place, min(bar.length, limit), color=COLOURS[name], height=0.74)
    if bar.length > limit * 0.85:  # There is no room behind it.
        text = f"{bar.text} →" if bar.length > limit else bar.text
        end = min(bar.length, limit) - limit * 0.015
        panel.text(end, place, text, va="center", ha="right", color=ink(name), weight=weight)
    else:
        panel.text(bar.length + limit * 0.015, place, bar.text, va="center", weight=weight)


def operations(found: Summary) -> Bars:
    """Calls a second."""
    sizes = [size for size in MESSAGES if any(size in found.sizes(name) for name in OPERATIONS)]
    rows = [[Case(name, size, STYLES[0]) for name in OPERATIONS] for size in sizes]

    def bar(contender: str, case: Case) -> Bar:
        time = found.time(contender, case)
        if time is None:
            return _none(found, contender, case)
        return Bar(1e9 / time.median, digits(1e9 / time.median))

    below = f"Calls a second, one after the other, sync; longer is better. {CUT}"
    title = messages.operations(found, rows[-1] if rows else [])
    return Bars(
        "operations", title, below, rows, lambda case: f"{case.workload}, {case.size} messages", bar, MEMORY
    )


def fan_out(found: Summary) -> Bars:
    """Runs of a graph that scatters its work."""
    rows = [
        [Case("fanout", size, style) for style in found.styles("fanout")] for size in found.sizes("fanout")
    ]

    def bar(contender: str, case: Case) -> Bar:
        time, ratio = found.time(contender, case), found.ratio(contender, MEMORY, case)
        if time is None:
            return _none(found, contender, case)
        beside = "" if ratio is None or contender == MEMORY else f"  {times(ratio)}"
        return Bar(time.median / 1e6, f"{digits(time.median / 1e6)} ms{beside}")

    below = f"Milliseconds a run, and in multiples of InMemorySaver's; shorter is better. {CUT}"
    title = messages.fan_out(found, rows)
    return Bars("fan-out", title, below, rows, lambda case: f"{case.size} tasks, {case.style}", bar)


def _none(found: Summary, contender: str, case: Case) -> Bar:
    trouble = found.trouble(contender, case)
    return Bar(None, NOTHING if trouble is None else trouble.split(":", 1)[0])

"""The plots with lines: a chat over its turns, and over a slower network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from matplotlib.ticker import MaxNLocator

from benchmarks.peers import messages
from benchmarks.peers.drawing import COLOURS, End, absent, canvas, line_style, name_ends, save
from benchmarks.peers.summary import STYLES, WINDOW, Case, Summary, label
from benchmarks.peers.texts import amount, digits

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

Points: TypeAlias = "list[tuple[float, float]]"
HEIGHT = 5.2
ROOM = {1: 1.3, 2: 1.66}
"""How much longer the axis is than the lines, by panels: names stand there."""

FEW = 4
"""Points that are marked, each with its own tick."""


@dataclass(frozen=True)
class Curves:
    """A plot of lines: a panel for each case, in it a line for each contender that has two points."""

    name: str
    title: str
    below: str
    along: str
    cases: Sequence[Case]
    points: Callable[[str, Case], Points]
    shown: Callable[[float], str]

    def draw(self, found: Summary, folder: Path) -> Path | None:
        """Write it, if there is a line."""
        lines, everyone = {case: self._lines(case) for case in self.cases}, self.drawn()
        if not everyone:
            return None
        figure, axes = canvas(self.title, self.below, 1, len(lines), HEIGHT, sharey=True)
        for panel, (case, drawn) in zip(axes[0], lines.items(), strict=True):
            panel.set_title(case.style if len(lines) > 1 else "")
            self._panel(panel, drawn, ROOM[len(lines)])
        axes[0][0].set_ylim(bottom=0)  # Of all panels, and not before each has its lines.
        missing = absent(found, everyone, self.cases)
        return save(figure, folder / f"{self.name}.png", missing, HEIGHT, lambda: self._names(axes[0], lines))

    def drawn(self) -> list[str]:
        """Who has a line."""
        lines = [self._lines(case) for case in self.cases]
        return [name for name in COLOURS if any(name in each for each in lines)]

    def _lines(self, case: Case) -> dict[str, Points]:
        lines = {name: self.points(name, case) for name in COLOURS}
        return {name: points for name, points in lines.items() if len(points) > 1}

    def _panel(self, panel: Axes, lines: dict[str, Points], room: float) -> None:
        places = sorted({at for points in lines.values() for at, _ in points})
        few = len(places) <= FEW
        for name, points in lines.items():
            panel.plot(*zip(*points, strict=True), marker="o" if few else "", **line_style(name))
        last = max(places, default=1.0)
        panel.set_xlim(0, last * room)
        panel.set_xticks(
            places if few else [tick for tick in MaxNLocator(6).tick_values(0, last) if tick <= last]
        )
        panel.xaxis.set_major_formatter("{x:g}")
        panel.set_xlabel(self.along, loc="left")

    def _names(self, panels: Sequence[Axes], lines: dict[Case, dict[str, Points]]) -> None:
        for panel, drawn in zip(panels, lines.values(), strict=True):
            name_ends(panel, [self._end(name, points[-1]) for name, points in drawn.items()])

    def _end(self, name: str, last: tuple[float, float]) -> End:
        return End(*last, f"{label(name)}, {self.shown(last[1])}", name)


def turn_time(found: Summary) -> Curves:
    """A chat's turns."""
    size = max(found.sizes("chat"), default=0)
    cases = [Case("chat", size, style) for style in found.styles("chat")]

    def points(contender: str, case: Case) -> Points:
        places = range(WINDOW, size + 1, WINDOW)
        times = {place: found.time(contender, replace(case, upto=place)) for place in places}
        return [(place, time.median / 1e6) for place, time in times.items() if time is not None]

    below = f"Milliseconds a turn: medians of {WINDOW} turns; lower is better"
    return Curves("turn-time", messages.turn(found, cases), below, "turn", cases, points, _milliseconds)


def server_memory(found: Summary) -> Curves:
    """What a chat keeps; in one style, since both keep the same."""
    size = max(found.sizes("chat"), default=0)
    cases = [Case("chat", size, style) for style in found.styles("chat")[:1]]

    def points(contender: str, case: Case) -> Points:
        return [(at, kept / 1e6) for at, kept in found.added(contender, case).items()]

    below = "Megabytes that one thread added to the server, or to the file; lower is better"
    title = messages.memory(found, cases)
    return Curves("server-memory", title, below, "turns", cases, points, lambda kept: amount(kept * 1e6))


def network_delay(found: Summary) -> Curves:
    """A chat turn, by what the network adds to each round trip."""
    size = max(found.sizes("chat-short", delayed=True), default=0)
    cases = [
        Case("chat-short", size, style) for style in STYLES if found.sizes("chat-short", style, delayed=True)
    ]
    delays = found.delays("chat-short")

    def points(contender: str, case: Case) -> Points:
        times = {delay: found.time(contender, replace(case, delay_ms=delay)) for delay in delays}
        return [(delay, time.median / 1e6) for delay, time in times.items() if time is not None]

    title = messages.delay(found, [replace(case, delay_ms=max(delays)) for case in cases])
    below = "Milliseconds a chat turn, medians; lower is better"
    along = "network delay: milliseconds added to a round trip"
    return Curves("network-delay", title, below, along, cases, points, _milliseconds)


def _milliseconds(value: float) -> str:
    return f"{digits(value)} ms"

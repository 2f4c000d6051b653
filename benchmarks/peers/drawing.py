"""How plots look: one message on top, names at the lines, colours that the colour-blind tell apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from benchmarks.peers.summary import MEMORY, OURS, PUBLIC, Case, Summary, label

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

WIDTH, DPI = 1600, 160
"""Pixels of a plot, and of an inch of it."""

# The palette of Okabe and Ito.
COLOURS = {
    OURS: "#0072B2",
    MEMORY: "#000000",
    "sqlite": "#E69F00",
    "postgres": "#009E73",
    PUBLIC: "#D55E00",
    "plainredis": "#CC79A7",
    "aws-valkey": "#56B4E9",
}
"""Who is drawn, in this order. An embedded server or a cluster would lie on this project's own line."""

GREY = "#666666"
GAP = 13.0
"""Points from one name to the next."""

STYLE: dict[RcKeyType, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "axes.edgecolor": "#999999",
    "xtick.color": GREY,
    "ytick.color": "#333333",
    "axes.labelcolor": GREY,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": "#333333",
}


class End(NamedTuple):
    """Where a line ends, and what stands there."""

    x: float
    y: float
    text: str
    contender: str


def canvas(
    title: str, below: str, rows: int, columns: int, height: float, **options: Any
) -> tuple[Figure, Any]:
    """A figure with its message on top, and an array of axes; `below` says how to read it."""
    figure = Figure(figsize=(WIDTH / DPI, height), dpi=DPI)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    headline = fill(title, 88)
    figure.text(0.012, 1 - 0.12 / height, headline, size=13, weight="bold", va="top")
    figure.text(0.012, 1 - (0.4 + 0.24 * headline.count("\n")) / height, below, color=GREY, va="top")
    return figure, axes


def save(
    figure: Figure, path: Path, missing: Sequence[str], height: float, last: Callable[[], None] = lambda: None
) -> Path:
    """Leave room for the title and for who is absent; write a PNG. `last` draws when all has its place."""
    bottom = 0.0
    if missing:
        said = fill(f"Not shown: {', '.join(missing)}", 140)
        figure.text(0.012, 0.08 / height, said, color=GREY, size=9)
        bottom = 0.25 * (1 + said.count("\n")) / height
    head = 0.65 + 0.24 * figure.texts[0].get_text().count("\n")
    figure.tight_layout(rect=(0.003, bottom, 0.997, 1 - head / height), w_pad=2.0, h_pad=1.5)
    last()
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return path


def absent(found: Summary, drawn: Sequence[str], cases: Sequence[Case]) -> list[str]:
    """Who is not drawn, and why."""
    missing = {each.name: "missing" for each in found.missing}
    troubles = {
        name: trouble
        for name in found.contenders
        for case in cases
        if (trouble := found.trouble(name, case)) is not None
    }
    kinds = {name: trouble.split(":", 1)[0] for name, trouble in troubles.items()}
    why = {**dict.fromkeys(COLOURS, "not measured"), **kinds, **missing}
    return [f"{label(name)} ({why[name]})" for name in COLOURS if name not in drawn]


def line_style(contender: str) -> dict[str, Any]:
    """This project's line is thick and above the others; what keeps nothing is dashed."""
    dash = "--" if contender == MEMORY else "-"
    thick = 3.2 if contender == OURS else 1.6
    return {"color": COLOURS[contender], "lw": thick, "ls": dash, "zorder": 4 if contender == OURS else 3}


def ink(contender: str) -> str:
    """What is read best on the contender's colour."""
    red, green, blue = to_rgb(COLOURS[contender])
    return "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.45 else "black"  # noqa: PLR2004  # half as bright


def name_ends(axes: Axes, ends: Iterable[End]) -> None:
    """Write names at the ends of lines, moved apart where they would lie on one another."""
    ordered = sorted(ends, key=lambda end: end.y)
    heights = [float(axes.transData.transform((end.x, end.y))[1]) * 72 / DPI for end in ordered]
    lowest = float(axes.transAxes.transform((0, 0))[1]) * 72 / DPI + GAP / 2
    for end, height, place in zip(ordered, heights, apart(heights, GAP, lowest), strict=True):
        axes.annotate(
            end.text,
            (end.x, end.y),
            (10, place - height),
            textcoords="offset points",
            va="center",
            color=COLOURS[end.contender],
            weight="bold" if end.contender == OURS else "normal",
            arrowprops={
                "arrowstyle": "-",
                "color": COLOURS[end.contender],
                "lw": 0.6,
                "relpos": (0.0, 0.5),
            },
        )


def apart(places: Sequence[float], gap: float, lowest: float = float("-inf")) -> list[float]:
    """Ascending places, moved as little as it takes to be so far from one another, and none too low."""
    groups: list[tuple[float, int]] = []  # The middle of neighbours that touch, and how many they are.
    for place in places:
        middle, count = max(place, lowest), 1
        while groups and groups[-1][0] + groups[-1][1] * gap / 2 > middle - count * gap / 2:
            other, others = groups.pop()
            middle = (other * others + middle * count) / (others + count)
            count += others
            middle = max(middle, lowest + (count - 1) / 2 * gap)
        groups.append((middle, count))
    return [middle + (number - (count - 1) / 2) * gap for middle, count in groups for number in range(count)]

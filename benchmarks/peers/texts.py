"""Figures as a reader meets them: three digits that count, and a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Spread

NOTHING = "-"
"""Not measured: the contender has no such thing, or not in this style."""

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def digits(value: float) -> str:
    """Three of them: 0.283, 3.21, 48.1, 1,204."""
    places = next((places for limit, places in ((1, 3), (10, 2), (100, 1)) if abs(value) < limit), 0)
    return f"{value:,.{places}f}"


def milliseconds(nanoseconds: float) -> str:
    """A time without its unit, which the table's head names."""
    return digits(nanoseconds / 1e6)


def give_or_take(found: Spread) -> str:
    """A median time, and half the distance between the quartiles as a share of it."""
    share = (found.high - found.low) / 2 / found.median if found.median else 0.0
    return f"{milliseconds(found.median)} ±{share:.0%}"


def times(ratio: float) -> str:
    """A multiple."""
    return f"{digits(ratio)} x"


def amount(count: float) -> str:
    """Bytes, in units of a thousand."""
    for unit in ("B", "kB", "MB"):
        if abs(count) < 1000:  # noqa: PLR2004  # as the units say
            return f"{count:,.0f} B" if unit == "B" else f"{digits(count)} {unit}"
        count /= 1000
    return f"{digits(count)} GB"


def raised(number: int) -> str:
    """A footnote's sign."""
    return str(number).translate(_RAISED)

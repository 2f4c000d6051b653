"""Minutes, in which LangGraph measures lives, and the milliseconds of the server."""

from __future__ import annotations

from typing import Any, Final

_MS: Final = 60_000
_LONGEST: Final = 100 * 366 * 24 * 60  # Minutes; beyond a century a figure is a mistake of units.


def milliseconds(argument: str, minutes: Any) -> int:
    """Minutes as whole milliseconds, at least one.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not above 0, or beyond a century.
    """
    if not isinstance(minutes, (int, float)) or isinstance(minutes, bool):
        raise TypeError(
            f"{argument} must be a number of minutes, not {type(minutes).__name__}: {minutes!r:.80}"
        )
    if not 0 < minutes <= _LONGEST:
        raise ValueError(
            f"{argument} must be a number of minutes above 0 and at most {_LONGEST}, not {minutes!r:.80}: "
            "leave it out, or give None, for what never expires"
        )
    return max(1, round(minutes * _MS))


def minutes(milliseconds: int) -> float:
    """What `milliseconds` took."""
    return milliseconds / _MS

"""What was asked of the saver, as checks against a run: a value, its bound, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.peers.grid import Table
from benchmarks.peers.summary import MEMORY, OURS, PUBLIC, STYLES, Case, label
from benchmarks.peers.texts import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers.summary import Summary

FASTER = {
    ("put", 20): 4,
    ("get_tuple", 20): 5,
    ("put_writes", 20): 2.5,
    ("put", 600): 7,
    ("get_tuple", 600): 4.5,
}
"""How many times as fast as the public package, by operation and messages."""

SMALLER, TURNS = 40, 300
"""How many times smaller a turn is kept than by the public package, after so many turns: 600 messages."""

FANOUT = {"sync": 1.1, "async": 1.3}
CHAT, LATE = 1.15, 500
"""Times in InMemorySaver's."""

CHANGE, CHANGES = 10_000, 3
"""Bytes that a step changes in the files, and how many times that may be sent and kept."""

AWAITED = 4
"""Saver calls of a chat turn that Pregel waits for, one after the other: `get_tuple`, and the puts of three
checkpoints, each of which waits for the one before it. `put_writes` goes on beside them."""


@dataclass(frozen=True)
class Check:
    """One line of what was asked; `atleast` or `atmost` bounds it, or neither: then it is only stated."""

    name: str
    value: float | None
    atleast: float | None = None
    atmost: float | None = None

    @property
    def verdict(self) -> str:
        """Whether it holds, as tables say it; empty where nothing was asked."""
        if self.value is None or self.value < 0:  # Less than nothing is noise.
            return "not measured"
        if self.atleast is None and self.atmost is None:
            return ""
        if self.atleast is not None and self.value < self.atleast:
            return "under"
        return "over" if self.atmost is not None and self.value > self.atmost else "PASS"

    @property
    def bound(self) -> str:
        """The target, with its direction."""
        if self.atleast is not None:
            return f"≥ {self.atleast:g}"
        return NOTHING if self.atmost is None else f"≤ {self.atmost:g}"


def checks(found: Summary) -> list[Check]:
    """All of them, sync before async."""
    made = (_against_public, _memory, _fanout, _chat, _files, _critical_path)
    return [check for make in made for style in STYLES for check in make(found, style)]


def table(found: Summary) -> Table:
    """For a reader."""
    rows = tuple((each.name, _shown(each.value), each.bound, each.verdict) for each in checks(found))
    return Table("targets", "Targets", ("", "value", "target", ""), rows)


def _shown(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.2f}"


def _against_public(found: Summary, style: str) -> Iterator[Check]:
    for (operation, messages), asked in FASTER.items():
        name = f"{operation}, {messages} messages, {style}: times as fast as {label(PUBLIC)}"
        yield Check(name, found.ratio(PUBLIC, OURS, Case(operation, messages, style)), atleast=asked)


def _memory(found: Summary, style: str) -> Iterator[Check]:
    case = Case("chat", _longest(found, "chat"), style, upto=TURNS)
    theirs, mine = found.added_a_unit(PUBLIC, case), found.added_a_unit(OURS, case)
    name = f"bytes kept a chat turn, after {TURNS}, {style}: times smaller than {label(PUBLIC)}"
    yield Check(name, None if not theirs or not mine else theirs / mine, atleast=SMALLER)


def _fanout(found: Summary, style: str) -> Iterator[Check]:
    for sends in (100, 500):
        ratio = found.ratio(OURS, MEMORY, Case("fanout", sends, style))
        yield Check(f"fan-out of {sends}, {style}: in InMemorySaver's time", ratio, atmost=FANOUT[style])


def _chat(found: Summary, style: str) -> Iterator[Check]:
    case = Case("chat", _longest(found, "chat"), style, upto=LATE)
    yield Check(
        f"chat turn {LATE}, {style}: in InMemorySaver's time", found.ratio(OURS, MEMORY, case), atmost=CHAT
    )


def _files(found: Summary, style: str) -> Iterator[Check]:
    for workload, asked in (("files-append", CHANGES), ("files-early", None), ("files-any", None)):
        case = Case(workload, _longest(found, workload), style)
        for what, count in (("sent", found.sent(OURS, case)), ("kept", found.added_a_unit(OURS, case))):
            name = f"{workload}, {style}: bytes {what} a step, in those of the change"
            yield Check(name, None if count is None else count / CHANGE, atmost=asked)


def _critical_path(found: Summary, style: str) -> Iterator[Check]:
    """From the slope between two delays, which leaves out what the proxy itself costs."""
    size = _longest(found, "chat-short")
    near, far = (found.time(OURS, Case("chat-short", size, style, delay)) for delay in (1.0, 10.0))
    trips = None if near is None or far is None else round((far.median - near.median) / 9e6)
    yield Check(f"chat turn, {style}: round trips on its critical path, rounded", trips, atmost=AWAITED)


def _longest(found: Summary, workload: str) -> int:
    return max(found.sizes(workload), default=0)

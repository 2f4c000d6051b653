"""The few figures that a reader asks for first, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.grid import Cell, Grid, Line, Table
from benchmarks.peers.summary import OURS, STYLES, Case, Summary
from benchmarks.peers.texts import amount, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, LAST = 10, 500
"""Turns of the conversation that are shown."""

NOTE = "Medians, sync / async; what was not measured in a run has no line or no figure."


def table(found: Summary) -> Table:
    """Times, and what they cost the network and the server."""
    lines = [*_operations(found), *_fanouts(found), *_turns(found), *_far_turns(found), *_costs(found)]
    only = [name for name in found.contenders if not name.startswith(f"{OURS}-")]
    return Grid("short", "In short", lines, styles=STYLES, only=only, note=NOTE).table(found)


def _time(found: Summary) -> Cell:
    def cell(contender: str, case: Case) -> str | None:
        time = found.time(contender, case)
        return None if time is None else milliseconds(time.median)

    return cell


def _operations(found: Summary) -> Iterator[Line]:
    for operation in ("put", "get_tuple", "put_writes"):
        for messages in (20, 600):
            if messages in found.sizes(operation):
                yield Line(f"{operation}, {messages} messages, ms", _of(operation, messages), _time(found))


def _fanouts(found: Summary) -> Iterator[Line]:
    for sends in found.sizes("fanout"):
        yield Line(f"fan-out to {sends} tasks, ms", _of("fanout", sends), _time(found))


def _turns(found: Summary) -> Iterator[Line]:
    for turns in found.sizes("chat")[-1:]:
        for place in (FIRST, min(turns, LAST)):
            yield Line(f"chat turn {place}, ms", _of("chat", turns, upto=place), _time(found))


def _far_turns(found: Summary) -> Iterator[Line]:
    for turns in found.sizes("chat-short", delayed=True):
        for delay in filter(None, found.delays("chat-short")):
            case = _of("chat-short", turns, delay)
            yield Line(f"chat turn over a network of {delay:g} ms, ms", case, _time(found))


def _costs(found: Summary) -> Iterator[Line]:
    """Of a chat turn."""

    def trips(contender: str, case: Case) -> str | None:
        count = found.round_trips(contender, case)
        return None if count is None else f"{count:g}"

    def kept(contender: str, case: Case) -> str | None:
        each = found.added_a_unit(contender, case)
        return None if each is None else amount(each)

    for turns in found.sizes("chat-short")[-1:]:
        yield Line("round trips a chat turn", _of("chat-short", turns), trips)
    for turns in found.sizes("chat")[-1:]:
        place = max((place for place in (50, 300) if place <= turns), default=turns)
        yield Line(f"kept a chat turn, after {place}", _of("chat", turns, upto=place), kept)


def _of(workload: str, size: int, delay: float = 0.0, upto: int | None = None) -> Case:
    """A case in whichever style the table asks for."""
    return Case(workload, size, STYLES[0], delay, upto)

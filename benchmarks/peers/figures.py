"""The tables of figures: operations, graphs, the network, memory, and what came out right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.grid import Grid, Line, Table
from benchmarks.peers.summary import MEMORY, OURS, STYLES, Case, Summary
from benchmarks.peers.texts import NOTHING, amount, give_or_take, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPERATIONS = ("put", "put_writes", "get_tuple", "get_tuple-id", "get_tuple-miss", "list", "delete_thread")
"""Workloads of single calls; their size is the thread's messages."""

TRUTH = "truth-"
"""How the names of workloads begin that ask only whether a result is right."""

PLACES = {"chat": (10, 50, 100, 300, 500)}
"""Workloads that are looked at along their axis, and where."""

READING = (
    "Milliseconds: the median ± half the distance between the quartiles; below it, the same in multiples of"
    " this project's. Last column: this project's in those of InMemorySaver."
)


def graphs_of(found: Summary) -> list[str]:
    """Workloads that are whole graphs."""
    return [name for name in found.workloads if name not in OPERATIONS and not name.startswith(TRUTH)]


def operations(found: Summary, style: str) -> Table:
    """Single calls, by the thread's messages."""
    cases = _cases(found, OPERATIONS, style)
    return _timed(found, f"operations-{style}", f"Single operations, {style}", cases)


def graphs(found: Summary, style: str) -> Table:
    """Whole graphs."""
    cases = _cases(found, graphs_of(found), style)
    return _timed(found, f"graphs-{style}", f"Whole graphs, {style}", cases)


def delayed(found: Summary, style: str) -> Table:
    """What network delay does."""
    cases = {
        f"{name}, {size}, {delay:g} ms": Case(name, size, style, delay)
        for name in found.workloads
        for size in found.sizes(name, style, delayed=True)
        for delay in found.delays(name)
    }
    return _timed(found, f"delay-{style}", f"With network delay, {style}", cases)


def wire(found: Summary, style: str) -> Table:
    """Round trips and bytes, which decide where the network does."""

    def cell(contender: str, case: Case) -> str | None:
        trips, sent = found.round_trips(contender, case), found.sent(contender, case)
        return None if trips is None or sent is None else f"{trips:g}\n{amount(sent)}"

    cases = _cases(found, [*OPERATIONS, *graphs_of(found)], style)
    lines = [
        Line(name, case, cell)
        for name, case in cases.items()
        if any(cell(contender, case) for contender in found.contenders)
    ]
    note = "Round trips of one call, turn, run or step; below them the bytes sent. Medians."
    return Grid(f"wire-{style}", f"Round trips and bytes, {style}", lines, note=note).table(found)


def memory(found: Summary, style: str) -> Table:
    """What the server, or the file, keeps."""

    def cell(contender: str, case: Case) -> str | None:
        each = found.added_a_unit(contender, case)
        return None if each is None else amount(each)

    lines = [
        Line(name, case, cell)
        for name, case in _cases(found, graphs_of(found), style).items()
        if any(found.added(contender, case) for contender in found.contenders)
    ]
    note = "Bytes that each turn or step added, on average of all up to that one."
    return Grid(f"memory-{style}", f"Memory, {style}", lines, note=note).table(found)


def truths(found: Summary) -> Table:
    """Whether a contender gives back what it was given."""

    def cell(contender: str, case: Case) -> str | None:
        return "right" if found.outcome(contender, case) else None

    lines = [
        Line(name.removeprefix(TRUTH), Case(name, size, STYLES[0]), cell)
        for name in found.workloads
        if name.startswith(TRUTH)
        for size in found.sizes(name)
    ]
    note = "Sync / async, where they differ."
    return Grid("truth", "Right or wrong", lines, styles=STYLES, note=note).table(found)


def _timed(found: Summary, name: str, title: str, cases: dict[str, Case]) -> Table:
    def cell(contender: str, case: Case) -> str | None:
        time, ratio = found.time(contender, case), found.ratio(contender, OURS, case)
        if time is None:
            return None
        return give_or_take(time) + ("" if ratio is None or contender == OURS else f"\n{times(ratio)}")

    def over_memory(case: Case) -> str:
        ratio = found.ratio(OURS, MEMORY, case)
        return NOTHING if ratio is None else times(ratio)

    lines = [Line(row, case, cell) for row, case in cases.items()]
    return Grid(name, title, lines, extra={"÷ in memory": over_memory}, note=READING).table(found)


def _cases(found: Summary, workloads: Sequence[str], style: str) -> dict[str, Case]:
    """A line for each size of a workload; for one that is looked at along its axis, for each place."""
    return {
        f"{name}, {size}" if place is None else f"{name}, turn {place}": Case(name, size, style, upto=place)
        for name in workloads
        for size in found.sizes(name, style)
        for place in _places(name, size)
    }


def _places(workload: str, size: int) -> Iterator[int | None]:
    places = [place for place in PLACES.get(workload, ()) if place <= size]
    yield from places or (None,)

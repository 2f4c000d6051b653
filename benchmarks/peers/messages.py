"""What a plot says in its title: taken from the figures, and of both styles the one that flatters less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.summary import MEMORY, OURS, PUBLIC, Case, Summary, label
from benchmarks.peers.texts import amount, milliseconds, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def turn(found: Summary, cases: Sequence[Case]) -> str:
    """The last turn of the chat, in InMemorySaver's time."""
    last = [_at_end(case) for case in cases]
    said = f"Turn {last[0].upto} takes" if last else ""
    return _in_memorys(found, said, last) or "A chat's turns, from the first to the last"


def fan_out(found: Summary, cases: Sequence[Sequence[Case]]) -> str:
    """The largest fan-out, in InMemorySaver's time."""
    largest = cases[-1] if cases else []
    said = f"{largest[0].size} tasks at once take" if largest else ""
    return _in_memorys(found, said, largest) or "Fan-out to many tasks"


def operations(found: Summary, cases: Sequence[Case]) -> str:
    """How many times as fast as the public package, at the largest size."""
    faster = {case.workload: found.ratio(PUBLIC, OURS, case) for case in cases}
    put, get = faster.get("put"), faster.get("get_tuple")
    if put is None or get is None:
        return "Single operations"
    said = f"At {cases[0].size} messages, put is {times(put)} and get_tuple {times(get)} as fast as"
    return f"{said} {label(PUBLIC)}"


def memory(found: Summary, cases: Sequence[Case]) -> str:
    """What is kept at the end, or where both were weighed last."""
    both = [{*found.added(OURS, case)} & {*found.added(PUBLIC, case)} for case in cases]
    place = max(set.intersection(*both), default=0) if both else 0
    if not place:
        return "What a chat keeps, turn by turn"
    mine = max(found.added(OURS, case)[place] for case in cases)
    theirs = min(found.added(PUBLIC, case)[place] for case in cases)
    return f"After {place} turns this project keeps {amount(mine)}, {label(PUBLIC)} {amount(theirs)}"


def delay(found: Summary, cases: Sequence[Case]) -> str:
    """A turn at the largest delay."""
    mine = _most(_median(found, OURS, case) for case in cases)
    theirs = _least(_median(found, PUBLIC, case) for case in cases)
    if mine is None or theirs is None:
        return "A chat turn over a slower network"
    said = f"At {cases[0].delay_ms:g} ms a round trip, a turn takes this project"
    return f"{said} {milliseconds(mine)} ms, {label(PUBLIC)} {milliseconds(theirs)} ms"


def _in_memorys(found: Summary, said: str, cases: Sequence[Case]) -> str | None:
    mine = _most(found.ratio(OURS, MEMORY, case) for case in cases)
    theirs = _least(found.ratio(PUBLIC, MEMORY, case) for case in cases)
    if mine is None:
        return None
    public = "" if theirs is None else f", {label(PUBLIC)} {times(theirs)}"
    return f"{said} this project {times(mine)} InMemorySaver's time{public}"


def _median(found: Summary, contender: str, case: Case) -> float | None:
    time = found.time(contender, case)
    return None if time is None else time.median


def _at_end(case: Case) -> Case:
    return Case(case.workload, case.size, case.style, case.delay_ms, upto=case.size)


def _most(values: Iterable[float | None]) -> float | None:
    return _of_all(values, max)


def _least(values: Iterable[float | None]) -> float | None:
    return _of_all(values, min)


def _of_all(values: Iterable[float | None], chosen: Callable[[list[float]], float]) -> float | None:
    """None where one of them is missing: what is said must hold for all."""
    known = list(values)
    sure = [value for value in known if value is not None]
    return chosen(sure) if sure and len(sure) == len(known) else None

"""Failovers under load, one after the other: what each cost, and all of them in a table.

python tests/failover_runs.py          ten of each kind
python tests/failover_runs.py 3        three
python tests/failover_runs.py 3 hung   three of those whose name has the word
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from outages import ONE, Hung, Killed, Outcome, fail_over
from topologies import Together, start_cluster_of_six, start_sentinels

say = partial(print, flush=True)


class Kind(NamedTuple):
    """What fails, and how."""

    name: str
    start: Callable[[], Together]
    outage: Killed | Hung
    options: dict[str, Any]


PLACES = {"sentinels": start_sentinels, "cluster": start_cluster_of_six}
WAYS: dict[str, dict[str, Any]] = {"asynchronous": {}, "one replica": ONE}
KINDS = [
    Kind(f"{place}, {outage.name}, {way}", start, outage, options)
    for (place, start), outage, (way, options) in product(PLACES.items(), [Killed(), Hung()], WAYS.items())
]


def run(kind: Kind) -> Outcome | str:
    """What came of one, on servers of its own; or why nothing did."""
    with kind.start() as together:
        try:
            return fail_over(together, f"run-{uuid4().hex[:8]}", kind.outage, kind.options)
        except TimeoutError as error:
            return str(error)


def line(outcome: Outcome) -> str:
    """One run."""
    return (
        f"acknowledged {outcome.acknowledged:5}  lost {outcome.lost:2}  torn {outcome.torn}  "
        f"hung {outcome.hung}  recovery {outcome.recovery:4.1f} s  longest call {outcome.longest:4.1f} s  "
        f"{outcome.errors}"
    )


def is_bad(kind: Kind, outcome: Outcome | str) -> bool:
    """Whether something happened that must not."""
    if isinstance(outcome, str):
        return True
    return bool(outcome.torn or outcome.hung or (kind.options and outcome.lost))


def span(figures: list[float], digits: int = 1) -> str:
    """The least, the middle one, the most."""
    return " / ".join(f"{each:.{digits}f}" for each in (min(figures), median(figures), max(figures)))


def row(kind: Kind, outcomes: list[Outcome | str]) -> list[str]:
    """All runs of a kind."""
    done = [each for each in outcomes if isinstance(each, Outcome)]
    if not done:
        return [kind.name, f"0 of {len(outcomes)}", *[""] * 6]
    return [
        kind.name,
        f"{len(done)} of {len(outcomes)}",
        str(sum(each.acknowledged for each in done)),
        span([float(each.lost) for each in done], 0),
        str(sum(each.torn for each in done)),
        str(sum(each.hung for each in done)),
        span([each.recovery for each in done]),
        f"{max(each.longest for each in done):.1f}",
    ]


HEADS = ("", "runs", "acknowledged", "lost", "torn", "hung", "recovery, s", "longest call, s")


def main(arguments: list[str]) -> int:
    """Run all; 1 if something happened that must not."""
    count = int(arguments[0]) if arguments else 10
    chosen = [kind for kind in KINDS if all(word in kind.name for word in arguments[1:])]
    found: dict[str, list[Outcome | str]] = {kind.name: [] for kind in chosen}
    for number, kind in product(range(1, count + 1), chosen):
        outcome = run(kind)
        found[kind.name].append(outcome)
        said = outcome if isinstance(outcome, str) else line(outcome)
        say(f"{number:3}  {kind.name:34} {said}")
    table = Table(*HEADS, title=f"{count} failovers each; lost and recovery: least / median / most, of a run")
    for kind in chosen:
        table.add_row(*row(kind, found[kind.name]))
    Console(width=140).print(table)
    return int(any(is_bad(kind, each) for kind in chosen for each in found[kind.name]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

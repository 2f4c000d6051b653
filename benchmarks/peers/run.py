"""A race of savers, each in an environment and on a server of its own: `make bench`, `make bench-quick`.

What a figure is depends on the machine; who is missing, wrong or failed is said, and the exit status is 0.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# The tests' servers are used here too; neither folder is a package that is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.machine import here
from benchmarks.peers import tables, venvs
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.peers.contract import Results
from benchmarks.peers.field import Field
from benchmarks.peers.race import Effort, Race
from benchmarks.peers.workloads.registry import ALL

if TYPE_CHECKING:
    from benchmarks.peers.contenders import Contender
    from benchmarks.peers.contract import Outcome

RESULTS = venvs.ROOT / "benchmarks" / "results" / "peers.json"
QUICK_RESULTS = venvs.FOLDER / "peers-quick.json"
STYLES = ("sync", "async")
WIDTH = 160
"""Columns that the widest table takes, also where there is no terminal to ask."""

QUICK_DELAYS, DELAYS = (10.0,), (1.0, 10.0)
QUICK_SECONDS, SECONDS = 90.0, 1080.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds: a look, not a result")
    parser.add_argument("--only", nargs="+", choices=ALL, metavar="WORKLOAD", help=f"of: {', '.join(ALL)}")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=[*CONTENDERS])
    parser.add_argument("--styles", nargs="+", choices=STYLES, help="both; a quick run: async")
    parser.add_argument("--sizes", nargs="+", type=int, default=[], help="only these sizes of workloads")
    parser.add_argument("--rounds", type=int, help="instead of each workload's own")
    parser.add_argument("--delays", nargs="*", type=float, metavar="MS", help="network delay, a round trip")
    parser.add_argument("--seconds", type=float, help="after its share of them a workload has no more rounds")
    parser.add_argument("--output", type=Path, help="the file for results")
    return parser.parse_args()


def _effort(told: argparse.Namespace) -> Effort:
    delays = told.delays if told.delays is not None else (QUICK_DELAYS if told.quick else DELAYS)
    seconds = told.seconds or (QUICK_SECONDS if told.quick else SECONDS)
    return Effort(told.quick, tuple(delays), tuple(told.sizes), told.rounds, seconds)


def _styles(told: argparse.Namespace) -> list[str]:
    return told.styles or (["async"] if told.quick else [*STYLES])


def _output(told: argparse.Namespace) -> Path:
    """A run that is not whole is no result to keep, unless a file is named."""
    whole = not (told.quick or told.only or told.sizes or told.rounds or told.delays is not None)
    whole = whole and set(told.contenders) == set(CONTENDERS) and set(_styles(told)) == set(STYLES)
    return told.output or (RESULTS if whole else QUICK_RESULTS)


def _environments(console: Console, contender: Contender) -> Path:
    if not venvs.is_ready(contender):
        console.print(f"making the environment of {contender.name}")
    return venvs.python(contender)


def _race(
    console: Console, field: Field, effort: Effort, workloads: list[str]
) -> tuple[list[Outcome], list[str]]:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    cells = effort.cells(ALL[name] for name in workloads)
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        task = progress.add_task("starting")

        def step(said: str | None) -> None:
            if said is None:
                progress.advance(task)
            else:
                progress.update(task, description=said)

        race = Race(field.lanes, effort, step)
        progress.update(task, total=race.blocks(cells))
        return race.run(cells), race.short


def _where(effort: Effort) -> dict[str, str]:
    """The machine, and what all contenders have in common."""
    return {
        **here(),
        "run": f"{'quick' if effort.quick else 'full'}; rounds as the workloads name them, within"
        f" {effort.seconds:.0f} s",
        "network": "loopback TCP; with delay, and to count, through a proxy in a process of its own, which"
        " does not stand before the cluster, the embedded server and SQLite",
        "environments": "a virtual environment and a process for each contender and style",
        "disk": "Redis and Valkey keep nothing on it, but for the embedded one; SQLite and PostgreSQL as they"
        " are set up by default",
    }


def main() -> None:
    """Race, show, and write what was found."""
    told, console = _arguments(), Console(width=WIDTH)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended; nothing was written"))
    effort = _effort(told)
    where = _where(effort)
    registry = "benchmarks.peers.workloads.registry:ALL"
    with Field(lambda each: _environments(console, each), registry, venvs.FOLDER / "logs") as field:
        field.add((CONTENDERS[name] for name in told.contenders), _styles(told))
        outcomes, short = _race(console, field, effort, told.only or [*ALL])
        where["fewer rounds"] = "; ".join(short) or "none"
        results = Results(where, field.entrants, outcomes)
    output = _output(told)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results.as_json(), indent=None, separators=(",", ":")) + "\n")
    tables.show(console, results)
    console.print(f"wrote {output}")


if __name__ == "__main__":
    main()

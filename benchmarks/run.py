"""All benchmarks in one run, on a server of their own: `make bench`, or with `--quick` for a look.

Timing depends on the machine, so a target missed is said and not failed: the exit status is 0.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

# The tests' servers are used here too; neither folder is a package that is installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING

import redis
from rich.console import Console

from benchmarks import burst, deep_thread, fanout, lifetime, memory, operations, report, store, threads
from benchmarks.figures import FULL, QUICK, Effort, Section
from benchmarks.machine import facts
from servers import start_valkey

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
WIDTH = 132
"""Columns that the widest table takes, also where there is no terminal to ask."""


def _measures(url: str, effort: Effort) -> dict[str, Callable[[], list[Section]]]:
    """Every benchmark by the name that `--only` knows it by."""
    return {
        "sync": lambda: [operations.measure_sync(url, effort, brought=each) for each in (False, True)],
        "async": lambda: [
            asyncio.run(operations.measure_async(url, effort, brought=each)) for each in (False, True)
        ],
        "memory": lambda: [memory.measure(url)],
        "lifetime": lambda: [lifetime.measure(url)],
        "burst": lambda: [asyncio.run(burst.measure(url, effort))],
        "fanout": lambda: [fanout.measure(url, effort)],
        "deep": lambda: deep_thread.measure(url, effort),
        "threads": lambda: threads.measure(url, effort),
        "store": lambda: store.measure(url, effort),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a result")
    parser.add_argument("--only", nargs="+", choices=_measures("", QUICK), help="some of them")
    return parser.parse_args()


def _measured(console: Console, url: str, effort: Effort, only: list[str] | None) -> list[Section]:
    """Run the benchmarks one after the other, each on an empty database; show each as it ends."""
    sections: list[Section] = []
    for name, measure in _measures(url, effort).items():
        if only and name not in only:
            continue
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        for section in measure():
            report.show(console, section)
            sections.append(section)
    return sections


def main() -> None:
    """Measure, show, and write results unless only some were asked for."""
    arguments, console = _arguments(), Console(width=WIDTH)
    effort = QUICK if arguments.quick else FULL
    with start_valkey() as server:
        where = facts(f"{server.name} {server.version}")
        report.show_facts(console, where)
        sections = _measured(console, server.url, effort, arguments.only)
    console.print(report.summary(sections))
    if not arguments.only:
        for path in report.write(RESULTS, effort.name, where, sections):
            console.print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

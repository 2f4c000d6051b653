"""Memory and capacity at scale, on servers of its own; with `--quick` for a look.

A whole run takes some eight minutes and 2 GB of memory. It writes `scale.json` and `scale.md` to `results/`;
a look, or a run with another number of threads, writes to files named after itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

# The tests' servers are used here too; neither folder is a package that is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console

from benchmarks.scale.efforts import FULL, QUICK, Effort
from benchmarks.scale.tables import show, whole_page
from benchmarks.scale.whole import measured

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
FEWEST = 40
"""Threads that can be weighed at four numbers of them."""

WIDTH = 150
"""Columns that the widest table takes, also where there is no terminal to ask."""


def _effort() -> Effort:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer threads, shorter loads: a look, not a result"
    )
    parser.add_argument("--threads", type=int, help="how many threads chat")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    if arguments.threads is not None and arguments.threads < FEWEST:
        parser.error(f"--threads {arguments.threads}: at least {FEWEST} are needed")
    if arguments.threads is None:
        return effort
    return replace(effort, name=f"{effort.name}-{arguments.threads}", threads=arguments.threads)


def main() -> None:
    """Measure, show, and write results."""
    effort, console = _effort(), Console(width=WIDTH)
    began = time.monotonic()
    found = measured(
        effort, lambda part: console.print(f"{time.monotonic() - began:5.0f} s  {part}", style="dim")
    )
    show(console, found)
    RESULTS.mkdir(exist_ok=True)
    data, page = RESULTS / f"{effort.name}.json", RESULTS / f"{effort.name}.md"
    data.write_text(json.dumps(found, indent=1) + "\n")
    page.write_text(whole_page(found))
    console.print(f"{found['seconds']:.0f} s; wrote {data.relative_to(ROOT)} and {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

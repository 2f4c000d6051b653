"""Where and with what a run was made: without it figures mean nothing to anyone else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.grid import Table
from benchmarks.peers.summary import label
from benchmarks.peers.texts import NOTHING
from benchmarks.peers.workloads.registry import ALL

if TYPE_CHECKING:
    from benchmarks.peers.contract import Entrant
    from benchmarks.peers.summary import Summary


def machine(found: Summary) -> Table:
    """The machine, as the run found it."""
    return Table("machine", "Where", ("", ""), tuple(found.where.items()), numbers=False)


def contenders(found: Summary) -> Table:
    """Who ran, on which server, with which versions; and who did not, and why."""
    header = ("contender", "what it is", "server", "versions")
    rows = tuple(_row(each) for each in found.entrants)
    return Table("contenders", "Contenders", header, rows, numbers=False)


def workloads(found: Summary) -> Table:
    """What they did."""
    rows = []
    for name in found.workloads:
        sizes = ", ".join(f"{size:,}" for size in found.sizes(name))
        known = ALL.get(name)
        rows.append((name, known.title, known.unit, sizes) if known else (name, NOTHING, NOTHING, sizes))
    header = ("workload", "what it is", "a sample is a", "sizes")
    return Table("workloads", "Workloads", header, tuple(rows), numbers=False)


def _row(entrant: Entrant) -> tuple[str, ...]:
    if entrant.missing is not None:
        return label(entrant.name), entrant.title, f"missing: {entrant.missing}", NOTHING
    versions = ", ".join(f"{package} {version}" for package, version in entrant.versions.items())
    return label(entrant.name), entrant.title, entrant.server or NOTHING, versions or NOTHING

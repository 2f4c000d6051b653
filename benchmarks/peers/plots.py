"""All plots of a run, one message each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

from benchmarks.peers import bars, curves
from benchmarks.peers.drawing import STYLE
from benchmarks.peers.summary import Summary

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.peers.contract import Results

PLOTS = (
    curves.turn_time,
    curves.server_memory,
    bars.operations,
    bars.fan_out,
    curves.network_delay,
)


def draw(results: Results, folder: Path) -> list[Path]:
    """Write those that the run has figures for."""
    found = Summary(results)
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        return [path for plot in PLOTS if (path := plot(found).draw(found, folder)) is not None]

"""All workloads by name, in the order in which they are shown."""

from __future__ import annotations

from benchmarks.peers.contract import Workload
from benchmarks.peers.workloads import (
    blobs,
    chat,
    delta,
    fanout,
    files,
    many,
    react,
    singles,
    travel,
    truth_ids,
    truth_values,
    truth_writes,
    wide,
)

_MODULES = (
    *(singles, chat, react, fanout, wide, files, blobs, many, travel, delta),
    *(truth_values, truth_writes, truth_ids),
)

ALL: dict[str, Workload] = {each.name: each for module in _MODULES for each in module.WORKLOADS}

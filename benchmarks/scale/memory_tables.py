"""What was found of memory, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, TypeAlias

from benchmarks.peers.grid import Table
from benchmarks.peers.texts import amount, digits
from benchmarks.scale import notes

Found: TypeAlias = Mapping[str, Any]

MILLION = 1_000_000
NODE = 64 * 10**9
"""Bytes of a node to reckon with."""

FREE = 0.25
"""What of it is kept for other things: buffers, a fork that writes a snapshot, growth."""


def share(value: float) -> str:
    """A part of one; of a small one tenths of a percent count."""
    return f"{value:.1%}" if value < 1 else f"{value:.0%}"


def tables(found: Found) -> list[Table]:
    """Memory on the way, at a million, and kept otherwise."""
    return [_weighed(found["population"]), _million(found), _ways(found["ways"])]


def _weighed(found: Found) -> Table:
    empty, *marks = found["weighed"]
    rows = tuple(_weight(each, empty, found["turns"]) for each in marks)
    million = found["million"]
    note = notes.WEIGHED.format(
        turns=found["turns"],
        residual=share(million["line"]["residual"]),
        foretold=share(million["foretold"]),
    )
    header = ("threads", "memory", "a thread", "a turn", "keys", "resident / used", "allocator", "registry")
    return Table("scale-memory", "Memory of many chats", header, rows, (note,))


def _weight(each: Found, empty: Found, turns: int) -> tuple[str, ...]:
    one = (each["used"] - empty["used"]) / each["threads"]
    return (
        f"{each['threads']:,}",
        amount(each["used"]),
        amount(one),
        amount(one / turns),
        f"{each['keys']:,}",
        f"{each['fragmentation']:.2f}",
        f"{each['allocator']:.2f}",
        amount(each["registry"]),
    )


def _million(found: Found) -> Table:
    million, sample = found["population"]["million"], found["population"]["sample"]
    line = million["line"]
    registry = found["registry"]["bytes"] / found["registry"]["threads"] * MILLION
    rows = (
        ("memory in use", amount(million["used"]), f"the line: {amount(line['each'])} a thread"),
        ("the same, another way", amount(million["added"]), _added(sample, million)),
        ("of it, the registry", amount(registry), f"filled with {found['registry']['threads']:,} names"),
        ("of it, the table of keys", amount(million["table"]), "as where it was dearest for a key"),
        ("with fragmentation", amount(million["resident"]), "times the largest population's resident / used"),
        (f"nodes of {amount(NODE)}", str(nodes(found)), f"primaries, {FREE:.0%} of each kept free"),
    )
    return Table("scale-million", "A million chats", ("", "figure", "how"), rows, numbers=False)


def nodes(found: Found) -> int:
    """Primaries that hold a million chats."""
    resident = float(found["population"]["million"]["resident"])
    return ceil(resident / (NODE * (1 - FREE)))


def _added(sample: Found, million: Found) -> str:
    apart = abs(million["added"] - million["used"]) / million["used"]
    both = f"data {amount(sample['data'])} in {sample['fields']:.0f} fields, index {amount(sample['index'])}"
    return f"MEMORY USAGE of {sample['threads']} threads: {both}; {share(apart)} from the line"


def _ways(found: Sequence[Found]) -> Table:
    header = ("kept", "a thread", "a million", "keys a thread")
    rows = tuple(
        (each["kept"], amount(each["bytes"]), amount(each["bytes"] * MILLION), digits(each["keys"]))
        for each in found
    )
    return Table("scale-ways", "The same chats, kept otherwise", header, rows, (notes.WAYS,))

"""What was found of a server's core, and of several, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.peers.grid import Table
from benchmarks.peers.texts import digits
from benchmarks.scale import notes
from benchmarks.scale.memory_tables import Found, share

TURN = "chat turn"
ENOUGH = 0.95
"""Of a core, from which it counts as full."""


def tables(found: Found) -> list[Table]:
    """What a core carries, and how it goes on over nodes."""
    return [_capacity(found["capacity"]), _cluster(found["cluster"]), _spread(found)]


def _capacity(found: Sequence[Found]) -> Table:
    header = (
        *("operation", "messages", "scripts, µs", "ceiling, 1/s"),
        *("waiting, 1/s", "core", "CPU, µs", "in flight, 1/s", "core", "CPU, µs"),
    )
    told = (notes.SCRIPTS, notes.LOADED, notes.THREADS, _full(found))
    return Table("scale-core", "What one core carries", header, tuple(map(_load, found)), told)


def _full(found: Sequence[Found]) -> str:
    """Whether the server was the limit."""
    shares = [way["server_share"] for each in found for way in each["ways"].values()]
    short, least = sum(each < ENOUGH for each in shares), f"{min(shares):.0%}"
    if not short:
        return notes.FULL.format(least=least)
    return notes.NOT_FULL.format(short=short, loads=len(shares), enough=f"{ENOUGH:.0%}", least=least)


def _load(each: Found) -> tuple[str, ...]:
    scripts = each["ways"]["in flight"]
    loaded = (cell for way in each["ways"].values() for cell in _loaded(way))
    return (
        each["name"],
        str(each["size"]),
        digits(scripts["call_us"]),
        f"{scripts['ceiling']:,.0f}",
        *loaded,
    )


def _loaded(way: Found) -> tuple[str, ...]:
    return f"{way['a_second']:,.0f}", f"{way['server_share']:.0%}", digits(way["cpu_us"])


def _cluster(found: Found) -> Table:
    both = (found["one"], found["several"])
    rows = (
        ("nodes", *(str(len(each["nodes"])) for each in both)),
        ("threads on each", *(_of_each(each, "threads") for each in both)),
        ("script calls of each", *(_of_each(each, "scripts", "calls") for each in both)),
        ("the busiest's, of an even share", *(share(each["busiest"]) for each in both)),
        ("calls that crossed slots", *(str(each["crossed"]) for each in both)),
        ("script calls a turn", *(digits(each["calls"]) for each in both)),
        ("a script call, µs", *(digits(each["script_us"]) for each in both)),
        ("servers' CPU a turn, µs", *(digits(each["cpu_us"]) for each in both)),
        ("client's CPU a turn, µs", *(digits(each["client_us"]) for each in both)),
    )
    note = notes.CLUSTER.format(threads=f"{found['threads']:,}", turns=found["turns"])
    return Table("scale-cluster", "Three nodes", ("", "one server", "cluster"), rows, (note,))


def _of_each(found: Found, *way: str) -> str:
    """One figure of every node."""
    return " / ".join(f"{_deep(node, way):,}" for node in found["nodes"])


def _deep(node: Any, way: tuple[str, ...]) -> Any:
    for name in way:
        node = node[name]
    return node


def turn_us(found: Found) -> float:
    """What a turn costs a server whose clients wait, at the smallest number of messages."""
    turns = (each for each in found["capacity"] if each["name"] == TURN)
    return float(min(turns, key=lambda each: int(each["size"]))["ways"]["waiting"]["cpu_us"])


def _spread(found: Found) -> Table:
    dealt, turn = found["cluster"]["spread"], turn_us(found)
    note = notes.NODES.format(
        threads=f"{dealt['threads']:,}", turn=digits(turn), shards=found["limits"]["shards"]
    )
    rows = tuple(_nodes(each, 1e6 / turn) for each in dealt["nodes"])
    header = ("nodes", "the fullest, of an even share", "chat turns, 1/s", "with shards", "most shards")
    return Table("scale-nodes", "More nodes, on paper", header, rows, (note,))


def _nodes(each: Found, a_core: float) -> tuple[str, ...]:
    turns = a_core * each["nodes"] / each["fullest"]
    shards = str(each["with_shards"]), str(each["most_shards"])
    return str(each["nodes"]), share(each["fullest"]), f"{turns:,.0f}", *shards

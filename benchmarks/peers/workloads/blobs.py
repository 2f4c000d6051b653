"""Megabytes of bytes in one channel: stored, carried along unchanged, and read back."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from benchmarks.peers.contract import Course, Do, Step, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import expect, expect_same
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import config

CARRIED, READ = 5, 3
"""Steps that leave the bytes alone; reads of the state."""


class Luggage(TypedDict, total=False):
    """The bytes, and a number that each step raises."""

    blob: bytes
    told: int
    count: int


def _count(state: Luggage) -> dict[str, int]:
    return {"count": state["told"]}


def builder() -> StateGraph[Luggage, None, Luggage, Luggage]:
    """One node that does not touch the bytes."""
    made = StateGraph(Luggage)
    made.add_node("count", Node(_count), input_schema=Luggage)
    made.add_edge(START, "count")
    made.add_edge("count", END)
    return made


def _blob(megabytes: int, seed: int) -> bytes:
    """Bytes that no compression makes fewer of, as those of an image."""
    return random.Random(seed).randbytes(megabytes * 2**20)  # noqa: S311  # The same in each run.


def _stored(subject: Subject, thread: str, megabytes: int, kind: type[Do | Timed]) -> Course:
    """Two turns, each with bytes of its own; those of the second stay."""
    invoke = subject.graph(builder())
    for seed in (1, 2):
        blob = _blob(megabytes, seed)
        step: Step = kind(invoke({"blob": blob, "told": 0}, config(thread)))
        state = yield step
        expect(state["blob"] == blob, "the bytes changed while they were stored")


def storing(subject: Subject, thread: str, megabytes: int) -> Course:
    """Time turns that bring new bytes."""
    yield from _stored(subject, thread, megabytes, Timed)
    yield from _gone(subject, thread, megabytes)


def carrying(subject: Subject, thread: str, megabytes: int) -> Course:
    """Time turns that leave the bytes alone."""
    yield from _stored(subject, thread, megabytes, Do)
    invoke = subject.graph(builder())
    for number in range(1, CARRIED + 1):
        state = yield Timed(invoke({"told": number}, config(thread)))
        expect_same(len(state["blob"]), megabytes * 2**20, "bytes carried along, how many")
        expect_same(state["count"], number, "the number beside the bytes")
    yield from _gone(subject, thread, megabytes)


def reading(subject: Subject, thread: str, megabytes: int) -> Course:
    """Time reads of the state."""
    yield from _stored(subject, thread, megabytes, Do)
    for _ in range(READ):
        kept = yield Timed(subject.state(builder(), config(thread)))
        expect_same(len(kept.values.get("blob", b"")), megabytes * 2**20, "bytes read back, how many")
    yield from _gone(subject, thread, megabytes)


def _gone(subject: Subject, thread: str, megabytes: int) -> Course:
    """The bytes are what was stored, and are deleted."""
    kept = yield Do(subject.state(builder(), config(thread)))
    expect(
        kept.values.get("blob") == _blob(megabytes, 2), "the bytes read back are not those that were stored"
    )
    yield Do(partial(subject.methods.delete_thread, thread))


Block: TypeAlias = Callable[[Subject, str, int], Course]


def _part(name: str, title: str, unit: str, block: Block, quick: tuple[int, ...]) -> Workload:
    return Workload(f"blob-{name}", title, unit, (5,), block, {5: (3, 1), 1: (3, 1)}, quick)


WORKLOADS = (
    _part("stored", "a turn that changes MB of bytes", "turn", storing, (1,)),
    _part("carried", "a turn that leaves MB of bytes alone", "turn", carrying, ()),
    _part("read", "the state with MB of bytes", "call", reading, ()),
)

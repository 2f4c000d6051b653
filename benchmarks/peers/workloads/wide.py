"""A wide state: many channels, of which each step changes a few. What did not change should cost nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from benchmarks.peers.contract import Course, Do, Subject, Timed, Weigh, Workload
from benchmarks.peers.workloads.checks import expect_same
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import config, text

CHANGED, STEPS = 3, 20
"""Channels that a step changes; steps of a block."""

COPIES = 4
"""Texts of 300 characters in one channel."""


def _value(number: int) -> str:
    return " ".join(text(COPIES * number + copy) for copy in range(COPIES))


def _full(channels: int) -> dict[str, str]:
    return {f"channel_{number}": _value(number) for number in range(channels)}


def _update(step: int, channels: int) -> dict[str, str]:
    """New values for a few channels, others at each step."""
    first = step * CHANGED
    return {
        f"channel_{number % channels}": _value(channels + number) for number in range(first, first + CHANGED)
    }


def builder(channels: int) -> Any:
    """A node that changes a few channels, and a channel that tells it which."""
    fields: dict[str, Any] = {"step": int, **dict.fromkeys(_full(channels), str)}
    schema: Any = TypedDict("Wide", fields)  # type: ignore[misc]  # As many fields as are asked for.
    made = StateGraph(schema)
    made.add_node("work", Node(lambda state: _update(state["step"], channels)), input_schema=schema)
    made.add_edge(START, "work")
    made.add_edge("work", END)
    return made


def steps(subject: Subject, thread: str, channels: int) -> Course:
    """Fill all channels once, and time steps that each change a few."""
    built, wanted = builder(channels), _full(channels)
    invoke = subject.graph(built)
    wanted |= _update(0, channels)
    yield Do(invoke({"step": 0, **_full(channels)}, config(thread)))
    yield Weigh(0)
    for step in range(1, STEPS + 1):
        state = yield Timed(invoke({"step": step}, config(thread)), at=step)
        update = _update(step, channels)
        wanted |= update
        expect_same({name: state.get(name) for name in update}, update, "the channels just changed")
    yield Weigh(STEPS)
    kept = yield Do(subject.state(built, config(thread)))
    expect_same(kept.values, {"step": STEPS, **wanted}, "the thread's channels")
    yield Do(partial(subject.methods.delete_thread, thread))


WORKLOADS = (
    Workload(
        "wide",
        f"a state of many channels, {CHANGED} changed a step",
        "step",
        (50,),
        steps,
        {50: (4, 1)},
        (50,),
    ),
)

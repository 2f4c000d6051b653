"""A graph that scatters its work: one superstep of very many tasks, or of subgraphs."""

from __future__ import annotations

import operator
from functools import partial
from typing import Annotated, Any, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import expect_all
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import config, text

RUNS = 2
"""Timed runs of a block, on a thread each."""


class Scattered(TypedDict):
    """How many tasks there are, and what they answered."""

    count: int
    answers: Annotated[list[str], operator.add]


class Part(TypedDict):
    """What one task is sent."""

    number: int


class Answered(TypedDict):
    """What a subgraph gives back."""

    answers: Annotated[list[str], operator.add]


class Parted(Part, Answered):
    """What a subgraph works on."""

    draft: str


Builder: TypeAlias = "StateGraph[Scattered, None, Scattered, Scattered]"


def _scatter(state: Scattered) -> list[Send]:
    return [Send("work", Part(number=number)) for number in range(state["count"])]


def _work(state: Part) -> dict[str, list[str]]:
    return {"answers": [text(state["number"])]}


def _draft(state: Part) -> dict[str, str]:
    return {"draft": text(state["number"])}


def _finish(state: Parted) -> dict[str, list[str]]:
    return {"answers": [state["draft"]]}


def _subgraph() -> Any:
    """Two nodes, which keep their own checkpoints in the thread of the graph around them."""
    made = StateGraph(Parted, output_schema=Answered)
    made.add_node("draft", Node(_draft), input_schema=Part)
    made.add_node("finish", Node(_finish), input_schema=Parted)
    made.add_edge(START, "draft")
    made.add_edge("draft", "finish")
    made.add_edge("finish", END)
    return made.compile()


def builder(work: Any) -> Builder:
    """As many of `work` as are asked for, all at once."""
    made = StateGraph(Scattered)
    made.add_node("work", work, input_schema=Part)
    made.add_conditional_edges(START, Node(_scatter), ["work"])
    made.add_edge("work", END)
    return made


def _runs(subject: Subject, thread: str, sends: int, built: Builder) -> Course:
    """A small run to warm up, and timed ones; each on a new thread."""
    invoke = subject.graph(built)
    wanted = [text(number) for number in range(sends)]
    names = [f"{thread}-{number}" for number in range(RUNS + 1)]
    yield Do(invoke({"count": 2, "answers": []}, config(names[-1])))
    for name in names[:-1]:
        state = yield Timed(invoke({"count": sends, "answers": []}, config(name)))
        expect_all(state["answers"], wanted, "the tasks' answers")
        kept = yield Do(subject.state(built, config(name)))
        expect_all(kept.values.get("answers", []), wanted, "the answers of the thread")
    for name in names:
        yield Do(partial(subject.methods.delete_thread, name))


def tasks(subject: Subject, thread: str, sends: int) -> Course:
    """Sends to a node that answers with 300 characters."""
    return _runs(subject, thread, sends, builder(Node(_work)))


def subgraphs(subject: Subject, thread: str, sends: int) -> Course:
    """Sends to a graph of two nodes."""
    return _runs(subject, thread, sends, builder(_subgraph()))


WORKLOADS = (
    Workload(
        "fanout",
        "one superstep of many tasks",
        "run",
        (100, 500),
        tasks,
        {100: (5, 1), 500: (3, 1), 20: (5, 1)},
        (20,),
        delayed=True,
        least=3,
    ),
    Workload(
        "fanout-subgraphs",
        "one superstep of many subgraphs",
        "run",
        (50,),
        subgraphs,
        {50: (3, 1), 10: (3, 1)},
        (10,),
    ),
)

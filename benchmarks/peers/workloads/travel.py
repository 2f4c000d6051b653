"""Time travel in a thread of very many checkpoints: its history, an early state, and a fork from there.

The thread is an agent's, stored through the saver; it is read and gone on with through a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import contents, expect, expect_all, expect_ends
from benchmarks.peers.workloads.nodes import Node
from benchmarks.peers.workloads.singles import put
from benchmarks.workload import Step, config, steps, text

PAGE, READ, FORKS = 20, 5, 5
"""States of a page; pages, and early states, that are read; forks."""

GROWTH = 25
"""One message more after so many checkpoints."""


def _answer(state: MessagesState) -> dict[str, list[AIMessage]]:
    return {"messages": [AIMessage(text(len(state["messages"])))]}


def builder() -> StateGraph[MessagesState, None, MessagesState, MessagesState]:
    """A graph whose channels are those of the thread."""
    made = StateGraph(MessagesState)
    made.add_node("agent", Node(_answer), input_schema=MessagesState)
    made.add_edge(START, "agent")
    made.add_edge("agent", END)
    return made


def _early(made: list[Step], number: int) -> Step:
    """Checkpoints from the first third, others each time."""
    return made[number * len(made) // (3 * READ)]


def _whose(snapshot: Any) -> str:
    return str(snapshot.config["configurable"]["checkpoint_id"])


def _same(snapshots: list[Any], made: list[Step], what: str) -> None:
    """The states of these steps, newest first."""
    wanted = made[::-1]
    found = [_whose(each) for each in snapshots]
    expect_all(found, [step.checkpoint["id"] for step in wanted], f"{what}, ids newest first")
    _holds(snapshots[-1], wanted[-1], what)


def _holds(snapshot: Any, step: Step, what: str) -> None:
    wanted = step.checkpoint["channel_values"]["messages"]
    expect(_whose(snapshot) == step.checkpoint["id"], f"{what}: another checkpoint came back")
    expect_ends(contents(snapshot.values.get("messages", [])), contents(wanted), f"{what}, messages")


def _page(subject: Subject, thread: str, made: list[Step]) -> Course:
    for _ in range(READ):
        found = yield Timed(subject.states(builder(), config(thread), PAGE))
        _same(found, made[-PAGE:], "a page of the history")


def _history(subject: Subject, thread: str, made: list[Step]) -> Course:
    found = yield Timed(subject.states(builder(), config(thread)))
    _same(found, made, "the whole history")


def _state(subject: Subject, thread: str, made: list[Step]) -> Course:
    for number in range(READ):
        step = _early(made, number)
        found = yield Timed(subject.state(builder(), step.stored(thread)))
        _holds(found, step, "an early state")


def _fork(subject: Subject, thread: str, made: list[Step]) -> Course:
    invoke = subject.graph(builder())
    for number in range(FORKS):
        step = _early(made, number)
        asked = text(-number - 1)
        state = yield Timed(invoke({"messages": [HumanMessage(asked)]}, step.stored(thread)))
        before = contents(step.checkpoint["channel_values"]["messages"])
        wanted = [*before, asked, text(len(before) + 1)]
        expect_all(contents(state["messages"]), wanted, "messages of a fork")
        kept = yield Do(subject.state(builder(), config(thread)))
        expect_all(contents(kept.values.get("messages", [])), wanted, "the latest state after a fork")


Journey: TypeAlias = Callable[[Subject, str, "list[Step]"], Course]


def course(journey: Journey, subject: Subject, thread: str, checkpoints: int) -> Course:
    """Store the thread, and travel in it."""
    sizes = [1 + number // GROWTH for number in range(checkpoints)]
    made = steps(subject.methods.get_next_version, sizes)
    for step in made:
        yield Do(put(subject, step, thread))
    yield from journey(subject, thread, made)
    yield Do(partial(subject.methods.delete_thread, thread))


def _journey(name: str, title: str, unit: str, journey: Journey, quick: tuple[int, ...]) -> Workload:
    rounds = {1000: (2, 1), 100: (2, 1)}
    return Workload(f"travel-{name}", title, unit, (1000,), partial(course, journey), rounds, quick)


WORKLOADS = (
    _journey("page", f"the newest {PAGE} states of a long thread", "call", _page, (100,)),
    _journey("history", "all states of a long thread", "call", _history, ()),
    _journey("state", "an early state of a long thread", "call", _state, ()),
    _journey("fork", "a turn from an early state of a long thread", "turn", _fork, ()),
)

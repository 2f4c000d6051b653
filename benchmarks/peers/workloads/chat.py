"""A conversation, turn by turn: whether the hundredth turn costs what the first did."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from benchmarks.peers.contract import Course, Do, Subject, Timed, Weigh, Workload
from benchmarks.peers.workloads.checks import contents, expect_all, expect_ends
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import config, text

WEIGHED = frozenset({10, 50, 100, 200, 300, 400, 500})
"""Turns after which the contender is weighed; also before the first, and after the last."""


def _answer(state: MessagesState) -> dict[str, list[AIMessage]]:
    return {"messages": [AIMessage(text(len(state["messages"])))]}


def builder() -> StateGraph[MessagesState, None, MessagesState, MessagesState]:
    """A person says something of 300 characters, and one node answers with 300."""
    made = StateGraph(MessagesState)
    made.add_node("answer", Node(_answer), input_schema=MessagesState)
    made.add_edge(START, "answer")
    made.add_edge("answer", END)
    return made


def question(turn: int) -> dict[str, list[HumanMessage]]:
    """What the person says, at turns from 1."""
    return {"messages": [HumanMessage(text(-turn))]}


def said(turns: int) -> list[str]:
    """Both sides of a conversation of so many turns."""
    return [each for turn in range(1, turns + 1) for each in (text(-turn), text(2 * turn - 1))]


def turns(subject: Subject, thread: str, count: int) -> Course:
    """Time each turn, and weigh what is kept."""
    invoke, wanted = subject.graph(builder()), said(count)
    yield Weigh(0)
    for turn in range(1, count + 1):
        state = yield Timed(invoke(question(turn), config(thread)), at=turn)
        expect_ends(contents(state["messages"]), wanted[: 2 * turn], f"messages after turn {turn}")
        if turn in WEIGHED or turn == count:
            yield Weigh(turn)
    kept: Any = yield Do(subject.state(builder(), config(thread)))
    expect_all(contents(kept.values.get("messages", [])), wanted, "the thread's messages")
    yield Do(partial(subject.methods.delete_thread, thread))


WORKLOADS = (
    Workload("chat", "a conversation", "turn", (500,), turns, {500: (2, 1), 60: (2, 1)}, (60,), cost=90.0),
    Workload(
        "chat-short",
        "a short conversation",
        "turn",
        (20,),
        turns,
        {20: (4, 1), 8: (4, 1)},
        (8,),
        delayed=True,
    ),
)

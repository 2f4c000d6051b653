"""A conversation in a DeltaChannel: a checkpoint holds no messages, reading goes back through the writes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any

from langchain_core.messages import AIMessage, BaseMessage
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from benchmarks.peers.contract import Course, Do, Subject, Timed, Weigh, Workload
from benchmarks.peers.workloads.chat import question, said
from benchmarks.peers.workloads.checks import contents, expect_all, expect_ends
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import config, text


def _extended(state: list[BaseMessage], writes: Sequence[list[BaseMessage]]) -> list[BaseMessage]:
    return [*state, *(message for write in writes for message in write)]


def _answer(state: Any) -> dict[str, list[AIMessage]]:
    return {"messages": [AIMessage(text(len(state["messages"])))]}


def _channel() -> Any:
    """LangGraph's channel, with its own cadence of snapshots."""
    try:
        from langgraph.channels.delta import DeltaChannel  # noqa: PLC0415  # Older ones lack it.
    except ImportError as error:
        message = f"LangGraph {version('langgraph')}, which this contender runs with, has no DeltaChannel"
        raise RuntimeError(message) from error
    return DeltaChannel(_extended)


def builder() -> Any:
    """The conversation of `chat`, with its messages in a DeltaChannel."""
    fields = {"messages": Annotated[list[BaseMessage], _channel()]}
    schema: Any = TypedDict("Said", fields)  # type: ignore[misc]  # Made when the channel is known.
    made = StateGraph(schema)
    made.add_node("answer", Node(_answer), input_schema=schema)
    made.add_edge(START, "answer")
    made.add_edge("answer", END)
    return made


def turns(subject: Subject, thread: str, count: int) -> Course:
    """Time each turn; weighed before and after."""
    built, wanted = builder(), said(count)
    invoke = subject.graph(built)
    yield Weigh(0)
    for turn in range(1, count + 1):
        state = yield Timed(invoke(question(turn), config(thread)), at=turn)
        expect_ends(contents(state["messages"]), wanted[: 2 * turn], f"messages after turn {turn}")
    yield Weigh(count)
    kept = yield Do(subject.state(built, config(thread)))
    expect_all(contents(kept.values.get("messages", [])), wanted, "the thread's messages")
    yield Do(partial(subject.methods.delete_thread, thread))


WORKLOADS = (
    Workload(
        "delta",
        "a conversation in a DeltaChannel",
        "turn",
        (60,),
        turns,
        {60: (3, 1), 10: (3, 1)},
        (10,),
    ),
)

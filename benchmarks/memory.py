"""What a conversation costs the server: bytes a turn, after few turns and after many."""

from __future__ import annotations

import redis
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from benchmarks.figures import Figure, Section
from benchmarks.workload import config, text
from langgraph.checkpoint.redis import RedisSaver

FEW, MANY = 50, 300
"""Turns after which the thread is weighed."""

BYTES_A_TURN = 8 * 1024
GROWTH = 1.3

NOTE = (
    "MEMORY USAGE (SAMPLES 0) of all keys of one thread, after whole graph turns: a person's"
    " message of 300 characters, a node that answers with 300, three checkpoints with their writes."
    " Words are made of random letters, so that they compress as little as prose does, or less."
)


def _answer(state: MessagesState) -> dict[str, list[AIMessage]]:
    return {"messages": [AIMessage(text(len(state["messages"])))]}


def graph() -> StateGraph[MessagesState, None, MessagesState, MessagesState]:
    """A conversation: a person says something, a node answers."""
    builder = StateGraph(MessagesState)
    builder.add_node("answer", _answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder


def thread_bytes(client: redis.Redis, thread: str) -> int:
    """What the keys under the thread's hash tag take."""
    keys = client.scan_iter(match=f"langgraph:{{{thread}}}:*", count=1000)
    return sum(int(client.memory_usage(key, samples=0) or 0) for key in keys)


def measure(url: str) -> Section:
    """One thread, weighed twice."""
    weighed: dict[int, int] = {}
    with (
        redis.Redis.from_url(url) as client,
        RedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        compiled = graph().compile(checkpointer=saver)
        for turn in range(1, MANY + 1):
            compiled.invoke({"messages": [HumanMessage(text(-turn))]}, config("weighed"))
            if turn in (FEW, MANY):
                weighed[turn] = thread_bytes(client, "weighed")
        saver.delete_thread("weighed")
    return _section(weighed)


def _section(weighed: dict[int, int]) -> Section:
    a_turn = {turns: total / turns for turns, total in weighed.items()}
    growth = a_turn[MANY] / a_turn[FEW]
    figures = (
        _figure(FEW, weighed[FEW], a_turn[FEW], None),
        _figure(MANY, weighed[MANY], a_turn[MANY], BYTES_A_TURN),
        Figure(f"{MANY} turns / {FEW} turns", ("", f"{growth:.2f} x"), growth, GROWTH),
    )
    return Section("Server memory", ("thread", "bytes", "bytes a turn"), figures, NOTE)


def _figure(turns: int, total: int, a_turn: float, target: float | None) -> Figure:
    return Figure(f"{turns} turns", (f"{total:,}", f"{a_turn:,.0f}"), a_turn, target, {"bytes": total})

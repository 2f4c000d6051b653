"""Real chats, many at once: each thread's turns one after the other, through LangGraph and the saver.

Nothing is copied and nothing is made up for the server's sake: a thread holds what its turns left there. The
threads are dealt out to several processes, since a turn takes the client far more time than the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from random import Random
from typing import Any, TypeAlias
from uuid import UUID
from zlib import crc32

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from benchmarks import workload
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

TURNS = 20
AT_ONCE = 16
"""Chats of one process that go on side by side."""

# The same texts as elsewhere, but so many different ones that a cache would be the largest thing here.
text = workload.text.__wrapped__


@dataclass(frozen=True)
class Chats:
    """Some threads, how many turns each has, and how they are kept."""

    url: str
    threads: range
    turns: int = TURNS
    saver: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    run_ids: bool = False


@dataclass(frozen=True)
class Spent:
    """What a process took for its chats."""

    turns: int
    wall: float
    cpu: float


Run: TypeAlias = Callable[[Chats], "list[Spent]"]
"""Holds chats in several processes, and returns when the last one has ended."""


def thread_id(number: int) -> str:
    """A thread's id as applications give them: a UUID, the same for the same number."""
    return str(UUID(int=Random(number).getrandbits(128), version=4))  # noqa: S311  # only an id


def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
    """The node of a blocking graph: another answer to each question."""
    said = str(state["messages"][-1].content)
    return {"messages": [AIMessage(text(crc32(said.encode())))]}


async def aanswer(state: MessagesState) -> dict[str, list[AIMessage]]:
    """`answer`, awaited: a blocking node would have a thread made for each turn."""
    return answer(state)


def graph(node: Callable[..., Any]) -> StateGraph[MessagesState, None, MessagesState, MessagesState]:
    """A person says something, a node answers: 300 characters each."""
    builder = StateGraph(MessagesState)
    builder.add_node("answer", node)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder


def asked(thread: int, turn: int) -> dict[str, Any]:
    """What a person says in a turn; nobody says it twice."""
    return {"messages": [HumanMessage(text(thread * 1_000 + turn))]}


async def _chat(compiled: Any, chats: Chats, thread: int) -> None:
    for turn in range(chats.turns):
        config: dict[str, Any] = {"configurable": {"thread_id": thread_id(thread)}}
        if chats.run_ids:
            config["metadata"] = {"run_id": thread_id(thread * 1_000 + turn)}
        await compiled.ainvoke(asked(thread, turn), config, **chats.run)


async def _hold(chats: Chats) -> None:
    """All chats of one process, some at a time."""
    waiting = iter(chats.threads)
    async with AsyncRedisSaver.from_conn_string(chats.url, **chats.saver) as saver:
        compiled = graph(aanswer).compile(checkpointer=saver)

        async def hold() -> None:
            for thread in waiting:
                await _chat(compiled, chats, thread)

        await asyncio.gather(*(hold() for _ in range(AT_ONCE)))


def hold(chats: Chats) -> Spent:
    """Hold these chats in this process."""
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(_hold(chats))
    turns = len(chats.threads) * chats.turns
    return Spent(turns, time.perf_counter() - began, time.process_time() - cpu)


def dealt(chats: Chats, hands: int) -> Iterator[Chats]:
    """The same threads in so many parts."""
    for hand in range(hands):
        part = chats.threads[hand::hands]
        if part:
            yield replace(chats, threads=part)


@contextmanager
def processes(count: int) -> Iterator[Run]:
    """Processes that hold chats, started anew: nothing of this one's clients is in them."""
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        yield lambda chats: list(pool.map(hold, dealt(chats, count)))


def client_seconds(spent: Iterable[Spent]) -> float:
    """The processor's seconds that a turn takes the client."""
    known = list(spent)
    return sum(each.cpu for each in known) / sum(each.turns for each in known)

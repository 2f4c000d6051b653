"""A graph that scatters its work: the whole run's time with our saver and with InMemorySaver."""

from __future__ import annotations

import asyncio
import operator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import redis
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from benchmarks.figures import Effort, Figure, Section, milliseconds
from benchmarks.measure import Act, Course, Samples, arun, between, race, ratio, run, spread
from benchmarks.operations import EMPTY_SCRIPT
from benchmarks.workload import config, text
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langgraph.checkpoint.base import BaseCheckpointSaver

TARGETS = {"async": 1.6, "sync": 1.2}

NOTE = (
    "One superstep of as many tasks as there are sends, each answering with 300 characters; a new"
    " thread each run, checkpoints at LangGraph's default durability; the process is collected ahead of"
    " each run. ratio = ours / memory."
    " floor = InMemorySaver that waits for an empty EVALSHA in each call, in async over 50 connections:"
    " what a server costs that does nothing, if each call has a round trip of its own."
)


class Scattered(TypedDict):
    """How many tasks there are, and what they answered."""

    count: int
    answers: Annotated[list[str], operator.add]


class Part(TypedDict):
    """What one task is sent."""

    number: int


class Floor(InMemorySaver):
    """InMemorySaver, with one empty script call in each call that a graph makes.

    Args:
        empty: Calls the script, blocking or awaited.
    """

    def __init__(self, empty: Callable[[], Any]) -> None:
        super().__init__()
        self._empty = empty

    def get_tuple(self, *args: Any, **options: Any) -> Any:
        """As InMemorySaver's."""
        self._empty()
        return super().get_tuple(*args, **options)

    def put(self, *args: Any, **options: Any) -> Any:
        """As InMemorySaver's."""
        self._empty()
        return super().put(*args, **options)

    def put_writes(self, *args: Any, **options: Any) -> None:
        """As InMemorySaver's."""
        self._empty()
        super().put_writes(*args, **options)


class AsyncFloor(Floor):
    """Likewise, awaited."""

    async def aget_tuple(self, *args: Any, **options: Any) -> Any:
        """As InMemorySaver's."""
        await self._empty()
        return InMemorySaver.get_tuple(self, *args, **options)

    async def aput(self, *args: Any, **options: Any) -> Any:
        """As InMemorySaver's."""
        await self._empty()
        return InMemorySaver.put(self, *args, **options)

    async def aput_writes(self, *args: Any, **options: Any) -> None:
        """As InMemorySaver's."""
        await self._empty()
        InMemorySaver.put_writes(self, *args, **options)


Builder: TypeAlias = "StateGraph[Scattered, None, Scattered, Scattered]"


def _scatter(state: Scattered) -> list[Send]:
    return [Send("work", Part(number=number)) for number in range(state["count"])]


def _work(state: Part) -> dict[str, list[str]]:
    return {"answers": [text(state["number"])]}


async def _awork(state: Part) -> dict[str, list[str]]:
    return _work(state)


def _builder() -> Builder:
    builder = StateGraph(Scattered)
    builder.add_conditional_edges(START, _scatter, ["work"])
    builder.add_edge("work", END)
    return builder


def _blocking(saver: BaseCheckpointSaver[Any]) -> Callable[..., Any]:
    return _builder().add_node("work", _work, input_schema=Part).compile(checkpointer=saver).invoke


def _awaited(saver: BaseCheckpointSaver[Any]) -> Callable[..., Any]:
    return _builder().add_node("work", _awork, input_schema=Part).compile(checkpointer=saver).ainvoke


def _course(invokes: Mapping[str, Callable[..., Any]], sends: int, rounds: int) -> Course[Samples]:
    def runs(invoke: Callable[..., Any]) -> Callable[[int], Act]:
        given = {"count": sends, "answers": []}
        return lambda number: partial(invoke, given, config(f"fan-out-{sends}-{number}"))

    contenders = {name: runs(invoke) for name, invoke in invokes.items()}
    for contender in contenders.values():
        yield contender(-1)
    return (yield from race(contenders, rounds, collected=True))


def _figure(style: str, sends: int, samples: Samples) -> Figure:
    found = {name: spread(times) for name, times in samples.items()}
    times = ratio(samples, "ours", ["memory"])
    memory, floor, ours = (milliseconds(each.median) for each in found.values())
    around = {name: between(each, milliseconds) for name, each in found.items()}
    of_floor = ratio(samples, "ours", ["floor"])
    raw = {"style": style, "of_floor": of_floor, **{name: each.as_json() for name, each in found.items()}}
    cells = (memory, around["memory"], floor, ours, around["ours"], f"{of_floor:.2f}", f"{times:.2f}")
    return Figure(f"{style}, {sends}", cells, times, TARGETS[style], raw)


async def _measure_async(url: str, effort: Effort) -> list[Figure]:
    # A client's own pool raises an error at a hundred calls at once; this one lets them wait.
    pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=50, timeout=None)
    async with (
        redis.asyncio.Redis.from_pool(pool) as waiting,
        AsyncRedisSaver.from_conn_string(url) as saver,
    ):
        empty = partial(waiting.evalsha, await waiting.script_load(EMPTY_SCRIPT), 0)
        savers = {"memory": InMemorySaver(), "floor": AsyncFloor(empty), "ours": saver}
        invokes = {name: _awaited(each) for name, each in savers.items()}
        return [
            _figure("async", sends, await arun(_course(invokes, sends, rounds)))
            for sends, rounds in effort.fanout_rounds.items()
        ]


def _measure_sync(url: str, effort: Effort) -> list[Figure]:
    with RedisSaver.from_conn_string(url) as saver:
        client = saver.client
        empty = partial(client.evalsha, client.script_load(EMPTY_SCRIPT), 0)
        savers = {"memory": InMemorySaver(), "floor": Floor(empty), "ours": saver}
        invokes = {name: _blocking(each) for name, each in savers.items()}
        return [
            _figure("sync", sends, run(_course(invokes, sends, rounds)))
            for sends, rounds in effort.fanout_rounds.items()
        ]


def measure(url: str, effort: Effort) -> Section:
    """Both styles; the async ones on a loop of their own."""
    figures = (*asyncio.run(_measure_async(url, effort)), *_measure_sync(url, effort))
    columns = ("sends", "memory, ms", "quartiles", "floor, ms", "ours, ms", "quartiles", "of floor", "ratio")
    return Section("Fan-out graph", columns, figures, NOTE)

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
from benchmarks.workload import config, text
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.base import BaseCheckpointSaver

TARGETS = {"async": 1.6, "sync": 1.2}

NOTE = (
    "One superstep of as many tasks as there are sends, each answering with 300 characters; a new"
    " thread each run, checkpoints at LangGraph's default durability."
)


class Scattered(TypedDict):
    """How many tasks there are, and what they answered."""

    count: int
    answers: Annotated[list[str], operator.add]


class Part(TypedDict):
    """What one task is sent."""

    number: int


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


def _course(memory: Callable[..., Any], ours: Callable[..., Any], sends: int, rounds: int) -> Course[Samples]:
    def runs(invoke: Callable[..., Any]) -> Callable[[int], Act]:
        given = {"count": sends, "answers": []}
        return lambda number: partial(invoke, given, config(f"fan-out-{sends}-{number}"))

    contenders = {"memory": runs(memory), "ours": runs(ours)}
    yield contenders["memory"](-1)
    yield contenders["ours"](-1)
    return (yield from race(contenders, rounds))


def _figure(style: str, sends: int, samples: Samples) -> Figure:
    found = {name: spread(times) for name, times in samples.items()}
    times = ratio(samples, "ours", ["memory"])
    shown = [(milliseconds(each.median), between(each, milliseconds)) for each in found.values()]
    raw = {"style": style, **{name: each.as_json() for name, each in found.items()}}
    cells = (*shown[0], *shown[1], f"{times:.2f}")
    return Figure(f"{style}, {sends}", cells, times, TARGETS[style], raw)


async def _measure_async(url: str, effort: Effort) -> list[Figure]:
    async with (
        redis.asyncio.Redis.from_url(url) as client,
        AsyncRedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        memory, ours = _awaited(InMemorySaver()), _awaited(saver)
        return [
            _figure("async", sends, await arun(_course(memory, ours, sends, rounds)))
            for sends, rounds in effort.fanout_rounds.items()
        ]


def _measure_sync(url: str, effort: Effort) -> list[Figure]:
    with (
        redis.Redis.from_url(url) as client,
        RedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        memory, ours = _blocking(InMemorySaver()), _blocking(saver)
        return [
            _figure("sync", sends, run(_course(memory, ours, sends, rounds)))
            for sends, rounds in effort.fanout_rounds.items()
        ]


def measure(url: str, effort: Effort) -> Section:
    """Both styles; the async ones on a loop of their own."""
    figures = (*asyncio.run(_measure_async(url, effort)), *_measure_sync(url, effort))
    columns = ("sends", "memory, ms", "quartiles", "ours, ms", "quartiles", "ratio")
    return Section("Fan-out graph", columns, figures, NOTE)

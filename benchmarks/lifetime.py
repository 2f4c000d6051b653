"""What each setting of how long state lives costs: bytes of a thread after few turns and after many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import redis
from langchain_core.messages import HumanMessage

from benchmarks.figures import Figure, Section
from benchmarks.memory import graph, thread_bytes
from benchmarks.workload import config, text
from langgraph.checkpoint.redis import RedisSaver, ShallowRedisSaver

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

MARKS = (10, 100, 300)
"""Turns after which the thread is weighed."""

NOTE = (
    "The conversation of `Server memory`, with each setting: bytes of the thread's keys (MEMORY USAGE,"
    " SAMPLES 0) after so many turns, the checkpoints that are left, and the bytes that the registry and the"
    " indexes hold of it. What is pruned is pruned after the last turn."
)

After: TypeAlias = Callable[[RedisSaver], None]


@dataclass(frozen=True)
class Setting:
    """How a saver is made, and what is done to the thread at the end."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    kind: type[RedisSaver] = RedisSaver
    after: After | None = None


SETTINGS = (
    Setting("nothing set"),
    Setting('ttl={"default_ttl": 60}', {"ttl": {"default_ttl": 60}}),
    Setting('index_metadata=["user_id"]', {"index_metadata": ["user_id"]}),
    Setting("keep_last=100", {"keep_last": 100}),
    Setting("keep_last=10", {"keep_last": 10}),
    Setting("ShallowRedisSaver", kind=ShallowRedisSaver),
    Setting("prune(...)", after=lambda saver: saver.prune(["weighed"])),
    Setting("prune(..., keep_last=10)", after=lambda saver: saver.prune(["weighed"], keep_last=10)),
    Setting(
        "prune(..., older_than=0.1 s)",
        after=lambda saver: saver.prune(["weighed"], older_than=timedelta(seconds=0.1)),
    ),
)


@dataclass
class Weighed:
    """What was seen of one setting."""

    marks: dict[int, int] = field(default_factory=dict)
    beside: int = 0
    checkpoints: int = 0


def _where() -> RunnableConfig:
    return {**config("weighed"), "metadata": {"user_id": "somebody"}}


def _weigh(url: str, client: redis.Redis, setting: Setting) -> Weighed:
    """A conversation from its first turn to its last."""
    found = Weighed()
    client.flushdb()
    with setting.kind.from_conn_string(url, **setting.options) as saver:
        compiled = graph().compile(checkpointer=saver)
        for turn in range(1, MARKS[-1] + 1):
            compiled.invoke({"messages": [HumanMessage(text(-turn))]}, _where())
            if turn in MARKS:
                found.marks[turn] = thread_bytes(client, "weighed")
        if setting.after is not None:
            setting.after(saver)
            found.marks[MARKS[-1]] = thread_bytes(client, "weighed")
        found.checkpoints = len(list(saver.list(config("weighed"))))
        found.beside = sum(int(client.memory_usage(key, samples=0) or 0) for key in _beside(client))
    return found


def _beside(client: redis.Redis) -> list[bytes]:
    return [key for key in client.scan_iter("langgraph:*", count=1000) if b"{weighed}" not in key]


def measure(url: str) -> Section:
    """Every setting, each on an empty database."""
    with redis.Redis.from_url(url) as client:
        figures = tuple(_figure(setting.name, _weigh(url, client, setting)) for setting in SETTINGS)
        client.flushdb()
    columns = ("setting", *(f"{turns} turns" for turns in MARKS), "checkpoints", "beside it")
    return Section("How long state lives", columns, figures, NOTE)


def _figure(name: str, weighed: Weighed) -> Figure:
    sizes = (f"{weighed.marks[turns]:,}" for turns in MARKS)
    cells = (*sizes, f"{weighed.checkpoints}", f"{weighed.beside:,}")
    raw = {"bytes": weighed.marks, "beside": weighed.beside, "checkpoints": weighed.checkpoints}
    return Figure(name, cells, weighed.marks[MARKS[-1]], None, raw)

"""A thread of very many checkpoints: as quick as a young one, and never a hold on the server."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
from redis.asyncio import Redis

from benchmarks.figures import Effort, Figure, Section, microseconds
from benchmarks.measure import (
    Act,
    Course,
    Samples,
    between,
    blocking,
    merged,
    race,
    ratio_spread,
    run,
    spread,
    together,
)
from benchmarks.workload import Step, config, steps, task, writes
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

YOUNG = 10
"""Checkpoints of the thread that the deep one is compared with."""

MESSAGES = 20
TARGET = 1.2
REQUEST_LIMIT, MAINTENANCE_LIMIT = 10_000, 50_000
"""The most microseconds that one script may hold the server."""

DEEP = "deep"

TIMES_NOTE = (
    f"Microseconds, medians, sync. Both threads hold {MESSAGES} messages, and the same steps are"
    " put on both; each checkpoint has one task with two writes."
)
HOLDS_NOTE = (
    "The server's own SLOWLOG with every command in it: the longest single command that each"
    " operation on the deep thread made the server run. The operations run in this order."
)


def _put(saver: RedisSaver, step: Step, thread: str) -> Act:
    where = step.config(thread)
    return partial(saver.put, where, step.checkpoint, step.metadata, step.new_versions)


async def _build(url: str, made: Sequence[Step]) -> None:
    """Put the steps on the deep thread, each with its writes; the order is of no consequence."""
    async with (
        Redis.from_url(url) as client,
        AsyncRedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        puts = [
            partial(saver.aput, step.config(DEEP), step.checkpoint, step.metadata, step.new_versions)
            for step in made
        ]
        writing = [partial(saver.aput_writes, step.stored(DEEP), step.writes, step.task) for step in made]
        await together([*puts, *writing], at_once=250)


def _block(
    saver: RedisSaver, young: str, made: Sequence[Step], tail: Sequence[Step]
) -> Course[dict[str, Samples]]:
    """Time latest get and put on both threads; `young` is made for it and deleted after it."""
    api, (again, *timed) = blocking(saver), tail
    for step in made[-YOUNG:]:
        yield _put(saver, step, young)
        yield partial(api.put_writes, step.stored(young), step.writes, step.task)
    # The block before left the deep thread with more messages: both start from the same.
    yield _put(saver, again, DEEP)
    yield _put(saver, again, young)
    puts = race(_both(young, lambda thread, at: _put(saver, timed[at], thread)), len(timed))
    gets = race(_both(young, lambda thread, _: partial(api.get_tuple, config(thread))), len(timed))
    found = {"put": (yield from puts), "get_tuple": (yield from gets)}
    yield partial(api.delete_thread, young)
    return found


def _both(young: str, act: Callable[[str, int], Act]) -> dict[str, Callable[[int], Act]]:
    """One operation on the deep thread and on the young one."""
    return {"deep": partial(act, DEEP), "young": partial(act, young)}


def _tail(saver: RedisSaver, count: int) -> list[Step]:
    """Steps newer than all before: back to the usual number of messages, then one more a step."""
    return steps(saver.get_next_version, [MESSAGES + more for more in range(count)])


def _times(saver: RedisSaver, made: Sequence[Step], effort: Effort) -> Section:
    blocks = [
        run(_block(saver, f"young-{number}", made, _tail(saver, effort.window + 1)))
        for number in range(effort.deep_blocks + 1)
    ]
    figures = tuple(
        _time_figure(name, [block[name] for block in blocks[1:]]) for name in ("put", "get_tuple")
    )
    columns = (
        "operation",
        f"{YOUNG} checkpoints",
        f"{effort.depth:,} checkpoints",
        "ratio",
        "quartiles",
    )
    return Section("A deep thread: times", columns, figures, TIMES_NOTE)


def _time_figure(name: str, blocks: Sequence[Samples]) -> Figure:
    found = {who: spread(times) for who, times in merged(blocks).items()}
    ratio = ratio_spread(blocks, "deep", ["young"])
    cells = (
        microseconds(found["young"].median),
        microseconds(found["deep"].median),
        f"{ratio.median:.2f}",
        between(ratio, "{:.2f}".format),
    )
    raw = {who: each.as_json() for who, each in found.items()}
    return Figure(f"{name}, latest", cells, ratio.median, TARGET, raw)


def _operations(saver: RedisSaver, tail: Sequence[Step]) -> dict[str, tuple[float, list[Act]]]:
    """Each operation's limit and its calls, in an order in which each finds the thread deep."""
    api, first = blocking(saver), tail[0]
    by_id = first.stored(DEEP)
    requests: dict[str, list[Act]] = {
        "put": [_put(saver, step, DEEP) for step in tail],
        "put_writes": [partial(api.put_writes, by_id, writes(number), task(number)) for number in range(50)],
        "get_tuple, latest": [partial(api.get_tuple, config(DEEP))] * 20,
        "get_tuple, by id": [partial(api.get_tuple, by_id)] * 20,
        "list, limit 10": [partial(api.list, config(DEEP), 10)] * 20,
        "list, limit 1000": [partial(api.list, config(DEEP), 1000)],
    }
    upkeep: dict[str, list[Act]] = {
        "copy_thread": [partial(saver.copy_thread, DEEP, "copy")],
        "prune, keep the latest": [partial(saver.prune, ["copy"], strategy="keep_latest")],
        "delete_thread": [partial(api.delete_thread, DEEP)],
    }
    return {
        **{name: (REQUEST_LIMIT, acts) for name, acts in requests.items()},
        **{name: (MAINTENANCE_LIMIT, acts) for name, acts in upkeep.items()},
    }


def _holds(client: redis.Redis, saver: RedisSaver, tail: Sequence[Step]) -> Section:
    client.config_set("slowlog-log-slower-than", 0)
    client.config_set("slowlog-max-len", 100_000)
    figures = tuple(
        _hold_figure(name, limit, _durations(client, acts))
        for name, (limit, acts) in _operations(saver, tail).items()
    )
    client.config_set("slowlog-log-slower-than", -1)
    columns = ("operation", "commands", "median, us", "longest, us")
    return Section("A deep thread: how long the server is held", columns, figures, HOLDS_NOTE)


def _durations(client: redis.Redis, acts: Sequence[Act]) -> list[int]:
    """The server's microseconds for each command that the acts sent."""
    client.slowlog_reset()
    for act in acts:
        act()
    entries: list[dict[str, Any]] = client.slowlog_get(100_000)
    ours = (entry for entry in entries if not entry["command"].startswith(b"SLOWLOG"))
    return [int(entry["duration"]) for entry in ours]


def _hold_figure(name: str, limit: float, durations: Sequence[int]) -> Figure:
    held = spread(durations)
    longest = max(durations)
    cells = (f"{held.count}", f"{held.median:,.0f}", f"{longest:,}")
    return Figure(name, cells, longest, limit, {"microseconds": held.as_json()})


def measure(url: str, effort: Effort) -> list[Section]:
    """Build the thread, time it, and weigh on it."""
    with (
        redis.Redis.from_url(url) as client,
        RedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        made = steps(saver.get_next_version, [MESSAGES] * effort.depth)
        asyncio.run(_build(url, made))
        times = _times(saver, made, effort)
        return [times, _holds(client, saver, _tail(saver, 20))]

"""Many writes at once on one async saver, against one pipeline of the very same calls.

The calls are not rebuilt here: a connection notes what the saver sends for each write by itself; the
pipeline sends that.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from redis.asyncio import Connection, ConnectionPool, Redis

from benchmarks.figures import Effort, Figure, Section, milliseconds
from benchmarks.measure import Act, Course, Samples, arun, between, race, ratio, spread
from benchmarks.workload import Step, config, steps, task, writes
from langgraph._redis.plan import Call
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 500
TARGET = 1.5
THREAD = "burst"

NOTE = (
    f"{CALLS} concurrent aput_writes of two writes each, as many tasks of one checkpoint. The"
    " pipeline queues and sends the script calls that these made in one non-transactional pipeline:"
    " ready calls, and calls whose writes it serializes first, as the saver must. All start from a"
    " thread with one checkpoint."
)


class NotingConnection(Connection):
    """A connection that keeps each script call it is given to send."""

    calls: list[tuple[Any, ...]]

    def __init__(self, *, calls: list[tuple[Any, ...]], **options: Any) -> None:
        """Note into `calls`, which the connections of a pool share."""
        super().__init__(**options)
        self.calls = calls

    def pack_command(self, *args: Any) -> list[bytes]:
        """Pack as ever; pipelines pack each of their commands here too."""
        if args[0] in ("EVALSHA", b"EVALSHA"):
            self.calls.append(args)
        return super().pack_command(*args)


MADE = [(writes(number), task(number)) for number in range(CALLS)]
"""Each task's writes and id."""


async def _all_at_once(saver: AsyncRedisSaver, step: Step, failures: list[BaseException]) -> None:
    stored = step.stored(THREAD)
    outcomes = await asyncio.gather(
        *(saver.aput_writes(stored, made, name) for made, name in MADE), return_exceptions=True
    )
    failures.extend(outcome for outcome in outcomes if outcome is not None)


async def _pipeline(client: Redis, calls: list[tuple[Any, ...]]) -> None:
    async with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.execute_command(*call)
        await pipeline.execute()


async def _serialized_pipeline(saver: AsyncRedisSaver, client: Redis, step: Step) -> None:
    """The same calls, made from the writes as the saver makes them."""
    plans = saver._plans  # noqa: SLF001 - what is measured is the same work without the saver's scheduling.
    made = (plans.put_writes(step.stored(THREAD), writes, name, "") for writes, name in MADE)
    asked = [next(plan) for plan in made]
    await _pipeline(client, [tuple(call.command()) for call in asked if isinstance(call, Call)])


async def _start_over(saver: AsyncRedisSaver, step: Step) -> None:
    await saver.adelete_thread(THREAD)
    await saver.aput(config(THREAD), step.checkpoint, step.metadata, step.new_versions)


async def _noted(url: str, step: Step) -> list[tuple[Any, ...]]:
    """The script calls of one burst, each by itself, from a saver whose scripts the server knows already."""
    calls: list[tuple[Any, ...]] = []
    pool = ConnectionPool.from_url(url, connection_class=NotingConnection, calls=calls)
    async with (
        Redis(connection_pool=pool) as client,
        AsyncRedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        await _all_at_once(saver, step, [])
        await _start_over(saver, step)
        calls.clear()
        for made, name in MADE:  # One after the other: at once, many of them would travel as one call.
            await saver.aput_writes(step.stored(THREAD), made, name)
    await pool.aclose()
    return calls


def _course(
    saver: AsyncRedisSaver, client: Redis, step: Step, calls: list[tuple[Any, ...]], rounds: int
) -> Course[tuple[Samples, list[BaseException]]]:
    failures: list[BaseException] = []
    contenders: dict[str, Callable[[int], Act]] = {
        "pipeline": lambda _: partial(_pipeline, client, calls),
        "serialized": lambda _: partial(_serialized_pipeline, saver, client, step),
        "ours": lambda _: partial(_all_at_once, saver, step, failures),
    }
    yield from race(contenders, 1)  # Warm-up.
    start_over = partial(_start_over, saver, step)
    return (yield from race(contenders, rounds, before=start_over)), failures


async def measure(url: str, effort: Effort) -> Section:
    """The burst and the pipeline, in turn."""
    async with (
        Redis.from_url(url) as client,
        AsyncRedisSaver.from_conn_string(redis_client=client) as saver,
    ):
        step = steps(saver.get_next_version, [1])[0]
        calls = await _noted(url, step)
        course = _course(saver, client, step, calls, effort.burst_rounds)
        samples, failures = await arun(course)
        await saver.adelete_thread(THREAD)
    return _section(samples, len(calls), failures)


def _against(samples: Samples, base: str, name: str, sent: int, raw: dict[str, Any]) -> Figure:
    ours, other = spread(samples["ours"]), spread(samples[base])
    times = ratio(samples, "ours", [base])
    shown = (milliseconds(ours.median), between(ours, milliseconds))
    cells = (f"{sent}", milliseconds(other.median), *shown, f"{times:.2f}")
    return Figure(f"{CALLS} aput_writes, {name}", cells, times, TARGET, raw)


def _section(samples: Samples, sent: int, failures: list[BaseException]) -> Section:
    found = {name: spread(times) for name, times in samples.items()}
    raw = {name: each.as_json() for name, each in found.items()}
    failed = ("", "", "", "", f"{len(failures)}")
    figures = (
        _against(samples, "pipeline", "calls that are ready", sent, raw),
        _against(samples, "serialized", "with serialization", sent, raw),
        Figure("of these failed", failed, len(failures), 0, {"first": repr(failures[:1])}),
    )
    columns = ("at once", "script calls", "pipeline, ms", "ours, ms", "quartiles", "ratio")
    return Section("Concurrent writes, async", columns, figures, NOTE)

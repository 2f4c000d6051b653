"""Each operation against the least it could cost: InMemorySaver's time plus one empty script call.

That sum is the floor: the same serializer, the same checkpoint, and one round trip in which the
server does nothing. All three are timed in turn, on threads that hold the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.figures import Effort, Figure, Section, microseconds
from benchmarks.measure import (
    Act,
    Course,
    Methods,
    Samples,
    arun,
    awaited,
    between,
    blocking,
    merged,
    race,
    ratio_spread,
    run,
    spread,
)
from benchmarks.workload import NextVersion, Step, Write, config, steps, task, writes
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EARLIER = 30
"""Checkpoints that a thread holds before anything is timed."""

PAGE = 10
"""The limit that `list` is given."""

MANY = 5_000
"""Messages whose objects bring the garbage collector to look through the whole process every few times."""

EMPTY_SCRIPT = "return nil"

TARGETS: dict[str, dict[int, float]] = {
    "put": {20: 1.9, 100: 1.4, 600: 1.25},
    "get_tuple": {20: 1.4, 100: 1.2, 600: 1.1},
    "get_tuple, cold": {},
    "list": {20: 1.25, 100: 1.25, 600: 1.25},
    "put_writes": {20: 1.7, 100: 1.5, 600: 1.3},
    "put_writes, whole list": {20: 1.7, 100: 1.5, 600: 1.3},
}

NOTE = (
    "Microseconds, medians. floor = InMemorySaver + an empty EVALSHA through the same client, the saver's"
    " own where it was told a connection string; ratio"
    " = ours / floor, with the quartiles of the ratio from thread to thread. A thread holds"
    f" {EARLIER} earlier checkpoints with their writes, and its number of messages moves within"
    " 4 of the one named while puts are timed. The saver's cache is warm, as in a process that goes"
    " on with its own thread; `cold` is a saver made for the one call. A write holds one message;"
    " `whole list` is a node that returns all of them. Garbage collection is as Python sets it; ahead of"
    f" each page of {MANY} messages and more, the process is collected."
)


@dataclass(frozen=True)
class Field:
    """The contenders, in one style, and the steps each will be given."""

    memory: Methods
    ours: Methods
    fresh: Callable[[], Methods]  # Ours anew, with nothing in its cache.
    empty: Act
    steps: dict[str, list[Step]]

    @property
    def messages(self) -> int:
        """How many the last checkpoint holds."""
        return len(self.steps["ours"][-1].checkpoint["channel_values"]["messages"])

    @property
    def savers(self) -> dict[str, Methods]:
        """The two that store anything."""
        return {"memory": self.memory, "ours": self.ours}

    def race(
        self, act: Callable[[str, Methods, int], Act], rounds: int, *, collected: bool = False
    ) -> Course[Samples]:
        """Time one operation of both savers, and the empty call between them."""
        contenders: dict[str, Callable[[int], Act]] = {
            "memory": partial(act, "memory", self.memory),
            "empty": lambda _: self.empty,
            "ours": partial(act, "ours", self.ours),
        }
        return race(contenders, rounds, collected=collected)


def sizes(messages: int, window: int) -> list[int]:
    """How many messages each checkpoint holds: `messages` in the middle of the timed window."""
    first = messages - window // 2 - EARLIER + 1
    return [max(1, first + step) for step in range(EARLIER + window)]


def block(field: Field, thread: str, effort: Effort) -> Course[dict[str, Samples]]:
    """All operations on one thread, made for it and deleted after it."""
    yield from _earlier(field, thread)
    timed = {
        "put": (yield from _puts(field, thread, effort.window)),
        "get_tuple": (yield from _gets(field, thread, effort.window)),
        "get_tuple, cold": (yield from _cold_gets(field, thread, effort.pages)),
        "list": (yield from _lists(field, thread, effort.pages)),
        "put_writes": (yield from _writes(field, thread, effort.window, whole=False)),
        "put_writes, whole list": (yield from _writes(field, thread, effort.window, whole=True)),
    }
    for saver in field.savers.values():
        yield partial(saver.delete_thread, thread)
    return timed


def _earlier(field: Field, thread: str) -> Course[None]:
    for name, saver in field.savers.items():
        for step in field.steps[name][:EARLIER]:
            yield _put(saver, step, thread)
            yield _put_writes(saver, step, thread)


def _puts(field: Field, thread: str, window: int) -> Course[Samples]:
    def put(name: str, saver: Methods, number: int) -> Act:
        return _put(saver, field.steps[name][EARLIER + number], thread)

    timed = yield from field.race(put, window)
    # All but the latest get their writes, as in a graph that has come to its end.
    for name, saver in field.savers.items():
        for step in field.steps[name][EARLIER:-1]:
            yield _put_writes(saver, step, thread)
    return timed


def _gets(field: Field, thread: str, window: int) -> Course[Samples]:
    return field.race(lambda _, saver, __: partial(saver.get_tuple, config(thread)), window)


def _cold_gets(field: Field, thread: str, window: int) -> Course[Samples]:
    """What a process pays that reads a thread for the first time."""

    def get(name: str, saver: Methods, _: int) -> Act:
        reader = field.fresh() if name == "ours" else saver
        return partial(reader.get_tuple, config(thread))

    return field.race(get, window)


def _lists(field: Field, thread: str, pages: int) -> Course[Samples]:
    def listed(_: str, saver: Methods, __: int) -> Act:
        return partial(saver.list, config(thread), PAGE)

    return field.race(listed, pages, collected=PAGE * field.messages >= MANY)


def _writes(field: Field, thread: str, window: int, *, whole: bool) -> Course[Samples]:
    """Writes of as many tasks as the window has calls, on the latest checkpoint."""

    def put_writes(name: str, saver: Methods, number: int) -> Act:
        latest = field.steps[name][-1]
        made = _whole(latest) if whole else writes(number)
        return partial(saver.put_writes, latest.stored(thread), made, task(number + 1000 * whole))

    return field.race(put_writes, window)


def _whole(step: Step) -> list[Write]:
    """What a node writes that returns the channel's whole value."""
    return [("messages", step.checkpoint["channel_values"]["messages"]), ("branch:to:agent", None)]


def _put(saver: Methods, step: Step, thread: str) -> Act:
    where = step.config(thread)
    return partial(saver.put, where, step.checkpoint, step.metadata, step.new_versions)


def _put_writes(saver: Methods, step: Step, thread: str) -> Act:
    return partial(saver.put_writes, step.stored(thread), step.writes, step.task)


def _all_blocks(field: Field, messages: int, effort: Effort) -> Course[list[dict[str, Samples]]]:
    """The blocks of one length; a first one warms up and is not counted."""
    yield from block(field, "warm-up", effort)
    blocks: list[dict[str, Samples]] = []
    while len(blocks) < effort.blocks[messages]:
        blocks.append((yield from block(field, f"{messages}-{len(blocks)}", effort)))
    return blocks


def _figures(style: str, messages: int, blocks: Sequence[dict[str, Samples]]) -> list[tuple[str, Figure]]:
    found = []
    for name, targets in TARGETS.items():
        timed = [block[name] for block in blocks]
        figure = _figure(f"{name}, {messages}", targets.get(messages), timed, style)
        found.append((name, figure))
    return found


def _figure(name: str, target: float | None, blocks: Sequence[Samples], style: str) -> Figure:
    found = {who: spread(times) for who, times in merged(blocks).items()}
    ratio = ratio_spread(blocks, "ours", ["memory", "empty"])
    floor = found["memory"].median + found["empty"].median
    cells = (
        microseconds(found["memory"].median),
        microseconds(found["empty"].median),
        microseconds(floor),
        microseconds(found["ours"].median),
        between(found["ours"], microseconds),
        f"{ratio.median:.2f}",
        between(ratio, "{:.2f}".format),
    )
    raw: dict[str, Any] = {who: each.as_json() for who, each in found.items()}
    return Figure(name, cells, ratio.median, target, {"style": style, **raw, "ratio": ratio.as_json()})


def _section(style: str, found: Sequence[tuple[str, Figure]], *, brought: bool) -> Section:
    """The figures of one style, operation by operation."""
    columns = (
        "operation, messages",
        "memory",
        "empty",
        "floor",
        "ours",
        "quartiles",
        "ratio",
        "quartiles",
    )
    ordered = [figure for wanted in TARGETS for name, figure in found if name == wanted]
    title = f"Operations, {style}, by {'a client that was brought' if brought else 'a connection string'}"
    return Section(title, columns, tuple(ordered), NOTE)


def _steps(memory: NextVersion, ours: NextVersion, messages: int, window: int) -> dict[str, list[Step]]:
    wanted = sizes(messages, window)
    return {"memory": steps(memory, wanted), "ours": steps(ours, wanted)}


def measure_sync(url: str, effort: Effort, *, brought: bool) -> Section:
    """Both savers' blocking methods."""
    memory, found = InMemorySaver(), list[tuple[str, Figure]]()
    with (
        redis.Redis.from_url(url) as own,
        RedisSaver(redis_client=own) if brought else RedisSaver(url) as ours,
    ):
        client = ours.client
        empty = partial(client.evalsha, client.script_load(EMPTY_SCRIPT), 1, "langgraph:{1}:data")
        for messages in effort.blocks:
            made = _steps(memory.get_next_version, ours.get_next_version, messages, effort.window)
            field = Field(
                blocking(memory),
                blocking(ours),
                lambda: blocking(RedisSaver(redis_client=client)),
                empty,
                made,
            )
            found += _figures("sync", messages, run(_all_blocks(field, messages, effort)))
    return _section("sync", found, brought=brought)


async def measure_async(url: str, effort: Effort, *, brought: bool) -> Section:
    """The awaited twins, one call at a time."""
    memory, found = InMemorySaver(), list[tuple[str, Figure]]()
    async with (
        redis.asyncio.Redis.from_url(url) as own,
        AsyncRedisSaver(redis_client=own) if brought else AsyncRedisSaver(url) as ours,
    ):
        client = ours.client
        sha = await client.script_load(EMPTY_SCRIPT)
        empty = partial(client.evalsha, sha, 1, "langgraph:{1}:data")
        for messages in effort.blocks:
            made = _steps(memory.get_next_version, ours.get_next_version, messages, effort.window)
            field = Field(
                awaited(memory),
                awaited(ours),
                lambda: awaited(AsyncRedisSaver(redis_client=client)),
                empty,
                made,
            )
            found += _figures("async", messages, await arun(_all_blocks(field, messages, effort)))
    return _section("async", found, brought=brought)

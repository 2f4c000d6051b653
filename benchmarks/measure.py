"""How time is taken: a measurement is written once, and run over blocking or awaited calls.

A course is a generator that yields what to call, is sent the nanoseconds that the call took, and
returns what it found. It never calls, so it does not know in which style it runs.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from statistics import median, quantiles
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

T = TypeVar("T")
Act: TypeAlias = Callable[[], Any]
Course: TypeAlias = Generator[Act, int, T]
Samples: TypeAlias = dict[str, list[int]]
"""Nanoseconds by contender."""


def run(course: Course[T]) -> T:
    """Run a course of blocking calls."""
    try:
        act = next(course)
        while True:
            began = perf_counter_ns()
            act()
            act = course.send(perf_counter_ns() - began)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration does not carry the type


async def arun(course: Course[T]) -> T:
    """Run a course of calls that each give an awaitable."""
    try:
        act = next(course)
        while True:
            began = perf_counter_ns()
            await act()
            act = course.send(perf_counter_ns() - began)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration does not carry the type


def race(
    contenders: Mapping[str, Callable[[int], Act]],
    rounds: int,
    *,
    before: Act | None = None,
    collected: bool = False,
) -> Course[Samples]:
    """Time the contenders in turn: A B C, B C A, C A B.

    The order turns, so that each follows each of the others and none always finds the processor's
    caches as the same neighbour left them. `before` is called, unmeasured, ahead of every call.

    `collected`: garbage is collected ahead of every call, so that all find the collector in the same state.
    Else a full collection, of a whole process and of many milliseconds, falls to whoever makes the object
    that is one too many: by turns always to the same contender, if calls make so many that it is in reach of
    each. Not for small calls, which would find the processor's caches full of what was collected.
    """
    order, samples = list(contenders), {name: list[int]() for name in contenders}
    for number in range(rounds):
        for name in order:
            if before is not None:
                yield before
            if collected:
                gc.collect()
            samples[name].append((yield contenders[name](number)))
        order = [*order[1:], order[0]]
    return samples


@dataclass(frozen=True)
class Methods:
    """A saver's methods in one style, under one set of names; `get_next_version` never waits."""

    put: Callable[..., Any]
    put_writes: Callable[..., Any]
    get_tuple: Callable[..., Any]
    list: Callable[..., Any]
    delete_thread: Callable[..., Any]
    get_next_version: Callable[..., Any]


def blocking(saver: BaseCheckpointSaver[Any]) -> Methods:
    """The saver's own methods; `list` is read to its end."""
    return Methods(
        saver.put,
        saver.put_writes,
        saver.get_tuple,
        lambda config, limit, **options: list(saver.list(config, limit=limit, **options)),
        saver.delete_thread,
        saver.get_next_version,
    )


def awaited(saver: BaseCheckpointSaver[Any]) -> Methods:
    """The twins with an `a` in front."""
    return Methods(
        saver.aput,
        saver.aput_writes,
        saver.aget_tuple,
        lambda config, limit, **options: _collect(saver.alist(config, limit=limit, **options)),
        saver.adelete_thread,
        saver.get_next_version,
    )


async def _collect(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def together(calls: Sequence[Callable[[], Awaitable[Any]]], at_once: int) -> None:
    """Make many awaited calls, `at_once` of them at a time; the first that fails raises."""
    for start in range(0, len(calls), at_once):
        await asyncio.gather(*(call() for call in calls[start : start + at_once]))


@dataclass(frozen=True)
class Spread:
    """A median, and the quartiles that say how far to trust it."""

    median: float
    low: float
    high: float
    count: int

    def as_json(self) -> dict[str, float]:
        """The same figures by name."""
        return asdict(self)


def spread(values: Sequence[float]) -> Spread:
    """The middle of what was measured; one value is its own quartiles."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high, len(values))


def between(found: Spread, shown: Callable[[float], str]) -> str:
    """The quartiles as tables show them."""
    return f"{shown(found.low)} - {shown(found.high)}"


def merged(blocks: Sequence[Samples]) -> Samples:
    """All blocks' samples, by contender."""
    return {name: list(chain.from_iterable(block[name] for block in blocks)) for name in blocks[0]}


def ratio(samples: Samples, over: str, base: Sequence[str]) -> float:
    """The median of one contender over the sum of the medians of others."""
    return median(samples[over]) / sum(median(samples[name]) for name in base)


def ratio_spread(blocks: Sequence[Samples], over: str, base: Sequence[str]) -> Spread:
    """The ratio over all samples; the quartiles are of the blocks' own ratios."""
    by_block = spread([ratio(block, over, base) for block in blocks])
    return Spread(ratio(merged(blocks), over, base), by_block.low, by_block.high, len(blocks))

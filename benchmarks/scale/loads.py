"""What a server is loaded with: each operation as the saver sends it, on threads that are all alike.

A thread has 30 checkpoints with their writes, as one of an agent in the middle of its work. Many of them are
copies of one, made on the server. What is then recorded, the saver does on each of them for real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.scale import chats
from benchmarks.scale.recording import Recording, noting, recorded
from benchmarks.workload import Step, config, steps, task, writes
from langgraph.checkpoint.redis import RedisSaver

if TYPE_CHECKING:
    import redis

CHECKPOINTS = 30
PUTS, TASKS = 4, 16
"""Calls that are recorded of each thread."""

TEMPLATE = "template"


@dataclass(frozen=True)
class Load:
    """One kind of load, on threads of so many messages.

    Attributes:
        per_thread: Operations that are recorded of each thread.
        writes: Whether it changes what is stored.
    """

    name: str
    unit: str
    size: int
    per_thread: int
    writes: bool
    record: Callable[[str, redis.Redis, Sequence[str]], Recording]


def loads(size: int) -> list[Load]:
    """All kinds, for threads of so many messages."""
    return [
        Load("put", "call", size, PUTS, writes=True, record=partial(_puts, size)),
        Load("put_writes", "call", size, TASKS, writes=True, record=partial(_writes, size)),
        Load("get_tuple", "call", size, 1, writes=False, record=partial(_gets, size, warm=True)),
        Load("get_tuple, cold", "call", size, 1, writes=False, record=partial(_gets, size, warm=False)),
        Load("chat turn", "turn", size, 1, writes=True, record=partial(_turns, size)),
    ]


@contextmanager
def _savers(url: str, client: redis.Redis) -> Iterator[tuple[RedisSaver, RedisSaver, Any]]:
    """A saver to prepare with, and one whose sends are noted: it starts knowing the scripts and no thread."""
    with (
        noting(url) as (noted, notes),
        RedisSaver.from_conn_string(redis_client=client) as builder,
        RedisSaver.from_conn_string(redis_client=noted) as saver,
    ):
        yield builder, saver, notes


def _line(saver: RedisSaver, size: int) -> list[Step]:
    """The thread's checkpoints, which end with `size` messages, then those that come next."""
    past = [max(1, size - CHECKPOINTS + 1 + number) for number in range(CHECKPOINTS)]
    return steps(saver.get_next_version, [*past, *(size + 1 + number for number in range(PUTS + 1))])


def _put(saver: RedisSaver, thread: str, step: Step) -> None:
    saver.put(step.config(thread), step.checkpoint, step.metadata, step.new_versions)


def _copied(builder: RedisSaver, line: Sequence[Step], threads: Sequence[str]) -> None:
    """A thread of the first steps, and as many copies of it."""
    for step in line[:CHECKPOINTS]:
        _put(builder, TEMPLATE, step)
        builder.put_writes(step.stored(TEMPLATE), step.writes, step.task)
    for thread in threads:
        builder.copy_thread(TEMPLATE, thread)


def _read(saver: RedisSaver, thread: str) -> None:
    if saver.get_tuple(config(thread)) is None:
        raise LookupError(f"thread {thread} is not there")


def _puts(size: int, url: str, client: redis.Redis, threads: Sequence[str]) -> Recording:
    """Puts of a process that goes on with its own threads: each adds one message."""
    with _savers(url, client) as (builder, saver, notes):
        line = _line(builder, size)
        _copied(builder, line, threads)

        def warm(thread: str) -> None:
            _read(saver, thread)
            _put(saver, thread, line[CHECKPOINTS])

        def act(thread: str) -> None:
            for step in line[CHECKPOINTS + 1 :]:
                _put(saver, thread, step)

        return recorded(client, notes, threads, warm, act)


def _writes(size: int, url: str, client: redis.Redis, threads: Sequence[str]) -> Recording:
    """Writes of several tasks of the latest checkpoint: a message and an edge each."""
    with _savers(url, client) as (builder, saver, notes):
        line = _line(builder, size)
        _copied(builder, line, threads)
        last = line[CHECKPOINTS - 1]

        def write(thread: str, number: int) -> None:
            saver.put_writes(last.stored(thread), writes(number), task(-number))

        def act(thread: str) -> None:
            for number in range(1, TASKS + 1):
                write(thread, number)

        return recorded(client, notes, threads, lambda thread: write(thread, TASKS + 1), act)


def _gets(size: int, url: str, client: redis.Redis, threads: Sequence[str], *, warm: bool) -> Recording:
    """Reads of the latest checkpoint, by a process that knows the thread or by one that does not."""
    with _savers(url, client) as (builder, saver, notes):
        line = _line(builder, size)
        _copied(builder, line, threads)
        _read(saver, TEMPLATE)  # The script is known, whoever reads.

        def act(thread: str) -> None:
            _read(saver, thread)

        return recorded(client, notes, threads, act if warm else lambda _: None, act)


def _turns(size: int, url: str, client: redis.Redis, threads: Sequence[str]) -> Recording:
    """Whole turns, in a process that does not know the threads: the dearest way, with a registration each."""
    with _savers(url, client) as (builder, saver, notes):
        compiled: Any = chats.graph(chats.answer).compile(checkpointer=builder)
        for turn in range(size // 2):
            compiled.invoke(chats.asked(0, turn), config(TEMPLATE))
        for thread in threads:
            builder.copy_thread(TEMPLATE, thread)
        noted: Any = chats.graph(chats.answer).compile(checkpointer=saver)

        numbers = {thread: number for number, thread in enumerate(threads, 1)}

        def act(thread: str) -> None:
            noted.invoke(chats.asked(numbers[thread], size), config(thread))

        return recorded(client, notes, threads, lambda _: None, act)

"""What is kept of threads, and what is dropped: by number, by age, by run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys, policy
from langgraph.checkpoint.redis.sweep import Choice, Line, Sweep, newest_of_each_namespace, of_runs

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.plans import Plans

_EPOCH: Final = 0x01B21DD213814000
"""1970 in a UUID's time, 100 ns each since 1582 (RFC 9562)."""


def made_at(checkpoint_id: str) -> float | None:
    """When LangGraph made an id, in seconds since 1970; None for an id that is no UUID of version 6."""
    try:
        found = UUID(checkpoint_id)
    except ValueError:
        return None
    if found.version != 6:  # noqa: PLR2004 - the version whose order is that of time.
        return None
    whole = found.int
    ticks = (whole >> 96) << 28 | (whole >> 80 & 0xFFFF) << 12 | whole >> 64 & 0xFFF
    return (ticks - _EPOCH) / 1e7


def older_than(argument: str, given: Any) -> float:
    """The moment, in seconds since 1970, that lies so long ago.

    Raises:
        TypeError: If it is no timedelta.
        ValueError: If it is not above 0.
    """
    if not isinstance(given, timedelta):
        raise TypeError(f"{argument} must be a datetime.timedelta, not {type(given).__name__}: {given!r:.80}")
    if given <= timedelta(0):
        raise ValueError(f"{argument} must be longer than 0, not {given}")
    return time.time() - given.total_seconds()


def young_or_newest(count: int, moment: float | None) -> Choice:
    """Keep the newest of each namespace, and of the others those made after a moment."""
    newest = newest_of_each_namespace(count)

    def choose(lines: Sequence[Line]) -> set[tuple[bytes, bytes]]:
        kept = newest(lines)
        return kept if moment is None else kept | {line.name for line in lines if _young(line, moment)}

    return choose


def _young(line: Line, moment: float) -> bool:
    made = made_at(keys.decoded(line.id))
    return made is None or made >= moment


def prune(
    plans: Plans, thread_ids: Iterable[str], strategy: str, keep_last: int | None, age: timedelta | None
) -> Plan[None]:
    """Drop old checkpoints of these threads, or all of them."""
    _refuse_text("thread_ids", thread_ids)
    count = policy.count("keep_last", keep_last)
    moment = None if age is None else older_than("older_than", age)
    bounded = count is not None or moment is not None
    if strategy not in ("keep_latest", "delete"):
        raise ValueError(f'strategy must be "keep_latest" or "delete", not {strategy!r}')
    if strategy == "delete" and bounded:
        raise ValueError('strategy="delete" drops everything: leave out keep_last and older_than')
    for thread_id in thread_ids:
        if strategy == "delete":
            yield from plans.delete_thread(thread_id)
        else:
            sweep = Sweep(plans.core, plans.core.keys.thread(thread_id), finished=bounded)
            yield from sweep.drop(young_or_newest(count or 1, moment))


def delete_for_runs(plans: Plans, run_ids: Iterable[str]) -> Plan[None]:
    """Drop the checkpoints that these runs made, with their writes, in whatever threads.

    What a DeltaChannel of a kept checkpoint is rebuilt from stays.
    """
    _refuse_text("run_ids", run_ids)
    runs = [keys.run_id(run) for run in run_ids]
    if not runs:
        return
    found = yield [Call("ZRANGE", [plans.core.keys.run(run)], (0, -1)) for run in runs]
    for name in sorted({name for members in found for name in members}):
        thread = plans.core.keys.thread(keys.thread_named(name))
        yield from Sweep(plans.core, thread).drop(of_runs({keys.encoded(run) for run in runs}))
        # What a DeltaChannel needs may keep checkpoints of the run: then its thread stays listed.


def _refuse_text(argument: str, ids: Iterable[str]) -> None:
    """A lone id would be taken for a sequence of ids of one letter each."""
    if isinstance(ids, (str, bytes)):
        raise TypeError(f"{argument} must be a sequence of ids, not one: [{ids!r:.80}]")

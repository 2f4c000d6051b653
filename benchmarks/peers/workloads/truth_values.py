"""Values that a state may hold: does each come back as what it was, of the same type?

Only such as LangGraph's own serializer brings back. Each is stored in a thread of its own, so that a reader
is told of all that a saver changes, not only of the first.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from inspect import isawaitable
from typing import Any
from uuid import UUID

from langchain_core.documents import Document
from langchain_core.messages import AIMessage

from benchmarks.measure import Act
from benchmarks.peers.contract import Course, Do, Step, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import expect, shown
from benchmarks.workload import config, steps

CHANNEL = "value"


@dataclass(frozen=True)
class Place:
    """A dataclass of the application's own."""

    name: str
    degrees: tuple[float, float] | None = None


VALUES: dict[str, Any] = {
    "decimal": Decimal("1.10"),
    "bytes": b"\x00\xff\xfe",
    "sets": {"a", "b"},
    "datetimes": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2))),
    "uuids": UUID(int=7),
    "deques": deque([1, 2]),
    "number-keys": {1: "one", "1": "text"},
    "tuple-keys": {("a", 1): "x"},
    "nan": math.nan,
    "infinity": -math.inf,
    "zero-bytes": "a\x00b",
    "dataclasses": Place("nyc"),
    "documents": Document("text", metadata={"page": 1}),
    "messages": AIMessage("", tool_calls=[{"name": "look", "args": {"n": 1}, "id": "1"}], id="a"),
    "json-like": {"lc": 1, "type": "constructor", "id": ["a"], "kwargs": {}},
}
"""By kind."""

LIKE = object()
"""What came back is as it was."""


def alike(found: Any, wanted: Any) -> bool:
    """Equal and of the same type, in all depths; NaN is like NaN."""
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(alike(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(alike, found, wanted))
    if isinstance(wanted, float) and math.isnan(wanted):
        return math.isnan(found)
    return bool(found == wanted)


def _put(subject: Subject, thread: str, value: Any) -> tuple[str, Act]:
    """A checkpoint with the value in a channel, and its id."""
    next_version = subject.methods.get_next_version
    (step,) = steps(next_version, [1])
    version = next_version(None, None)
    values = {**step.checkpoint["channel_values"], CHANNEL: value}
    versions = {**step.checkpoint["channel_versions"], CHANNEL: version}
    checkpoint = {**step.checkpoint, "channel_values": values, "channel_versions": versions}
    new = {**step.new_versions, CHANNEL: version}
    act = partial(subject.methods.put, config(thread), checkpoint, step.metadata, new)
    return step.checkpoint["id"], act


def _tried(act: Act) -> Act:
    """The act; what it raises is what comes back: a saver that refuses one value is asked for others too."""

    def attempt() -> Any:
        try:
            found = act()
        except Exception as error:  # noqa: BLE001  # Shown as what came back.
            return error
        return _awaited(found) if isawaitable(found) else found

    return attempt


async def _awaited(found: Awaitable[Any]) -> Any:
    try:
        return await found
    except Exception as error:  # noqa: BLE001  # As above.
        return error


def _back(found: Any) -> tuple[Any, Any]:
    """What a checkpoint tuple has of the value: in its channel, and in its pending write."""
    if isinstance(found, Exception) or found is None:
        return found, found
    written = [value for _, _, value in found.pending_writes or []]
    return found.checkpoint["channel_values"].get(CHANNEL), written[0] if written else None


def _asked(subject: Subject, thread: str, given: Any) -> Generator[Step, Any, Any]:
    """Store a value in a channel and as a pending write, and read it; what is not alike, or `LIKE`."""
    identifier, store = _put(subject, thread, given)
    write = partial(subject.methods.put_writes, config(thread, identifier), [(CHANNEL, given)], "task")
    for act in (store, write):
        refused = yield Do(_tried(act))
        if isinstance(refused, Exception):
            return refused
    found = yield Timed(_tried(partial(subject.methods.get_tuple, config(thread))))
    return next((each for each in _back(found) if not alike(each, given)), LIKE)


def course(subject: Subject, thread: str, _: int) -> Course:
    """Each value alone, in a list and in a dict; the sentence tells all that changed."""
    changed: list[str] = []
    for name, value in VALUES.items():
        for given in (value, [value], {"named": {"deep": value}}):
            found = yield from _asked(subject, f"{thread}-{name}", given)
            if found is not LIKE:
                changed.append(f"{shown(given)} as {shown(found)}")
                break
        yield Do(partial(subject.methods.delete_thread, f"{thread}-{name}"))
    told = "; ".join(changed)
    expect(not changed, f"{len(changed)} of {len(VALUES)} kinds of values came back otherwise: {told}")


WORKLOADS = (
    Workload(
        "truth-values",
        "values come back as they were",
        "call",
        (1,),
        course,
        {1: (1, 1)},
        (1,),
        counted=False,
    ),
)

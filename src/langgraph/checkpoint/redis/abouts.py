"""What a server says of many threads at once: what each is, what it weighs. To ask prolongs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis.keys import Thread, member
from langgraph.checkpoint.redis.registry import Gone, bury, settled
from langgraph.checkpoint.redis.walk import Met

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core

_ABOUT: Final = scripts.load("about")

BATCH: Final = 100
"""Threads that are asked about in one round trip."""


class About(NamedTuple):
    """A thread as its keys tell it; ids as they are stored.

    Attributes:
        thread: Which.
        score: When it was last used, as where it was met says it (ms).
        made: When it began, in ms since 1970; None if the field is gone.
        left: Milliseconds to live, or -1.
        pinned: Whether it is pinned.
        checkpoints: How many there are, of all namespaces.
        root: The largest id of the root's, or b"".
        other: The largest id of all other namespaces, or b"".
        fields: How many fields there are.
        record: The record of the root's newest checkpoint, if it was asked for.
    """

    thread: Thread
    score: float
    made: bytes | None
    left: int
    pinned: bool
    checkpoints: int
    root: bytes
    other: bytes
    fields: int
    record: bytes | None


def look(met: Sequence[Met], *, records: bool) -> Plan[tuple[list[About], list[Met]]]:
    """What is to be said of threads, and which of them are gone. One round trip."""
    if not met:
        return [], []
    replies = yield [Call(_ABOUT, each.thread.keys, (int(records),)) for each in met]
    pairs = list(zip(met, replies, strict=True))
    alive = [_about(each, reply) for each, reply in pairs if reply is not None]
    return alive, [each for each, reply in pairs if reply is None]


def _about(met: Met, reply: Sequence[Any]) -> About:
    made, left, pinned, checkpoints, root, other, fields, record = reply
    return About(*met, made, left, pinned == b"1", checkpoints, root, other, fields, record)


def weigh(found: Sequence[About]) -> Plan[list[int | None]]:
    """Bytes of each thread's keys, None where the user may not ask. One round trip."""
    if not found:
        return []
    calls = [
        Call("MEMORY USAGE", [key], (b"SAMPLES", 0), tolerant=True)
        for about in found
        for key in about.thread.keys
    ]
    replies = yield calls
    return [_sum(replies[at : at + 2]) for at in range(0, len(replies), 2)]


def _sum(replies: Sequence[Any]) -> int | None:
    """A key that is not there weighs nothing; a refusal is no figure."""
    if all(isinstance(reply, int) or reply is None for reply in replies):
        return sum(reply or 0 for reply in replies)
    return None


def scores(core: Core, threads: Sequence[Thread]) -> Plan[list[float | None]]:
    """When the registry says threads were last used; None for one that it does not name. One round trip."""
    if not threads:
        return []
    replies = yield [Call("ZSCORE", [core.keys.registry(thread)], [member(thread)]) for thread in threads]
    return [None if reply is None else float(reply) for reply in replies]


def forget(core: Core, gone: Sequence[Met], link: bytes = b"") -> Plan[None]:
    """Bury threads that were met and are gone; `link`: where they were met, if not in the registry."""
    known: Sequence[float | None] = [each.score for each in gone]
    if link:
        known = yield from scores(core, [each.thread for each in gone])
    dead = [
        Gone(each.thread, score or 0.0)
        for each, score in zip(gone, known, strict=True)
        if settled(core, score or each.score)
    ]
    if dead:
        yield from bury(core, dead, [link] if link else ())

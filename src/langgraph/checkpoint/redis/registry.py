"""Who knows of a thread beside its own keys: the registry, and the indexes by run and by metadata.

These may name a thread that is gone. They may never miss one that exists: a thread begins in a call that
registers it, with nothing in between (`Atomic`). So an entry whose thread is gone can be taken away at any
time, and what is taken away is put back if the thread turns out to have begun meanwhile.

Each entry in an index is also a *link*, kept apart from the thread, so that when a thread has expired it is
known where it stands.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan, Refusal
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.walk import scored

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.keys import Thread

_FORGET: Final = scripts.load("forget")
_LIVE: Final = scripts.load("live")

_LOG: Final = logging.getLogger(__name__)


def now_ms() -> int:
    """The client's clock, by which threads are ordered."""
    return int(time.time() * 1000)


def links_of(run: str, indexed: Sequence[tuple[str, str]] = ()) -> list[bytes]:
    """What a checkpoint makes known of its thread: its run, and its indexed metadata."""
    return [keys.run_link(run)] * bool(run) + [keys.value_link(key, text) for key, text in indexed]


def registration(core: Core, thread: Thread, links: Sequence[bytes] = ()) -> list[Call]:
    """The calls that must precede a write to a thread; most of the time none.

    Where one entry is due, all are made: so a thread stands in the same order everywhere.
    """
    touches = core.touches
    if touches.claim(thread) or (links and any(touches.due(thread, link) for link in links)):
        return _entered(core, thread, links)
    return []


def registered(core: Core, thread: Thread, links: Sequence[bytes] = (), made: bytes | None = None) -> None:
    """Remember a registration that the server acknowledged, of a thread that began at `made`."""
    for link in (*links, b""):  # No link is remembered longer than the thread: a begin registers them all.
        core.touches.done(thread, link)
    if made is not None:
        core.touches.began(thread, made)


def _entered(core: Core, thread: Thread, links: Sequence[bytes]) -> list[Call]:
    """Enter a thread everywhere under one moment, by which each place puts it in order."""
    moment = now_ms()
    first = Call("ZADD", [core.keys.registry(thread)], [moment, keys.member(thread)])
    return [first, *_linked(core, thread, links, moment)]


def _linked(core: Core, thread: Thread, links: Sequence[bytes], moment: int) -> list[Call]:
    if not links:
        return []
    index = [Call("ZADD", [core.keys.linked(link)], [moment, keys.member(thread)]) for link in links]
    known = [word for link in links for word in (0, keys.link_member(thread, link))]
    return [Call("ZADD", [core.keys.links(thread)], known), *index]


def _unlinked(core: Core, thread: Thread, links: Sequence[bytes]) -> list[Call]:
    if not links:
        return []
    name = keys.member(thread)
    index = [Call("ZREM", [core.keys.linked(link)], [name]) for link in links]
    return [
        *index,
        Call("ZREM", [core.keys.links(thread)], [keys.link_member(thread, link) for link in links]),
    ]


def links_call(core: Core, thread: Thread) -> Call:
    """Ask where a thread stands."""
    return Call("ZRANGEBYLEX", [core.keys.links(thread)], keys.link_bounds(thread))


def read_links(thread: Thread, reply: Sequence[bytes]) -> list[bytes]:
    """The reply to `links_call`."""
    start = len(keys.link_member(thread, b""))
    return [member[start:] for member in reply]


_SETTLED_MS: Final = 5 * 60 * 1000


def settled(core: Core, score: float) -> bool:
    """Whether an entry whose thread is gone may go: on a cluster that thread may be about to begin."""
    return not core.cluster or score < now_ms() - _SETTLED_MS


class Gone(NamedTuple):
    """A thread that was found gone, and the score that its entry in the registry had."""

    thread: Thread
    score: float


def bury(core: Core, gone: Sequence[Gone], met: Sequence[bytes] = ()) -> Plan[None]:
    """Take threads that are gone out of the registry and all indexes, in two round trips for all.

    `met`: links under which they were found, in case nothing else knows of them.
    """
    _LOG.debug("%d threads that are gone are taken out of the registry", len(gone))
    replies = yield [links_call(core, each.thread) for each in gone]
    links = [[*read_links(each.thread, reply), *met] for each, reply in zip(gone, replies, strict=True)]
    forgets = [
        Call(_FORGET, [core.keys.registry(each.thread)], [keys.member(each.thread), b"%.17g" % each.score])
        for each in gone
    ]
    removals = [
        call for each, known in zip(gone, links, strict=True) for call in _unlinked(core, each.thread, known)
    ]
    yield from _remove(
        core, [*removals, *forgets], [(each.thread, known) for each, known in zip(gone, links, strict=True)]
    )


def unlink(core: Core, thread: Thread, links: Sequence[bytes]) -> Plan[None]:
    """Take a thread that was deleted out of the indexes."""
    if links:
        yield from _remove(core, _unlinked(core, thread, links), [(thread, links)])


def _remove(
    core: Core, removals: Sequence[Call], threads: Sequence[tuple[Thread, Sequence[bytes]]]
) -> Plan[None]:
    looks = [Call("EXISTS", [thread.data]) for thread, _ in threads]
    found = (yield [*removals, *looks])[len(removals) :]
    back = [
        call
        for (thread, links), alive in zip(threads, found, strict=True)
        if alive
        for call in _entered(core, thread, links)
    ]
    if back:
        yield back


def forget_runs(core: Core, thread: Thread, runs: Sequence[str]) -> Plan[None]:
    """Take a thread out of the indexes of these runs, but for those that wrote to it meanwhile."""
    if not runs:
        return
    core.touches.forget(thread)
    removals = _unlinked(core, thread, [keys.run_link(run) for run in runs])
    looks = [Call("ZSCORE", [thread.index], [keys.run_member(run)]) for run in runs]
    found = (yield [*removals, *looks])[len(removals) :]
    back = [keys.run_link(run) for run, score in zip(runs, found, strict=True) if score is not None]
    if back:
        yield _linked(core, thread, back, now_ms())


_SAMPLE: Final = 100


def tidy(core: Core, thread: Thread) -> Plan[None]:
    """Look at some entries of a thread's shard, after every so many new threads, and bury who is gone.

    So a program that never lists its threads does not gather entries of those that expired: new threads bring
    on as many looks as entries. Two round trips, four where some are gone; else none.
    """
    if not core.touches.chore():
        return
    ask = Call("ZRANDMEMBER", [core.keys.registry(thread)], [_SAMPLE, b"WITHSCORES"], tolerant=True)
    reply = yield ask
    if isinstance(reply, Refusal):  # A user may lack the command: a write does not fail of that.
        return
    entries = [
        Gone(core.keys.thread(keys.thread_named(name)), score)
        for name, score in scored(reply)
        if settled(core, score)
    ]
    if not entries:
        return
    found = yield [Call(_LIVE, entry.thread.keys, (b"",)) for entry in entries]
    gone = [entry for entry, alive in zip(entries, found, strict=True) if alive is None]
    if gone:
        yield from bury(core, gone)

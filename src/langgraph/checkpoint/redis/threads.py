"""The directory of threads: who they are, the last used first, as pages that cost what they return.

A listing walks the registry, or one index by metadata where the filter names a key that is indexed. Either
may name threads that are gone or no longer match: what is shown is decided by the thread itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis import lives
from langgraph._redis.plan import Plan
from langgraph.checkpoint.redis import keys, policy
from langgraph.checkpoint.redis.abouts import BATCH, About, forget, look, weigh
from langgraph.checkpoint.redis.listing import checked_limit
from langgraph.checkpoint.redis.reader import GONE, Reader, matches, unreadable
from langgraph.checkpoint.redis.walk import PAGE, Shard, Walk, everything

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.plans import Plans

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """One thread, as `threads` shows it.

    Attributes:
        thread_id: Its id, as text.
        created: When it began, UTC.
        last_used: When it was last written to, UTC; a process notes that at most once a minute.
        checkpoints: How many it has, in all namespaces.
        bytes: What it takes of the server's memory; None if the user may not run MEMORY USAGE.
        ttl: Minutes until it expires if nobody uses it; None for never.
        pinned: Whether `persist` keeps it from expiring.
        metadata: The metadata of the latest checkpoint of the root namespace; empty if there is none.
    """

    thread_id: str
    created: datetime
    last_used: datetime
    checkpoints: int
    bytes: int | None
    ttl: float | None
    pinned: bool
    metadata: dict[str, Any]


def _instant(ms: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _ms(instant: datetime) -> float:
    return (instant - _EPOCH) / _MILLISECOND


def _beginning(core: Core, before: Any) -> dict[str, Any]:
    """Where a walk begins, as `Shard` is told it.

    Raises:
        TypeError: If `before` is neither a ThreadInfo nor a datetime.
        ValueError: If it is a datetime without a time zone.
    """
    if before is None:
        return {}
    if isinstance(before, ThreadInfo):
        return {"after": (_ms(before.last_used), keys.member(core.keys.thread(before.thread_id)))}
    if not isinstance(before, datetime):
        kind = type(before).__name__
        raise TypeError(
            f"before must be a ThreadInfo of an earlier page or a datetime, not {kind}: {before!r:.80}"
        )
    if before.utcoffset() is None:
        raise ValueError(
            f"before needs a time zone, such as datetime.now(timezone.utc) has: {before.isoformat()}"
        )
    return {"edge": b"(%.17g" % _ms(before)}


def _link(core: Core, wanted: Mapping[str, Any] | None) -> bytes:
    """The link of the index that a filter can use, or b""."""
    for key in core.policy.index_metadata:
        text = policy.index_text(wanted[key]) if wanted and key in wanted else None
        if text is not None:
            return keys.value_link(key, text)
    return b""


class Threads:
    """One `threads` call: ask for `next_page` until `done`.

    Args:
        plans: The saver's operations.
        wanted: Metadata that the latest checkpoint of the root namespace must have.
        before: What to go on after.
        limit: How many threads at most.

    Raises:
        TypeError: If an argument has the wrong type.
    """

    def __init__(self, plans: Plans, wanted: Mapping[str, Any] | None, before: Any, limit: Any) -> None:
        if wanted is not None and not isinstance(wanted, Mapping):
            raise TypeError(f"filter must be a dict of metadata or None, not {wanted!r:.80}")
        self._plans = plans
        self._wanted = wanted
        self._left: int | None = checked_limit(limit)
        self._link = _link(plans.core, wanted)
        # What must be looked through for matches is looked through in larger steps.
        sure = self._left is not None and (not wanted or self._link)
        self._batch = min(self._left or 0, BATCH) if sure else BATCH
        size = min(self._left or 0, PAGE) if sure else PAGE
        how = {"size": max(size, 1), **_beginning(plans.core, before)}
        self._walk = Walk(plans.core, self._sets(how))
        self.done = self._left is not None and self._left <= 0

    def _sets(self, how: Mapping[str, Any]) -> list[Shard]:
        core = self._plans.core
        return [Shard(core.keys.linked(self._link), **how)] if self._link else everything(core, **how)

    def next_page(self) -> Plan[list[ThreadInfo]]:
        """The next threads, maybe none although more follow."""
        core = self._plans.core
        met = yield from self._walk.some(self._batch)
        found, gone = yield from look(met, records=True)
        read = [(about, self._metadata(about)) for about in found]
        shown = [(about, facts) for about, facts in read if matches(facts, self._wanted)][: self._left]
        weights = yield from weigh([about for about, _ in shown])
        if gone:
            yield from forget(core, gone, self._link)
        self._advance(len(met), len(shown))
        return [_info(*each, weight) for each, weight in zip(shown, weights, strict=True)]

    def _advance(self, met: int, shown: int) -> None:
        self.done = met < self._batch
        self._batch = BATCH if self._wanted else self._batch
        if self._left is not None:
            self._left -= shown
            self.done = self.done or self._left <= 0

    def _metadata(self, about: About) -> dict[str, Any]:
        if not about.root:
            return {}
        if about.record is None:
            raise unreadable(about.thread, b"c//" + about.root, GONE)
        reader = Reader(self._plans.codec, about.thread)
        return reader.body(b"", about.root, about.record).metadata


def _info(about: About, metadata: dict[str, Any], weight: int | None) -> ThreadInfo:
    if about.made is None:
        raise unreadable(about.thread, b"t/made", GONE)
    return ThreadInfo(
        thread_id=about.thread.given,
        created=_instant(int(about.made)),
        last_used=_instant(about.score),
        checkpoints=about.checkpoints,
        bytes=weight,
        ttl=lives.minutes(about.left) if about.left >= 0 else None,
        pinned=about.pinned,
        metadata=metadata,
    )

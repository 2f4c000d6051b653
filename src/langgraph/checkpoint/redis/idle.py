"""Deleting threads that nobody uses, the least recently used first, some at a time.

A thread goes only if nothing says that it was used: not the registry, which is asked again just before; and
not the thread, which is deleted by a script that finds it as it was when it was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.abouts import BATCH, About, forget, look, scores, weigh
from langgraph.checkpoint.redis.core import TOUCH_EVERY
from langgraph.checkpoint.redis.listing import checked_limit
from langgraph.checkpoint.redis.registry import Gone, bury
from langgraph.checkpoint.redis.retention import made_at, older_than
from langgraph.checkpoint.redis.walk import Met, Walk, everything

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core

_REAP: Final = scripts.load("reap")


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What `prune_idle` deleted, or would delete.

    Attributes:
        threads: How many threads.
        checkpoints: How many checkpoints they held.
        bytes: What they took of the server's memory; None if the user may not run MEMORY USAGE.
        dry_run: Whether nothing was deleted.
    """

    threads: int
    checkpoints: int
    bytes: int | None
    dry_run: bool


@dataclass(slots=True)
class _Tally:
    """Adds up what went."""

    threads: int = 0
    checkpoints: int = 0
    bytes: int = 0
    weighed: bool = True

    def add(self, going: Sequence[tuple[About, int | None]]) -> None:
        for about, weight in going:
            self.threads += 1
            self.checkpoints += about.checkpoints
            self.bytes += weight or 0
            self.weighed = self.weighed and weight is not None

    def report(self, *, dry_run: bool) -> PruneReport:
        return PruneReport(self.threads, self.checkpoints, self.bytes if self.weighed else None, dry_run)


def prune_idle(core: Core, age: Any, limit: Any, *, dry_run: bool) -> Plan[PruneReport]:
    """Delete the threads that were last used longer ago, in batches."""
    pruning = _Pruning(core, older_than("older_than", age) * 1000, dry_run=dry_run)
    most, tally = checked_limit(limit), _Tally()
    while most is None or tally.threads < most:
        count = BATCH if most is None else min(BATCH, most - tally.threads)
        met = yield from pruning.walk.some(count)
        tally.add((yield from pruning.batch(met)))
        if len(met) < count:
            break
    return tally.report(dry_run=dry_run)


@dataclass(slots=True)
class _Pruning:
    """One `prune_idle` call. `moment`: threads that were used after it stay (ms)."""

    core: Core
    moment: float
    dry_run: bool = field(kw_only=True)
    walk: Walk = field(init=False)

    def __post_init__(self) -> None:
        until = b"(%.17g" % self.moment
        self.walk = Walk(self.core, everything(self.core, oldest_first=True, edge=until))

    def batch(self, met: Sequence[Met]) -> Plan[list[tuple[About, int | None]]]:
        """Some threads: which of them went, and what they weighed. Seven round trips."""
        found, gone = yield from look(met, records=False)
        idle = [about for about in found if self._idle(about)]
        weights = yield from weigh(idle)
        if not self.dry_run:
            unused = yield from self._unused(idle)
            reaped = yield from self._reap(unused)
            weights = [weight for about, weight in zip(idle, weights, strict=True) if about in reaped]
            idle = [about for about in idle if about in reaped]
            yield from forget(self.core, gone)
        return list(zip(idle, weights, strict=True))

    def _idle(self, about: About) -> bool:
        """Whether a thread may go.

        Processes note a use once a minute. Where that minute matters, the newest checkpoints decide.
        """
        if about.pinned:
            return False
        if about.score < self.moment - TOUCH_EVERY * 1000:
            return True
        made = [made_at(keys.decoded(name)) for name in (about.root, about.other) if name]
        return all(when is None or when * 1000 < self.moment for when in made)

    def _unused(self, idle: Sequence[About]) -> Plan[list[About]]:
        """Those that the registry still has as they were met."""
        now = yield from scores(self.core, [about.thread for about in idle])
        return [about for about, score in zip(idle, now, strict=True) if score == about.score]

    def _reap(self, idle: Sequence[About]) -> Plan[list[About]]:
        """Delete those that are as they were, and let the indexes forget them."""
        if not idle:
            return []
        replies = yield [
            Call(_REAP, about.thread.keys, (about.root, about.other, about.fields)) for about in idle
        ]
        reaped = [about for about, reply in zip(idle, replies, strict=True) if reply]
        for about in reaped:
            self.core.touches.forget(about.thread)
        if reaped:
            yield from bury(self.core, [Gone(about.thread, about.score) for about in reaped])
        return reaped

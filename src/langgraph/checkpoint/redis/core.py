"""What the plans of one saver share: its keys, and what its process remembers.

Clones made by `with_allowlist` share it; the codec is the only thing that differs between them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from langgraph._redis.forked import renewed
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.policy import Policy
from langgraph.checkpoint.redis.shelves import Shelves

TOUCH_EVERY: Final = 60.0
"""Seconds between two entries of one thread in the registry, per process."""

CHORE_EVERY: Final = 64
"""New threads of a process between two looks for entries of threads that are gone."""

_REMEMBERED: Final = 10_000

_CLAIM: Final = 1.0
_CLAIMS: Final = 1_000


class Touches:
    """Which threads, and which of their links, this process registered within the last minute. Bounded."""

    def __init__(self) -> None:
        renewed(self)

    def renew(self) -> None:
        """Forget all, as a process does that was forked midway."""
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, dict[bytes, float]] = OrderedDict()
        self._claims: dict[bytes, float] = {}
        self._made: dict[bytes, bytes] = {}
        self._size = 0
        self._new = 0

    def due(self, thread: Thread, link: bytes = b"") -> bool:
        """Whether this thread (or where it stands in an index) must be registered before it is written."""
        with self._lock:
            return self._until.get(thread.data, {}).get(link, 0.0) <= time.monotonic()

    def claim(self, thread: Thread) -> bool:
        """Whether this thread must be registered, and nobody is about to: of many writes at once one does it.

        The others go without; if theirs comes first and the thread is not there, the script says so.
        """
        now = time.monotonic()
        known = self._until.get(thread.data)
        if known is not None and known.get(b"", 0.0) > now:
            return False  # What most writes find, without the lock: one look at a dict is whole by itself.
        with self._lock:
            if self._claims.get(thread.data, 0.0) > now:
                return False
            if len(self._claims) >= _CLAIMS:
                self._claims = {key: until for key, until in self._claims.items() if until > now}
            self._claims[thread.data] = now + _CLAIM
            return True

    def done(self, thread: Thread, link: bytes = b"") -> None:
        """Remember that the registry holds it."""
        with self._lock:
            if thread.data not in self._until:
                self._until[thread.data] = {}
                self._new += 1
            known = self._until[thread.data]
            self._size += link not in known
            known[link] = time.monotonic() + TOUCH_EVERY
            self._until.move_to_end(thread.data)
            while self._size > _REMEMBERED:
                self._drop(next(iter(self._until)))

    def began(self, thread: Thread, made: bytes) -> None:
        """Remember when a thread that is registered began, as its keys say it."""
        with self._lock:
            if thread.data in self._until:
                self._made[thread.data] = made

    def made(self, thread: Thread) -> bytes:
        """When the thread began that was registered, or b"" if that is not known."""
        with self._lock:
            return self._made.get(thread.data, b"")

    def forget(self, thread: Thread) -> None:
        """Forget a thread that was deleted, with its runs, so that the next write registers it anew."""
        with self._lock:
            self._drop(thread.data)

    def chore(self) -> bool:
        """Whether so many threads were new since this was last so that it is time to tidy up."""
        with self._lock:
            due = self._new >= CHORE_EVERY
            if due:
                self._new = 0
            return due

    def _drop(self, key: bytes) -> None:
        self._claims.pop(key, None)
        self._made.pop(key, None)
        self._size -= len(self._until.pop(key, ()))


@dataclass(frozen=True, slots=True)
class Core:
    """Keys, policy, shelves and touches of a saver and its clones.

    `cluster`: calls of one round trip may go to several nodes, so others may come between them.
    """

    keys: Keys
    policy: Policy = field(default_factory=Policy)
    cluster: bool = False
    shelves: Shelves = field(default_factory=Shelves)
    touches: Touches = field(default_factory=Touches)

"""What the plans of one saver share: its keys, and what its process remembers.

Clones made by `with_allowlist` share it; the codec is the only thing that differs between them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from langgraph._redis.plan import Call
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.shelves import Shelves

TOUCH_EVERY: Final = 60.0
"""Seconds between two entries of one thread in the registry, per process."""

_REMEMBERED: Final = 10_000


class Touches:
    """Which threads and runs this process registered within the last minute. Bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: OrderedDict[tuple[bytes, bytes], float] = OrderedDict()

    def due(self, thread: Thread, run: bytes = b"") -> bool:
        """Whether this thread (or this run in it) must be registered before it is written."""
        with self._lock:
            return self._until.get((thread.data, run), 0.0) <= time.monotonic()

    def done(self, thread: Thread, run: bytes = b"") -> None:
        """Remember that the registry holds it."""
        with self._lock:
            self._until[(thread.data, run)] = time.monotonic() + TOUCH_EVERY
            self._until.move_to_end((thread.data, run))
            if len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)

    def forget(self, thread: Thread) -> None:
        """Forget a thread that was deleted, with its runs, so that the next write registers it anew."""
        with self._lock:
            for key in [key for key in self._until if key[0] == thread.data]:
                del self._until[key]


@dataclass(frozen=True, slots=True)
class Core:
    """Keys, shelves and touches of a saver and its clones."""

    keys: Keys
    shelves: Shelves = field(default_factory=Shelves)
    touches: Touches = field(default_factory=Touches)

    def registration(self, thread: Thread, run: str = "") -> list[Call]:
        """The calls that must precede a write to a thread; most of the time none.

        The registry may name threads that are gone. It may never miss one that exists, so this travels
        ahead of the write, in the same round trip.
        """
        calls = []
        name = keys.member(thread)
        if self.touches.due(thread):
            now = int(time.time() * 1000)
            calls.append(Call("ZADD", [self.keys.registry(thread)], [now, name]))
        if run and self.touches.due(thread, keys.encoded(run)):
            calls.append(Call("SADD", [self.keys.run(run)], [name]))
        return calls

    def registered(self, thread: Thread, run: str = "") -> None:
        """Remember a registration that the server acknowledged."""
        self.touches.done(thread)
        if run:
            self.touches.done(thread, keys.encoded(run))

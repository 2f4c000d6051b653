"""What this process remembers of values that are stored: a hint, never the truth.

put keeps segments that it finds here, and says so to the script, which checks that they are still
stored; get does not ask again for bytes that are here. So nothing here can be stale in a way that
loses data. Bounded in bytes; threads, clones and graphs share it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from langgraph.checkpoint.redis.segments import Segment

DEFAULT_LIMIT: Final = 64 * 1024 * 1024
_OVERHEAD: Final = 200  # Bytes of Python objects per channel, about.

ABSENT: Final = object()
"""Stands for the inline value of a channel that has none."""


class Held(NamedTuple):
    """What is known of one channel at one version.

    `ref`: it has a field of its own, by that name in records, of `segments` or whole. Else `inline` is its
    value, or `ABSENT`.
    """

    version: Any
    ref: bytes | None = None
    segments: tuple[Segment, ...] = ()
    inline: Any = ABSENT

    @property
    def size(self) -> int:
        """Bytes of its segments."""
        return sum(len(segment.data) for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The channels of one namespace of one thread, as of the checkpoint `id`, put or read last."""

    channels: Mapping[str, Held]
    id: str | None = None
    segments: Mapping[bytes, bytes] = field(init=False)
    names: bytes = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        segments = {s.name: s.data for held in self.channels.values() for s in held.segments}
        object.__setattr__(self, "segments", segments)
        object.__setattr__(self, "names", b" ".join(segments))
        size = sum(map(len, segments.values())) + _OVERHEAD * (1 + len(self.channels))
        object.__setattr__(self, "size", size)

    def largest(self) -> Held:
        """The channel with the most bytes in segments."""
        return max(self.channels.values(), key=lambda held: held.size, default=Held(None))


EMPTY: Final = Shelf({})


class Shelves:
    """The shelves of many threads, the least recently used forgotten first.

    Args:
        limit: Bytes that are kept at most.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._lock = threading.Lock()
        self._shelves: OrderedDict[tuple[Any, ...], Shelf] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> Shelf:
        """What is known under a key: (key of the thread, namespace, whether encrypted)."""
        with self._lock:
            shelf = self._shelves.get(key)
            if shelf is None:
                return EMPTY
            self._shelves.move_to_end(key)
            return shelf

    def put(self, key: tuple[Any, ...], shelf: Shelf) -> None:
        """Replace what is known under a key."""
        with self._lock:
            self._forget(key)
            if shelf.size > self._limit:
                return
            self._shelves[key] = shelf
            self._size += shelf.size
            while self._size > self._limit:
                self._forget(next(iter(self._shelves)))

    def _forget(self, key: tuple[Any, ...]) -> None:
        shelf = self._shelves.pop(key, None)
        if shelf is not None:
            self._size -= shelf.size

"""What this process remembers of values that are stored: a hint, never the truth.

put keeps values and segments that it finds here, and says so to the script, which checks that the
checkpoint, or the value, that they are of is stored as it is known here; get does not ask again for bytes
that are here. So nothing here can be stale in a way that loses data. Bounded in bytes; threads, clones and
graphs share it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Container, Mapping
from typing import Any, Final, NamedTuple

from langgraph._redis.forked import renewed
from langgraph.checkpoint.redis.segments import Segment

DEFAULT_LIMIT: Final = 64 * 1024 * 1024
_OVERHEAD: Final = 200  # Bytes of Python objects per channel, about.

ABSENT: Final = object()
"""Stands for the inline value of a channel that has none."""


def own(small: Any) -> Any:
    """An inline value as it may be kept: an empty list that a caller holds too may be filled by them."""
    return type(small)() if type(small) in (list, dict) else small


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
    def stored(self) -> bool:
        """Whether there is a value, in a field or inline."""
        return self.ref is not None or self.inline is not ABSENT

    @property
    def size(self) -> int:
        """Bytes of its segments."""
        return sum([len(segment.data) for segment in self.segments])


class Shelf:
    """The channels of one namespace of one thread, as of the checkpoint that was put or read last.

    Attributes:
        channels: What is known of each.
        edition: The edition in the checkpoint's record, or b"" if it is not known.
        size: Bytes that all this takes, about.
        largest: The channel with the most bytes in segments.
    """

    __slots__ = ("_previous", "channels", "edition", "id", "largest", "size")

    def __init__(
        self,
        channels: Mapping[str, Held],
        checkpoint_id: str = "",
        before: Shelf | None = None,
        edition: bytes = b"",
    ) -> None:
        self.channels = channels
        self.id = checkpoint_id
        self.edition = edition
        self.size, most, self.largest = _OVERHEAD * (1 + len(channels)), 0, NOTHING
        for held in channels.values():
            if held.segments:
                size = held.size
                self.size += size
                if size > most:
                    most, self.largest = size, held
        self._previous = (before.id, before.largest) if before is not None else ("", NOTHING)

    def segments(self) -> dict[bytes, Segment]:
        """The segments of all channels, by name."""
        return {piece.name: piece for held in self.channels.values() for piece in held.segments}

    def names(self) -> bytes:
        """Their names, between spaces, as scripts are given them."""
        return b" ".join(self.segments())

    def inlined(self, but: Container[str]) -> Shelf:
        """What needs no look at the server: values that stand in the record, but of some channels."""
        return Shelf(
            {
                channel: held
                for channel, held in self.channels.items()
                if held.ref is None and held.stored and channel not in but
            }
        )

    def largest_at(self, checkpoint_id: str) -> Held:
        """The channel with the most bytes in segments at a checkpoint: this one, or the one before it."""
        if checkpoint_id == self.id:
            return self.largest
        known, held = self._previous
        return held if checkpoint_id == known else NOTHING


NOTHING: Final = Held(None)
EMPTY: Final = Shelf({})


class Shelves:
    """The shelves of many threads, the least recently used forgotten first.

    Args:
        limit: Bytes that are kept at most.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        renewed(self)

    def renew(self) -> None:
        """Forget all, as a process does that was forked midway."""
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

"""What a saver sends, kept byte for byte, so that it can be sent again as fast as a server takes it.

A put that is sent twice is no put: the script finds the checkpoint and hardly works. So each thread is set
aside as it was before, what the saver sends is noted while it does the real thing, and each time
before it is sent again the threads are what they were. Afterwards they must hold what the saver left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import redis
from redis import BlockingConnectionPool, Connection

from benchmarks.scale.line import Packed, replies_to
from benchmarks.scale.server import PREFIX
from langgraph.checkpoint.redis.keys import Keys, Thread

_BEFORE = b":before"
_TOGETHER = 200


@dataclass
class Notes:
    """What a connection sends while somebody listens."""

    listening: bool = False
    sent: list[Packed] = field(default_factory=list)

    def take(self, command: Any) -> None:
        """Note what is about to be sent."""
        if self.listening:
            packed = command if isinstance(command, bytes) else b"".join(command)
            self.sent.append((packed, replies_to(packed)))

    @contextmanager
    def during(self) -> Iterator[list[Packed]]:
        """Listen for the length of a block; the list is filled meanwhile."""
        self.sent, self.listening = [], True
        yield self.sent
        self.listening = False


class NotingConnection(Connection):
    """A connection that notes the bytes that it sends."""

    def __init__(self, *, notes: Notes, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]  # redis-py's has no types
        self.notes = notes

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's.
        """Send as ever."""
        self.notes.take(command)
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]  # likewise


@contextmanager
def noting(url: str) -> Iterator[tuple[redis.Redis, Notes]]:
    """A client of one connection, so that what is noted first also arrived first."""
    notes = Notes()
    pool = BlockingConnectionPool.from_url(
        url, connection_class=NotingConnection, notes=notes, max_connections=1
    )
    with redis.Redis(connection_pool=pool) as client:
        client.ping()  # What a new connection says by itself is said before anybody listens.
        yield client, notes
    pool.disconnect()


Digest: TypeAlias = "list[bytes]"


@dataclass
class Recording:
    """What was sent for each of some threads, and what these were before and after."""

    client: redis.Redis
    threads: list[str]
    scripts: list[list[Packed]] = field(default_factory=list)
    before: Digest = field(default_factory=list)
    after: Digest = field(default_factory=list)

    @property
    def names(self) -> list[Thread]:
        """The threads' keys."""
        keys = Keys(PREFIX)
        return [keys.thread(thread) for thread in self.threads]

    @property
    def sent(self) -> int:
        """Bytes of all requests."""
        return sum(len(packed) for script in self.scripts for packed, _ in script)

    def restore(self) -> None:
        """Make every thread what it was before."""
        self._copy(lambda key: (key + _BEFORE, key))

    def set_aside(self) -> None:
        """Remember every thread as it is."""
        self._copy(lambda key: (key, key + _BEFORE))
        self.before = self.digest()

    def _copy(self, way: Callable[[bytes], tuple[bytes, bytes]]) -> None:
        for some in _parts(self.names):
            pipe: Any = self.client.pipeline(transaction=False)
            for key in (key for thread in some for key in thread.keys):
                pipe.copy(*way(key), replace=True)
            pipe.execute()

    def digest(self) -> Digest:
        """What every thread holds now, in short."""
        return [digest for some in _parts(self.names) for digest in self._digests(some)]

    def _digests(self, some: Sequence[Thread]) -> list[bytes]:
        pipe: Any = self.client.pipeline(transaction=False)
        for thread in some:
            pipe.hgetall(thread.data)
            pipe.zrange(thread.index, 0, -1)
        found = pipe.execute()
        held = zip(found[::2], found[1::2], strict=True)
        return [hashlib.sha256(repr((sorted(data.items()), index)).encode()).digest() for data, index in held]

    def changed(self) -> int:
        """How many threads were changed by what was recorded."""
        return sum(before != after for before, after in zip(self.before, self.after, strict=True))

    def differing(self) -> int:
        """How many threads do not hold now what the saver left."""
        return sum(now != after for now, after in zip(self.digest(), self.after, strict=True))


def _parts(threads: Sequence[Thread]) -> Iterator[Sequence[Thread]]:
    for start in range(0, len(threads), _TOGETHER):
        yield threads[start : start + _TOGETHER]


def recorded(
    client: redis.Redis,
    notes: Notes,
    threads: Sequence[str],
    warm: Callable[[str], Any],
    act: Callable[[str], Any],
) -> Recording:
    """Do `warm` on every thread, set all aside, then do `act` on each and note what is sent."""
    recording = Recording(client, list(threads))
    for thread in threads:
        warm(thread)
    recording.set_aside()
    for thread in threads:
        with notes.during() as sent:
            act(thread)
        recording.scripts.append(sent)
    recording.after = recording.digest()
    return recording

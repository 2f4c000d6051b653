"""Writers that go on through an outage, and what they may find afterwards.

Each has a thread of its own. It puts a checkpoint and writes to it, over and over; what fails is tried again
until it is acknowledged, and every call is timed.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import RedisClusterException
from typing_extensions import Self

from langgraph.checkpoint.redis import ReplicationError
from steps import Chain, Put, config_of, id_of, long_list
from twins import Async, Sync

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from langgraph.checkpoint.base import CheckpointTuple

# redis-py derives the last one from nothing of its own.
OUTAGE = (redis.RedisError, RedisClusterException, ReplicationError)
WRITES = [("é", b"\xfd" * 300), ("list", [1, None])]


@dataclass
class Writer:
    """One thread that grows for as long as it is told to."""

    twin: Sync | Async
    thread: str
    stop: threading.Event
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was put, by the checkpoint's id, acknowledged or not."""
    acknowledged: list[str] = field(default_factory=list)
    """Checkpoints whose put and put_writes both returned, in order."""
    at: list[float] = field(default_factory=list)
    """When each of these was acknowledged."""
    errors: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def run(self) -> None:
        chain = Chain(config_of(self.thread))
        while not self.stop.is_set():
            number = len(self.values)
            made = chain.next(messages=long_list(number % 40, f"{number} "), number=number)
            self.values[made.checkpoint["id"]] = dict(chain.values)
            if self._until_done(self._put, chain, made) and self._until_done(self._write, chain):
                self.acknowledged.append(id_of(chain.config))
                self.at.append(time.monotonic())

    def _put(self, chain: Chain, made: Put) -> None:
        chain.config = self.twin.put(made)

    def _write(self, chain: Chain) -> None:
        self.twin.put_writes(chain.config, WRITES, "task", "")

    def _until_done(self, call: Callable[..., None], *args: Any) -> bool:
        """Whether the call succeeded before it was told to stop."""
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                call(*args)
            except OUTAGE as error:
                self.errors[type(error).__name__] += 1
            else:
                return True
            finally:
                self.longest = max(self.longest, time.monotonic() - began)
        return False

    def after(self, moment: float) -> int:
        """How many checkpoints were acknowledged after a moment."""
        return sum(at > moment for at in self.at)

    def lost(self) -> list[str]:
        """Acknowledged checkpoints that are not there, or without what was written to them."""
        found = self._found()
        return [name for name in self.acknowledged if name not in found or not found[name].pending_writes]

    def torn(self) -> list[str]:
        """Checkpoints that are there, but not as they were put; or the latest, if it is not the newest."""
        found = self._found()
        latest = self.twin.get_tuple(config_of(self.thread))
        newest = "none" if latest is None else id_of(latest.config)
        mixed = [] if newest == max(found, default="none") else [newest]
        return mixed + [name for name, each in found.items() if not self._is_whole(name, each)]

    def _found(self) -> dict[str, CheckpointTuple]:
        return {id_of(each.config): each for each in self.twin.list(config_of(self.thread))}

    def _is_whole(self, name: str, found: CheckpointTuple) -> bool:
        written = [(channel, value) for _, channel, value in found.pending_writes or []]
        complete = sorted(written, key=str) in ([], sorted(WRITES, key=str))
        return complete and found.checkpoint["channel_values"] == self.values[name]


class OnOneLoop(Async):
    """An AsyncRedisSaver that serves several of these threads at once, on a loop in a thread of its own."""

    def __init__(self, url: str, key_prefix: str, **options: Any) -> None:
        super().__init__(url, key_prefix, **options)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._run(self.saver.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Load:
    """Writers, each in an operating system's thread, for the length of a `with` block."""

    def __init__(self, twins: list[Sync | Async], names: list[str]) -> None:
        self.stop = threading.Event()
        self.writers = [Writer(twin, name, self.stop) for twin, name in zip(twins, names, strict=True)]
        self._threads = [threading.Thread(target=writer.run) for writer in self.writers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def hung(self) -> int:
        return sum(thread.is_alive() for thread in self._threads)

    def everyone_wrote(self, count: int, since: float) -> bool:
        """Whether each writer had so many checkpoints acknowledged after a moment."""
        return all(writer.after(since) >= count for writer in self.writers)

    def pause(self, moment: float) -> float:
        """The longest that a writer waited for an acknowledgement from a moment on."""
        return max(
            _longest_gap([moment, *(at for at in writer.at if at > moment)]) for writer in self.writers
        )


def _longest_gap(moments: list[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)

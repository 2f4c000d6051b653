"""What a server says of itself: its memory, its processor time, its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.redis.keys import SHARDS, Keys

if TYPE_CHECKING:
    import redis

PREFIX = "langgraph"
KEYS = Keys(PREFIX)
SHARED = re.compile(rb"langgraph:(threads|links):\d+$")
"""The keys that are as many for a thousand threads as for one."""


@dataclass(frozen=True)
class Weighed:
    """A server's memory at some number of threads, in bytes.

    Attributes:
        used: All that it allocated (`used_memory`).
        dataset: Without its own tables and buffers (`used_memory_dataset`).
        resident: What the system gave it (`used_memory_rss`).
        table: The table of all keys, without the keys.
        rehashing: What of it is there twice, while it grows.
        registry: What the shards of the registry take.
        allocator: Allocated pages / bytes in use, 1 if none is wasted.
    """

    threads: int
    keys: int
    used: int
    dataset: int
    resident: int
    table: int
    rehashing: int
    registry: int
    allocator: float

    @property
    def fragmentation(self) -> float:
        """The system's bytes for each that is used."""
        return self.resident / self.used


def weigh(client: redis.Redis, threads: int) -> Weighed:
    """The server's memory now."""
    memory: dict[str, Any] = dict(client.info("memory"))
    stats: dict[Any, Any] = dict(client.memory_stats())
    return Weighed(
        threads=threads,
        keys=int(client.dbsize()),
        used=int(memory["used_memory"]),
        dataset=int(memory["used_memory_dataset"]),
        resident=int(memory["used_memory_rss"]),
        table=int(stats.get("db.0", {}).get("overhead.hashtable.main", 0)),
        rehashing=int(stats.get("overhead.db.hashtable.rehashing", 0)),
        registry=registry_bytes(client),
        allocator=float(memory["allocator_frag_ratio"]),
    )


def key_bytes(client: redis.Redis, keys: Iterable[bytes]) -> list[int]:
    """MEMORY USAGE of keys, every element of them looked at."""
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.memory_usage(key, samples=0)
    return [int(found or 0) for found in pipe.execute()]


def registry_bytes(client: redis.Redis) -> int:
    """What the list of all threads takes."""
    return sum(key_bytes(client, (KEYS.shard(number) for number in range(SHARDS))))


def cpu(client: redis.Redis) -> float:
    """The seconds that the server's main thread was on a processor, since it began."""
    found: dict[str, Any] = dict(client.info("cpu"))
    return float(found["used_cpu_sys_main_thread"]) + float(found["used_cpu_user_main_thread"])


@dataclass(frozen=True)
class Calls:
    """The calls of one command since a server's statistics were reset."""

    calls: int
    microseconds: float

    @property
    def mean(self) -> float:
        """Microseconds of a call."""
        return self.microseconds / self.calls if self.calls else 0.0


def calls(client: redis.Redis, command: str = "evalsha") -> Calls:
    """What a command took; a script with what it calls, which is counted for itself, too."""
    found: Any = dict(client.info("commandstats")).get(f"cmdstat_{command}", {})
    return Calls(int(found.get("calls", 0)), float(found.get("usec", 0)))


def errors(client: redis.Redis) -> dict[str, int]:
    """What the server refused, by the first word of what it said."""
    found: dict[str, Any] = dict(client.info("errorstats"))
    return {name.removeprefix("errorstat_"): int(each["count"]) for name, each in found.items()}

"""The one list that all threads share: what a million names take, and how many entries a core carries.

A thread's own keys spread over as many nodes as there are. The registry is sixteen sorted sets: sixteen keys,
each of them on one node. A process enters a thread there at most once a minute.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import hiredis

from benchmarks.scale.capacity import Carried, played, port
from benchmarks.scale.loaders import WAITING
from benchmarks.scale.pages import pages
from benchmarks.scale.server import KEYS, registry_bytes
from langgraph.checkpoint.redis.core import TOUCH_EVERY, Core
from langgraph.checkpoint.redis.keys import SHARDS, Thread, member
from langgraph.checkpoint.redis.policy import Policy
from langgraph.checkpoint.redis.registry import now_ms, registration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import redis

    from benchmarks.scale.efforts import Effort
    from benchmarks.scale.line import Packed
    from benchmarks.scale.loaders import Loaders

_BULK = 1_000
_LOADED = 20_000
"""Threads whose entries are sent again in one round."""

_EARLIER = 30 * 24 * 60 * 60 * 1000
"""Milliseconds by which the added threads were used before those that are really there."""


def measure(client: redis.Redis, effort: Effort, processes: Loaders) -> dict[str, Any]:
    """Fill the registry of a server beside the threads that it has, list the newest, and enter many anew."""
    threads = _threads(effort.touched - effort.threads)
    _fill(client, threads)
    return {
        "threads": sum(int(client.zcard(KEYS.shard(number))) for number in range(SHARDS)),
        "bytes": registry_bytes(client),
        "pages": pages(client),
        "every": TOUCH_EVERY,
        "entered": _entered(client, threads[:_LOADED], effort.seconds, processes),
    }


def _threads(count: int) -> list[Thread]:
    dice = Random("registry")  # noqa: S311  # ids, the same each run, of no thread that chats
    return [KEYS.thread(str(UUID(int=dice.getrandbits(128), version=4))) for _ in range(count)]


def _fill(client: redis.Redis, threads: Sequence[Thread]) -> None:
    """Names of threads, older than all that are there: a page of the newest never meets one."""
    start = now_ms() - _EARLIER
    for at in range(0, len(threads), _BULK):
        shards: dict[bytes, dict[bytes, float]] = defaultdict(dict)
        for number, thread in enumerate(threads[at : at + _BULK]):
            shards[KEYS.registry(thread)][member(thread)] = start + at + number
        pipe: Any = client.pipeline(transaction=False)
        for shard, members in shards.items():
            pipe.zadd(shard, members)
        pipe.execute()


def _requests(threads: Sequence[Thread]) -> Iterator[list[Packed]]:
    """What a process sends that meets a thread for the first time in a minute, but for the put itself."""
    core = Core(KEYS, Policy())
    for thread in threads:
        packed = [hiredis.pack_command(tuple(call.command())) for call in registration(core, thread)]
        yield [(each, 1) for each in packed]


def _entered(
    client: redis.Redis, threads: Sequence[Thread], seconds: float, processes: Loaders
) -> dict[str, Any]:
    processes.prepare(port(client), list(_requests(threads)), WAITING)
    carried = Carried(len(threads))
    while carried.wall < seconds:
        carried.rounds.append(played(client, processes, "zadd"))
    return carried.figures()

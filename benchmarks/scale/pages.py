"""What a page of all threads, or of all checkpoints, costs where there are many threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.scale.server import cpu
from langgraph.checkpoint.redis import RedisSaver

if TYPE_CHECKING:
    import redis

LIMIT = 20
ROUNDS = 20


def pages(client: redis.Redis) -> dict[str, dict[str, float]]:
    """The newest threads, and the newest checkpoints of all threads, by the saver's own methods."""
    with RedisSaver.from_conn_string(redis_client=client) as saver:
        asks: Mapping[str, Callable[[], int]] = {
            f"threads(limit={LIMIT})": lambda: len(list(saver.threads(limit=LIMIT))),
            f"list(None, limit={LIMIT})": lambda: len(list(saver.list(None, limit=LIMIT))),
        }
        return {name: _page(client, saver, ask) for name, ask in asks.items()}


def _page(client: redis.Redis, saver: RedisSaver, ask: Callable[[], int]) -> dict[str, float]:
    found = ask()  # Warm: scripts are known, connections are there.
    before, busy = saver.stats().round_trips, cpu(client)
    times = [_seconds(ask) for _ in range(ROUNDS)]
    return {
        "found": found,
        "seconds": median(times),
        "server": (cpu(client) - busy) / ROUNDS,
        "round_trips": (saver.stats().round_trips - before) / ROUNDS,
    }


def _seconds(ask: Callable[[], Any]) -> float:
    began = perf_counter()
    ask()
    return perf_counter() - began

"""Where it ends: what a server and a thread can hold, and how long one call may keep a server from others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.workload import config, steps
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.codec import LARGEST
from langgraph.checkpoint.redis.keys import BUDGET, SHARDS

if TYPE_CHECKING:
    from benchmarks.scale.efforts import Effort

CONNECTIONS = 200
THREAD = "held"
ROUNDS = 7


def measure(url: str, client: redis.Redis, effort: Effort) -> dict[str, Any]:
    """What the server allows, what a connection costs it, and for how long it is held."""
    return {
        "largest": LARGEST,
        "budget": BUDGET,
        "shards": SHARDS,
        "bulk": int(_setting(client, "proto-max-bulk-len")),
        "maxclients": int(_setting(client, "maxclients")),
        "connection": _connection_bytes(url, client),
        "rounds": ROUNDS,
        "holds": [_holds(url, client, size) for size in effort.held],
    }


def _setting(client: redis.Redis, name: str) -> str:
    found: dict[Any, Any] = dict(client.config_get(name))
    return str(found[name])


def _connection_bytes(url: str, client: redis.Redis) -> float:
    """What an idle connection takes of the server's memory."""
    before = _of_clients(client)
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(redis.Redis.from_url(url)).ping()
        return (_of_clients(client) - before) / CONNECTIONS


def _of_clients(client: redis.Redis) -> int:
    return int(dict(client.info("memory"))["mem_clients_normal"])


def _holds(url: str, client: redis.Redis, size: int) -> dict[str, Any]:
    """How long each operation on a thread of so many messages held the server at once, by SLOWLOG."""
    with RedisSaver.from_conn_string(url) as saver:
        rounds = [_round(url, client, saver, size) for _ in range(ROUNDS + 1)][1:]  # The first loads scripts.
    return {"messages": size, **{name: median(each[name] for each in rounds) for name in rounds[0]}}


def _round(url: str, client: redis.Redis, saver: RedisSaver, size: int) -> dict[str, int]:
    line = steps(saver.get_next_version, [size, size + 1])
    first, more = ((each.config(THREAD), each.checkpoint, each.metadata, each.new_versions) for each in line)
    with RedisSaver.from_conn_string(url) as stranger:
        acts: dict[str, Callable[[], Any]] = {
            "put, all anew": lambda: saver.put(*first),
            "put, one more": lambda: saver.put(*more),
            "put_writes": lambda: saver.put_writes(line[1].stored(THREAD), line[1].writes, line[1].task),
            "get_tuple": lambda: saver.get_tuple(config(THREAD)),
            "get_tuple, cold": lambda: stranger.get_tuple(config(THREAD)),
            "delete_thread": lambda: saver.delete_thread(THREAD),
        }
        return {name: _longest(client, act) for name, act in acts.items()}


def _longest(client: redis.Redis, act: Callable[[], Any]) -> int:
    """Microseconds of the longest command that an act made the server run."""
    client.config_set("slowlog-log-slower-than", 0)
    client.slowlog_reset()
    act()
    client.config_set("slowlog-log-slower-than", -1)
    entries: list[dict[str, Any]] = client.slowlog_get(1000)
    return max(int(entry["duration"]) for entry in entries if b"SLOWLOG" not in entry["command"])

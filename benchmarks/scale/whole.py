"""All parts of the measurement, one after the other, each on a server of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import redis

from benchmarks.machine import facts
from benchmarks.scale import capacity, cluster, limits, population, touches
from benchmarks.scale.chats import Run, processes
from benchmarks.scale.efforts import Effort
from benchmarks.scale.loaders import Loaders, loaders
from servers import Server, start_valkey

Say: TypeAlias = Callable[[str], Any]


@contextmanager
def _server() -> Iterator[tuple[Server, redis.Redis]]:
    with start_valkey() as server, redis.Redis.from_url(server.url) as client:
        yield server, client


def measured(effort: Effort, say: Say) -> dict[str, Any]:
    """Everything that `tables` shows; `say` is told which part begins."""
    began = time.monotonic()
    with _server() as (server, _):
        where = facts(f"{server.name} {server.version}")
    with loaders(effort.processes) as ready, processes(effort.processes) as run:
        found = parts(effort, ready, run, say)
    return {"effort": effort.name, "where": where, "seconds": time.monotonic() - began, **found}


def parts(effort: Effort, ready: Loaders, run: Run, say: Say) -> dict[str, Any]:
    """What is measured; where and when is for others to say."""
    return {**_loaded(effort, ready, say), **_chatted(effort, ready, run, say)}


def _loaded(effort: Effort, ready: Loaders, say: Say) -> dict[str, Any]:
    with _server() as (server, client):
        say("how long a call holds the server")
        ends = limits.measure(server.url, client, effort)
        say("what a core carries")
        return {"limits": ends, "capacity": capacity.measure(server.url, client, effort, ready)}


def _chatted(effort: Effort, ready: Loaders, run: Run, say: Say) -> dict[str, Any]:
    say("a cluster")
    nodes = cluster.measure(effort, run)
    with _server() as (server, client):
        say("chats, kept in several ways")
        ways = population.ways(server.url, client, effort, run)
    with _server() as (server, client):
        say(f"{effort.threads:,} chats")
        people = population.measure(server.url, client, effort, run)
        say(f"a registry of {effort.touched:,}")
        registry = touches.measure(client, effort, ready)
    return {"cluster": nodes, "ways": ways, "population": people, "registry": registry}

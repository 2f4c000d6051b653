"""Three nodes instead of one: whether threads and calls spread, and what a turn costs there.

The nodes share this machine's cores with each other and with their clients, so what they carry together
cannot be measured here. It is computed: what a core carries, times the nodes, over the busiest one's share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import redis
from redis.crc import key_slot

from benchmarks.scale.chats import Chats, Run, client_seconds, thread_id
from benchmarks.scale.server import KEYS, PREFIX, calls, cpu, errors
from langgraph.checkpoint.redis.keys import SHARDS
from servers import Server, start_valkey
from topologies import start_cluster_of_three

if TYPE_CHECKING:
    from benchmarks.scale.efforts import Effort

TURNS = 4
"""Of each thread: many threads say more here than many turns."""

SLOTS = 16_384
LARGER = (3, 6, 16, 64)


def measure(effort: Effort, run: Run) -> dict[str, Any]:
    """The same chats on one server and on a cluster; and how many threads would spread over more nodes."""
    with start_valkey() as server:
        one = _chatted([server], server.url, effort, run)
    with start_cluster_of_three() as nodes:
        several = _chatted(nodes.servers, nodes.url, effort, run)
    return {
        "threads": effort.cluster,
        "turns": TURNS,
        "one": one,
        "several": several,
        "spread": _spread(effort.dealt),
    }


def _chatted(nodes: Sequence[Server], url: str, effort: Effort, run: Run) -> dict[str, Any]:
    with ExitStack() as stack:
        clients = [stack.enter_context(redis.Redis.from_url(node.url)) for node in nodes]
        for client in clients:
            client.config_resetstat()
        before = [cpu(client) for client in clients]
        spent = run(Chats(url, range(effort.cluster), TURNS))
        found = [_node(client, start) for client, start in zip(clients, before, strict=True)]
    turns = sum(each.turns for each in spent)
    return {"nodes": found, "client_us": client_seconds(spent) * 1e6, **_together(found, turns)}


def _node(client: redis.Redis, start: float) -> dict[str, Any]:
    """What one node did and holds."""
    busy, scripts = cpu(client) - start, calls(client)
    names = [bytes(key) for key in client.scan_iter(f"{PREFIX}:*", count=1000)]
    return {
        "cpu": busy,
        "scripts": asdict(scripts),
        "script_us": scripts.mean,
        "threads": sum(name.endswith(b"}:data") for name in names),
        "registry": sum(b":threads:" in name for name in names),
        "keys": len(names),
        "errors": errors(client),
    }


def _together(found: Sequence[dict[str, Any]], turns: int) -> dict[str, float]:
    """What a turn cost all nodes, and how much more than its share the busiest one had."""
    made = [each["scripts"]["calls"] for each in found]
    return {
        "cpu_us": sum(each["cpu"] for each in found) / turns * 1e6,
        "script_us": sum(each["scripts"]["microseconds"] for each in found) / sum(made),
        "calls": sum(made) / turns,
        "busiest": max(made) * len(found) / sum(made),
        "fullest": max(each["threads"] for each in found)
        * len(found)
        / sum(each["threads"] for each in found),
        "crossed": sum(each["errors"].get("CROSSSLOT", 0) for each in found),
    }


def _spread(count: int) -> dict[str, Any]:
    """Threads and the registry's shards over some numbers of nodes, slots in equal parts."""
    threads = Counter(_slot(KEYS.thread(thread_id(number)).data) for number in range(count))
    shards = Counter(_slot(KEYS.shard(number)) for number in range(SHARDS))
    return {"threads": count, "nodes": [_dealt(threads, shards, nodes) for nodes in LARGER]}


def _slot(key: bytes) -> int:
    return int(key_slot(key))


def _dealt(threads: Counter[int], shards: Counter[int], nodes: int) -> dict[str, Any]:
    held, listed = _of_nodes(threads, nodes), _of_nodes(shards, nodes)
    return {
        "nodes": nodes,
        "fullest": max(held.values()) * nodes / sum(held.values()),
        "with_shards": len(listed),
        "most_shards": max(listed.values()),
    }


def _of_nodes(slots: Counter[int], nodes: int) -> Counter[int]:
    """What is in slots, by the node that has these."""
    found = Counter[int]()
    for slot, count in slots.items():
        found[slot * nodes // SLOTS] += count
    return found

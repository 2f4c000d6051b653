"""Several real servers that work together: a cluster with replicas; a primary that sentinels watch."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.crc import key_slot
from typing_extensions import Self

from langgraph.checkpoint.redis.keys import Keys
from servers import Server, free_port, start_sentinel, start_valkey
from waiting import eventually

PATIENCE = 30.0
SERVICE = "agents"

# A primary would wait five seconds for more replicas before it sends them its data.
_AT_ONCE = {"repl_diskless_sync_delay": 0}


@dataclass
class Together:
    """Servers that end together.

    `servers`: those that hold data, primaries first; `watchers`: sentinels.
    """

    url: str
    servers: list[Server] = field(default_factory=list)
    watchers: list[Server] = field(default_factory=list)

    def keys(self, prefix: str, *, replicas: bool = False) -> list[list[str]]:
        """The keys with a prefix that each of the primaries has, and with `replicas` each of the others."""
        primaries = [server for server in self.servers if replicas or is_primary(server)]
        return [sorted(ask(server, "KEYS", f"{prefix}:*")) for server in primaries]

    def stop(self) -> None:
        for server in [*self.watchers, *self.servers]:
            server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def ask(server: Server, *words: Any) -> Any:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        return client.execute_command(*words)


def is_primary(server: Server) -> bool:
    """Whether a server that runs takes writes."""
    return bool(ask(server, "INFO", "replication")["role"] == "master")


def slot_of(prefix: str, thread: str) -> int:
    """The slot of a cluster that a thread is in."""
    return int(key_slot(Keys(prefix).thread(thread).keys[0]))


def start_cluster_of_three(**config: Any) -> Together:
    """Three primaries, each with a third of the slots, and no replicas."""
    servers = _parted(3, config)
    _wait(lambda: all(_cluster_is_ready(server) for server in servers), "the cluster did not become ready")
    return Together(_cluster_url(servers), servers)


def start_cluster_of_six(**config: Any) -> Together:
    """Three primaries, a replica of each; they fail over within seconds."""
    servers = _parted(6, {"cluster_node_timeout": 1500, **_AT_ONCE, **config})
    for primary, replica in zip(servers[:3], servers[3:], strict=True):
        ask(replica, "CLUSTER REPLICATE", ask(primary, "CLUSTER MYID"))
    _wait(lambda: all(_cluster_is_ready(server) for server in servers), "the cluster did not become ready")
    return Together(_cluster_url(servers), servers)


def _parted(count: int, config: dict[str, Any]) -> list[Server]:
    """Nodes that know each other; the slots are parted among the first three."""
    servers = [start_valkey(cluster_enabled="yes", cluster_port=free_port(), **config) for _ in range(count)]
    for number, server in enumerate(servers[:3]):
        first, last = 16384 * number // 3, 16384 * (number + 1) // 3 - 1
        ask(server, "CLUSTER", "ADDSLOTSRANGE", first, last)
    for server in servers[1:]:
        bus = ask(server, "CONFIG GET", "cluster-port")["cluster-port"]
        ask(servers[0], "CLUSTER MEET", "127.0.0.1", server.port, bus)
    _wait(lambda: all(known_nodes(server) == count for server in servers), "the nodes did not meet")
    return servers


def _cluster_url(servers: list[Server]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


def known_nodes(server: Server) -> int:
    info = ask(server, "CLUSTER INFO")
    return int(info["cluster_known_nodes"])


def _cluster_is_ready(server: Server) -> bool:
    if ask(server, "CLUSTER INFO")["cluster_state"] != "ok":
        return False
    replication = ask(server, "INFO", "replication")
    return bool(replication["role"] == "master" or replication["master_link_status"] == "up")


def start_sentinels(**config: Any) -> Together:
    """A primary, two replicas, three sentinels that agree within a second or two that it is down."""
    options = {**_AT_ONCE, **config}
    primary = start_valkey(**options)
    replicas = [start_valkey(replicaof=f"127.0.0.1 {primary.port}", **options) for _ in range(2)]
    _wait(
        lambda: all(ask(each, "INFO", "replication")["master_link_status"] == "up" for each in replicas),
        "the replicas did not connect",
    )
    sentinels = [start_sentinel(SERVICE, primary.port) for _ in range(3)]
    _wait(lambda: all(_sees_all(each) for each in sentinels), "the sentinels did not find each other")
    hosts = ",".join(f"127.0.0.1:{each.port}" for each in sentinels)
    return Together(f"redis+sentinel://{hosts}/{SERVICE}", [primary, *replicas], sentinels)


def _sees_all(sentinel: Server) -> bool:
    with redis.Redis.from_url(sentinel.url) as client:
        found: Any = client.sentinel_master(SERVICE)
        return bool(found["num-slaves"] == 2 and found["num-other-sentinels"] == 2)


def _wait(ready: Any, otherwise: str) -> None:
    began = time.monotonic()
    if not eventually(ready, PATIENCE):
        raise RuntimeError(f"{otherwise} within {time.monotonic() - began:.0f} s")

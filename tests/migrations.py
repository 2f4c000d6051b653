"""Slots of a cluster that move from one primary to another while it is used: key by key, or all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from servers import Server, free_port, start_valkey
from topologies import Together, ask, is_primary, known_nodes, slot_of
from waiting import eventually


@dataclass
class Move:
    """A slot on its way, as `redis-cli --cluster reshard` takes it; `finish()` makes it the target's."""

    cluster: Together
    slot: int
    source: Server
    target: Server

    def begin(self) -> None:
        """From now on the source answers ASK for keys that it does not have."""
        ask(self.target, "CLUSTER SETSLOT", self.slot, "IMPORTING", node_id(self.source))
        ask(self.source, "CLUSTER SETSLOT", self.slot, "MIGRATING", node_id(self.target))

    def left(self) -> list[str]:
        """What the source still has."""
        return sorted(ask(self.source, "CLUSTER GETKEYSINSLOT", self.slot, 1000))

    def carry(self, key: str) -> None:
        """Take one key across."""
        ask(self.source, "MIGRATE", "127.0.0.1", self.target.port, key, 0, 5000)

    def carry_all(self) -> None:
        """Take every key across; while it is carried, a thread's two keys are apart."""
        while left := self.left():
            for key in left:
                self.carry(key)

    def finish(self) -> None:
        """Tell everyone, the target first: it must not answer ASK or MOVED to a slot that nobody has."""
        everyone = [self.target, self.source, *self.cluster.servers]
        for server in [each for each in everyone if is_primary(each)]:
            ask(server, "CLUSTER SETSLOT", self.slot, "NODE", node_id(self.target))


def move_key_by_key(move: Move) -> None:
    move.begin()
    move.carry_all()
    move.finish()


def move_at_once(move: Move) -> None:
    """Valkey 9 sends a slot as it sends a replica's data, and then hands it over in one moment."""
    ask(move.source, "CLUSTER MIGRATESLOTS", "SLOTSRANGE", move.slot, move.slot, "NODE", node_id(move.target))
    assert eventually(lambda: owner(move.cluster, move.slot) is move.target)


def moves_at_once(cluster: Together) -> bool:
    """Whether these servers have CLUSTER MIGRATESLOTS: Valkey from 9.0 on."""
    with redis.Redis.from_url(cluster.servers[0].url) as client:
        answer: Any = client.execute_command("CLUSTER HELP")
    return any(b"MIGRATESLOTS" in line for line in answer)


def node_id(server: Server) -> str:
    return str(ask(server, "CLUSTER MYID"))


def owner(cluster: Together, slot: int) -> Server | None:
    """The server that has a slot, as it says itself; for a moment of a move nobody does."""
    primaries = [server for server in cluster.servers if is_primary(server)]
    return next((each for each in primaries if slot in slots(each)), None)


def slots(server: Server) -> Iterator[int]:
    mine = node_id(server)
    for first, last, primary, *_ in ask(server, "CLUSTER SLOTS"):
        if primary[2] == mine:
            yield from range(first, last + 1)


def refusals(cluster: Together, kind: str) -> int:
    """How often these servers answered with an error of a kind: "ASK", "TRYAGAIN"."""
    stats = [ask(server, "INFO", "errorstats") for server in cluster.servers]
    return sum(each.get(f"errorstat_{kind}", {"count": 0})["count"] for each in stats)


def threads_of_slot(prefix: str, slot: int, count: int) -> Iterator[str]:
    """Names of threads whose keys are in one slot."""
    number = 0
    while count:
        if slot_of(prefix, f"thread {number}") == slot:
            count -= 1
            yield f"thread {number}"
        number += 1


def join(cluster: Together) -> Server:
    """A primary without slots, of which clients are not told: CLUSTER SLOTS does not name it."""
    new = start_valkey(cluster_enabled="yes", cluster_port=free_port(), cluster_allow_replica_migration="no")
    first = cluster.servers[0]
    bus = ask(first, "CONFIG GET", "cluster-port")["cluster-port"]
    ask(new, "CLUSTER MEET", "127.0.0.1", first.port, bus)
    everyone = [*cluster.servers, new]
    assert eventually(lambda: {known_nodes(each) for each in everyone} == {len(everyone)})
    assert eventually(lambda: ask(new, "CLUSTER INFO")["cluster_state"] == "ok")
    return new

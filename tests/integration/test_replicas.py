"""What replicas must have: a write returns once they do, or says how many did not."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import redis
import redis.asyncio

from counters import RoundTrips
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver, ReplicationError
from migrations import Move
from servers import Server, free_port, start_valkey
from steps import Chain, config_of
from topologies import Together, ask, slot_of
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE: dict[str, Any] = {"wait_replicas": 1, "wait_timeout_ms": 5000}
HURRIED: dict[str, Any] = {"wait_replicas": 1, "wait_timeout_ms": 50}


def replicates(replica: Server) -> bool:
    return bool(ask(replica, "INFO", "replication").get("master_link_status") == "up")


# A primary waits some seconds for more replicas before it sends its data, unless it is told not to.
AT_ONCE: dict[str, Any] = {"repl_diskless_sync_delay": 0}


@pytest.fixture(scope="module")
def alone() -> Iterator[Server]:
    """A primary without replicas."""
    with start_valkey(**AT_ONCE) as server:
        yield server


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    """A primary and its replica."""
    with start_valkey(**AT_ONCE) as primary, replica_of(primary) as replica:
        yield primary, replica


@pytest.fixture
def primary(pair: tuple[Server, Server]) -> Server:
    return pair[0]


@pytest.fixture
def replica(pair: tuple[Server, Server]) -> Server:
    return pair[1]


@contextmanager
def replica_of(server: Server) -> Iterator[Server]:
    with start_valkey(replicaof=f"127.0.0.1 {server.port}") as replica:
        assert eventually(lambda: replicates(replica))
        yield replica


def held(server: Server, prefix: str, thread: str = "thread") -> set[bytes]:
    with redis.Redis.from_url(server.url) as client:
        found: Any = client.hkeys(f"{prefix}:{{{thread}}}:data")
        return set(found)


def counted(server: Server, prefix: str, thread: str = "thread") -> list[int]:
    """Checkpoints and writes that a server holds of a thread."""
    fields = held(server, prefix, thread)
    return [sum(field.startswith(start) for field in fields) for start in (b"c/", b"w/")]


def test_what_returns_is_on_the_replica(primary: Server, replica: Server, key_prefix: str) -> None:
    with RedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver:
        chain = Chain()
        for step in range(20):
            chain.put(saver, channel=step)
            assert counted(replica, key_prefix) == [step + 1, step]
            saver.put_writes(chain.config, [("channel", step)], "task")
            assert counted(replica, key_prefix) == [step + 1, step + 1]


async def test_what_returns_to_an_async_caller_is_on_the_replica(
    primary: Server, replica: Server, key_prefix: str
) -> None:
    async with AsyncRedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver:
        chain = Chain()
        for step in range(20):
            await chain.aput(saver, channel=step)
            assert counted(replica, key_prefix) == [step + 1, step]
            await saver.aput_writes(chain.config, [("channel", step)], "task")
            assert counted(replica, key_prefix) == [step + 1, step + 1]


def test_waiting_takes_no_round_trip_of_its_own(primary: Server, key_prefix: str) -> None:
    with (
        RedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver,
        redis.Redis.from_url(primary.url) as client,
    ):
        config = Chain().put(saver, channel=1)
        saver.put_writes(config, [("channel", 1)], "warm")
        Chain(config_of("other")).put(saver, channel=1)
        for write in (
            lambda: Chain().put(saver, channel=2),
            lambda: saver.put_writes(config, [("channel", 1)], "task"),
            lambda: Chain(config_of("new")).put(saver, channel=1),  # With its registration, in MULTI.
        ):
            with RoundTrips(client) as seen:
                write()
            # The replica's acknowledgements are read, too, and answered with nothing.
            assert seen.commands["wait"] == 1
            assert seen.scripts == 1


def test_without_its_replica_a_write_says_how_many_confirmed_it_and_that_it_is_stored(
    alone: Server, key_prefix: str
) -> None:
    with RedisSaver(alone.url, key_prefix=key_prefix, **HURRIED) as saver:
        put = Chain().next(channel="value")
        with pytest.raises(ReplicationError) as first:
            saver.put(*put)
        with pytest.raises(ReplicationError) as second:
            saver.put_writes(config_of(checkpoint_id=put.checkpoint["id"]), [("c", 1)], "task")

        for caught in (first, second):
            assert (caught.value.confirmed, caught.value.wanted) == (0, 1)
            for said in ("0 of the 1 replicas", "within 50 ms", "on the primary", f"{key_prefix}:{{thread}}"):
                assert said in str(caught.value)
        found = saver.get_tuple(config_of())
        assert found is not None
        assert found.pending_writes == [("task", "c", 1)]


def test_a_write_that_was_not_confirmed_may_be_made_again(key_prefix: str) -> None:
    put = Chain().next(channel="value")
    with start_valkey(**AT_ONCE) as primary:
        with (
            RedisSaver(primary.url, key_prefix=key_prefix, **HURRIED) as hurried,
            pytest.raises(ReplicationError),
        ):
            hurried.put(*put)
        with (
            replica_of(primary) as replica,
            RedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver,
        ):
            saver.put(*put)

            assert counted(replica, key_prefix) == [1, 0]
            assert len(list(saver.list(config_of()))) == 1


def test_a_replica_that_stops_is_noticed_by_the_next_write(key_prefix: str) -> None:
    with (
        start_valkey(**AT_ONCE) as primary,
        replica_of(primary) as replica,
        RedisSaver(primary.url, key_prefix=key_prefix, **HURRIED) as saver,
    ):
        chain = Chain()
        chain.put(saver, channel=1)
        replica.process.send_signal(signal.SIGSTOP)  # It is connected, and does nothing.
        with pytest.raises(ReplicationError, match="0 of the 1 replicas"):
            chain.put(saver, channel=2)
        replica.process.send_signal(signal.SIGCONT)
        assert eventually(lambda: counted(replica, key_prefix) == [2, 0])


def test_more_replicas_than_there_are_is_an_error_that_counts_them(primary: Server, key_prefix: str) -> None:
    options: Any = {"wait_replicas": 3, "wait_timeout_ms": 200}
    with (
        RedisSaver(primary.url, key_prefix=key_prefix, **options) as saver,
        pytest.raises(ReplicationError, match="1 of the 3 replicas"),
    ):
        Chain().put(saver, channel=1)


def test_each_of_many_concurrent_writes_waits(primary: Server, replica: Server, key_prefix: str) -> None:
    """Writes of threads share a script run, and then its WAIT."""
    with (
        RedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver,
        ThreadPoolExecutor(16) as pool,
    ):
        config = Chain().put(saver, channel=1)

        def write(n: int) -> bool:
            saver.put_writes(config, [("c", n)], f"{n:03}")
            name = f"/{n:03}/".encode()
            return any(name in field for field in held(replica, key_prefix) if field.startswith(b"w/"))

        assert all(pool.map(write, range(100)))


async def test_each_of_many_concurrent_async_writes_is_told(alone: Server, key_prefix: str) -> None:
    async with AsyncRedisSaver(alone.url, key_prefix=key_prefix, **HURRIED) as saver:
        config = config_of(checkpoint_id="1")
        results = await asyncio.gather(
            *(saver.aput_writes(config, [("c", n)], f"{n:03}") for n in range(100)), return_exceptions=True
        )
        assert {type(result) for result in results} == {ReplicationError}
        assert counted(alone, key_prefix) == [0, 100]


async def test_each_of_many_concurrent_async_writes_waits(
    primary: Server, replica: Server, key_prefix: str
) -> None:
    async with AsyncRedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver:
        config = await Chain().aput(saver, channel=1)
        await asyncio.gather(*(saver.aput_writes(config, [("c", n)], f"{n:03}") for n in range(300)))
        assert counted(replica, key_prefix) == [1, 300]


def test_a_forgotten_script_is_waited_for_as_well(primary: Server, replica: Server, key_prefix: str) -> None:
    with RedisSaver(primary.url, key_prefix=key_prefix, **ONE) as saver:
        chain = Chain()
        for step in range(5):
            ask(primary, "SCRIPT", "FLUSH")
            chain.put(saver, channel=step)
            assert counted(replica, key_prefix) == [step + 1, 0]


# Clusters: WAIT counts the replicas of one node.


@pytest.fixture(scope="module")
def two_primaries() -> Iterator[tuple[Server, Server, Server]]:
    """A cluster: a primary with nearly all slots and a replica; another with one slot, and no replica."""
    with start_node() as first, start_node() as replica, start_node() as second:
        ask(first, "CLUSTER ADDSLOTSRANGE", 1, 16383)
        ask(second, "CLUSTER ADDSLOTSRANGE", 0, 0)
        bus = ask(first, "CONFIG GET", "cluster-port")["cluster-port"]
        for node in (replica, second):
            ask(node, "CLUSTER MEET", "127.0.0.1", first.port, bus)
        assert eventually(lambda: all(nodes_of(node) == 3 for node in (first, replica, second)))
        ask(replica, "CLUSTER REPLICATE", ask(first, "CLUSTER MYID"))
        assert eventually(lambda: replicates(replica))
        assert eventually(lambda: all(is_ready(node) for node in (first, second)))
        yield first, replica, second


def start_node() -> Server:
    config = {"cluster_enabled": "yes", "cluster_port": free_port(), "cluster_node_timeout": 1500}
    return start_valkey(**config, **AT_ONCE, cluster_allow_replica_migration="no", shutdown_timeout=0)


def is_ready(server: Server) -> bool:
    return bool(ask(server, "CLUSTER INFO")["cluster_state"] == "ok")


def nodes_of(server: Server) -> int:
    return int(ask(server, "CLUSTER INFO")["cluster_known_nodes"])


@contextmanager
def moved(thread: str, prefix: str, source: Server, target: Server) -> Iterator[None]:
    """The slot of a thread that holds nothing yet, with another primary."""
    slot = slot_of(prefix, thread)
    move_slot(slot, source, target)
    try:
        yield
    finally:
        move_slot(slot, target, source)


def move_slot(slot: int, source: Server, target: Server) -> None:
    """Not by NODE alone: only an import gives a new epoch, which claims from before it cannot undo."""
    ask(source, "FLUSHALL")  # Whatever holds keys keeps its slot.
    move = Move(Together(source.url, [source, target]), slot, source, target)
    move.begin()
    move.finish()


def test_on_a_cluster_the_node_of_the_thread_is_waited_for(
    two_primaries: tuple[Server, Server, Server], key_prefix: str
) -> None:
    first, replica, _ = two_primaries
    with redis.RedisCluster.from_url(first.url) as client:
        saver = RedisSaver(redis_client=client, key_prefix=key_prefix, **ONE)
        chain = Chain()
        for step in range(5):
            chain.put(saver, channel=step)
            saver.put_writes(chain.config, [("channel", step)], "task")
            assert eventually(partial(holds, replica, key_prefix, step + 1), 0.5)


def holds(replica: Server, prefix: str, each: int) -> bool:
    return counted_of(replica, prefix) == [each, each]


def counted_of(replica: Server, prefix: str) -> list[int]:
    """A cluster's replica answers those who ask for it."""
    with redis.Redis.from_url(replica.url) as client:
        client.execute_command("READONLY")
        found: Any = client.hkeys(f"{prefix}:{{thread}}:data")
        return [sum(field.startswith(start) for field in found) for start in (b"c/", b"w/")]


def test_a_slot_that_moved_is_followed_to_a_node_whose_replicas_count(
    two_primaries: tuple[Server, Server, Server], key_prefix: str
) -> None:
    """The node that says where the slot is now has a replica: that one does not count."""
    first, _, second = two_primaries
    with redis.RedisCluster.from_url(first.url) as client:
        saver = RedisSaver(redis_client=client, key_prefix=key_prefix, **HURRIED)
        with moved("thread", key_prefix, first, second):
            put = Chain().next(channel=1)
            with pytest.raises(ReplicationError, match="0 of the 1"):
                saver.put(*put)
            found = saver.get_tuple(config_of())
            assert found is not None
            assert found.checkpoint["id"] == put.checkpoint["id"]


async def test_an_async_cluster_client_waits_at_the_node_that_has_the_slot(
    two_primaries: tuple[Server, Server, Server], key_prefix: str
) -> None:
    first, replica, second = two_primaries
    client = redis.asyncio.RedisCluster.from_url(first.url)
    saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix, **HURRIED)
    patient = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix, **ONE)
    try:
        chain = Chain()
        await chain.aput(patient, channel=1)
        await patient.aput_writes(chain.config, [("c", 1)], "task")
        assert counted_of(replica, key_prefix) == [1, 1]
        await saver.adelete_thread("thread")
        with moved("thread", key_prefix, first, second), pytest.raises(ReplicationError, match="0 of the 1"):
            await Chain().aput(saver, channel=1)
    finally:
        await client.aclose()

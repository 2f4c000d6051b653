"""A slot moves while its threads are used: callers are not told, and what was acknowledged is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import TryAgainError

from failovers import Load, OnOneLoop
from migrations import (
    Move,
    join,
    move_at_once,
    move_key_by_key,
    moves_at_once,
    owner,
    refusals,
    threads_of_slot,
)
from servers import Server
from steps import Chain, config_of
from topologies import Together, start_cluster_of_six
from twins import Sync
from waiting import eventually

ONE: dict[str, Any] = {"wait_replicas": 1, "wait_timeout_ms": 3000}
PATIENCE = 20.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Together]:
    """Of this module's own: its slots do not stay where they were."""
    with start_cluster_of_six() as started:
        yield started


@pytest.fixture(scope="module")
def newcomer(cluster: Together) -> Iterator[Server]:
    with join(cluster) as server:
        yield server


def to_another(cluster: Together, slot: int) -> Move:
    source = owner(cluster, slot)
    assert source is not None
    target = next(each for each in cluster.servers[:3] if each is not source)
    return Move(cluster, slot, source, target)


@contextmanager
def load(cluster: Together, prefix: str, slot: int, options: dict[str, Any]) -> Iterator[Load]:
    """Two writers through each kind of saver, whose threads share a slot; in the end nobody met an error."""
    with (
        closing(Sync(cluster.url, prefix, **options)) as sync,
        closing(OnOneLoop(cluster.url, prefix, **options)) as one_loop,
    ):
        names = list(threads_of_slot(prefix, slot, 4))
        with Load([sync, sync, one_loop, one_loop], names) as writing:
            yield writing
        assert writing.hung == 0
        assert [dict(writer.errors) for writer in writing.writers] == [{}] * 4
        assert [writer.lost() for writer in writing.writers] == [[]] * 4


def all_write(writing: Load) -> bool:
    """Whether everyone goes on from now."""
    now = time.monotonic()
    return eventually(lambda: writing.everyone_wrote(2, now), PATIENCE)


@pytest.mark.parametrize("options", [{}, ONE], ids=["asynchronous", "one replica"])
@pytest.mark.parametrize("move", [move_key_by_key, move_at_once], ids=["key by key", "at once"])
def test_writers_do_not_notice_that_their_slot_moves(
    cluster: Together, key_prefix: str, move: Callable[[Move], None], options: dict[str, Any]
) -> None:
    if move is move_at_once and not moves_at_once(cluster):
        pytest.skip("these servers have no CLUSTER MIGRATESLOTS")
    slot = key_slot(b"moves")

    with load(cluster, key_prefix, slot, options) as writing:
        for _ in range(3):
            assert all_write(writing)
            move(to_another(cluster, slot))
        assert all_write(writing)


@pytest.mark.parametrize("options", [{}, ONE], ids=["asynchronous", "one replica"])
def test_calls_wait_while_their_threads_keys_are_on_two_nodes(
    cluster: Together, key_prefix: str, options: dict[str, Any]
) -> None:
    """For longer than redis-py waits; and then it goes on."""
    slot = key_slot(b"parted")
    with load(cluster, key_prefix, slot, options) as writing:
        assert all_write(writing)
        move = to_another(cluster, slot)
        before = refusals(cluster, "TRYAGAIN")

        move.begin()
        for key in move.left():
            if key.endswith(":index"):
                move.carry(key)
        assert eventually(lambda: refusals(cluster, "TRYAGAIN") > before + 100)
        move.carry_all()
        move.finish()

        assert all_write(writing)


@pytest.mark.parametrize("options", [{}, ONE], ids=["asynchronous", "one replica"])
def test_a_thread_that_begins_in_a_slot_that_moves_waits_until_it_has_moved(
    cluster: Together, key_prefix: str, options: dict[str, Any]
) -> None:
    """No node can tell whether both of its keys are still to come."""
    slot = key_slot(b"begins")
    move = to_another(cluster, slot)
    before = refusals(cluster, "TRYAGAIN")
    move.begin()

    with load(cluster, key_prefix, slot, options) as writing:
        assert eventually(lambda: refusals(cluster, "TRYAGAIN") > before + 100)
        move.finish()

        assert all_write(writing)


def test_a_slot_may_move_to_a_node_that_has_just_joined(
    cluster: Together, newcomer: Server, key_prefix: str
) -> None:
    """Clients are told of nodes with slots only, and yet are sent there."""
    slot = key_slot(b"joins")
    source = owner(cluster, slot)
    assert source is not None
    there, back = Move(cluster, slot, source, newcomer), Move(cluster, slot, newcomer, source)
    with load(cluster, key_prefix, slot, {}) as writing:
        assert all_write(writing)

        there.begin()
        there.carry_all()
        assert all_write(writing)
        there.finish()

        assert all_write(writing)
        move_key_by_key(back)
        assert all_write(writing)


@pytest.mark.parametrize("kind", [Sync, OnOneLoop])
def test_a_slot_that_does_not_arrive_is_an_error_in_the_end(
    cluster: Together, key_prefix: str, kind: type[Sync | OnOneLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langgraph._redis.drivers.BREATHS", 1)
    slot = key_slot(b"stuck")
    (name,) = threads_of_slot(key_prefix, slot, 1)
    move = to_another(cluster, slot)
    move.begin()

    with closing(kind(cluster.url, key_prefix)) as twin:
        with pytest.raises(TryAgainError):
            twin.put(Chain(config_of(name)).next(channel=1))
        move.finish()

        assert twin.get_tuple(config_of(name)) is None

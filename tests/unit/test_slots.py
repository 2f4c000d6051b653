"""Calls whose keys a cluster keeps apart: refused without a word where they may be, or by the cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import ClusterCrossSlotError
from redis.exceptions import ConnectionError as RedisConnectionError

from langgraph._redis.drivers import AsyncDriver, SyncDriver
from langgraph._redis.plan import Asked, Atomic, Call, Plan, Refusal
from langgraph._redis.replies import known
from unit.recorders import AsyncRecorder, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

APART = Call("COPY", [b"{a}", b"{b}"], tolerant=True)
CLOSE = Call("COPY", [b"{a}:1", b"{a}:2"], tolerant=True)
PLAIN = Call("ZADD", [b"key"], [1, b"member"])
NO = ClusterCrossSlotError("Keys in request don't hash to the same slot")


def asking(asked: Asked) -> Plan[Any]:
    return (yield asked)


def run_sync(recorder: Recorder, asked: Asked, *, cluster: bool = False) -> Any:
    return SyncDriver(recorder, cluster=cluster).run(asking(asked))


def run_async(recorder: Recorder, asked: Asked, *, cluster: bool = False) -> Any:
    driver = AsyncDriver(lambda: AsyncRecorder(recorder), cluster=cluster, owned=False)
    return asyncio.run(driver.run(asking(asked)))


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    runner: Callable[..., Any] = request.param
    return runner


def test_a_tolerant_call_across_slots_is_not_sent_to_a_cluster(run: Callable[..., Any]) -> None:
    recorder = Recorder()

    refused = run(recorder, APART, cluster=True)

    assert isinstance(refused, Refusal)
    assert refused.cross_slot
    assert recorder.sent == []


def test_a_tolerant_call_within_a_slot_is_sent(run: Callable[..., Any]) -> None:
    assert run(Recorder(1), CLOSE, cluster=True) == 1


def test_a_call_that_is_not_tolerant_is_left_to_the_client(run: Callable[..., Any]) -> None:
    with pytest.raises(ClusterCrossSlotError):
        run(Recorder(NO), APART._replace(tolerant=False), cluster=True)


def test_a_server_that_is_a_cluster_all_the_same_says_so(run: Callable[..., Any]) -> None:
    refused = run(Recorder(NO), APART)

    assert refused == Refusal(str(NO), cross_slot=True)
    assert refused.error is NO


def test_calls_that_a_cluster_does_not_take_in_one_transaction_go_one_by_one(run: Callable[..., Any]) -> None:
    """The server says no when it is given the keys, or when it is to run them all."""
    for replies in ((b"OK", b"QUEUED", NO, NO), (b"OK", b"QUEUED", b"QUEUED", NO)):
        recorder = Recorder(*replies, 1, NO)

        assert run(recorder, Atomic([PLAIN, APART])) == [1, Refusal(str(NO), cross_slot=True)]
        assert recorder.sent[1:] == [PLAIN.command(), APART.command()]


def test_a_connection_that_was_closed_in_the_middle_of_a_call_is_an_outage() -> None:
    torn = known(AttributeError("'NoneType' object has no attribute 'writelines'"))

    assert isinstance(torn, RedisConnectionError)
    assert isinstance(known(AttributeError("another")), AttributeError)

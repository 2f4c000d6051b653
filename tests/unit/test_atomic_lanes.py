"""Atomic calls among concurrent ones on one event loop: alone, in their turn, and nobody disturbed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from redis.exceptions import ResponseError

from langgraph._redis.combine import BATCH
from langgraph._redis.plan import Call, Script
from unit.lanes import Lane, turns
from unit.recorders import executed

GROUPED = Script("grouped", b"return {}", "the-sha", 1, group=1)


def callers_of(sent: list[Any]) -> list[Any]:
    """The callers whose calls a round trip carried; a transaction's are in a tuple."""
    commands = sent if isinstance(sent[0], list) else [sent]
    callers = [int(command[1]) for command in commands if len(command) > 1]
    return [tuple(callers)] if commands[0] == ["MULTI"] else callers


async def narrow(*replies: Any) -> Lane:
    """A client of one connection, whose caller 0 is under way: all others wait in the queue."""
    lane = Lane(b"first", *replies)
    lane.client.connection_pool = SimpleNamespace(max_connections=1)
    await lane.ask(1)
    return lane


async def test_atomic_calls_that_wait_travel_alone_and_when_it_is_their_turn() -> None:
    lane = await narrow(1, 2, *executed(3, 4), *executed(5, 6), 7)
    await lane.ask(2)
    await lane.ask_atomic()
    await lane.ask_atomic()
    await lane.ask(1)

    found = await lane.opened()

    assert found == [b"first", 1, 2, [3, 4], [5, 6], 7]
    assert [callers_of(sent) for sent in lane.recorder.sent] == [[0], [1, 2], [(3, 3)], [(4, 4)], [5]]


async def test_atomic_calls_go_straight_out_where_there_is_a_free_place() -> None:
    lane = Lane(*executed(1, 2))
    await lane.ask_atomic()

    assert await lane.opened() == [[1, 2]]
    assert [callers_of(sent) for sent in lane.recorder.sent] == [[(0, 0)]]


async def test_atomic_calls_stay_one_transaction_however_many_they_are() -> None:
    lane = await narrow(*executed(*range(2 * BATCH)))
    await lane.ask_atomic(2 * BATCH)

    assert (await lane.opened())[1] == list(range(2 * BATCH))
    assert [len(sent) for sent in lane.recorder.sent[1:]] == [2 * BATCH + 2]


async def test_atomic_calls_whose_caller_was_cancelled_while_they_waited_are_not_sent() -> None:
    lane = await narrow(1, *executed(5, 6), 7)
    await lane.ask(1)
    await lane.ask_atomic()
    await lane.ask_atomic()
    await lane.ask(1)
    lane.callers[2].cancel()
    await turns()

    found = await lane.opened()

    assert isinstance(found[2], asyncio.CancelledError)
    assert [found[1], *found[3:]] == [1, [5, 6], 7]
    assert [callers_of(sent) for sent in lane.recorder.sent] == [[0], [1], [(3, 3)], [4]]


async def test_when_all_who_wait_are_cancelled_nothing_more_is_sent_and_the_place_is_free() -> None:
    lane = await narrow(2)
    await lane.ask_atomic()
    lane.callers[1].cancel()
    await turns()
    await lane.opened()

    await lane.ask(1)

    assert (await lane.opened())[2] == 2
    assert [callers_of(sent) for sent in lane.recorder.sent] == [[0], [2]]


async def test_atomic_calls_whose_caller_is_cancelled_on_their_way_disturb_nobody() -> None:
    lane = await narrow(*executed(1, 2), 3)
    await lane.ask_atomic()
    await lane.ask(1)
    # Whoever waits at the gate passes; the transaction that comes to it then waits there.
    lane.client.gate.set()
    lane.client.gate.clear()
    await turns()
    assert lane.client.waiting == 1
    lane.callers[1].cancel()

    found = await lane.opened()

    assert isinstance(found[1], asyncio.CancelledError)
    assert found[2] == 3
    assert [callers_of(sent) for sent in lane.recorder.sent] == [[0], [(1, 1)], [2]]


async def test_an_error_of_atomic_calls_goes_to_their_caller_alone() -> None:
    lane = await narrow(1, *executed(ResponseError("WRONGTYPE"), 3), 4)
    await lane.ask(1)
    await lane.ask_atomic()
    await lane.ask(1)

    found = await lane.opened()

    assert isinstance(found[2], ResponseError)
    assert [found[1], found[3]] == [1, 4]


async def test_requests_that_one_run_of_a_script_can_serve_are_not_merged_over_a_transaction() -> None:
    """A thread's writes before it is registered anew must not be told of after it."""
    lane = await narrow([1], *executed(2, 3), [4])
    await lane.ask_for(Call(GROUPED, [b"key"], [b"0"]))
    await lane.ask_atomic()
    await lane.ask_for(Call(GROUPED, [b"key"], [b"1"]))

    found = await lane.opened()

    assert found[1:] == [[1], [2, 3], [4]]
    assert [sent[-1] for sent in lane.recorder.sent] == [b"0", b"0", ["EXEC"], b"1"]


async def test_on_a_cluster_atomic_calls_that_wait_go_one_by_one() -> None:
    lane = Lane(b"first", 1, 2, cluster=True)
    lane.client.connection_pool = SimpleNamespace(max_connections=1)
    await lane.ask(1)
    await lane.ask_atomic()

    assert await lane.opened() == [b"first", [1, 2]]
    assert [callers_of(sent) for sent in lane.recorder.sent] == [[0], [1], [1]]

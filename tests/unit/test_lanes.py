"""Concurrent calls on one event loop: few round trips under way, the others together, nobody disturbed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError

from langgraph._redis.combine import BATCH
from langgraph._redis.lanes import LANES
from langgraph._redis.plan import Call, Script
from unit.lanes import Lane, asking, turns


async def test_few_round_trips_are_under_way_and_what_waits_travels_together() -> None:
    lane = Lane(*range(LANES + 10))
    await lane.ask(LANES + 10)
    assert lane.client.waiting == LANES

    found = await lane.opened()

    assert lane.client.most == LANES
    assert lane.round_trips == [*[1] * LANES, 10]
    assert found == list(range(LANES + 10))


async def test_no_more_is_under_way_than_the_clients_pool_has_connections() -> None:
    lane = Lane(*range(10))
    lane.client.connection_pool = SimpleNamespace(max_connections=2)
    await lane.ask(10)

    assert await lane.opened() == list(range(10))
    assert lane.client.most == 2


async def test_callers_one_after_the_other_go_straight_out() -> None:
    lane = Lane(*range(20))
    lane.client.gate.set()
    for _ in range(20):
        await lane.ask(1)
        await lane.callers[-1]

    assert lane.round_trips == [1] * 20


async def test_a_pipeline_carries_so_many_calls_and_no_more() -> None:
    lane = Lane(*range(LANES + 3 * BATCH))
    await lane.ask(LANES + 3 * BATCH)

    found = await lane.opened()

    assert max(lane.round_trips) == BATCH
    assert found == list(range(LANES + 3 * BATCH))


async def test_calls_that_belong_together_stay_together() -> None:
    lane = Lane(*range(3 * (LANES + 2)))
    await lane.ask(LANES + 2, each=3)

    found = await lane.opened()

    assert lane.round_trips == [*[3] * LANES, 6]
    assert found == [[at, at + 1, at + 2] for at in range(0, 3 * (LANES + 2), 3)]


async def test_a_caller_cancelled_in_the_queue_sends_nothing_and_disturbs_nobody() -> None:
    lane = Lane(*range(LANES + 2))
    await lane.ask(LANES + 3)
    lane.callers[LANES + 1].cancel()
    await turns()

    found = await lane.opened()

    assert isinstance(found.pop(LANES + 1), asyncio.CancelledError)
    assert found == list(range(LANES + 2))
    assert LANES + 1 not in lane.asked


async def test_a_caller_cancelled_while_its_pipeline_is_under_way_disturbs_nobody() -> None:
    lane = Lane(*range(LANES + 3))
    await lane.ask(LANES + 3)
    # Those who wait at the gate pass; whoever comes to it from now on does not.
    lane.client.gate.set()
    lane.client.gate.clear()
    await turns()
    assert (len(lane.recorder.sent), lane.client.waiting) == (LANES, 1)
    lane.callers[LANES + 1].cancel()

    found = await lane.opened()

    assert isinstance(found[LANES + 1], asyncio.CancelledError)
    assert (found[LANES], found[LANES + 2]) == (LANES, LANES + 2)
    assert lane.asked == list(range(LANES + 3))


async def test_a_caller_cancelled_on_its_way_gives_its_place_to_those_who_wait() -> None:
    lane = Lane(*range(LANES + 1))
    await lane.ask(LANES + 2)
    lane.callers[0].cancel()

    found = await lane.opened()

    assert isinstance(found[0], asyncio.CancelledError)
    assert sorted(found[1:]) == list(range(LANES + 1))


async def test_when_all_are_cancelled_the_next_caller_goes_straight_out() -> None:
    lane = Lane(*range(5))
    await lane.ask(LANES + 5)
    for caller in lane.callers:
        caller.cancel()
    await asyncio.wait(lane.callers)
    lane.callers.clear()
    lane.client.gate.set()

    await lane.ask(1)

    assert await lane.opened() == [0]


async def test_whoever_cancels_all_tasks_holds_up_nobody_who_comes_later() -> None:
    """As a loop does that ends, also in the very turn in which those who wait are about to be sent for."""
    lane = Lane([10], [11])
    calls = [Call(GROUPED, [b"key"], [b"%d" % number]) for number in range(4)]
    callers = [asyncio.create_task(lane.driver.run(asking(call))) for call in calls[:3]]
    await asyncio.sleep(0)
    everyone = {*callers, *asyncio.all_tasks()} - {asyncio.current_task()}
    for task in everyone:
        task.cancel()
    await asyncio.wait(everyone)
    lane.client.gate.set()

    assert await asyncio.wait_for(lane.driver.run(asking(calls[3])), 5) == [10]
    assert lane.driver._lane()._free == LANES


async def test_an_error_in_a_pipeline_goes_to_its_caller_alone() -> None:
    lane = Lane(*range(LANES), 10, ResponseError("WRONGTYPE"), 12)
    await lane.ask(LANES + 3)

    found = await lane.opened()

    assert (found[LANES], found[LANES + 2]) == (10, 12)
    assert isinstance(found[LANES + 1], ResponseError)


async def test_an_error_leaves_its_place_to_the_next() -> None:
    lane = Lane(*[ResponseError("WRONGTYPE")] * LANES, 1, 2)
    await lane.ask(LANES + 2)

    found = await lane.opened()

    assert all(isinstance(item, ResponseError) for item in found[:LANES])
    assert found[LANES:] == [1, 2]


async def test_an_outage_reaches_all_who_travel_together(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(*range(LANES), 99)
    await lane.ask(LANES + 3)

    def outage(*, transaction: bool) -> Any:
        raise RedisConnectionError(f"gone, transaction={transaction}")

    monkeypatch.setattr(lane.client, "pipeline", outage)
    found = await lane.opened()

    assert found[:LANES] == list(range(LANES))
    assert all(isinstance(item, RedisConnectionError) for item in found[LANES:])
    lane.callers.clear()
    await lane.ask(1)
    assert await lane.opened() == [99]


async def test_a_source_that_fails_on_a_cluster_leaves_its_neighbours_alone() -> None:
    missing, failed = NoScriptError("No matching script."), ResponseError("WRONGTYPE")
    lane = Lane(*range(LANES), missing, failed, 11, cluster=True)
    await lane.ask(LANES)
    await lane.ask_for(Call(GROUPED, [b"one"], [b"a"]))
    await lane.ask(1)

    found = await lane.opened()

    assert isinstance(found[LANES], ResponseError)
    assert found[LANES + 1] == 11


GROUPED = Script("grouped", b"return {}", "the-sha", 1, group=1)


async def grouped(lane: Lane, *keys: bytes) -> list[Any]:
    """What is sent for callers of a script that takes several requests at once, one for each key, in turn."""
    await lane.ask(LANES)
    for number, key in enumerate(keys):
        await lane.ask_for(Call(GROUPED, [key], [b"%d" % number]))
    await lane.opened()
    return lane.recorder.sent[LANES:]


async def test_requests_that_one_run_of_a_script_can_serve_are_one_command() -> None:
    lane = Lane(*range(LANES), [10, 11, 12])

    sent = await grouped(lane, b"key", b"key", b"key")

    assert sent == [["EVALSHA", "the-sha", 1, b"key", b"0", b"1", b"2"]]
    assert [caller.result() for caller in lane.callers[LANES:]] == [[10], [11], [12]]


async def test_of_requests_at_once_the_first_goes_straight_out_and_the_others_share_a_command() -> None:
    lane = Lane([10], [11, 12, 13])
    calls = [Call(GROUPED, [b"key"], [b"%d" % number]) for number in range(4)]
    await asyncio.gather(*(lane.ask_for(call) for call in calls))
    replies = await lane.opened()

    first = ["EVALSHA", "the-sha", 1, b"key"]
    assert lane.recorder.sent == [[*first, b"0"], [*first, b"1", b"2", b"3"]]
    assert replies == [[10], [11], [12], [13]]


async def test_batches_that_wait_are_under_way_at_once_and_leave_a_slot_for_others() -> None:
    waiting = LANES * BATCH
    lane = Lane([0], *(list(range(first, first + BATCH)) for first in range(1, waiting, BATCH)))
    calls = [Call(GROUPED, [b"key"], [b"%d" % number]) for number in range(waiting + 1)]
    await asyncio.gather(*(lane.ask_for(call) for call in calls))
    under_way = lane.client.waiting

    assert await lane.opened() == [[number] for number in range(waiting + 1)]
    assert under_way == LANES - 1


async def test_requests_of_other_keys_are_commands_of_their_own_in_their_order() -> None:
    lane = Lane(*range(LANES), [10, 11], [12], [13])

    (sent,) = await grouped(lane, b"a", b"a", b"b", b"a")

    assert [command[3:] for command in sent] == [[b"a", b"0", b"1"], [b"b", b"2"], [b"a", b"3"]]
    assert [caller.result() for caller in lane.callers[LANES:]] == [[10], [11], [12], [13]]


async def test_requests_that_share_a_command_share_its_error() -> None:
    lane = Lane(*range(LANES), ResponseError("OOM"), [12])

    await grouped(lane, b"a", b"a", b"b")

    errors = [caller.exception() for caller in lane.callers[LANES:]]
    assert [type(error) for error in errors] == [ResponseError, ResponseError, type(None)]


async def test_requests_that_share_a_command_go_again_together_by_the_source() -> None:
    lane = Lane(*range(LANES), NoScriptError("No matching script."), [10, 11])

    sent = await grouped(lane, b"key", b"key")

    assert sent[1] == ["EVAL", b"return {}", 1, b"key", b"0", b"1"]
    assert [caller.result() for caller in lane.callers[LANES:]] == [[10], [11]]

"""Writes that replicas are to confirm: what travels with them, and what comes back of it."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from redis.exceptions import (
    AskError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from langgraph._redis.errors import ReplicationError
from langgraph._redis.nodes import Hop, Look, aexchange, routed
from langgraph._redis.plan import Atomic, Call, Replicated, Script, Wait, joined, merged, shares
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.policy import Policy
from steps import checkpoint_of, config_of, id_of, metadata_of
from unit.by_hand import atomic, returned
from unit.recorders import Recorder, Runner, asking, executed, run_async, run_sync, transaction, verbatim

SCRIPT = Script("one", b"return 1", "the-sha", 1)
GROUPED = Script("many", b"return {}", "many-sha", 1, group=1)
ONE = Wait(1, 500)
WRITE = Call(SCRIPT, [b"key"], [b"argument"], wait=ONE)
BY_SHA = ["EVALSHA", "the-sha", 1, b"key", b"argument"]
BY_SOURCE = ["EVAL", b"return 1", 1, b"key", b"argument"]
WAIT = ["WAIT", 1, 500]
NO_SCRIPT = NoScriptError("No matching script.")


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.param
    return runner


def test_wait_follows_the_write_in_its_pipeline(run: Runner) -> None:
    recorder = Recorder(b"reply", 1)

    assert run(recorder, asking(WRITE)) == [Replicated(b"reply", 1)]
    assert recorder.sent == [[BY_SHA, WAIT]]


def test_one_wait_serves_all_that_travels_together(run: Runner) -> None:
    read = Call("GET", [b"key"])
    recorder = Recorder(b"reply", b"read", b"another", 2)

    found = run(recorder, asking([WRITE, read, WRITE]))

    assert found == [[Replicated(b"reply", 2), b"read", Replicated(b"another", 2)]]
    assert recorder.sent == [[BY_SHA, ["GET", b"key"], BY_SHA, WAIT]]


def test_wait_stands_behind_exec(run: Runner) -> None:
    """Inside a transaction it would answer at once."""
    ahead = Call("ZADD", [b"registry"], [1, b"thread"], wait=ONE)
    recorder = Recorder(*executed(1, b"reply"), 1)

    found = run(recorder, asking(Atomic([ahead, WRITE])))

    assert found == [[Replicated(1, 1), Replicated(b"reply", 1)]]
    assert verbatim(recorder.sent[0]) == [*transaction(ahead.command(), BY_SHA), WAIT]


def test_a_script_that_is_not_known_is_sent_with_a_wait_of_its_own(run: Runner) -> None:
    recorder = Recorder(NO_SCRIPT, 5, b"reply", 1)

    assert run(recorder, asking(WRITE)) == [Replicated(b"reply", 1)]
    assert recorder.sent == [[BY_SHA, WAIT], [BY_SOURCE, WAIT]]


@pytest.mark.parametrize("error", [ResponseError("OOM"), NoPermissionError("NOPERM wait")])
def test_a_write_that_is_refused_is_raised_whatever_wait_says(run: Runner, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        run(Recorder(error, 1), asking(WRITE))


def test_a_wait_that_is_refused_is_raised(run: Runner) -> None:
    with pytest.raises(NoPermissionError, match="wait"):
        run(
            Recorder(b"reply", NoPermissionError("NOPERM no permissions to run the 'wait' command")),
            asking(WRITE),
        )


def test_calls_that_are_merged_share_what_was_confirmed() -> None:
    call = Call(GROUPED, [b"key"], [1], wait=ONE)

    (one, count), *others = merged([call, call])

    assert (one.wait, count, others) == (ONE, 2, [])
    assert shares(Replicated([1, 0], 3), 2) == [Replicated([1], 3), Replicated([0], 3)]
    assert shares(Replicated([1], 3), 1) == [Replicated([1], 3)]


def test_the_fewest_that_confirmed_any_of_several_count() -> None:
    assert joined([Replicated(1, 3), Replicated(b"reply", 2)]) == Replicated(b"reply", 2)
    assert joined([1, b"reply"]) == Replicated(b"reply", 0)


# In a cluster.


def way(*replies: Any) -> list[Any]:
    """Where a write goes that meets these replies, and what comes of it in the end."""
    steps, route = [], routed(WRITE)
    try:
        step = next(route)
        for reply in replies:
            steps.append(step)
            step = route.send(reply)
        pytest.fail(f"it goes on with {step}")
    except StopIteration as done:
        return [*steps, done.value]


HERE = Hop([BY_SHA, WAIT], b"key", None)
LOOK = Look(["EXISTS", b"key"])


def test_a_write_goes_to_the_node_of_its_key_with_its_wait() -> None:
    assert way([b"reply", 1]) == [HERE, Replicated(b"reply", 1)]


@pytest.mark.parametrize(
    "error", [MovedError("1 127.0.0.1:7001"), TryAgainError("keys move"), RedisConnectionError("refused")]
)
def test_what_says_that_the_keys_are_elsewhere_makes_the_client_look_and_both_go_again(
    error: Exception,
) -> None:
    assert way([error, 1], 0, [b"reply", 0]) == [HERE, LOOK, HERE, Replicated(b"reply", 0)]


def test_a_node_that_takes_the_slot_over_is_asked_over_the_same_connection() -> None:
    there = Hop([["ASKING"], BY_SHA, WAIT], b"key", ("127.0.0.1", 7001))

    assert way([AskError("1 127.0.0.1:7001"), 1], [b"OK", b"reply", 1]) == [
        HERE,
        there,
        Replicated(b"reply", 1),
    ]


def test_a_node_that_does_not_know_the_script_is_sent_its_source() -> None:
    source = Hop([BY_SOURCE, WAIT], b"key", None)

    assert way([NO_SCRIPT, 1], [b"reply", 1]) == [HERE, source, Replicated(b"reply", 1)]


def test_an_outage_is_an_error_after_some_attempts() -> None:
    error = RedisConnectionError("refused")
    outage = [error, error]

    assert way(outage, 0, outage, 0, outage, 0, outage)[-1] is error


def test_the_last_attempt_counts_as_the_others_do() -> None:
    moving = [TryAgainError("keys move"), 1]

    assert way(*[moving, 0] * 15, [b"reply", 1])[-1] == Replicated(b"reply", 1)


def test_what_is_sent_to_and_fro_to_the_end_is_to_be_tried_again() -> None:
    here, there = [AskError("1 127.0.0.1:7001"), 1], [b"OK", TryAgainError("keys move"), 1]

    assert isinstance(way(*[here, there, 0] * 7, here, there, 0)[-1], TryAgainError)
    assert isinstance(
        way(*[here, there, 0] * 7, here, [b"OK", AskError("1 127.0.0.1:7002"), 1])[-1], TryAgainError
    )


def test_a_primary_that_was_just_promoted_is_sent_the_source() -> None:
    error = RedisConnectionError("refused")
    outage = [error, error]

    assert way(outage, 0, outage, 0, outage, 0, [NO_SCRIPT, 1], [b"reply", 1])[-1] == Replicated(b"reply", 1)


def test_a_call_that_waits_for_nobody_is_followed_likewise() -> None:
    asking = Hop([["ASKING"], BY_SHA], b"key", ("127.0.0.1", 7001))
    route = routed(WRITE._replace(wait=None))

    assert next(route) == Hop([BY_SHA], b"key", None)
    assert route.send([AskError("1 127.0.0.1:7001")]) == asking
    with pytest.raises(StopIteration) as done:
        route.send([b"OK", b"reply"])
    assert done.value.value == b"reply"


class OneNode:
    """An async cluster's client, and its node, which drops the connection."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def initialize(self) -> None: ...

    def get_node_from_key(self, key: bytes) -> OneNode:
        assert key == b"key"
        return self

    async def execute_pipeline(self, commands: list[Any]) -> bool:
        self.sent += [command.args for command in commands]
        raise RedisConnectionError("dropped")


async def test_a_write_and_its_wait_are_never_parted_by_a_client_that_tries_again() -> None:
    """A node that took nothing would confirm at once that its replicas have all of it."""
    client = OneNode()

    with pytest.raises(RedisConnectionError):
        await aexchange(client, HERE, {})

    assert client.sent == [BY_SHA, WAIT]


def test_an_error_of_the_script_is_the_reply() -> None:
    error = ResponseError("WRONGTYPE")

    assert way([error, 1]) == [HERE, error]


# Plans.


def waiting() -> Plans:
    return Plans(Core(Keys("prefix"), Policy(wait=Wait(2, 700))), Codec(JsonPlusSerializer()))


def test_a_put_that_too_few_confirmed_says_how_many_and_that_it_is_stored() -> None:
    plan = waiting().put(config_of(), checkpoint_of({}, checkpoint_id="1"), metadata_of(), {})
    calls = atomic(next(plan))
    assert [call.wait for call in calls] == [Wait(2, 700)] * len(calls)

    with pytest.raises(ReplicationError, match=r"'1' is stored .* 1 of the 2 replicas .* 700 ms") as caught:
        plan.send([Replicated(1, 1)] * len(calls))

    assert (caught.value.confirmed, caught.value.wanted) == (1, 2)


def test_a_put_that_stored_nothing_is_sent_again_whoever_confirmed() -> None:
    plan = waiting().put(config_of(), checkpoint_of({}, checkpoint_id="1"), metadata_of(), {})
    calls = atomic(next(plan))

    again = atomic(plan.send([*[Replicated(1, 0)] * (len(calls) - 1), Replicated(-1, 0)]))

    assert again[-1].keys == calls[-1].keys


def test_what_is_only_looked_at_waits_for_nobody_and_counts_for_nothing() -> None:
    plan = waiting().put(config_of(), checkpoint_of({}, checkpoint_id="1"), metadata_of(run_id="run"), {})
    *calls, look = atomic(next(plan))
    assert (look.verb, look.wait) == ("HGET", None)
    assert [call.wait for call in calls] == [Wait(2, 700)] * len(calls)

    stored = returned(plan, [*[Replicated(1, 2)] * len(calls), b"1767355200000"])

    assert id_of(stored) == "1"


def test_writes_that_too_few_confirmed_name_their_task() -> None:
    plan = waiting().put_writes(config_of(checkpoint_id="1"), [("a", 1)], "the task", "")
    calls = atomic(next(plan))

    with pytest.raises(ReplicationError, match="what task 'the task' wrote at checkpoint '1' is stored"):
        plan.send([*[Replicated(1, 2)] * (len(calls) - 1), Replicated([1], 0)])

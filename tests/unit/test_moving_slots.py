"""What is made of a cluster's answers while a slot moves: whom it concerns, how often it is tried again."""

from __future__ import annotations

from typing import Any

import pytest
import valkey.exceptions
from redis.exceptions import ClusterDownError, ClusterError, ResponseError, TryAgainError

from langgraph._redis import drivers
from langgraph._redis.plan import Atomic, Call
from langgraph._redis.replies import foregone, known, settle
from unit.recorders import Recorder, Runner, asking, run_async, run_sync

ONE, OTHER = Call("GET", [b"{a}:1"]), Call("GET", [b"{b}"])
SAME_SLOT = Call("GET", [b"{a}:2"])
MOVING = TryAgainError("keys move")


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.param
    return runner


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "BREATH", 0)


@pytest.mark.parametrize(
    "error",
    [
        ClusterError("TTL exhausted."),
        valkey.exceptions.ClusterError("TTL exhausted."),
        AttributeError("'NoneType' object has no attribute 'redis_connection'"),
        AttributeError("'NoneType' object has no attribute 'execute_command'"),
    ],
)
def test_a_client_that_gave_up_on_a_slot_that_moves_says_try_again(error: Exception) -> None:
    assert isinstance(known(error), TryAgainError)


@pytest.mark.parametrize(
    "error", [ClusterDownError("CLUSTERDOWN"), ClusterError("no node"), AttributeError("x")]
)
def test_other_errors_of_a_clusters_client_stay_as_they_are(error: Exception) -> None:
    assert known(error) is error


def test_what_shares_a_slot_with_a_call_that_must_wait_is_not_sent() -> None:
    """It would be answered the same, and each answer takes its time."""
    assert foregone([ONE, SAME_SLOT], [MOVING], atomic=False) is MOVING
    assert foregone([ONE, OTHER], [MOVING], atomic=False) is None
    assert foregone([ONE, SAME_SLOT], [ResponseError("ERR")], atomic=False) is None


def test_of_atomic_calls_none_is_sent_behind_one_that_failed() -> None:
    error = ResponseError("ERR")

    assert foregone([ONE, OTHER], [error], atomic=True) is error
    assert foregone([ONE, OTHER], [b"reply"], atomic=True) is None
    assert foregone([ONE, OTHER], [], atomic=True) is None


def test_a_slot_that_moves_is_no_answer_that_a_plan_must_understand() -> None:
    with pytest.raises(TryAgainError):
        settle([ONE._replace(tolerant=True)], [MOVING])


@pytest.mark.parametrize("question", [ONE, [ONE], Atomic([ONE])])
def test_a_call_is_made_again_until_its_slot_has_moved(run: Runner, question: Any) -> None:
    recorder = Recorder(MOVING, MOVING, b"reply")

    assert run(recorder, asking(question)) in ([b"reply"], [[b"reply"]])


def test_a_slot_that_never_arrives_is_an_error_in_the_end(run: Runner) -> None:
    recorder = Recorder(*[MOVING] * (drivers.BREATHS + 2))

    with pytest.raises(TryAgainError):
        run(recorder, asking(ONE))

    assert len(recorder.sent) == drivers.BREATHS + 1

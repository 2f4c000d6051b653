"""Calls that nothing may come between: how both drivers send them, and what comes back or is raised."""

from __future__ import annotations

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ExecAbortError, NoPermissionError, NoScriptError, ResponseError

from langgraph._redis.plan import Atomic, Call, Refusal, Script
from unit.recorders import (
    Recorder,
    Runner,
    asking,
    executed,
    run_async,
    run_sync,
    transaction,
    verbatim,
)

SCRIPTED = Call(Script("one", b"return 1", "the-sha", 1), [b"key"], [b"argument", 2])
BY_SHA = ["EVALSHA", "the-sha", 1, b"key", b"argument", 2]
BY_SOURCE = ["EVAL", b"return 1", 1, b"key", b"argument", 2]
PLAIN = Call("ZADD", [b"key"], [1, b"member"])
COMMAND = ["ZADD", b"key", 1, b"member"]
GROUPED = Call(Script("grouped", b"return {}", "other-sha", 1, group=1), [b"key"], [b"a"])

NO_SCRIPT = NoScriptError("No matching script.")
ABORTED = ExecAbortError("Transaction discarded because of previous errors.")
REFUSED = NoPermissionError("NOPERM no")


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.param
    return runner


def aborted(*queued: Any) -> list[Any]:
    """What a server answers if it does not take one of the commands: nothing is executed."""
    return [b"OK", *queued, ABORTED]


def test_atomic_calls_are_one_transaction_in_one_round_trip(run: Runner) -> None:
    recorder = Recorder(*executed(1, b"reply"))

    assert run(recorder, asking(Atomic([PLAIN, SCRIPTED]))) == [[1, b"reply"]]
    assert [verbatim(sent) for sent in recorder.sent] == [transaction(COMMAND, BY_SHA)]


def test_redis_py_reads_nothing_into_what_is_queued(run: Runner) -> None:
    """It turns replies to commands whose names it knows into numbers, and QUEUED is none."""
    recorder = Recorder(*executed(1, b"reply"))
    run(recorder, asking(Atomic([PLAIN, SCRIPTED])))

    ((_, *queued, _),) = recorder.sent

    assert all(isinstance(verb, bytes) for verb, *_ in queued)


def test_an_atomic_call_that_is_alone_needs_no_transaction(run: Runner) -> None:
    recorder = Recorder(1)

    assert run(recorder, asking(Atomic([PLAIN]))) == [[1]]
    assert recorder.sent == [COMMAND]


def test_calls_that_may_be_merged_with_others_are_not_where_they_are_atomic(run: Runner) -> None:
    recorder = Recorder(*executed(1, [1], [1]))

    assert run(recorder, asking(Atomic([PLAIN, GROUPED, GROUPED]))) == [[1, [1], [1]]]
    assert len(recorder.sent[0]) == len(transaction(COMMAND, BY_SHA, BY_SHA))


def test_if_the_server_does_not_know_one_script_all_calls_go_again_with_their_sources(run: Runner) -> None:
    """The first transaction ran without that script: only a second one has nothing in between."""
    recorder = Recorder(*executed(1, NO_SCRIPT, b"known"), *executed(0, b"reply", b"again"))

    assert run(recorder, asking(Atomic([PLAIN, SCRIPTED, SCRIPTED]))) == [[0, b"reply", b"again"]]
    assert [verbatim(sent) for sent in recorder.sent] == [
        transaction(COMMAND, BY_SHA, BY_SHA),
        transaction(COMMAND, BY_SOURCE, BY_SOURCE),
    ]


def test_what_a_call_met_that_was_executed_is_raised(run: Runner) -> None:
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        run(Recorder(*executed(1, ResponseError("WRONGTYPE"))), asking(Atomic([PLAIN, SCRIPTED])))


def test_what_a_source_met_is_raised(run: Runner) -> None:
    recorder = Recorder(*executed(1, NO_SCRIPT), *executed(1, ResponseError("OOM")))

    with pytest.raises(ResponseError, match="OOM"):
        run(recorder, asking(Atomic([PLAIN, SCRIPTED])))


def test_the_servers_no_to_a_tolerant_call_that_was_executed_is_its_reply(run: Runner) -> None:
    recorder = Recorder(*executed(REFUSED, 1))

    found = run(recorder, asking(Atomic([SCRIPTED._replace(tolerant=True), PLAIN])))

    assert found == [[Refusal("NOPERM no"), 1]]


@pytest.mark.parametrize(
    "queued", [(REFUSED, b"QUEUED"), (b"QUEUED", REFUSED), (REFUSED, ResponseError("another"))]
)
def test_why_nothing_was_executed_is_raised_and_not_that_it_was_not(run: Runner, queued: Any) -> None:
    with pytest.raises(NoPermissionError, match="NOPERM no"):
        run(Recorder(*aborted(*queued)), asking(Atomic([PLAIN, SCRIPTED])))


def test_if_nothing_was_executed_that_is_the_reply_to_every_tolerant_call(run: Runner) -> None:
    tolerant = [call._replace(tolerant=True) for call in (PLAIN, SCRIPTED)]

    found = run(Recorder(*aborted(b"QUEUED", REFUSED)), asking(Atomic(tolerant)))

    assert found == [[Refusal("NOPERM no")] * 2]


def test_a_transaction_that_is_discarded_for_no_reason_that_was_told_says_that(run: Runner) -> None:
    with pytest.raises(ExecAbortError, match="discarded"):
        run(Recorder(*aborted(b"QUEUED", b"QUEUED")), asking(Atomic([PLAIN, SCRIPTED])))


def test_a_user_who_may_begin_no_transaction_is_told_so(run: Runner) -> None:
    no = NoPermissionError("User agent has no permissions to run the 'multi' command")

    with pytest.raises(NoPermissionError, match="'multi'"):
        run(Recorder(no, 1, b"reply", ResponseError("EXEC without MULTI")), asking(Atomic([PLAIN, SCRIPTED])))


def test_an_outage_is_raised(run: Runner) -> None:
    gone = RedisConnectionError("gone")

    with pytest.raises(RedisConnectionError, match="gone"):
        run(Recorder(gone, gone, gone, gone), asking(Atomic([PLAIN, SCRIPTED])))


def test_on_a_cluster_atomic_calls_go_one_by_one_in_their_order(run: Runner) -> None:
    recorder = Recorder(1, NO_SCRIPT, b"reply", 2)

    assert run(recorder, asking(Atomic([PLAIN, SCRIPTED, PLAIN])), cluster=True) == [[1, b"reply", 2]]
    assert recorder.sent == [COMMAND, BY_SHA, BY_SOURCE, COMMAND]


def test_on_a_cluster_what_one_of_them_meets_is_raised(run: Runner) -> None:
    with pytest.raises(ResponseError, match="OOM"):
        run(Recorder(1, ResponseError("OOM")), asking(Atomic([PLAIN, SCRIPTED])), cluster=True)

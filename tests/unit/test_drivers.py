"""What both drivers do with a plan: how calls travel, and what comes back to the plan or is raised."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, NoScriptError, ResponseError

from langgraph._redis.drivers import AsyncDriver, SyncDriver
from langgraph._redis.plan import Call, Pause, Plan, Refusal, Script
from unit.recorders import AsyncRecorder, Recorder, Runner, asking, run_async, run_sync

SCRIPT = Script("one", b"return 1", "the-sha", 1)
SCRIPTED = Call(SCRIPT, [b"key"], [b"argument", 2])
BY_SHA = ["EVALSHA", "the-sha", 1, b"key", b"argument", 2]
BY_SOURCE = ["EVAL", b"return 1", 1, b"key", b"argument", 2]
PLAIN = Call("ZADD", [b"key"], [1, b"member"])
COMMAND = ["ZADD", b"key", 1, b"member"]
NO_SCRIPT = NoScriptError("No matching script.")


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.param
    return runner


def test_a_plan_that_asks_nothing_returns_its_result(run: Runner) -> None:
    recorder = Recorder()

    assert run(recorder, asking()) == []
    assert recorder.sent == []


def test_a_script_travels_by_its_sha(run: Runner) -> None:
    recorder = Recorder(b"reply")

    assert run(recorder, asking(SCRIPTED)) == [b"reply"]
    assert recorder.sent == [BY_SHA]


def test_a_script_that_the_server_does_not_know_travels_by_its_source(run: Runner) -> None:
    recorder = Recorder(NO_SCRIPT, b"reply")

    assert run(recorder, asking(SCRIPTED)) == [b"reply"]
    assert recorder.sent == [BY_SHA, BY_SOURCE]


def test_calls_that_are_asked_together_travel_together(run: Runner) -> None:
    recorder = Recorder(1, b"reply")

    assert run(recorder, asking([PLAIN, SCRIPTED])) == [[1, b"reply"]]
    assert recorder.sent == [[COMMAND, BY_SHA]]


def test_of_calls_that_travel_together_only_the_unknown_go_again(run: Runner) -> None:
    recorder = Recorder(NO_SCRIPT, 1, NO_SCRIPT, b"first", b"second")

    assert run(recorder, asking([SCRIPTED, PLAIN, SCRIPTED])) == [[b"first", 1, b"second"]]
    assert recorder.sent == [[BY_SHA, COMMAND, BY_SHA], [BY_SOURCE, BY_SOURCE]]


def test_a_list_of_one_call_is_answered_with_a_list(run: Runner) -> None:
    recorder = Recorder(1)

    assert run(recorder, asking([PLAIN])) == [[1]]
    assert recorder.sent == [COMMAND]


def test_questions_are_answered_one_after_the_other(run: Runner) -> None:
    recorder = Recorder(1, 2, 3)

    assert run(recorder, asking(PLAIN, [PLAIN, PLAIN])) == [1, [2, 3]]
    assert recorder.sent == [COMMAND, [COMMAND, COMMAND]]


def test_on_a_cluster_calls_go_one_by_one(run: Runner) -> None:
    recorder = Recorder(1, NO_SCRIPT, b"reply")

    assert run(recorder, asking([PLAIN, SCRIPTED]), cluster=True) == [[1, b"reply"]]
    assert recorder.sent == [COMMAND, BY_SHA, BY_SOURCE]


@pytest.mark.parametrize("error", [ResponseError("WRONGTYPE"), RedisConnectionError("refused")])
def test_what_a_call_meets_is_raised(run: Runner, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        run(Recorder(error), asking(SCRIPTED))


@pytest.mark.parametrize("error", [ResponseError("WRONGTYPE"), RedisConnectionError("refused")])
def test_what_one_of_several_calls_meets_is_raised(run: Runner, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        run(Recorder(1, error), asking([PLAIN, SCRIPTED]))


def test_an_error_of_the_source_is_raised(run: Runner) -> None:
    with pytest.raises(ResponseError, match="OOM"):
        run(Recorder(NO_SCRIPT, ResponseError("OOM")), asking(SCRIPTED))


TOLERANT = SCRIPTED._replace(tolerant=True)
REFUSED = NoPermissionError("NOPERM no")


def test_the_servers_no_is_the_reply_to_a_tolerant_call(run: Runner) -> None:
    assert run(Recorder(REFUSED), asking(TOLERANT)) == [Refusal("NOPERM no")]


def test_the_servers_no_to_one_of_several_is_the_reply_to_that_one(run: Runner) -> None:
    assert run(Recorder(REFUSED, 1), asking([TOLERANT, PLAIN])) == [[Refusal("NOPERM no"), 1]]


def test_the_servers_no_to_the_source_is_a_reply_too(run: Runner) -> None:
    assert run(Recorder(NO_SCRIPT, REFUSED), asking(TOLERANT)) == [Refusal("NOPERM no")]


def test_the_servers_no_to_the_source_is_a_reply_too_among_several(run: Runner) -> None:
    recorder = Recorder(NO_SCRIPT, 1, REFUSED)

    assert run(recorder, asking([TOLERANT, PLAIN])) == [[Refusal("NOPERM no"), 1]]


def test_the_servers_no_to_the_source_is_a_reply_too_on_a_cluster(run: Runner) -> None:
    recorder = Recorder(NO_SCRIPT, REFUSED, 1)

    assert run(recorder, asking([TOLERANT, PLAIN]), cluster=True) == [[Refusal("NOPERM no"), 1]]


@pytest.mark.parametrize("calls", [[TOLERANT], [TOLERANT, PLAIN]])
def test_an_outage_is_no_reply_to_a_tolerant_call(run: Runner, calls: list[Call]) -> None:
    error = RedisConnectionError("refused")

    with pytest.raises(RedisConnectionError, match="refused"):
        run(Recorder(error, error), asking(calls))


def _pausing() -> Plan[str]:
    yield Pause(0.01)
    return "went on"


def test_a_plan_may_pause() -> None:
    began = time.monotonic()

    assert SyncDriver(Recorder()).run(_pausing()) == "went on"
    assert time.monotonic() - began >= 0.01


async def test_a_plan_that_pauses_leaves_the_event_loop_to_others() -> None:
    driver = AsyncDriver(lambda: AsyncRecorder(Recorder()), owned=False)
    done: list[str] = []

    async def other() -> None:
        done.append("other")

    async def pausing() -> None:
        done.append(await driver.run(_pausing()))

    await asyncio.gather(pausing(), other())
    assert done == ["other", "went on"]

"""What an observer counts of plans that are run: sync and async alike, each operation by itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis.exceptions import NoScriptError, ResponseError

from langgraph._redis.drivers import AsyncDriver, SyncDriver
from langgraph._redis.observe import Observer, Seen, size
from langgraph._redis.plan import Atomic, Call, Pause, Plan, Replicated, Script
from unit.recorders import AsyncRecorder, Recorder, executed

SCRIPT = Script("one", b"return 1", "the-sha", 1)
CALL = Call(SCRIPT, [b"key"], [b"argument", 2])
PLAIN = Call("ZADD", [b"key"], [1, b"member"])


def run_sync(recorder: Recorder, observer: Observer, plan: Plan[Any], name: str = "") -> Any:
    return SyncDriver(recorder, cluster=observer.cluster, observer=observer).run(plan, name)


async def run_async(recorder: Recorder, observer: Observer, plan: Plan[Any], name: str = "") -> Any:
    driver = AsyncDriver(
        lambda: AsyncRecorder(recorder), cluster=observer.cluster, owned=False, observer=observer
    )
    return await driver.run(plan, name)


class Watched:
    """An observer of both drivers, which has looked once: so it counts bytes, too."""

    def __init__(self, kind: str) -> None:
        self.observer = Observer()
        self.kind = kind
        self.observer.seen()

    async def run(self, recorder: Recorder, plan: Plan[Any], name: str = "") -> Any:
        if self.kind == "sync":
            return run_sync(recorder, self.observer, plan, name)
        return await run_async(recorder, self.observer, plan, name)

    @property
    def seen(self) -> Seen:
        return self.observer.seen()


@pytest.fixture(params=["sync", "async"])
def watched(request: pytest.FixtureRequest) -> Watched:
    return Watched(request.param)


def asking(*questions: Any) -> Plan[list[Any]]:
    replies = []
    for question in questions:
        reply = yield question
        replies.append(reply)
    return replies


def wrong() -> Plan[None]:
    yield CALL
    raise LookupError("nothing is there")


async def test_an_operation_is_called_as_its_plan_unless_it_has_a_name(watched: Watched) -> None:
    await watched.run(Recorder(1), asking(CALL))
    await watched.run(Recorder(1), asking(CALL), "page")
    await watched.run(Recorder(), asking(), "page")

    assert watched.seen.operations == {"asking": 1, "page": 2}


async def test_calls_are_counted_with_the_bytes_that_they_carry(watched: Watched) -> None:
    await watched.run(Recorder([b"four", [b"five5", 7, None]]), asking(CALL))

    seen = watched.seen
    assert (seen.round_trips, seen.scripts) == (1, 1)
    assert (seen.bytes_sent, seen.bytes_received) == (len(b"key" + b"argument"), len(b"four" + b"five5"))


async def test_calls_that_travel_in_one_pipeline_are_one_round_trip(watched: Watched) -> None:
    await watched.run(Recorder(1, b"two"), asking([PLAIN, CALL]))
    await watched.run(Recorder(*executed(1, b"two")), asking(Atomic([PLAIN, CALL])))

    seen = watched.seen
    assert (seen.round_trips, seen.scripts) == (2, 2)
    assert seen.bytes_received == 2 * len(b"two")
    assert seen.travelled_together == 0


async def test_a_script_whose_source_is_sent_takes_a_round_trip_more(watched: Watched) -> None:
    await watched.run(Recorder(NoScriptError("No matching script."), 1), asking(CALL))

    assert (watched.seen.round_trips, watched.seen.scripts) == (2, 1)


async def test_a_pause_is_no_round_trip(watched: Watched) -> None:
    await watched.run(Recorder(), asking(Pause(0)))

    assert watched.seen.round_trips == 0


async def test_on_a_cluster_calls_of_one_question_are_round_trips_of_their_own(watched: Watched) -> None:
    watched.observer = Observer(cluster=True)

    await watched.run(Recorder(1, 2), asking([PLAIN, PLAIN]))

    assert watched.seen.round_trips == 2


async def test_what_calls_note_is_added_up(watched: Watched) -> None:
    some, more = CALL._replace(notes={"new": 2, "kept": 3}), CALL._replace(notes={"kept": 4})

    await watched.run(Recorder(1, 1, 1), asking(some, [more, CALL]))

    assert watched.seen.notes == {"new": 2, "kept": 7}


async def test_errors_are_counted_by_their_class_wherever_they_come_from(watched: Watched) -> None:
    with pytest.raises(ResponseError):
        await watched.run(Recorder(ResponseError("WRONGTYPE")), asking(CALL))
    with pytest.raises(LookupError):
        await watched.run(Recorder(1), wrong())

    assert watched.seen.errors == {"ResponseError": 1, "LookupError": 1}
    assert watched.seen.operations == {"asking": 1, "wrong": 1}


def test_bytes_are_counted_from_the_first_look_on() -> None:
    observer = Observer()
    run_sync(Recorder(b"reply"), observer, asking(CALL))
    first = observer.seen()

    run_sync(Recorder(b"reply"), observer, asking(CALL))

    assert (first.bytes_received, first.scripts, first.round_trips) == (0, 1, 1)
    assert (observer.seen().bytes_received, observer.seen().scripts) == (len(b"reply"), 2)


def test_to_look_changes_no_number() -> None:
    observer = Observer()
    run_sync(Recorder(1), observer, asking(CALL))

    assert observer.seen() == observer.seen() == observer.seen()


def test_a_reply_that_replicas_confirmed_has_the_size_of_what_is_in_it() -> None:
    assert size([Replicated([b"abc", 1], 2), b"d", None, [[b"e"]]]) == 5


def test_nothing_is_lost_where_threads_count_at_once() -> None:
    observer, together = Observer(), threading.Barrier(8)
    observer.seen()

    def work(number: int) -> None:
        together.wait(10)
        for _ in range(300):
            run_sync(
                Recorder(b"x" * number), observer, asking(CALL._replace(notes={"n": number})), f"{number % 2}"
            )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))

    seen = observer.seen()
    assert seen.operations == {"0": 1200, "1": 1200}
    assert seen.round_trips == seen.scripts == 2400
    assert seen.bytes_received == seen.notes["n"] == 300 * sum(range(8))

"""Calls of many threads: one sends for those who wait, and everybody has the reply to their own call."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError

from langgraph._redis.combine import BATCH, ROUNDS, Combiner, patience
from langgraph._redis.drivers import SyncDriver
from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.plan import Call, Plan, Script
from unit.recorders import Recorder
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

GROUPED = Script("grouped", b"return {}", "the-sha", 1, group=1)


def call_of(number: int, key: bytes = b"key") -> Call:
    return Call(GROUPED, [key], [number])


class Line:
    """A combiner whose first call is under way until `opened`, and those who come meanwhile."""

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        answer: Callable[[list[Call]], list[Any]],
        patience: float = 0.0005,
    ) -> None:
        self.sent: list[list[list[Any]]] = []
        self.combiner = Combiner(self._send, patience=lambda _: patience)
        self._answer = answer
        self._threads = threads
        self._gate = threading.Event()
        self._first = self._asked(call_of(-1, b"first"))
        assert eventually(lambda: len(self.sent) == 1)

    def _send(self, calls: list[Call]) -> list[Any]:
        self.sent.append([list(call.args) for call in calls])
        assert self._gate.wait(10)
        return self._answer(calls)

    def _asked(self, call: Call) -> Future[Any]:
        return self._threads.submit(self.combiner.ask, call)

    def come(self, *calls: Call) -> list[Future[Any]]:
        """A thread for each comes, one after the other, and waits."""
        return [self._queued(call, number) for number, call in enumerate(calls, 1)]

    def _queued(self, call: Call, number: int) -> Future[Any]:
        caller = self._asked(call)
        assert eventually(lambda: len(self.combiner._queue) == number)
        return caller

    def opened(self) -> None:
        """Answer from now on, the first caller before all others."""
        self._gate.set()
        self._first.result(10)


def doubled(calls: list[Call]) -> list[Any]:
    """The script that doubles each number it is given."""
    return [[2 * number for number in call.args if isinstance(number, int)] for call in calls]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(BATCH + 12) as pool:
        yield pool


def test_a_call_alone_is_sent_as_it_is() -> None:
    assert Combiner(doubled).ask(call_of(4)) == [8]


def test_those_who_come_while_one_sends_travel_together(threads: ThreadPoolExecutor) -> None:
    line = Line(threads, doubled)
    callers = line.come(*map(call_of, range(5)))

    line.opened()

    assert [caller.result(10) for caller in callers] == [[0], [2], [4], [6], [8]]
    assert line.sent[1:] == [[[0, 1, 2, 3, 4]]]


def test_requests_of_other_keys_are_calls_of_their_own(threads: ThreadPoolExecutor) -> None:
    line = Line(threads, doubled)
    callers = line.come(call_of(1, b"a"), call_of(2, b"a"), call_of(3, b"b"))

    line.opened()

    assert [caller.result(10) for caller in callers] == [[2], [4], [6]]
    assert line.sent[1:] == [[[1, 2], [3]]]


def test_very_many_travel_in_several_batches(threads: ThreadPoolExecutor) -> None:
    line = Line(threads, doubled)
    callers = line.come(*map(call_of, range(BATCH + 10)))

    line.opened()

    assert [caller.result(10) for caller in callers] == [[2 * number] for number in range(BATCH + 10)]
    assert [len(group) for batch in line.sent[1:] for group in batch] == [BATCH, 10]


def test_a_refusal_is_the_reply_of_those_who_shared_the_command(threads: ThreadPoolExecutor) -> None:
    refusal = ResponseError("WRONGTYPE")

    def answer(calls: list[Call]) -> list[Any]:
        return [refusal if call.keys == [b"a"] else [7] for call in calls]

    line = Line(threads, answer)
    callers = line.come(call_of(1, b"a"), call_of(2, b"a"), call_of(3, b"b"))
    line.opened()

    assert [caller.result(10) for caller in callers] == [refusal, refusal, [7]]


def test_an_outage_is_raised_for_all_who_travelled_and_the_next_goes_on(threads: ThreadPoolExecutor) -> None:
    down = [False]

    def answer(calls: list[Call]) -> list[Any]:
        if down[0]:
            down[0] = False
            raise RedisConnectionError("gone")
        return doubled(calls)

    line = Line(threads, answer)
    callers = line.come(call_of(1), call_of(2))
    down[0] = True
    with pytest.raises(RedisConnectionError, match="gone"):
        line.opened()

    assert [caller.result(10) for caller in callers] == [[2], [4]]
    assert line.combiner.ask(call_of(5)) == [10]


def test_an_outage_of_a_batch_reaches_each_of_its_callers(threads: ThreadPoolExecutor) -> None:
    def answer(calls: list[Call]) -> list[Any]:
        if calls[0].keys == [b"key"]:
            raise RedisConnectionError("gone")
        return doubled(calls)

    line = Line(threads, answer)
    callers = line.come(call_of(1), call_of(2), call_of(3))
    line.opened()

    assert [type(caller.exception(10)) for caller in callers] == [RedisConnectionError] * 3
    assert line.combiner.ask(call_of(5, b"other")) == [10]


def batch_of_three(threads: ThreadPoolExecutor, patience: float) -> Line:
    """Three that travelled together just now."""
    line = Line(threads, doubled, patience)
    callers = line.come(*map(call_of, range(3)))
    line.opened()
    assert [caller.result(10) for caller in callers] == [[0], [2], [4]]
    return line


def test_those_who_travelled_together_do_so_again(threads: ThreadPoolExecutor) -> None:
    line = batch_of_three(threads, patience=10)

    callers = line.come(call_of(5), call_of(6))
    last = threads.submit(line.combiner.ask, call_of(7))

    assert [caller.result(5) for caller in (*callers, last)] == [[10], [12], [14]]
    assert line.sent[2:] == [[[5, 6, 7]]]


def test_a_thread_that_sends_for_others_waits_for_them_too(threads: ThreadPoolExecutor) -> None:
    """What comes one by one while it leads travels together."""
    line = Line(threads, doubled, patience=10)
    first = line.come(*map(call_of, range(3)))
    later: list[Future[Any]] = []

    def come_again(_: Future[Any]) -> None:
        later.append(threads.submit(line.combiner.ask, call_of(7)))

    for caller in first:
        caller.add_done_callback(come_again)
    line.opened()

    assert eventually(lambda: len(later) == 3)
    assert [caller.result(5) for caller in later] == [[14]] * 3
    assert line.sent[1:] == [[[0, 1, 2]], [[7, 7, 7]]]


@pytest.mark.parametrize(("took", "waits"), [(0.0001, 0.0005), (0.01, 0.0025), (3.0, 0.005)])
def test_the_longer_a_batch_takes_the_longer_the_next_waits_but_never_long(took: float, waits: float) -> None:
    assert patience(took) == waits


def test_who_does_not_come_again_is_waited_for_once(threads: ThreadPoolExecutor) -> None:
    line = batch_of_three(threads, patience=0.01)

    assert line.combiner.ask(call_of(5)) == [10]
    assert line.combiner._crowd == 1
    assert line.combiner.ask(call_of(6)) == [12]
    assert line.sent[2:] == [[[5]], [[6]]]


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A process that was started in the background may ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_thread_that_is_interrupted_while_it_waits_for_others_leaves_nobody_waiting(
    threads: ThreadPoolExecutor,
) -> None:
    line = batch_of_three(threads, patience=10)
    main = threading.get_ident()

    def interrupt() -> Any:
        assert eventually(lambda: len(line.combiner._queue) == 1)
        other = threads.submit(line.combiner.ask, call_of(6))
        assert eventually(lambda: len(line.combiner._queue) == 2)
        signal.pthread_kill(main, signal.SIGINT)
        return other.result(5)

    other = threads.submit(interrupt)
    with pytest.raises(KeyboardInterrupt):
        line.combiner.ask(call_of(5))

    assert other.result(10) == [12]
    assert line.sent[2:] == [[[6]]]


def test_a_thread_that_was_handed_the_lead_and_is_interrupted_leaves_nobody_waiting(
    threads: ThreadPoolExecutor,
) -> None:
    """It waits for others before it sends, its own call among those that wait."""
    main, sent = threading.get_ident(), list[int]()
    ready = threading.Event()

    def come(count: int) -> None:
        for _ in range(count):
            threads.submit(combiner.ask, call_of(1))
        assert eventually(lambda: len(combiner._queue) == count)

    def answer(calls: list[Call]) -> list[Any]:
        sent.append(len(calls))
        if len(sent) <= ROUNDS:
            come(2)
        elif len(sent) == ROUNDS + 1:  # From here on only the main thread waits: it is handed the lead.
            ready.set()
            assert eventually(lambda: len(combiner._queue) == 1)
        return doubled(calls)

    def interrupt() -> None:
        assert eventually(lambda: combiner._wanted > 0)
        signal.pthread_kill(main, signal.SIGINT)

    combiner = Combiner(answer, patience=lambda _: 10)
    threads.submit(combiner.ask, call_of(0))
    assert ready.wait(10)
    threads.submit(interrupt)
    with pytest.raises(KeyboardInterrupt):
        combiner.ask(call_of(2))

    assert threads.submit(combiner.ask, call_of(3)).result(5) == [6]


def test_a_thread_that_is_interrupted_while_it_sends_leaves_nobody_waiting(
    threads: ThreadPoolExecutor,
) -> None:
    def answer(calls: list[Call]) -> list[Any]:
        if calls[0].args == [1]:
            raise KeyboardInterrupt
        return doubled(calls)

    line = Line(threads, answer)
    callers = line.come(call_of(1), call_of(2, b"other"))
    with pytest.raises(KeyboardInterrupt):
        line.opened()

    assert [type(caller.exception(10)) for caller in callers] == [RedisPersistenceError] * 2
    assert line.combiner.ask(call_of(5)) == [10]


def test_a_thread_sends_for_others_some_rounds_only_then_one_of_them_does(
    threads: ThreadPoolExecutor,
) -> None:
    senders: list[int] = []
    callers: list[Future[Any]] = []

    def next_come(calls: list[Call]) -> list[Any]:
        """While one is sent, the next one comes."""
        senders.append(threading.get_ident())
        if len(callers) < ROUNDS + 3:
            callers.append(threads.submit(combiner.ask, call_of(len(callers) + 1)))
            assert eventually(lambda: len(combiner._queue) == 1)
        return doubled(calls)

    combiner = Combiner(next_come)
    assert combiner.ask(call_of(0)) == [0]

    assert eventually(lambda: len(callers) == ROUNDS + 3)
    assert [caller.result(10) for caller in callers] == [[2 * n] for n in range(1, ROUNDS + 4)]
    assert senders[: ROUNDS + 1] == [threading.get_ident()] * (ROUNDS + 1)
    assert threading.get_ident() not in senders[ROUNDS + 1 :]


def test_among_many_threads_everybody_has_their_own_reply(threads: ThreadPoolExecutor) -> None:
    combiner = Combiner(doubled)

    def many(caller: int) -> list[Any]:
        return [combiner.ask(call_of(100 * caller + number)) for number in range(100)]

    found = list(threads.map(many, range(30)))

    assert found == [[[2 * (100 * caller + number)] for number in range(100)] for caller in range(30)]


def test_a_forked_process_does_not_wait_for_its_parents_threads(threads: ThreadPoolExecutor) -> None:
    line = Line(threads, doubled)
    line.combiner.renew()  # What a child does first.

    in_child = threads.submit(line.combiner.ask, call_of(4))

    assert eventually(lambda: len(line.sent) == 2)
    line.opened()
    assert in_child.result(10) == [8]


def _asking(call: Call) -> Plan[Any]:
    return (yield call)


def test_the_sync_driver_sends_such_calls_and_their_source_where_it_must() -> None:
    recorder = Recorder(NoScriptError("No matching script."), [8])

    assert SyncDriver(recorder).run(_asking(call_of(4))) == [8]
    assert recorder.sent == [
        ["EVALSHA", "the-sha", 1, b"key", 4],
        ["EVAL", b"return {}", 1, b"key", 4],
    ]


def test_the_sync_driver_raises_what_such_a_call_is_refused_with() -> None:
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        SyncDriver(Recorder(ResponseError("WRONGTYPE"))).run(_asking(call_of(4)))

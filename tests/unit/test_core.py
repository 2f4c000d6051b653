"""What a process remembers of the threads that it registered: for a minute, and of not too many."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from langgraph.checkpoint.redis import core as core_module
from langgraph.checkpoint.redis.core import CHORE_EVERY, TOUCH_EVERY, Core, Touches
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.policy import Policy

NAMES = Keys("prefix")
THREAD, OTHER = NAMES.thread("thread"), NAMES.thread("other")
LINK = b"r/run"


@dataclass
class Clock:
    """Stands in for the module `time`."""

    now: float = 1_000_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(core_module, "time", clock)
    return clock


@pytest.fixture
def touches(clock: Clock) -> Touches:
    assert clock.now
    return Touches()


def due(touches: Touches, *of: tuple[Thread, bytes]) -> list[bool]:
    return [touches.due(thread, link) for thread, link in of]


def test_a_thread_is_due_until_it_is_done(touches: Touches) -> None:
    assert touches.due(THREAD)
    assert touches.due(THREAD)

    touches.done(THREAD)

    assert not touches.due(THREAD)


def test_a_thread_is_due_again_after_a_minute(touches: Touches, clock: Clock) -> None:
    touches.done(THREAD)

    clock.now += TOUCH_EVERY - 1
    assert not touches.due(THREAD)
    clock.now += 1
    assert touches.due(THREAD)


def test_each_thread_and_each_of_its_links_is_due_by_itself(touches: Touches) -> None:
    touches.done(THREAD)
    touches.done(OTHER, LINK)

    found = due(touches, (THREAD, b""), (THREAD, LINK), (OTHER, b""), (OTHER, LINK))

    assert found == [False, True, True, False]


def test_a_thread_that_is_forgotten_is_due_with_all_its_links_and_no_other_is(touches: Touches) -> None:
    for thread in (THREAD, OTHER):
        touches.done(thread)
        touches.done(thread, LINK)

    touches.forget(THREAD)

    found = due(touches, (THREAD, b""), (THREAD, LINK), (OTHER, b""), (OTHER, LINK))
    assert found == [True, True, False, False]


def test_only_the_last_used_of_very_many_threads_are_remembered(touches: Touches) -> None:
    for number in range(20_000):
        touches.done(NAMES.thread(str(number)))

    assert touches.due(NAMES.thread("0"))
    assert not touches.due(NAMES.thread("19999"))


def test_threads_in_very_many_indexes_count_by_all_that_is_remembered(touches: Touches) -> None:
    for number in range(3_000):
        for link in (b"", b"r/1", b"r/2", b"r/3", b"r/4"):
            touches.done(NAMES.thread(str(number)), link)

    found = due(touches, *((NAMES.thread(name), b"r/1") for name in ("0", "900", "1100", "2999")))

    assert found == [True, True, False, False]


def test_what_is_done_again_is_among_the_last_used(touches: Touches) -> None:
    touches.done(THREAD)
    for number in range(9_999):
        touches.done(NAMES.thread(str(number)))
    touches.done(THREAD)

    touches.done(OTHER)

    assert not touches.due(THREAD)
    assert touches.due(NAMES.thread("0"))


def test_what_is_forgotten_makes_place_for_others(touches: Touches) -> None:
    for number in range(9_000):
        touches.done(NAMES.thread(str(number)))
        touches.forget(NAMES.thread(str(number)))
    for number in range(10_000):
        touches.done(NAMES.thread(f"other {number}"))

    assert not touches.due(NAMES.thread("other 0"))


# When a thread began.

MADE, ANEW = b"1767355200000", b"1767355200001"


def test_when_a_thread_began_is_known_once_it_is_told(touches: Touches) -> None:
    touches.done(THREAD)
    assert touches.made(THREAD) == b""

    touches.began(THREAD, MADE)

    assert (touches.made(THREAD), touches.made(OTHER)) == (MADE, b"")


def test_a_thread_that_is_registered_anew_began_when_it_is_told_last(touches: Touches) -> None:
    for made in (MADE, ANEW):
        touches.done(THREAD)
        touches.began(THREAD, made)

    assert touches.made(THREAD) == ANEW


def test_nothing_is_kept_of_a_thread_that_is_not_registered(touches: Touches) -> None:
    touches.began(THREAD, MADE)

    assert touches.made(THREAD) == b""


def test_when_it_began_is_forgotten_with_the_thread(touches: Touches) -> None:
    touches.done(THREAD)
    touches.began(THREAD, MADE)

    touches.forget(THREAD)
    assert touches.made(THREAD) == b""

    touches.done(THREAD)
    assert touches.made(THREAD) == b""


def test_of_very_many_threads_it_is_known_when_the_last_used_began(touches: Touches) -> None:
    for number in range(20_000):
        touches.done(NAMES.thread(str(number)))
        touches.began(NAMES.thread(str(number)), b"%d" % number)

    assert touches.made(NAMES.thread("0")) == b""
    assert touches.made(NAMES.thread("19999")) == b"19999"


# Tidying up.


def test_it_is_time_to_tidy_up_after_every_so_many_new_threads(touches: Touches) -> None:
    found = []
    for number in range(3 * CHORE_EVERY):
        touches.done(NAMES.thread(str(number)))
        found.append(touches.chore())

    assert [at for at, due in enumerate(found, 1) if due] == [CHORE_EVERY, 2 * CHORE_EVERY, 3 * CHORE_EVERY]


def test_threads_that_are_known_are_no_reason_to_tidy_up(touches: Touches, clock: Clock) -> None:
    for number in range(3 * CHORE_EVERY):
        clock.now += TOUCH_EVERY
        touches.done(THREAD, b"r/%d" % number)

    assert not touches.chore()


def test_a_core_that_was_told_nothing_keeps_everything_for_ever_on_one_server() -> None:
    made = Core(NAMES)

    assert made.policy == Policy(life=b"", refresh=False, keep_last=None, index_metadata=())
    assert not made.cluster


def test_each_core_remembers_for_itself() -> None:
    one, two = Core(NAMES), Core(NAMES)

    one.touches.done(THREAD)

    assert two.touches.due(THREAD)

"""A thread is in the registry before it is written, and said so once a minute."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from langgraph.checkpoint.redis import core as core_module
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys, Thread
from unit.by_hand import verbs


@dataclass
class Clock:
    """Stands in for the module `time`."""

    now: float = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(core_module, "time", clock)
    return clock


@pytest.fixture
def core(clock: Clock) -> Core:
    assert clock.now
    return Core(Keys("prefix"))


def thread(core: Core, name: str = "thread") -> Thread:
    return core.keys.thread(name)


def asked(core: Core, run: str = "", name: str = "thread") -> list[str]:
    """What goes ahead of a write now."""
    return verbs(core.registration(thread(core, name), run))


def test_a_thread_is_entered_under_the_time_of_its_use(core: Core) -> None:
    (call,) = core.registration(thread(core))

    assert call.command() == [
        "ZADD",
        core.keys.registry(thread(core)),
        1_000_000_000,
        keys.member(thread(core)),
    ]


def test_a_thread_is_entered_again_until_the_server_acknowledged_it(core: Core) -> None:
    assert asked(core) == ["ZADD"]
    assert asked(core) == ["ZADD"]

    core.registered(thread(core))

    assert asked(core) == []


def test_a_thread_is_entered_once_a_minute(core: Core, clock: Clock) -> None:
    core.registered(thread(core))
    clock.now += 59
    assert asked(core) == []

    clock.now += 2

    assert asked(core) == ["ZADD"]


def test_each_thread_is_entered(core: Core) -> None:
    core.registered(thread(core))

    assert asked(core, name="other") == ["ZADD"]


def test_a_run_is_told_of_its_threads(core: Core) -> None:
    _, call = core.registration(thread(core), "run")

    assert call.command() == ["SADD", core.keys.run("run"), keys.member(thread(core))]


def test_each_run_of_a_thread_is_told_once_a_minute(core: Core, clock: Clock) -> None:
    core.registered(thread(core), "run")
    assert asked(core, "run") == []
    assert asked(core, "other") == ["SADD"]

    clock.now += 61

    assert asked(core, "run") == ["ZADD", "SADD"]


def test_a_run_is_told_of_each_of_its_threads(core: Core) -> None:
    core.registered(thread(core), "run")

    assert asked(core, "run", "other") == ["ZADD", "SADD"]


def test_a_deleted_thread_is_entered_anew_with_its_runs(core: Core) -> None:
    core.registered(thread(core), "run")

    core.touches.forget(thread(core))

    assert asked(core, "run") == ["ZADD", "SADD"]


def test_a_deleted_thread_leaves_the_others_entered(core: Core) -> None:
    core.registered(thread(core))
    core.registered(thread(core, "other"))

    core.touches.forget(thread(core))

    assert asked(core, name="other") == []


def test_only_the_last_used_of_very_many_threads_are_remembered(core: Core) -> None:
    for number in range(20_000):
        core.registered(thread(core, str(number)))

    assert asked(core, name="0") == ["ZADD"]
    assert asked(core, name="19999") == []

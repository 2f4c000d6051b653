"""Who knows of a thread, by hand: what goes ahead of a write, and when an entry is of no more use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from unit.entries import NOW, OTHER_RUN, RUN, USER, Clock, commands, entered, linked, stopped, thread


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stopped(monkeypatch)


@pytest.fixture
def core(clock: Clock) -> Core:
    assert clock.now
    return Core(Keys("prefix"))


def ahead(core: Core, *links: bytes, name: str = "thread") -> list[list[Any]]:
    """What goes ahead of a write now."""
    return commands(registry.registration(core, thread(core, name), links))


# Ahead of a write.


def test_a_thread_is_entered_under_the_time_of_its_use(core: Core) -> None:
    assert ahead(core) == [["ZADD", core.keys.registry(thread(core)), NOW, b"thread"]]


def test_one_of_many_writes_enters_a_thread_until_the_server_acknowledged_it(
    core: Core, clock: Clock
) -> None:
    """Another one tries a second later, if the first had no luck."""
    assert [ahead(core) for _ in range(3)] == [[entered(core)], [], []]
    clock.now += 1.1
    assert len(ahead(core)) == 1

    registry.registered(core, thread(core))

    clock.now += 1.1
    assert ahead(core) == []


def test_a_thread_that_was_forgotten_is_entered_at_once(core: Core) -> None:
    assert ahead(core) == [entered(core)]

    core.touches.forget(thread(core))

    assert ahead(core) == [entered(core)]


def test_a_thread_is_entered_once_a_minute(core: Core, clock: Clock) -> None:
    registry.registered(core, thread(core))
    clock.now += 59
    assert ahead(core) == []

    clock.now += 2

    assert len(ahead(core)) == 1


def test_each_thread_is_entered(core: Core) -> None:
    registry.registered(core, thread(core))

    assert ahead(core, name="other") == [entered(core, "other")]


def test_where_a_thread_stands_is_known_before_it_stands_there(core: Core) -> None:
    assert ahead(core, RUN, USER) == [entered(core), *linked(core, RUN, USER)]
    assert core.keys.linked(RUN) == core.keys.run("run")
    assert core.keys.linked(USER) == core.keys.by("user_id", "'ann")


def test_each_link_of_a_thread_is_told_once_a_minute(core: Core, clock: Clock) -> None:
    registry.registered(core, thread(core), [RUN, USER])
    assert ahead(core, RUN, USER) == []

    clock.now += 61

    assert len(ahead(core, RUN, USER)) == len([entered(core), *linked(core, RUN, USER)])


def test_where_one_entry_is_due_all_are_made_under_one_moment(core: Core) -> None:
    """So threads stand in the same order in each index and in the registry."""
    registry.registered(core, thread(core), [RUN, USER])

    assert ahead(core, OTHER_RUN, USER) == [entered(core), *linked(core, OTHER_RUN, USER)]


def test_a_link_is_told_of_each_of_its_threads(core: Core) -> None:
    registry.registered(core, thread(core), [RUN])

    assert ahead(core, RUN, name="other") == [entered(core, "other"), *linked(core, RUN, name="other")]


def test_a_deleted_thread_is_entered_anew_with_its_links(core: Core) -> None:
    registry.registered(core, thread(core), [RUN, USER])

    core.touches.forget(thread(core))

    assert ahead(core, RUN, USER) == [entered(core), *linked(core, RUN, USER)]


def test_a_deleted_thread_leaves_the_others_entered(core: Core) -> None:
    registry.registered(core, thread(core))
    registry.registered(core, thread(core, "other"))

    core.touches.forget(thread(core))

    assert ahead(core, name="other") == []


def test_no_link_is_remembered_longer_than_its_thread(core: Core) -> None:
    """A write that comes with the thread's registration may begin it anew: then no link may be left out."""
    for number in range(6_000):
        registry.registered(core, thread(core, str(number)), [RUN])
    registry.registered(core, thread(core))

    known = [
        [core.touches.due(thread(core, str(number)), link) for link in (b"", RUN)] for number in range(6_000)
    ]

    assert [True, False] not in known
    assert known[0] == [True, True]
    assert known[-1] == [False, False]


def test_a_registration_is_remembered_with_when_its_thread_began(core: Core) -> None:
    registry.registered(core, thread(core), [RUN], b"1767355200000")
    registry.registered(core, thread(core, "other"), [RUN])

    found = [core.touches.made(thread(core, name)) for name in ("thread", "other")]

    assert found == [b"1767355200000", b""]


def test_a_registration_that_does_not_tell_when_the_thread_began_leaves_what_is_known(core: Core) -> None:
    """Writes name no link: they do not ask."""
    registry.registered(core, thread(core), [RUN], b"1767355200000")

    registry.registered(core, thread(core))

    assert core.touches.made(thread(core)) == b"1767355200000"


def test_a_checkpoint_makes_its_run_and_its_indexed_metadata_known() -> None:
    assert registry.links_of("", ()) == []
    assert registry.links_of("run", [("user_id", "'ann")]) == [RUN, USER]


# Where a thread stands.


def test_a_thread_is_asked_for_its_links_alone(core: Core) -> None:
    """Threads whose names begin alike share a shard."""
    asked = registry.links_call(core, thread(core)).command()
    found = [keys.link_member(thread(core), link) for link in (USER, RUN)]

    assert asked == ["ZRANGEBYLEX", core.keys.links(thread(core)), b"[thread\x00", b"(thread\x01"]
    assert registry.read_links(thread(core), found) == [USER, RUN]


# When an entry without a thread may be taken away.


def test_on_one_server_an_entry_without_a_thread_may_go_at_once(core: Core) -> None:
    assert registry.settled(core, NOW)


def test_on_a_cluster_an_entry_without_a_thread_may_go_after_five_minutes(core: Core) -> None:
    core = replace(core, cluster=True)

    assert not registry.settled(core, NOW)
    assert not registry.settled(core, NOW - 5 * 60 * 1000)
    assert registry.settled(core, NOW - 5 * 60 * 1000 - 1)

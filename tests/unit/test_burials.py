"""Threads that are gone, by hand: they leave the registry and every index, unless they began again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from langgraph._redis.plan import Refusal
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.core import CHORE_EVERY, Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.registry import Gone
from unit.by_hand import only, returned, returned_at_once, several, verbs
from unit.entries import NOW, OTHER_RUN, RUN, USER, commands, entered, linked, stopped, thread, unlinked


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Core:
    stopped(monkeypatch)
    return Core(Keys("prefix"))


# Threads that are gone.


def bury(core: Core, *gone: Gone) -> Any:
    """The plan, and the commands of its first round trip."""
    plan = registry.bury(core, gone)
    asked = several(next(plan))
    assert [call.verb for call in asked] == ["ZRANGEBYLEX"] * len(gone)
    return plan


def test_a_thread_that_is_gone_leaves_the_registry_unless_it_was_used_again(core: Core) -> None:
    plan = bury(core, Gone(thread(core), 1_234.0))

    calls = commands(several(plan.send([[]])))

    assert calls == [
        ["forget", core.keys.registry(thread(core)), b"thread", b"1234"],
        ["EXISTS", thread(core).data],
    ]
    returned(plan, [1, 0])


def test_a_thread_that_is_gone_leaves_every_index(core: Core) -> None:
    plan = bury(core, Gone(thread(core), 1.0))

    *removals, forgotten, looked = commands(
        several(plan.send([[keys.link_member(thread(core), link) for link in (USER, RUN)]]))
    )

    assert removals == unlinked(core, USER, RUN)
    assert [forgotten[0], looked[0]] == ["forget", "EXISTS"]
    returned(plan, [1, 1, 2, 1, 0])


def test_many_threads_are_taken_away_in_two_round_trips(core: Core) -> None:
    names = [f"thread {number}" for number in range(100)]
    plan = bury(core, *(Gone(thread(core, name), 1.0) for name in names))

    calls = several(plan.send([[keys.link_member(thread(core, name), RUN)] for name in names]))

    assert len(calls) == 100 * (2 + 1 + 1)
    returned(plan, [1] * 300 + [0] * 100)


def test_nothing_is_looked_at_before_it_is_taken_away(core: Core) -> None:
    """A thread that begins in between is seen: it has begun before it is looked for."""
    plan = bury(core, Gone(thread(core), 1.0), Gone(thread(core, "other"), 2.0))

    asked = verbs(plan.send([[keys.link_member(thread(core), RUN)], []]))

    assert asked[-2:] == ["EXISTS", "EXISTS"]
    assert "EXISTS" not in asked[:-2]


def test_a_thread_that_turns_out_to_be_alive_is_put_back_where_it_stood(core: Core) -> None:
    plan = bury(core, Gone(thread(core), 1.0), Gone(thread(core, "other"), 2.0))
    plan.send([[keys.link_member(thread(core, name), RUN)] for name in ("thread", "other")])

    back = several(plan.send([1, 1, 1, 1, 1, 1, 1, 0]))

    assert commands(back) == [entered(core), *linked(core, RUN)]
    returned(plan, [1, 1, 1])


def test_a_thread_that_was_met_in_an_index_leaves_that_though_nothing_else_knows_of_it(core: Core) -> None:
    plan = registry.bury(core, [Gone(thread(core), 1.0)], [USER])
    next(plan)

    calls = commands(several(plan.send([[keys.link_member(thread(core), RUN)]])))

    assert calls[:3] == unlinked(core, RUN, USER)
    returned(plan, [1, 1, 1, 0, 0])


# A thread that was deleted.


def test_a_deleted_thread_that_stood_nowhere_asks_nothing(core: Core) -> None:
    returned_at_once(registry.unlink(core, thread(core), []))


def test_a_deleted_thread_leaves_its_indexes_in_one_round_trip(core: Core) -> None:
    plan = registry.unlink(core, thread(core), [RUN, USER])

    calls = commands(several(next(plan)))

    assert calls == [*unlinked(core, RUN, USER), ["EXISTS", thread(core).data]]
    returned(plan, [1, 1, 2, 0])


def test_a_deleted_thread_that_began_again_meanwhile_is_put_back(core: Core) -> None:
    plan = registry.unlink(core, thread(core), [RUN])
    next(plan)

    back = several(plan.send([1, 1, 1]))

    assert commands(back) == [entered(core), *linked(core, RUN)]
    returned(plan, [1, 1, 1])


# Runs that a thread lost.


def test_a_thread_that_lost_no_run_asks_nothing_and_stays_registered(core: Core) -> None:
    registry.registered(core, thread(core), [RUN])

    returned_at_once(registry.forget_runs(core, thread(core), []))

    assert registry.registration(core, thread(core), [RUN]) == []


def test_runs_that_a_thread_lost_forget_it_unless_its_index_still_has_them(core: Core) -> None:
    plan = registry.forget_runs(core, thread(core), ["run", "other run"])

    calls = commands(several(next(plan)))

    index = thread(core).index
    assert calls == [
        *unlinked(core, RUN, OTHER_RUN),
        ["ZSCORE", index, RUN],
        ["ZSCORE", index, OTHER_RUN],
    ]
    returned(plan, [1, 1, 2, None, None])


def test_a_run_that_wrote_again_meanwhile_is_told_again(core: Core) -> None:
    plan = registry.forget_runs(core, thread(core), ["run", "other run"])
    next(plan)

    back = several(plan.send([1, 1, 2, None, 0.0]))

    assert commands(back) == linked(core, OTHER_RUN)
    returned(plan, [1, 1])


def test_a_run_that_forgot_its_thread_is_told_anew_before_it_writes(core: Core) -> None:
    registry.registered(core, thread(core), [RUN])
    plan = registry.forget_runs(core, thread(core), ["run"])
    next(plan)

    returned(plan, [1, 1, None])

    ahead = registry.registration(core, thread(core), [RUN])
    assert commands(ahead) == [entered(core), *linked(core, RUN)]


# Tidying up.

# What the server answers of a thread that is there: how long it lives, and whether it is pinned.
ALIVE = [-1, b"0"]


def sampled(core: Core, *names: str, score: float = 1.0) -> list[Any]:
    """What the server answers if it is asked for some entries of a shard."""
    return [word for name in names for word in (keys.member(thread(core, name)), b"%.17g" % score)]


def time_to_tidy(core: Core) -> Core:
    """So many new threads later."""
    for number in range(CHORE_EVERY):
        registry.registered(core, thread(core, f"new {number}"))
    return core


def test_most_of_the_time_nothing_is_tidied_up(core: Core) -> None:
    registry.registered(core, thread(core))

    returned_at_once(registry.tidy(core, thread(core)))


def test_after_some_new_threads_others_of_the_shard_are_looked_at_and_who_is_gone_is_buried(
    core: Core,
) -> None:
    plan = registry.tidy(time_to_tidy(core), thread(core))

    asked = only(next(plan))
    looks = several(plan.send(sampled(core, "alive", "gone")))
    (known,) = several(plan.send([ALIVE, None]))
    calls = commands(several(plan.send([[keys.link_member(thread(core, "gone"), RUN)]])))

    assert asked.command() == ["ZRANDMEMBER", core.keys.registry(thread(core)), 100, b"WITHSCORES"]
    assert commands(looks) == [["live", *thread(core, name).keys, b""] for name in ("alive", "gone")]
    assert known == registry.links_call(core, thread(core, "gone"))
    assert calls == [
        *unlinked(core, RUN, name="gone"),
        ["forget", core.keys.registry(thread(core, "gone")), b"gone", b"1"],
        ["EXISTS", thread(core, "gone").data],
    ]
    returned(plan, [1, 1, 1, 0])


def test_where_nobody_is_gone_nobody_is_buried(core: Core) -> None:
    plan = registry.tidy(time_to_tidy(core), thread(core))
    next(plan)
    plan.send(sampled(core, "one", "two"))

    returned(plan, [ALIVE, [60_000, b"1"]])


def test_what_a_client_pairs_is_read_too(core: Core) -> None:
    plan = registry.tidy(time_to_tidy(core), thread(core))
    next(plan)

    (look,) = several(plan.send([[keys.member(thread(core, "one")), 1.0]]))

    assert look.keys == thread(core, "one").keys
    returned(plan, [ALIVE])


def test_a_user_who_may_not_take_samples_can_write_all_the_same(core: Core) -> None:
    plan = registry.tidy(time_to_tidy(core), thread(core))
    assert only(next(plan)).tolerant

    returned(plan, Refusal("NOPERM"))


def test_on_a_cluster_threads_that_may_be_about_to_begin_are_not_looked_at(core: Core) -> None:
    core = time_to_tidy(replace(core, cluster=True))
    plan = registry.tidy(core, thread(core))
    next(plan)

    returned(plan, sampled(core, "one", "two", score=NOW - 1000))

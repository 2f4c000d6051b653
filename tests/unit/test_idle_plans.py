"""Pruning of idle threads and housekeeping, by hand: what is asked before anything is deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from langgraph._redis.plan import Plan, Refusal
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.abouts import BATCH
from langgraph.checkpoint.redis.core import CHORE_EVERY, Core
from langgraph.checkpoint.redis.idle import PruneReport, prune_idle
from langgraph.checkpoint.redis.keys import Keys, Thread
from unit.by_hand import only, returned, returned_after, returned_at_once, several, shards, verbs

DAY = timedelta(days=1)


@pytest.fixture
def core() -> Core:
    return Core(Keys("prefix"))


def about(pinned: int = 0) -> list[Any]:
    """What the script `about` replies of a thread with one checkpoint."""
    return [b"1767355200000", -1, b"%d" % pinned, 1, b"id", b"", 2, None]


# Idle threads.


def pruned(core: Core, limit: int | None = None, *, dry_run: bool = False) -> Plan[PruneReport]:
    return prune_idle(core, DAY, limit, dry_run=dry_run)


def test_an_idle_thread_is_looked_at_weighed_asked_for_again_and_deleted(core: Core) -> None:
    plan = pruned(core)
    asked = [verbs(next(plan)), verbs(plan.send(shards(a=1.0, b=2.0)))]
    asked.append(verbs(plan.send([about(), about()])))
    asked.append(verbs(plan.send([10, 5, 10, 5])))
    asked.append(verbs(plan.send([b"1", b"2"])))
    asked.append(verbs(plan.send([1, 1])))
    asked.append(verbs(plan.send([[], []])))

    assert asked[1:] == [
        ["about"] * 2,
        ["MEMORY USAGE"] * 4,
        ["ZSCORE"] * 2,
        ["reap"] * 2,
        ["ZRANGEBYLEX"] * 2,
        ["forget", "forget", "EXISTS", "EXISTS"],
    ]
    report = returned(plan, [1, 1, 0, 0])
    assert (report.threads, report.checkpoints, report.bytes) == (2, 2, 30)


@pytest.mark.parametrize("score", [None, b"99"])
def test_a_thread_that_the_registry_has_otherwise_now_stays(core: Core, score: bytes | None) -> None:
    plan = pruned(core)

    report = returned_after(plan, [shards(a=1.0), [about()], [10, 5], [score]])

    assert (report.threads, report.bytes) == (0, 0)


def test_a_thread_that_was_written_meanwhile_stays(core: Core) -> None:
    report = returned_after(pruned(core), [shards(a=1.0), [about()], [10, 5], [b"1"], [0]])

    assert (report.threads, report.bytes) == (0, 0)


def test_a_dry_run_only_looks(core: Core) -> None:
    report = returned_after(pruned(core, dry_run=True), [shards(a=1.0), [about()], [10, Refusal("no")]])

    assert (report.threads, report.bytes, report.dry_run) == (1, None, True)


def test_a_pinned_thread_is_not_even_weighed(core: Core) -> None:
    report = returned_after(pruned(core), [shards(a=1.0), [about(pinned=1)]])

    assert report.threads == 0


def test_threads_are_pruned_a_hundred_at_a_time(core: Core) -> None:
    plan = pruned(core)
    next(plan)

    asked = several(plan.send(shards(**{f"t{n}": 1.0 for n in range(150)})))

    assert len(asked) == BATCH


# Housekeeping.


def registered(core: Core, count: int) -> None:
    for number in range(count):
        registry.registered(core, core.keys.thread(f"new {number}"))


def thread(core: Core) -> Thread:
    return core.keys.thread("thread")


def test_housekeeping_asks_nothing_until_there_were_many_new_threads(core: Core) -> None:
    registered(core, CHORE_EVERY - 1)
    registered(core, CHORE_EVERY - 1)

    returned_at_once(registry.tidy(core, thread(core)))


def test_housekeeping_looks_at_a_sample_of_the_shard_once(core: Core) -> None:
    registered(core, CHORE_EVERY)
    plan = registry.tidy(core, thread(core))
    call = only(next(plan))
    assert (call.verb, call.keys) == ("ZRANDMEMBER", [core.keys.registry(thread(core))])
    assert call.tolerant

    looked = several(plan.send([b"a", b"1", b"b", b"2"]))
    assert verbs(looked) == ["live", "live"]
    assert [(each.keys, each.args) for each in looked] == [
        (core.keys.thread(name).keys, (b"",)) for name in ("a", "b")
    ]
    asked = several(plan.send([[-1, b"0"], None]))

    assert [each.args for each in asked] == [keys.link_bounds(core.keys.thread("b"))]
    returned_at_once(registry.tidy(core, thread(core)))


@pytest.mark.parametrize("reply", [[], Refusal("NOPERM"), [[b"a", 1e18]]])
def test_housekeeping_that_finds_nothing_to_look_at_ends(core: Core, reply: Any) -> None:
    """On a cluster what was registered just now may be about to begin."""
    core = replace(core, cluster=True)
    registered(core, CHORE_EVERY)

    returned_after(registry.tidy(core, thread(core)), [reply])


def test_housekeeping_that_finds_all_alive_ends(core: Core) -> None:
    registered(core, CHORE_EVERY)

    returned_after(registry.tidy(core, thread(core)), [[b"a", b"1"], [[-1, b"0"]]])

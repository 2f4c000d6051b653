"""Subgraph calls in a sweep: what goes when a call has ended, and what is forgotten of it."""

from __future__ import annotations

import pytest

from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.sweep import Sweep, newest_of_each_namespace, of_runs
from unit.by_hand import only, returned, verbs
from unit.surveys import asked_of, survey, surveyed


def made_from(checkpoint_id: str, ns: str) -> bytes:
    """The member of an index that says which checkpoint a namespace was made from."""
    return b"u/" + keys.owner(ns, {"": checkpoint_id})


@pytest.fixture
def sweep() -> Sweep:
    core = Core(Keys("prefix"))
    return Sweep(core, core.keys.thread("thread"))


@pytest.fixture
def thorough(sweep: Sweep) -> Sweep:
    """A sweep that drops the namespaces of calls that have ended, too."""
    sweep.finished = True
    return sweep


def test_the_namespaces_of_calls_go_with_the_checkpoint_that_they_were_made_from(thorough: Sweep) -> None:
    plan = thorough.drop(newest_of_each_namespace(1))
    next(plan)
    inner = [[ns, *surveyed(b"9")[1:]] for ns in (b"old:1", b"old:1|deep:2", b"new:3", b"old:1b")]
    gone, stays = made_from("1", "old:1"), made_from("2", "new:3")

    asked = only(plan.send(survey(surveyed(b"1"), surveyed(b"2", b"1"), *inner)))
    assert asked.command()[:3] == ["ZRANGEBYLEX", thorough.thread.index, b"[u/"]
    more = only(plan.send([gone, stays]))
    assert more.args[0] == b"(" + stays
    records = only(plan.send([]))
    assert asked_of(records) == [6, b"", b"1", b"old:1", b"9", b"old:1|deep:2", b"9", 0]
    members = only(plan.send(1))
    spaces = [b"t/kept/old:1", b"t/kept/old:1|deep:2"]
    assert asked_of(members) == [0, 1, gone, *spaces, b"u/old:1"]
    assert verbs(plan.send(1)) == ["sweep_end"]
    returned(plan, [])


def test_a_thread_without_ended_calls_loses_nothing_but_old_checkpoints(thorough: Sweep) -> None:
    plan = thorough.drop(newest_of_each_namespace(1))
    next(plan)
    plan.send(survey(surveyed(b"2"), [b"new:3", *surveyed(b"9")[1:]]))
    plan.send([made_from("2", "new:3")])

    assert verbs(plan.send([])) == ["sweep_end"]
    returned(plan, [])


def below(ns: bytes, run: bytes = b"") -> list[bytes]:
    """A record of a subgraph's call."""
    return [ns, *surveyed(b"9", run=run)[1:]]


@pytest.mark.parametrize("made", ["", "1"], ids=["nothing", "an older one"])
def test_a_call_whose_checkpoint_may_be_about_to_be_put_stays(thorough: Sweep, made: str) -> None:
    """A subgraph's checkpoints may be there before the one that they were made from."""
    plan = thorough.drop(newest_of_each_namespace(1))
    next(plan)
    plan.send(survey(*(surveyed(name.encode()) for name in made), below(b"new:1")))
    plan.send([made_from("2", "new:1")])

    assert verbs(plan.send([])) == ["sweep_end"]
    returned(plan, [])


def test_a_sweep_of_runs_forgets_the_calls_of_which_nothing_is_left_and_no_others(sweep: Sweep) -> None:
    """It drops by what made a record: a call goes when its last record does, wherever it was made from."""
    plan = sweep.drop(of_runs({b"a"}))
    next(plan)
    over, stays = made_from("1", "over:1"), made_from("1", "stays:2")
    inner = [below(b"over:1", b"a"), below(b"stays:2|deep:3", b"b"), below(b"stays:2", b"a")]

    asked = plan.send(survey(surveyed(b"1", run=b"a"), surveyed(b"2", b"1"), *inner))
    assert verbs(asked) == ["ZRANGEBYLEX"]
    plan.send([over, stays])
    records = only(plan.send([]))
    assert asked_of(records) == [6, b"", b"1", b"over:1", b"9", b"stays:2", b"9", 0]
    facts = only(plan.send(1))

    assert asked_of(facts) == [0, 1, over, b"t/kept/over:1", b"t/kept/stays:2", b"u/over:1"]
    assert asked_of(only(plan.send(1))) == [0, b"b"]
    returned(plan, [])


def test_a_namespace_that_is_no_call_takes_what_was_noted_of_it_along(sweep: Sweep) -> None:
    plan = sweep.drop(of_runs({b"a"}))
    next(plan)
    plan.send(survey(surveyed(b"1"), below(b"sub", b"a")))
    plan.send([])

    noted = only(plan.send(1))

    assert asked_of(noted) == [0, 0, b"t/kept/sub"]
    assert verbs(plan.send(1)) == ["sweep_end"]
    returned(plan, [])


def test_a_thread_without_subgraphs_is_not_asked_for_their_calls(thorough: Sweep) -> None:
    thorough.finished = False
    plan = thorough.drop(newest_of_each_namespace(1))
    next(plan)

    assert verbs(plan.send(survey(surveyed(b"1"), surveyed(b"2")))) == ["sweep"]
    assert verbs(plan.send(1)) == ["sweep_end"]
    returned(plan, [])

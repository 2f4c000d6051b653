"""Copies, prunes and histories by hand: what each asks, and in which order runs learn of it."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import history
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.records import pack_writes, record_tail
from steps import config_of
from unit.by_hand import only, returned, returned_after, returned_at_once, several, verbs

CODEC = Codec(JsonPlusSerializer())

# What the script of a copy answers if the source holds a run that was not told of the target.
UNTOLD = -1


@pytest.fixture
def plans() -> Plans:
    made = Plans(Core(Keys("prefix")), CODEC)
    made.core.registered(made.core.keys.thread("target"))
    return made


def test_a_thread_is_copied_onto_itself_without_a_word(plans: Plans) -> None:
    returned_at_once(history.copy_thread(plans, "7", "7"))


def test_a_copy_is_one_round_trip(plans: Plans) -> None:
    plan = history.copy_thread(plans, "source", "target")

    (call,) = several(next(plan))

    source, target = (plans.core.keys.thread(name) for name in ("source", "target"))
    assert verbs([call]) == ["copy"]
    assert tuple(call.keys) == (*source.keys, *target.keys)
    returned(plan, [[]])


def test_a_new_thread_is_registered_before_it_is_copied_to(plans: Plans) -> None:
    plan = history.copy_thread(plans, "source", "new")

    assert verbs(several(next(plan))) == ["ZADD", "copy"]


def test_a_source_that_does_not_exist_changes_nothing(plans: Plans) -> None:
    returned_after(history.copy_thread(plans, "source", "target"), [[None]])


def test_runs_are_told_of_a_copy_before_it_is_made(plans: Plans) -> None:
    plan = history.copy_thread(plans, "source", "target")
    next(plan)

    asked = only(plan.send([UNTOLD]))
    assert asked.command()[:2] == ["ZRANGEBYLEX", plans.core.keys.thread("source").index]
    *told, copy = several(plan.send([b"r/a", b"r/b"]))

    assert [call.command() for call in told] == [
        ["SADD", plans.core.keys.run(run), b"target"] for run in ("a", "b")
    ]
    assert list(copy.args) == [b"a", b"b"]
    returned(plan, [1, 1, []])


def test_a_run_that_joined_meanwhile_is_told_too(plans: Plans) -> None:
    plan = history.copy_thread(plans, "source", "target")
    next(plan)
    plan.send([UNTOLD])
    plan.send([b"r/a"])

    plan.send([1, UNTOLD])
    *_, copy = several(plan.send([b"r/a", b"r/b"]))

    assert list(copy.args) == [b"a", b"b"]


def test_runs_of_what_a_copy_replaced_forget_the_target(plans: Plans) -> None:
    plan = history.copy_thread(plans, "source", "target")
    next(plan)
    plan.send([UNTOLD])
    plan.send([b"r/a", b"r/b"])

    lost, _ = several(plan.send([1, 1, [b"b", b"c"]]))

    assert lost.command() == ["SREM", plans.core.keys.run("c"), b"target"]
    returned(plan, [1, None])


def test_no_threads_are_pruned_without_a_word(plans: Plans) -> None:
    returned_at_once(history.prune(plans, [], "keep_latest"))
    returned_at_once(history.prune(plans, [], "delete"))


def test_pruning_may_mean_to_delete(plans: Plans) -> None:
    plan = history.prune(plans, ["a", "b"], "delete")

    assert verbs(next(plan)) == ["delete"]
    assert verbs(plan.send([])) == ["delete"]
    returned(plan, [])


def test_pruning_begins_with_a_survey(plans: Plans) -> None:
    assert verbs(next(history.prune(plans, ["a"], "keep_latest"))) == ["survey"]


def test_no_runs_delete_nothing(plans: Plans) -> None:
    returned_at_once(history.delete_for_runs(plans, []))


def test_a_run_that_nobody_knows_deletes_nothing(plans: Plans) -> None:
    plan = history.delete_for_runs(plans, ["a", "b"])

    assert [call.command() for call in several(next(plan))] == [
        ["SMEMBERS", plans.core.keys.run(run)] for run in ("a", "b")
    ]
    returned(plan, [[], set()])


def test_each_thread_of_some_runs_is_swept_once(plans: Plans) -> None:
    plan = history.delete_for_runs(plans, ["a", "b"])
    next(plan)

    first = only(plan.send([[b"x", b"y"], [b"y"]]))
    assert verbs(first) == ["survey"]
    assert tuple(first.keys) == plans.core.keys.thread("x").keys
    assert verbs(plan.send(None)) == ["sweep_end"]
    second = only(plan.send([]))
    assert tuple(second.keys) == plans.core.keys.thread("y").keys
    assert verbs(plan.send(None)) == ["sweep_end"]
    returned(plan, [])


def test_channels_of_a_checkpoint_that_does_not_exist_have_no_history(plans: Plans) -> None:
    plan = history.delta_history(plans, config_of(), ["m"])

    assert returned_after(plan, [None]) == {"m": {"writes": []}}


def test_no_channels_ask_nothing(plans: Plans) -> None:
    assert returned_at_once(history.delta_history(plans, config_of(), [])) == {}


def test_a_history_is_the_nearest_value_and_the_writes_since_oldest_first(plans: Plans) -> None:
    newest = [b"3", [b"task 3", pack_writes(CODEC, [("m", "d"), ("m", "e")], "").blob], []]
    older = [b"2", [b"task 2", pack_writes(CODEC, [("m", "b"), ("n", "c")], "").blob], []]
    value = [b"m", b"v", b"v//m/1", b"I" + CODEC.pack(["a"])]
    oldest = [b"1", [], value]

    found = returned_after(
        history.delta_history(plans, config_of(), ["m"]), [[b"", [newest, older, oldest], []]]
    )

    writes = [("task 2", "m", "b"), ("task 3", "m", "d"), ("task 3", "m", "e")]
    assert found == {"m": {"seed": ["a"], "writes": writes}}


def test_a_value_may_stand_in_the_record(plans: Plans) -> None:
    record = b"1\nm\n" + record_tail(CODEC, b"", [], [{"channel_versions": {}}, {"m": None}, {}])

    found = returned_after(
        history.delta_history(plans, config_of(), ["m"]),
        [[b"", [[b"1", [], [b"m", b"r", b"", record]]], []]],
    )

    assert found == {"m": {"seed": None, "writes": []}}


def test_a_channel_without_a_value_has_no_seed(plans: Plans) -> None:
    step = [b"1", [b"task", pack_writes(CODEC, [("m", 1)], "").blob], []]

    found = returned_after(history.delta_history(plans, config_of(), ["m"]), [[b"", [step], []]])

    assert found == {"m": {"writes": [("task", "m", 1)]}}


def test_a_long_history_goes_on_where_the_walk_stopped(plans: Plans) -> None:
    plan = history.delta_history(plans, config_of(), ["m"])
    first = only(next(plan))
    step = [b"9", [b"task", pack_writes(CODEC, [("m", 1)], "").blob], []]

    second = only(plan.send([b"8", [step], []]))

    assert first.args[1] == b""
    assert second.args[1] == b"8"
    assert returned(plan, [b"", [], []]) == {"m": {"writes": [("task", "m", 1)]}}

"""Histories of DeltaChannels by hand: what is asked, and what is made of the replies."""

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
from unit.by_hand import only, returned, returned_after, returned_at_once

CODEC = Codec(JsonPlusSerializer())


@pytest.fixture
def plans() -> Plans:
    return Plans(Core(Keys("prefix")), CODEC)


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
    record = b"1\n\nm\n" + record_tail(CODEC, b"", [], [{"channel_versions": {}}, {"m": None}, {}])

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

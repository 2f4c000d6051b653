"""Plans by hand, of savers with options: what the scripts are told, and what follows of what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.policy import Policy
from steps import checkpoint_of, config_of, id_of, metadata_of
from unit.by_hand import atomic, batch, only, returned, returned_after, several, verbs

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

# What the script answers to a put.
STORED, TOO_MANY = 1, 2
# The arguments of a put, and of writes, that are looked at.
RECORD, LIFE, KEPT, OWNER = 5, 8, 9, 10
WRITES_LIFE, MAYBE_DROPPED = 7, 8


def told(**policy: Any) -> Plans:
    """The operations of a saver with options; the thread is registered."""
    made = Plans(Core(Keys("prefix"), Policy(**policy)), Codec(JsonPlusSerializer()))
    registry.registered(made.core, thread(made))
    return made


def thread(plans: Plans) -> Thread:
    return plans.core.keys.thread("thread")


def with_ttl(ttl: Any, **config: Any) -> RunnableConfig:
    """A config that asks for a life."""
    made = config_of(**config)
    made["configurable"]["ttl"] = ttl
    return made


def test_a_write_carries_the_life_that_the_saver_gives() -> None:
    plans = told(life=b"60000")

    put = only(next(plans.put(config_of(), checkpoint_of({}), metadata_of(), {})))
    writes = only(next(plans.put_writes(config_of(checkpoint_id="1"), [("a", 1)], "task", "")))

    assert (put.args[LIFE], writes.args[WRITES_LIFE]) == (b"60000", b"60000")


def test_a_write_carries_the_life_that_its_config_asks_for_before_the_savers() -> None:
    plans = told(life=b"60000")

    put = only(next(plans.put(with_ttl(0.5), checkpoint_of({}), metadata_of(), {})))
    writes = only(next(plans.put_writes(with_ttl(None, checkpoint_id="1"), [("a", 1)], "task", "")))

    assert (put.args[LIFE], writes.args[WRITES_LIFE]) == (b"=30000", b"=0")


def test_the_life_that_a_config_asks_for_is_no_metadata() -> None:
    """What else a config names is: LangGraph stores it with the checkpoint."""
    config = with_ttl(2)
    config["configurable"]["user"] = "ann"
    plans = told()
    plan = plans.put(config, checkpoint_of({}, checkpoint_id="1"), metadata_of(), {})
    record = b"1\n\n\n" + bytes(cast("bytes", only(next(plan)).args[RECORD]))
    returned(plan, STORED)

    found = returned_after(plans.get_tuple(config_of()), [batch([[b"", b"1", record, []]])])

    assert found is not None
    assert found.metadata == {**metadata_of(), "user": "ann"}


def test_a_read_prolongs_nothing_unless_the_saver_says_so() -> None:
    asked = [
        only(next(plans.get_tuple(config))).args[3]
        for plans in (told(life=b"60000"), told(life=b"60000", refresh=True))
        for config in (config_of(), with_ttl(1))
    ]

    assert asked == [b"-", b"-", b"60000", b"=60000"]


@pytest.mark.parametrize("refused", [0, -1, float("nan"), float("inf")])
def test_a_life_that_makes_no_sense_stores_nothing(refused: float) -> None:
    plans = told()
    with pytest.raises(ValueError, match=r'^config\["configurable"\]\["ttl"\] must be'):
        next(plans.put(with_ttl(refused), checkpoint_of({}), metadata_of(), {}))
    with pytest.raises(ValueError, match=r'^config\["configurable"\]\["ttl"\] must be'):
        next(plans.put_writes(with_ttl(refused, checkpoint_id="1"), [("a", 1)], "task", ""))


def test_indexed_metadata_make_the_thread_known_ahead_of_the_checkpoint() -> None:
    plans = told(index_metadata=("user", "tags", "absent"))

    _, known, by_user, put, look = atomic(
        next(plans.put(config_of(), checkpoint_of({}), metadata_of(user="ann", tags=["a"]), {}))
    )

    assert known.keys == [plans.core.keys.links(thread(plans))]
    assert by_user.keys == [plans.core.keys.by("user", "'ann")]
    assert verbs(put) == ["put"]
    assert look.command() == ["HGET", thread(plans).data, b"t/made"]


def test_a_put_says_how_many_checkpoints_are_kept() -> None:
    asked = [
        only(next(plans.put(config_of(), checkpoint_of({}), metadata_of(), {})))
        for plans in (told(), told(keep_last=3))
    ]

    assert [call.args[KEPT] for call in asked] == [b"", 3]


def test_a_put_names_the_checkpoint_that_its_namespace_was_made_from() -> None:
    metadata = metadata_of(parents={"": "the parent"})

    calls = [
        only(next(told().put(config_of("thread", ns), checkpoint_of({}), metadata, {})))
        for ns in ("", "node:task", "node")
    ]

    assert [call.args[OWNER] for call in calls] == [b"", b"/the parent\x00node:task", b""]


def test_a_put_that_dropped_nothing_leaves_the_thread_registered() -> None:
    plans = told(keep_last=3)
    put = plans.put(config_of(), checkpoint_of({}), metadata_of(), {})
    next(put)

    returned(put, [])

    assert verbs(only(next(plans.put(config_of(), checkpoint_of({}), metadata_of(), {})))) == ["put"]


def test_runs_that_ended_with_what_a_put_dropped_forget_the_thread() -> None:
    plans = told(keep_last=3)
    put = plans.put(config_of(), checkpoint_of({}), metadata_of(), {})
    next(put)

    forgotten, unlinked, looked = several(put.send([b"an old run"]))

    assert forgotten.command() == ["ZREM", plans.core.keys.run("an old run"), b"thread"]
    assert unlinked.command() == [
        "ZREM",
        plans.core.keys.links(thread(plans)),
        keys.link_member(thread(plans), keys.run_link("an old run")),
    ]
    assert verbs(looked) == ["ZSCORE"]
    assert id_of(returned(put, [1, 1, None]))


def test_what_is_more_than_a_put_may_drop_is_left_to_a_sweep() -> None:
    plans = told(keep_last=3)
    put = plans.put(config_of(), checkpoint_of({}), metadata_of(), {})
    next(put)

    survey = only(put.send(TOO_MANY))

    assert verbs(survey) == ["survey"]
    assert tuple(survey.keys) == thread(plans).keys


def test_writes_say_whether_their_checkpoint_may_have_been_dropped() -> None:
    asked = [
        only(next(plans.put_writes(config_of(checkpoint_id="1"), [("a", 1)], "task", "")))
        for plans in (told(), told(keep_last=3))
    ]

    assert [call.args[MAYBE_DROPPED] for call in asked] == [0, 1]

"""Which put branches off on purpose, and what is said of one that was overtaken."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import ConcurrentUpdateError
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.conflicts import branches, named
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.policy import Policy
from steps import checkpoint_of, config_of, metadata_of
from unit.by_hand import written

ALONE = 12  # The argument of a put that says whether it must be alone.


def told(checkpoint_id: str, **more: Any) -> Any:
    config = config_of(checkpoint_id=checkpoint_id)
    config["configurable"] |= more
    return config


def asked_by_id(checkpoint_id: str) -> Any:
    found = CheckpointTuple(
        config_of(checkpoint_id=checkpoint_id), checkpoint_of({}, None, checkpoint_id), metadata_of()
    )
    return named(found).config


@pytest.mark.parametrize("source", ["fork", "update"])
def test_what_langgraph_calls_a_fork_branches_off(source: Any) -> None:
    assert branches(told("1"), {"source": source})


@pytest.mark.parametrize("source", ["loop", "input"])
def test_a_run_that_goes_on_does_not(source: Any) -> None:
    assert not branches(told("1"), {"source": source})
    assert not branches(config_of(), {"source": source})


def test_a_run_that_named_its_checkpoint_does() -> None:
    assert branches(asked_by_id("1"), {"source": "input"})


def test_a_run_that_named_another_checkpoint_does_not() -> None:
    """Its first put made a checkpoint of its own, on which the next one stands."""
    config = asked_by_id("1")
    config["configurable"]["checkpoint_id"] = "2"

    assert not branches(config, {"source": "loop"})


def test_a_subgraph_that_is_replayed_does() -> None:
    assert branches(told("1", __pregel_replay_state=object()), {"source": "input"})
    assert not branches(told("1", __pregel_replay_state=None), {"source": "input"})


@pytest.mark.parametrize(
    ("refuses", "source", "alone"), [(True, "loop", 1), (True, "fork", 0), (False, "loop", 0)]
)
def test_the_script_is_told_whether_a_checkpoint_must_be_alone(
    *, refuses: bool, source: str, alone: int
) -> None:
    plans = Plans(Core(Keys("prefix"), Policy(refuses=refuses)), Codec(JsonPlusSerializer()))

    call = written(next(plans.put(config_of(), checkpoint_of({}), metadata_of(source=source), {})))

    assert call.args[ALONE] == alone


def test_a_put_that_was_overtaken_names_both_checkpoints() -> None:
    plans = Plans(Core(Keys("prefix"), Policy(refuses=True)), Codec(JsonPlusSerializer()))
    plan = plans.put(told("1"), checkpoint_of({}, None, "3"), metadata_of(), {})
    asked: Any = next(plan)

    with pytest.raises(ConcurrentUpdateError, match=r"'3' of thread 'thread' goes on from '1'.* stored '2'"):
        plan.send([*[1] * (len(asked.calls) - 1), b"c//2"])

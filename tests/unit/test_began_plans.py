"""A thread that began anew is not the one that an index names: a put says which one it knows, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.errors import CheckpointNotFoundError
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.policy import Policy
from steps import checkpoint_of, config_of, id_of, metadata_of
from unit.by_hand import atomic, only, returned, returned_after, verbs, written

if TYPE_CHECKING:
    from langgraph._redis.plan import Plan

MADE, ANEW = b"1767355200000", b"1767355209999"
# What the script answers to a put.
STORED, UNREGISTERED, ANCESTORS_GONE = 1, -1, -2
# Where a put says whether it registers the thread, and when the thread began that it knows.
REGISTERED, KNOWN = 7, 11
TOLD = ["ZADD", "ZADD", "ZADD"]


@pytest.fixture
def plans() -> Plans:
    return Plans(Core(Keys("prefix"), Policy(index_metadata=("user",))), Codec(JsonPlusSerializer()))


def put(plans: Plans, **metadata: Any) -> Plan[Any]:
    return plans.put(config_of(), checkpoint_of({}), metadata_of(**metadata), {})


def begun(plans: Plans, made: bytes | None = MADE, **metadata: Any) -> None:
    """The thread is registered with a link, and this is what the server says of when it began."""
    returned_after(put(plans, **metadata), [[1, 1, 1, STORED, made]])


LINKS: list[dict[str, Any]] = [{"run_id": "a run"}, {"user": "ann"}]
linked = pytest.mark.parametrize("metadata", LINKS, ids=["run", "indexed"])


@linked
def test_a_put_that_registers_links_asks_right_behind_it_when_the_thread_began(
    plans: Plans, metadata: dict[str, Any]
) -> None:
    asked = next(put(plans, **metadata))

    assert verbs(atomic(asked)) == [*TOLD, "put", "HGET"]
    assert atomic(asked)[-1].command() == ["HGET", plans.core.keys.thread("thread").data, b"t/made"]
    assert (written(asked).args[REGISTERED], written(asked).args[KNOWN]) == (1, b"")


def test_a_put_that_registers_no_links_does_not_ask(plans: Plans) -> None:
    assert verbs(atomic(next(put(plans)))) == ["ZADD", "put"]


@linked
def test_the_next_put_with_links_says_which_thread_it_knows(plans: Plans, metadata: dict[str, Any]) -> None:
    begun(plans, **metadata)

    call = only(next(put(plans, **metadata)))

    assert (call.args[REGISTERED], call.args[KNOWN]) == (0, MADE)


def test_a_put_without_links_goes_to_whatever_thread_is_there(plans: Plans) -> None:
    begun(plans, run_id="a run")

    assert only(next(put(plans))).args[KNOWN] == b""


def test_a_put_that_registers_another_link_goes_to_whatever_thread_is_there(plans: Plans) -> None:
    """It comes with every link that it has, so there is nothing that could be missing."""
    begun(plans, run_id="a run")

    asked = next(put(plans, run_id="another run"))

    assert verbs(asked) == [*TOLD, "put", "HGET"]
    assert written(asked).args[KNOWN] == b""


@linked
def test_a_put_to_a_thread_that_began_anew_registers_its_links_again(
    plans: Plans, metadata: dict[str, Any]
) -> None:
    begun(plans, **metadata)
    plan = put(plans, **metadata)
    next(plan)

    again = plan.send(UNREGISTERED)

    assert verbs(again) == [*TOLD, "put", "HGET"]
    assert (written(again).args[REGISTERED], written(again).args[KNOWN]) == (1, b"")
    returned(plan, [1, 1, 1, STORED, ANEW])
    assert only(next(put(plans, **metadata))).args[KNOWN] == ANEW


def test_links_that_are_known_of_a_thread_that_writes_began_anew_are_told_apart_by_the_script(
    plans: Plans,
) -> None:
    """Writes register the thread and no link: what was known stands, and the script compares it."""
    begun(plans, run_id="a run")
    writes = plans.put_writes(config_of(checkpoint_id="1"), [("a", 1)], "task", "")
    assert verbs(only(next(writes))) == ["put_writes"]
    returned(writes, [1])

    assert only(next(put(plans, run_id="a run"))).args[KNOWN] == MADE


def test_a_thread_that_is_gone_again_when_it_is_asked_is_not_known(plans: Plans) -> None:
    begun(plans, None, run_id="a run")

    assert only(next(put(plans, run_id="a run"))).args[KNOWN] == b""


# What a DeltaChannel is rebuilt from.


@pytest.mark.parametrize("first", [True, False], ids=["registered", "known"])
def test_a_put_whose_delta_channels_lost_their_ancestors_is_an_error(plans: Plans, *, first: bool) -> None:
    if not first:
        begun(plans, run_id="a run")
    checkpoint = checkpoint_of({}, {"grown": "1"}, "the id")
    counted = metadata_of(run_id="a run", counters_since_delta_snapshot={"grown": (1, 1)})
    plan = plans.put(config_of(checkpoint_id="the parent"), checkpoint, counted, {})
    next(plan)

    said = (
        r"^checkpoint 'the parent' is gone from 'prefix:\{thread\}:data': .* expired, while a run went on\. "
        r"Checkpoint 'the id' .* was not stored; a ttl must be longer than the longest step$"
    )
    with pytest.raises(CheckpointNotFoundError, match=said):
        plan.send([1, 1, 1, ANCESTORS_GONE, None] if first else ANCESTORS_GONE)


def test_an_error_of_one_put_does_not_stand_in_the_way_of_the_next(plans: Plans) -> None:
    """That may begin the thread anew, if it needs no ancestor: then the script asks for its registration."""
    begun(plans, run_id="a run")
    lost = put(plans, run_id="a run")
    next(lost)
    with pytest.raises(CheckpointNotFoundError):
        lost.send(ANCESTORS_GONE)
    plan = put(plans, run_id="a run")
    next(plan)

    assert verbs(plan.send(UNREGISTERED)) == [*TOLD, "put", "HGET"]
    assert id_of(returned(plan, [1, 1, 1, STORED, ANEW]))

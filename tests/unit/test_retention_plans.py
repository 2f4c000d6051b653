"""What is kept, by hand: whom a prune asks for what, what it refuses, and how old a checkpoint is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import retention
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.sweep import Line
from unit.by_hand import only, returned, returned_at_once, several, verbs

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc).timestamp()


@pytest.fixture
def plans() -> Plans:
    return Plans(Core(Keys("prefix")), Codec(JsonPlusSerializer()))


def prune(
    plans: Plans, threads: Any, strategy: Any = "keep_latest", keep_last: Any = None, older_than: Any = None
) -> Any:
    """The plan; what is not given is what `prune` has by default."""
    return retention.prune(plans, threads, strategy, keep_last, older_than)


def test_no_threads_are_pruned_without_a_word(plans: Plans) -> None:
    returned_at_once(prune(plans, []))
    returned_at_once(prune(plans, [], "delete"))
    returned_at_once(prune(plans, [], keep_last=3))


def test_pruning_may_mean_to_delete(plans: Plans) -> None:
    plan = prune(plans, ["a", "b"], "delete")

    for name, asked in (("a", next(plan)), ("b", plan.send([[], []]))):
        delete, links = several(asked)
        assert verbs([delete, links]) == ["delete", "ZRANGEBYLEX"]
        assert tuple(delete.keys) == plans.core.keys.thread(name).keys
    returned(plan, [[], []])


def test_threads_are_pruned_one_after_the_other_each_beginning_with_a_survey(plans: Plans) -> None:
    plan = prune(plans, ["a", "b"])

    first = only(next(plan))
    assert verbs(first) == ["survey"]
    assert tuple(first.keys) == plans.core.keys.thread("a").keys
    assert verbs(plan.send(None)) == ["sweep_end"]
    second = only(plan.send([]))
    assert tuple(second.keys) == plans.core.keys.thread("b").keys


@pytest.mark.parametrize("refused", ["", "keep_last", None])
def test_an_unknown_strategy_is_refused_even_where_no_thread_is_named(plans: Plans, refused: Any) -> None:
    with pytest.raises(ValueError, match='strategy must be "keep_latest" or "delete"'):
        next(prune(plans, [], refused))


@pytest.mark.parametrize("bounds", [{"keep_last": 1}, {"older_than": timedelta(days=1)}])
def test_deleting_leaves_nothing_to_bound(plans: Plans, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="leave out keep_last and older_than"):
        next(prune(plans, ["a"], "delete", **bounds))


@pytest.mark.parametrize(
    ("refused", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError)]
)
def test_a_number_to_keep_is_an_int_of_at_least_one(
    plans: Plans, refused: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^keep_last must be"):
        next(prune(plans, [], keep_last=refused))


@pytest.mark.parametrize(
    ("refused", "error"), [(timedelta(0), ValueError), (timedelta(-1), ValueError), (60, TypeError)]
)
def test_an_age_is_a_timedelta_above_zero(plans: Plans, refused: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^older_than must be"):
        next(prune(plans, [], older_than=refused))


def test_one_id_is_not_taken_for_many_of_one_letter(plans: Plans) -> None:
    with pytest.raises(TypeError, match=r"^thread_ids must be a sequence of ids"):
        next(prune(plans, "12"))
    with pytest.raises(TypeError, match=r"^run_ids must be a sequence of ids"):
        next(retention.delete_for_runs(plans, "12"))


# How old a checkpoint is.


def id_at(moment: float) -> str:
    """An id of LangGraph's kind that was made at a moment, in seconds since 1970."""
    ticks = 0x01B21DD213814000 + round(moment * 1e7)
    whole = (ticks >> 12) << 80 | (6 << 76) | (ticks & 0xFFF) << 64 | (0b10 << 62) | 7
    return str(UUID(int=whole))


def test_an_id_says_when_it_was_made() -> None:
    made = retention.made_at(id_at(NOW))

    assert made == pytest.approx(NOW, abs=1e-5)


_OF_VERSION_1 = "c232ab00-9414-11ec-b3c8-9f6bdeced846"
_OF_VERSION_4 = "919108f7-52d1-4320-9bac-f847db4148a8"


def test_an_id_that_langgraph_makes_now_says_now() -> None:
    before = datetime.now(timezone.utc).timestamp()

    made = retention.made_at(str(uuid6()))

    assert made is not None
    # LangGraph counts up where ids would coincide.
    assert before - 1 < made < datetime.now(timezone.utc).timestamp() + 1


@pytest.mark.parametrize("name", ["", "1", "not-a-uuid", _OF_VERSION_1, _OF_VERSION_4, "7" * 32])
def test_an_id_of_another_kind_says_nothing(name: str) -> None:
    assert retention.made_at(name) is None


def line(name: str, ns: str = "") -> Line:
    return Line(ns.encode(), name.encode(), b"", (), b"", ())


def test_what_is_younger_than_a_moment_stays_and_the_newest_anyway() -> None:
    old, edge, young = (id_at(NOW + seconds) for seconds in (-1, 0, 1))
    lines = [line(name) for name in (old, edge, young)] + [line(old, "sub"), line("no uuid")]
    young_enough = {(b"", edge.encode()), (b"", young.encode()), (b"", b"no uuid")}

    assert retention.young_or_newest(1, NOW)(lines) == young_enough | {(b"sub", old.encode())}


def test_without_an_age_only_the_number_counts() -> None:
    lines = [line(name) for name in ("1", "2", "3")]

    assert retention.young_or_newest(2, None)(lines) == {(b"", b"2"), (b"", b"3")}


# Runs.


def test_no_runs_delete_nothing(plans: Plans) -> None:
    returned_at_once(retention.delete_for_runs(plans, []))


def test_a_run_that_nobody_knows_deletes_nothing(plans: Plans) -> None:
    plan = retention.delete_for_runs(plans, ["a", "b"])

    assert [call.command() for call in several(next(plan))] == [
        ["ZRANGE", plans.core.keys.run(run), 0, -1] for run in ("a", "b")
    ]
    returned(plan, [[], []])


def test_each_thread_of_some_runs_is_swept_once(plans: Plans) -> None:
    plan = retention.delete_for_runs(plans, ["a", "b"])
    next(plan)

    first = only(plan.send([[b"x", b"y"], [b"y"]]))
    assert verbs(first) == ["survey"]
    assert tuple(first.keys) == plans.core.keys.thread("x").keys
    assert verbs(plan.send(None)) == ["sweep_end"]
    second = only(plan.send([]))
    assert tuple(second.keys) == plans.core.keys.thread("y").keys
    assert verbs(plan.send(None)) == ["sweep_end"]
    returned(plan, [])

"""The walk through the registry: every thread once, the last used first, also where uses coincide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import SHARDS, Keys
from langgraph.checkpoint.redis.walk import Shard, Walk
from unit.by_hand import returned, returned_after, returned_at_once, several, shards, verbs


@pytest.fixture
def core() -> Core:
    return Core(Keys("prefix"))


def test_all_threads_are_walked_through_the_last_used_first(core: Core) -> None:
    walk = Walk(core)
    plan = walk.next()
    assert verbs(several(next(plan))) == ["ZREVRANGEBYSCORE"] * SHARDS

    found = [returned(plan, shards(a=1.0, b=3.0, c=2.0, d=1.5))]
    found += [returned_at_once(walk.next()) for _ in range(4)]

    assert [item and item[0].given for item in found] == ["b", "c", "d", "a", None]


def test_scores_may_come_in_pairs(core: Core) -> None:
    paired = [[reply] if reply else [] for reply in shards(a=1.0)]

    found = returned_after(Walk(core).next(), [paired])

    assert found is not None
    assert (found[0].given, found[1]) == ("a", 1.0)


def test_an_empty_registry_is_walked_through_in_one_round_trip(core: Core) -> None:
    walk = Walk(core)

    assert returned_after(walk.next(), [shards()]) is None
    assert returned_at_once(walk.next()) is None


def answered(shard: Shard, scores: dict[bytes, float]) -> list[tuple[bytes, float]]:
    """What the server answers to a shard's next call."""
    command, key, upper, lower, _, _, start, most = shard.call().command()
    assert (command, key, lower, start) == ("ZREVRANGEBYSCORE", shard.key, b"-inf", 0)
    downwards = sorted(scores.items(), key=lambda item: (item[1], item[0]), reverse=True)
    return [item for item in downwards if item[1] <= float(upper)][:most]


def walked(shard: Shard, scores: dict[bytes, float]) -> list[tuple[float, bytes]]:
    """All that a shard hands out, and how many calls it made."""
    found: list[tuple[float, bytes]] = []
    for _ in range(50):
        shard.take(answered(shard, scores))
        found += shard.buffer
        shard.buffer = []
        if shard.done:
            return found
    raise AssertionError("the walk does not end")


@given(
    scores=st.dictionaries(
        st.binary(min_size=1, max_size=2), st.sampled_from([1.0, 2.5, 1.7e12]), max_size=30
    ),
    size=st.integers(1, 4),
)
def test_each_thread_of_a_shard_is_met_once_also_where_scores_are_equal(
    scores: dict[bytes, float], size: int
) -> None:
    found = walked(Shard(b"shard", size=size), scores)

    assert sorted(name for _, name in found) == sorted(scores)
    assert [score for score, _ in found] == sorted(scores.values(), reverse=True)


def test_an_empty_shard_is_done_after_one_call() -> None:
    shard = Shard(b"shard")

    shard.take([])

    assert shard.done
    assert not shard.buffer


def test_a_millisecond_more_or_less_is_another_score() -> None:
    scores = {b"%d" % number: 1_790_000_000_000.0 + number for number in range(9)}

    found = walked(Shard(b"shard", size=2), scores)

    assert [name for _, name in found] == [b"%d" % number for number in range(8, -1, -1)]

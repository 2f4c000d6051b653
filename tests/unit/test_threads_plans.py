"""The directory of threads, by hand: what is asked, of whom, how often; places that a walk goes on after."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.plan import Refusal
from langgraph.checkpoint.redis import ThreadInfo, keys, registry
from langgraph.checkpoint.redis.abouts import BATCH, forget
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import SHARDS, Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.policy import Policy
from langgraph.checkpoint.redis.records import record_tail
from langgraph.checkpoint.redis.threads import Threads
from langgraph.checkpoint.redis.walk import PAGE, Met, Shard, Walk, everything
from unit.by_hand import returned, returned_after, returned_at_once, several, shards, verbs

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@pytest.fixture
def core() -> Core:
    return Core(Keys("prefix"), Policy(index_metadata=("user_id", "team")))


@pytest.fixture
def plans(core: Core) -> Plans:
    return Plans(core, Codec(JsonPlusSerializer()))


def about(plans: Plans, left: int = -1, pinned: int = 0, **metadata: Any) -> list[Any]:
    """What the script `about` replies of a thread with one checkpoint."""
    record = b"1\n\n\n" + record_tail(plans.codec, b"", [], [{}, {}, metadata])
    return [b"1767355200000", left, b"%d" % pinned, 1, b"id", b"", 2, record]


def info(name: str, used: datetime = NOON) -> ThreadInfo:
    return ThreadInfo(name, used, used, 1, None, None, pinned=False, metadata={})


# A page.


def test_a_page_asks_no_more_of_the_registry_than_it_may_show(plans: Plans) -> None:
    plan = Threads(plans, None, None, 20).next_page()

    calls = several(next(plan))

    assert [call.args for call in calls] == [[b"+inf", b"-inf", b"WITHSCORES", b"LIMIT", 0, 20]] * SHARDS
    returned(plan, shards())


def test_a_page_without_a_limit_asks_for_a_bounded_number(plans: Plans) -> None:
    for limit in (None, 10_000):
        plan = Threads(plans, None, None, limit).next_page()

        assert several(next(plan))[0].args[-1] == PAGE
        returned(plan, shards())


def test_a_page_is_the_registry_then_the_threads_then_their_weights(plans: Plans) -> None:
    listing = Threads(plans, None, None, 2)
    plan = listing.next_page()

    asked = [verbs(next(plan)), verbs(plan.send(shards(a=1.0, b=3.0, c=2.0)))]
    asked.append(verbs(plan.send([about(plans, of="b"), about(plans, left=90_000, pinned=1, of="c")])))
    found = returned(plan, [10, 5, 20, None])

    assert asked == [["ZREVRANGEBYSCORE"] * SHARDS, ["about"] * 2, ["MEMORY USAGE"] * 4]
    assert [(each.thread_id, each.bytes, each.ttl, each.pinned) for each in found] == [
        ("b", 15, None, False),
        ("c", 20, 1.5, True),
    ]
    assert [each.metadata for each in found] == [{"of": "b"}, {"of": "c"}]
    assert found[0].created == NOON
    assert listing.done


def test_a_refusal_to_weigh_is_no_error(plans: Plans) -> None:
    plan = Threads(plans, None, None, None).next_page()

    (found,) = returned_after(plan, [shards(a=1.0), [about(plans)], [Refusal("NOPERM"), Refusal("NOPERM")]])

    assert found.bytes is None


def test_only_threads_that_match_are_weighed(plans: Plans) -> None:
    plan = Threads(plans, {"mood": "calm"}, None, 1).next_page()
    next(plan)
    plan.send(shards(a=1.0, b=3.0, c=2.0))

    calls = several(plan.send([about(plans, mood=mood) for mood in ("angry", "calm", "calm")]))

    assert [call.keys for call in calls] == [[key] for key in plans.core.keys.thread("c").keys]
    returned(plan, [1, 1])


def test_a_listing_ends_with_the_last_thread_and_asks_no_more(plans: Plans) -> None:
    listing = Threads(plans, None, None, None)

    returned_after(listing.next_page(), [shards(a=1.0), [about(plans)], [1, 1]])

    assert listing.done


def test_a_listing_of_nothing_asks_once(plans: Plans) -> None:
    listing = Threads(plans, None, None, 5)

    assert returned_after(listing.next_page(), [shards()]) == []
    assert listing.done


def test_what_a_filter_looks_through_is_taken_in_large_steps(plans: Plans) -> None:
    listing = Threads(plans, {"mood": "calm"}, None, 1)
    plan = listing.next_page()

    assert several(next(plan))[0].args[-1] == PAGE
    assert len(several(plan.send(shards(**{f"t{n}": float(n) for n in range(150)})))) == BATCH


def test_an_index_that_showed_too_little_is_looked_through_in_large_steps(plans: Plans) -> None:
    listing = Threads(plans, {"user_id": "ann"}, None, 1)
    plan = listing.next_page()
    assert several(next(plan))[0].args[-1] == 1
    plan.send([[b"a", b"9"]])
    assert returned(plan, [about(plans, user_id="bob")]) == []
    assert not listing.done

    second = listing.next_page()
    size = several(next(second))[0].args[-1]

    assert size == 2
    assert several(second.send([[b"a", b"9", b"b", b"8"]]))[0].args[-1] == 4


# Which index.


def asked_of(plans: Plans, wanted: dict[str, Any]) -> set[bytes]:
    plan = Threads(plans, wanted, None, None).next_page()
    return {call.keys[0] for call in several(next(plan))}


def test_a_filter_is_looked_up_in_the_first_index_that_can_serve(plans: Plans, core: Core) -> None:
    assert asked_of(plans, {"user_id": "ann"}) == {core.keys.by("user_id", "'ann")}
    assert asked_of(plans, {"team": True, "user_id": "ann"}) == {core.keys.by("user_id", "'ann")}
    assert asked_of(plans, {"team": True, "user_id": ["ann"]}) == {core.keys.by("team", "#1")}


@pytest.mark.parametrize("wanted", [{}, {"mood": "calm"}, {"user_id": None}, {"user_id": ("ann",)}])
def test_a_filter_that_no_index_can_serve_is_looked_up_in_the_registry(
    plans: Plans, core: Core, wanted: dict[str, Any]
) -> None:
    assert asked_of(plans, wanted) == {core.keys.shard(number) for number in range(SHARDS)}


def test_a_saver_without_indexes_walks_through_all(plans: Plans) -> None:
    unindexed = replace(plans, core=Core(Keys("prefix")))

    assert len(asked_of(unindexed, {"user_id": "ann"})) == SHARDS


# Where to go on.


@given(
    scores=st.dictionaries(
        st.binary(min_size=1, max_size=2), st.sampled_from([1.0, 2.5, 1.7e12]), max_size=20
    ),
    size=st.integers(1, 4),
    ways=st.sampled_from(["newest first", "oldest first"]),
    at=st.integers(0, 19),
)
def test_a_walk_goes_on_after_any_place_in_either_direction(
    scores: dict[bytes, float], size: int, ways: str, at: int
) -> None:
    oldest_first = ways == "oldest first"
    whole = sorted(((score, name) for name, score in scores.items()), reverse=not oldest_first)
    after = whole[at] if at < len(whole) else None
    shard = Shard(b"shard", size=size, after=after, oldest_first=oldest_first)

    found: list[tuple[float, bytes]] = []
    while not shard.done:
        shard.take(answered(shard, scores))
        found += shard.buffer
        shard.buffer = []

    assert found == (whole if after is None else whole[at + 1 :])


def answered(shard: Shard, scores: dict[bytes, float]) -> list[tuple[bytes, float]]:
    """What the server answers to a shard's next call."""
    verb, _, first, last, _, _, _, most = shard.call().command()
    upper, lower = (last, first) if verb == "ZRANGEBYSCORE" else (first, last)
    within = [item for item in scores.items() if float(lower) <= item[1] <= float(upper)]
    return sorted(within, key=lambda item: item[::-1], reverse=verb == "ZREVRANGEBYSCORE")[:most]


def test_a_page_begins_after_the_thread_that_it_is_given(plans: Plans) -> None:
    plan = Threads(plans, None, info("b"), 5).next_page()
    ms = NOON.timestamp() * 1000
    assert {call.args[0] for call in several(next(plan))} == {b"%.17g" % ms}

    asked = several(plan.send(shards(a=ms, b=ms, c=ms, d=ms - 1)))

    assert [call.keys[0] for call in asked] == [plans.core.keys.thread(name).data for name in ("a", "d")]


def test_a_page_begins_before_the_moment_that_it_is_given(plans: Plans) -> None:
    plan = Threads(plans, None, NOON, 5).next_page()

    assert {call.args[0] for call in several(next(plan))} == {b"(1767355200000"}


@given(st.integers(0, 2**43))
def test_a_last_use_is_read_back_to_the_millisecond(ms: int) -> None:
    plans = Plans(Core(Keys("prefix")), Codec(JsonPlusSerializer()))
    listing = Threads(plans, None, None, None)
    (found,) = returned_after(listing.next_page(), [shards(a=float(ms)), [about(plans)], [1, 1]])

    again = Threads(plans, None, found, None).next_page()

    assert several(next(again))[0].args[0] == b"%d" % ms


def test_a_walk_upwards_begins_with_the_least_recently_used(core: Core) -> None:
    walk = Walk(core, everything(core, oldest_first=True, edge=b"(5"))
    plan = walk.some(2)
    calls = several(next(plan))
    assert {tuple(call.args[:2]) for call in calls} == {(b"-inf", b"(5")}
    assert verbs(calls) == ["ZRANGEBYSCORE"] * SHARDS

    found = returned(plan, shards(a=3.0, b=1.0, c=2.0))

    assert [(each.thread.given, each.score) for each in found] == [("b", 1.0), ("c", 2.0)]
    assert [each.thread.given for each in returned_at_once(walk.some(9))] == ["a"]


# Threads that are gone.


def met(core: Core, *names: str) -> list[Met]:
    return [Met(core.keys.thread(name), 7.0) for name in names]


def test_on_a_cluster_threads_that_are_gone_just_now_stay_registered(core: Core) -> None:
    core = replace(core, cluster=True)

    returned_at_once(forget(core, [Met(core.keys.thread("a"), float(registry.now_ms()))]))

    assert verbs(next(forget(core, met(core, "a")))) == ["ZRANGEBYLEX"]


def test_what_was_met_in_an_index_is_forgotten_by_that_and_as_the_registry_has_it(core: Core) -> None:
    link = keys.value_link("user_id", "'ann")
    plan = forget(core, met(core, "a", "b"), link)
    assert verbs(next(plan)) == ["ZSCORE"] * 2
    assert verbs(plan.send([b"5", None])) == ["ZRANGEBYLEX"] * 2

    calls = several(plan.send([[], []]))

    forgotten = [call.args for call in calls if call.verb is not None and verbs(call) == ["forget"]]
    assert forgotten == [[b"a", b"5"], [b"b", b"0"]]
    assert [call.args for call in calls if call.keys == [core.keys.by("user_id", "'ann")]] == [[b"a"], [b"b"]]

"""Listings by hand: what a page asks, when it is the last, and how all threads are walked through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import SHARDS, Keys
from langgraph.checkpoint.redis.listing import Listing, Walk, query
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.records import record_tail
from steps import config_of, id_of
from unit.by_hand import only, returned, returned_after, returned_at_once, several, verbs

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

CODEC = Codec(JsonPlusSerializer())


@pytest.fixture
def plans() -> Plans:
    return Plans(Core(Keys("prefix")), CODEC)


def listing(plans: Plans, config: RunnableConfig | None, **wanted: Any) -> Listing:
    """The arguments of `list`, most of them left out."""
    arguments = [wanted.get(name) for name in ("filter", "before", "limit")]
    return Listing(plans, config, query(config, *arguments))


def entry(checkpoint_id: str, **metadata: Any) -> list[Any]:
    """A checkpoint without values, as a script answers with it."""
    body = [{"v": 4, "id": checkpoint_id, "channel_versions": {}}, {}, metadata]
    record = b"1\n\n" + record_tail(CODEC, b"", [], body)
    return [b"", checkpoint_id.encode(), record, []]


def page(*entries: list[Any], more: bool = False) -> list[Any]:
    """A page of the root namespace, and whether others follow below its last."""
    return [b"", entries[-1][1] if more else b"", list(entries), [], []]


def ids(found: Any) -> list[str]:
    return [id_of(item.config) for item in found]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_listing_of_nothing_asks_nothing(plans: Plans, limit: int) -> None:
    assert listing(plans, config_of(), limit=limit).done


def test_a_thread_that_does_not_exist_is_one_round_trip(plans: Plans) -> None:
    asked = listing(plans, config_of())

    found = returned_after(asked.next_page(), [None])

    assert ids(found) == []
    assert asked.done


def test_a_last_page_ends_the_listing(plans: Plans) -> None:
    asked = listing(plans, config_of())

    found = returned_after(asked.next_page(), [page(entry("2"), entry("1"))])

    assert ids(found) == ["2", "1"]
    assert asked.done


def test_the_next_page_begins_below_the_last(plans: Plans) -> None:
    asked = listing(plans, config_of())
    returned_after(asked.next_page(), [page(entry("2"), more=True)])
    assert not asked.done

    call = only(next(asked.next_page()))

    assert verbs(call) == ["list"]
    assert call.args[:2] == keys.bounds("", "2")[:2]


def test_a_limit_ends_the_listing_though_more_would_follow(plans: Plans) -> None:
    asked = listing(plans, config_of(), limit=3)

    returned_after(asked.next_page(), [page(entry("3"), entry("2"), more=True)])
    assert not asked.done
    returned_after(asked.next_page(), [page(entry("1"), more=True)])

    assert asked.done


def test_a_filter_asks_for_records_then_for_what_matches(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"source": "loop"})
    records = [entry("3", source="input"), entry("2", source="loop"), entry("1", source="loop", more=1)]
    plan = asked.next_page()
    assert verbs(next(plan)) == ["list"]

    call = only(plan.send(page(*records)))

    assert verbs(call) == ["load"]
    assert list(call.args[-4:]) == [b"", b"2", b"", b"1"]
    assert ids(returned(plan, [2, records[1:], [], []])) == ["2", "1"]


def test_a_filter_that_nothing_matches_asks_for_no_values(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"source": "loop"})

    found = returned_after(asked.next_page(), [page(entry("1", source="input"))])

    assert ids(found) == []


def test_a_limit_counts_what_matches(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"a": 1}, limit=1)
    records = [entry("3", a=2), entry("2", a=1), entry("1", a=1)]

    found = returned_after(asked.next_page(), [page(*records, more=True), [1, records[1:2], [], []]])

    assert ids(found) == ["2"]
    assert asked.done


def test_matches_that_are_large_take_more_round_trips(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"a": 1})
    records = [entry("2", a=1), entry("1", a=1)]
    replies = [page(*records), [1, records[:1], [], []], [1, records[1:], [], []]]

    assert ids(returned_after(asked.next_page(), replies)) == ["2", "1"]


def shards(**threads: float) -> list[list[Any]]:
    """Replies of all shards of the registry, which hold these threads and when they were used."""
    replies: list[list[Any]] = [[] for _ in range(SHARDS)]
    names = Keys("prefix")
    for name, used in sorted(threads.items(), key=lambda item: -item[1]):
        thread = names.thread(name)
        number = [names.shard(number) for number in range(SHARDS)].index(names.registry(thread))
        replies[number] += [keys.member(thread), b"%.17g" % used]
    return replies


def test_all_threads_are_walked_through_the_last_used_first(plans: Plans) -> None:
    walk = Walk(plans)
    plan = walk.next()
    assert verbs(several(next(plan))) == ["ZREVRANGEBYSCORE"] * SHARDS

    found = [returned(plan, shards(a=1.0, b=3.0, c=2.0, d=1.5))]
    found += [returned_at_once(walk.next()) for _ in range(4)]

    assert [item and item[0].given for item in found] == ["b", "c", "d", "a", None]


def test_scores_may_come_in_pairs(plans: Plans) -> None:
    paired = [[reply] if reply else [] for reply in shards(a=1.0)]

    found = returned_after(Walk(plans).next(), [paired])

    assert found is not None
    assert (found[0].given, found[1]) == ("a", 1.0)


def test_an_empty_registry_lists_nothing(plans: Plans) -> None:
    asked = listing(plans, None)

    assert ids(returned_after(asked.next_page(), [shards()])) == []
    assert asked.done


def test_a_listing_of_all_threads_goes_on_with_the_next(plans: Plans) -> None:
    asked = listing(plans, None)

    first = returned_after(asked.next_page(), [shards(a=1.0, b=2.0), page(entry("1"))])
    second = returned_after(asked.next_page(), [page(entry("1"))])

    assert [item.config["configurable"]["thread_id"] for item in (*first, *second)] == ["b", "a"]
    returned_at_once(asked.next_page())
    assert asked.done


def test_a_thread_that_is_long_gone_leaves_the_registry(plans: Plans) -> None:
    plan = listing(plans, None).next_page()
    next(plan)
    plan.send(shards(a=1.0))

    call = only(plan.send(None))

    assert verbs(call) == ["forget"]
    assert call.args == [b"a", b"1"]


def test_a_thread_that_may_be_about_to_be_written_stays_in_the_registry(plans: Plans) -> None:
    asked = listing(plans, None)

    found = returned_after(asked.next_page(), [shards(a=time.time() * 1000), None])

    assert ids(found) == []

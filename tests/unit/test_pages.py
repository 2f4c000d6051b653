"""Listings by hand: what a page asks, when it is the last, and what becomes of threads that are gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.bounds import bounds
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.listing import Listing, query
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.policy import NO_READ, Policy
from langgraph.checkpoint.redis.records import record_tail
from steps import config_of, id_of
from unit.by_hand import batch, only, returned, returned_after, returned_at_once, several, shards, verbs

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
    record = b"1\n\n\n" + record_tail(CODEC, b"", [], body)
    return [b"", checkpoint_id.encode(), record, []]


def page(*entries: list[Any], more: bool = False) -> list[Any]:
    """A page of the root namespace, and whether others follow below its last."""
    return [b"", entries[-1][1] if more else b"", *batch(entries)]


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
    assert call.args[:2] == bounds("", "2")[:2]


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
    assert ids(returned(plan, [2, *batch(records[1:])])) == ["2", "1"]


def test_a_filter_that_nothing_matches_asks_for_no_values(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"source": "loop"})

    found = returned_after(asked.next_page(), [page(entry("1", source="input"))])

    assert ids(found) == []


def test_a_limit_counts_what_matches(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"a": 1}, limit=1)
    records = [entry("3", a=2), entry("2", a=1), entry("1", a=1)]

    found = returned_after(asked.next_page(), [page(*records, more=True), [1, *batch(records[1:2])]])

    assert ids(found) == ["2"]
    assert asked.done


def test_matches_that_are_large_take_more_round_trips(plans: Plans) -> None:
    asked = listing(plans, config_of(), filter={"a": 1})
    records = [entry("2", a=1), entry("1", a=1)]
    replies = [page(*records), [1, *batch(records[:1])], [1, *batch(records[1:])]]

    assert ids(returned_after(asked.next_page(), replies)) == ["2", "1"]


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


def without_thread(plans: Plans, used: float) -> Any:
    """The plan of a listing that has just asked for the only thread of the registry."""
    plan = listing(plans, None).next_page()
    next(plan)
    assert verbs(plan.send(shards(a=used))) == ["list"]
    return plan


def test_a_thread_that_is_gone_leaves_the_registry_at_once_and_every_index(plans: Plans) -> None:
    plan = without_thread(plans, time.time() * 1000)
    thread = plans.core.keys.thread("a")

    (asked,) = several(plan.send(None))
    assert asked.command()[:2] == ["ZRANGEBYLEX", plans.core.keys.links(thread)]
    calls = several(plan.send([[keys.link_member(thread, keys.run_link("run"))]]))

    assert verbs(calls) == ["ZREM", "ZREM", "forget", "EXISTS"]
    assert calls[0].keys == [plans.core.keys.run("run")]
    assert calls[1].keys == [plans.core.keys.links(thread)]
    assert ids(returned(plan, [1, 1, 1, 0])) == []


def test_an_entry_is_removed_only_as_it_was_when_its_thread_was_found_gone(plans: Plans) -> None:
    plan = without_thread(plans, 1234.0)

    plan.send(None)
    forget, _ = several(plan.send([[]]))

    assert forget.keys == [plans.core.keys.registry(plans.core.keys.thread("a"))]
    assert forget.args == [b"a", b"1234"]
    returned(plan, [1, 0])


def test_on_a_cluster_a_thread_that_may_be_about_to_begin_stays_in_the_registry() -> None:
    clustered = Plans(Core(Keys("prefix"), cluster=True), CODEC)

    assert ids(returned(without_thread(clustered, time.time() * 1000), None)) == []


def test_on_a_cluster_a_thread_that_is_long_gone_leaves_the_registry() -> None:
    clustered = Plans(Core(Keys("prefix"), cluster=True), CODEC)
    plan = without_thread(clustered, (time.time() - 3600) * 1000)

    plan.send(None)
    assert verbs(plan.send([[]])) == ["forget", "EXISTS"]
    returned(plan, [1, 0])


def test_a_thread_that_exists_is_taken_out_of_nothing(plans: Plans) -> None:
    asked = listing(plans, None)

    found = returned_after(asked.next_page(), [shards(a=1.0), page(entry("1"))])

    assert ids(found) == ["1"]


@pytest.mark.parametrize(
    ("config", "life"),
    [(config_of(), b"60000"), ({"configurable": {"thread_id": "thread", "ttl": 2}}, b"=120000")],
)
def test_a_listing_of_one_thread_prolongs_it_where_reads_do(config: RunnableConfig, life: bytes) -> None:
    refreshing = Plans(Core(Keys("prefix"), Policy(b"60000", refresh=True)), CODEC)

    assert only(next(listing(refreshing, config).next_page())).args[-1] == life


def test_a_listing_of_one_thread_prolongs_nothing_where_reads_do_not(plans: Plans) -> None:
    assert only(next(listing(plans, config_of()).next_page())).args[-1] == NO_READ


def test_a_listing_of_all_threads_prolongs_none() -> None:
    refreshing = Plans(Core(Keys("prefix"), Policy(b"60000", refresh=True)), CODEC)
    plan = listing(refreshing, None).next_page()
    next(plan)

    assert only(plan.send(shards(a=1.0))).args[-1] == NO_READ

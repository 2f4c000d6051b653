"""What an operation of a store costs, by the server's own counters: see `counters`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from langgraph.store.base import GetOp, ListNamespacesOp, PutOp, SearchOp

from counters import RoundTrips
from langgraph.store.redis import AsyncRedisStore
from stores import MakeStore, Twin

Counting: TypeAlias = Callable[[], RoundTrips]

pytestmark = pytest.mark.every_server


@pytest.fixture
def warm(make_store: MakeStore) -> Twin:
    """A store with 1,200 items, connected and known."""
    store = make_store()
    store.batch([PutOp(("a", f"{n % 20}"), f"{n}", {"n": n, "kind": "fact"}) for n in range(1200)])
    store.search((), limit=1)
    return store


OPERATIONS: dict[str, Callable[[Twin], Any]] = {
    "get": lambda store: store.get(("a", "1"), "1"),
    "get of nothing": lambda store: store.get(("never",), "1"),
    "put": lambda store: store.put(("a", "1"), "1", {"n": 0}),
    "put that begins an item": lambda store: store.put(("new",), "1", {"n": 0}, ttl=5),
    "delete": lambda store: store.delete(("a", "1"), "1"),
    "100 gets": lambda store: store.batch([GetOp(("a", f"{n}"), f"{n}") for n in range(100)]),
    "100 puts": lambda store: store.batch([PutOp(("b",), f"{n}", {"n": n}) for n in range(100)]),
    "gets and puts": lambda store: store.batch([GetOp(("b",), "1"), PutOp(("b",), "1", {})]),
    "search": lambda store: store.search(("a",)),
    "search of all": lambda store: store.search(()),
    "search with an offset": lambda store: store.search(("a",), limit=5, offset=1000),
    "search for a few that are common": lambda store: store.search((), filter={"kind": "fact"}),
    "listing": lambda store: store.list_namespaces(),
    "listing to a depth": lambda store: store.list_namespaces(max_depth=1),
    "listing below a prefix": lambda store: store.list_namespaces(prefix=("a",), limit=3, offset=2),
    "searches and listings": lambda store: store.batch(
        [SearchOp(("a",)), ListNamespacesOp(), GetOp(("a", "1"), "1"), SearchOp(("b",))]
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_one_round_trip(
    warm: Twin, round_trips: Counting, operation: Callable[[Twin], Any]
) -> None:
    operation(warm)

    with round_trips() as seen:
        operation(warm)

    assert seen.round_trips == 1, str(seen)


def test_puts_and_gets_of_one_shard_are_one_script(warm: Twin, round_trips: Counting) -> None:
    with round_trips() as seen:
        warm.batch([PutOp(("b",), f"{n}", {"n": n}) for n in range(100)])

    assert seen.scripts == 1, str(seen)


@pytest.mark.usefixtures("warm")
def test_the_first_use_is_one_round_trip_more(make_store: MakeStore, round_trips: Counting) -> None:
    """To learn what is below the prefix."""
    fresh = make_store()
    with round_trips() as first:
        fresh.get(("a", "1"), "1")
    with round_trips() as second:
        fresh.get(("a", "1"), "1")

    assert (first.commands["hsetnx"], first.scripts) == (1, 1)
    assert (second.commands["set"], second.round_trips) == (0, 1)


def test_a_search_that_must_look_at_all_is_one_round_trip_a_page(warm: Twin, round_trips: Counting) -> None:
    with round_trips() as seen:
        assert len(warm.search((), filter={"n": {"$lt": 2}})) == 2

    # A page holds 500 records, where the client decides.
    assert seen.scripts == 3, str(seen)


def test_the_server_passes_over_what_cannot_match(warm: Twin, round_trips: Counting) -> None:
    with round_trips() as seen:
        assert len(warm.search((), filter={"n": 3})) == 1

    # It looks at 1,000 records for each page.
    assert seen.scripts == 2, str(seen)


def test_reads_before_puts_are_two(warm: Twin, round_trips: Counting) -> None:
    with round_trips() as seen:
        warm.batch([PutOp(("b",), "1", {}), SearchOp(("a",)), ListNamespacesOp()])

    assert seen.round_trips == 2, str(seen)


async def test_operations_of_one_turn_travel_together(
    redis_url: str, key_prefix: str, round_trips: Counting
) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        await store.aput(("a",), "k", {"x": 1})

        with round_trips() as seen:
            await asyncio.gather(
                *(store.aput(("a",), f"{n}", {"n": n}) for n in range(100)),
                *(store.aget(("a",), "k") for _ in range(100)),
            )

        assert (seen.round_trips, seen.scripts) == (1, 1), str(seen)
        assert len(await store.asearch((), limit=1000)) == 101

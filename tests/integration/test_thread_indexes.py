"""Threads by an indexed metadata key: what a walk through all would find, at the price of what is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from counters import RoundTrips
from directories import MS, NOON, ODD_IDS, SOON, Books, Make, Twin, listed, names, put
from waiting import eventually

pytestmark = pytest.mark.every_server

ANN = {"user_id": "ann"}


@pytest.fixture
def twin(make: Make) -> Twin:
    return make(index_metadata=["user_id", "team"])


def test_the_threads_of_a_user_are_found_without_a_look_at_the_others(
    twin: Twin, round_trips: Callable[[], RoundTrips]
) -> None:
    for n in range(300):
        put(twin, str(n), user_id="ann" if n % 10 == 0 else f"user {n}")
    names(twin, filter=ANN, limit=1)

    with round_trips() as seen:
        page = listed(twin, filter=ANN, limit=20)

    assert [found.thread_id for found in page] == [str(n) for n in range(290, 90, -10)]
    assert seen.round_trips <= 3, str(seen)
    assert seen.scripts == 20
    assert seen.commands["zrevrangebyscore"] == 1


def test_an_index_finds_what_a_walk_finds(make: Make, twin: Twin) -> None:
    unindexed = make()
    for n in range(60):
        put(twin, str(n), user_id=n % 7, team=["red", None, "blue"][n % 3])
    for n in range(0, 60, 4):
        put(twin, str(n), user_id=n % 5, team="green")

    for user in range(7):
        for wanted in ({"user_id": user}, {"user_id": user, "team": "green"}, {"team": "green", "step": 0}):
            assert names(twin, filter=wanted) == names(unindexed, filter=wanted)


@pytest.mark.parametrize("size", [1, 4])
def test_pages_of_an_index_follow_each_other_without_gap_or_repetition(
    twin: Twin, books: Books, size: int
) -> None:
    for n in range(20):
        put(twin, str(n), user_id="ann")
        books.date(str(n), ms=MS + n % 3, index=books.by("user_id", "'ann"))
    whole = names(twin, filter=ANN)

    paged: list[str] = []
    page = listed(twin, filter=ANN, limit=size)
    while page:
        paged += [found.thread_id for found in page]
        page = listed(twin, filter=ANN, limit=size, before=page[-1])

    assert paged == whole
    assert len(set(whole)) == 20
    assert names(twin, filter=ANN, before=NOON + timedelta(milliseconds=1)) == whole[-7:]


def test_a_thread_that_has_another_value_now_is_found_by_that_one(twin: Twin) -> None:
    put(twin, "thread", user_id="ann")
    put(twin, "thread", user_id="bob")

    assert names(twin, filter=ANN) == []
    assert names(twin, filter={"user_id": "bob"}) == ["thread"]


def test_one_match_is_found_behind_many_that_match_no_more(
    twin: Twin, round_trips: Callable[[], RoundTrips]
) -> None:
    put(twin, "first", user_id="ann")
    for n in range(150):
        put(twin, str(n), user_id="ann")
        put(twin, str(n), user_id="bob")
    names(twin, limit=1)

    with round_trips() as seen:
        assert names(twin, filter=ANN, limit=1) == ["first"]

    assert seen.commands["evalsha"] == 151
    assert seen.commands["zrevrangebyscore"] < 12


@pytest.mark.parametrize(
    ("stored", "same", "others"),
    [
        (1, [1, 1.0, True], ["1", 2, 0, None]),
        (0, [0, 0.0, False, -0.0], ["0", "", 1]),
        ("1", ["1"], [1, 1.0, True]),
        (1.5, [1.5], ["1.5", 1]),
        (2**60, [2**60, float(2**60)], [str(2**60), 2**60 + 1]),
        ("a/b:{c}\n%\x01", ["a/b:{c}\n%\x01"], ["a/b:{c}\n%"]),
        ("", [""], [0, None, "''"]),
    ],
)
def test_values_that_are_equal_are_one_and_no_others_are(
    make: Make, twin: Twin, stored: Any, same: list[Any], others: list[Any]
) -> None:
    put(twin, "thread", user_id=stored)

    for value in same:
        assert names(twin, filter={"user_id": value}) == ["thread"]
    for saver in (twin, make()):
        for value in others:
            assert names(saver, filter={"user_id": value}) == []


@pytest.mark.parametrize("value", [["ann"], ("ann", 1), None, {"name": "ann"}])
def test_a_value_that_is_no_scalar_is_looked_for_in_all_threads(
    twin: Twin, value: Any, round_trips: Callable[[], RoundTrips]
) -> None:
    put(twin, "has", user_id=value)
    put(twin, "has not", user_id="ann")
    (found,) = listed(twin, limit=1, before=listed(twin, limit=1)[0])
    wanted = {"user_id": found.metadata.get("user_id")}

    with round_trips() as seen:
        assert names(twin, filter=wanted) == ["has"]

    assert seen.commands["zrevrangebyscore"] == 16


def test_an_index_serves_where_another_key_of_the_filter_is_no_scalar(
    twin: Twin, round_trips: Callable[[], RoundTrips]
) -> None:
    put(twin, "both", user_id="ann", team=["red"])
    put(twin, "one", user_id="ann", team=["blue"])

    with round_trips() as seen:
        assert names(twin, filter={"team": ["red"], "user_id": "ann"}) == ["both"]

    assert seen.commands["zrevrangebyscore"] == 1


def test_a_thread_that_was_made_without_the_option_is_found_after_its_next_checkpoint(
    make: Make, twin: Twin
) -> None:
    put(make(), "thread", user_id="ann")
    assert names(twin, filter=ANN) == []

    put(twin, "thread", user_id="ann")

    assert names(twin, filter=ANN) == ["thread"]


def test_every_key_has_an_index_of_its_own(make: Make) -> None:
    twin = make(index_metadata=[key for key in ODD_IDS if key])
    for key in ODD_IDS:
        metadata: dict[str, Any] = {key: "value"}
        put(twin, f"thread of {key}", **metadata)

    for key in ODD_IDS:
        assert names(twin, filter={key: "value"}) == [f"thread of {key}"]


def test_threads_with_odd_ids_are_found(twin: Twin, books: Books) -> None:
    for name in ODD_IDS:
        put(twin, name, user_id="ann")
    books.date(*ODD_IDS, ms=MS, index=books.by("user_id", "'ann"))
    whole = names(twin, filter=ANN)

    assert sorted(whole) == sorted(ODD_IDS)
    for at, found in enumerate(listed(twin, filter=ANN)):
        assert names(twin, filter=ANN, before=found) == whole[at + 1 :]


def test_the_order_is_that_of_the_writes_that_had_the_value(twin: Twin, books: Books) -> None:
    for name, ms in (("old", MS), ("new", MS + 1)):
        put(twin, name, user_id="ann")
        books.date(name, ms=ms, index=books.by("user_id", "'ann"))

    assert names(twin, filter=ANN) == ["new", "old"]
    assert [found.last_used for found in listed(twin, filter=ANN)][1] == NOON


def test_an_expired_thread_leaves_the_index_with_a_listing_of_the_index(twin: Twin, books: Books) -> None:
    put(twin, "stays", user_id="ann")
    for n in range(5):
        put(twin, str(n), user_id="ann", team="red", ttl=SOON, run_id=str(n))
    assert eventually(lambda: books.gone(*map(str, range(5))))

    assert names(twin, filter=ANN) == ["stays"]

    assert books.registered() == {"stays"}
    assert books.named(books.by("user_id", "'ann")) == {"stays"}
    assert len(books.others()) == 2  # Its own index, and its link.


def test_an_entry_that_nothing_else_knows_of_leaves_the_index(twin: Twin, books: Books) -> None:
    """As where a server that may evict any key dropped the links."""
    put(twin, "stays", user_id="ann")
    books.date("never was", ms=MS, index=books.by("user_id", "'ann"))

    assert names(twin, filter=ANN) == ["stays"]

    assert books.named(books.by("user_id", "'ann")) == {"stays"}


def test_a_deleted_thread_leaves_the_index(twin: Twin, books: Books) -> None:
    put(twin, "thread", user_id="ann", team="red")
    twin.do("delete_thread", "thread")

    assert names(twin, filter=ANN) == []
    assert books.others() == []


def test_a_thread_that_was_deleted_by_another_process_is_found_when_it_begins_again(
    make: Make, twin: Twin
) -> None:
    put(twin, "thread", user_id="ann")
    make().do("delete_thread", "thread")

    put(twin, "thread", user_id="ann")

    assert names(twin, filter=ANN) == ["thread"]

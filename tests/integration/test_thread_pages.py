"""Pages of the directory of threads: where they begin and end, and what a filter lets through."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from directories import MS, NOON, ODD_IDS, Books, Make, Twin, listed, names, put

pytestmark = pytest.mark.every_server


@pytest.fixture
def twin(make: Make) -> Twin:
    return make()


@pytest.mark.parametrize("size", [1, 7, 30])
def test_pages_follow_each_other_without_gap_or_repetition(twin: Twin, books: Books, size: int) -> None:
    for n in range(30):
        put(twin, str(n))
        books.date(str(n), ms=MS + n % 3)
    whole = names(twin)

    paged: list[str] = []
    page = listed(twin, limit=size)
    while page:
        assert len(page) <= size
        paged += [found.thread_id for found in page]
        page = listed(twin, limit=size, before=page[-1])

    assert paged == whole
    assert len(set(whole)) == 30


def test_a_listing_goes_on_after_odd_ids_too(twin: Twin, books: Books) -> None:
    for name in ODD_IDS:
        put(twin, name)
    books.date(*ODD_IDS, ms=MS)
    whole = listed(twin)

    for at, found in enumerate(whole):
        assert names(twin, before=found) == [each.thread_id for each in whole[at + 1 :]]


def test_before_a_moment_are_the_threads_that_were_last_used_earlier(twin: Twin, books: Books) -> None:
    for n in range(3):
        put(twin, str(n))
        books.date(str(n), ms=MS + n)

    moment = NOON + timedelta(milliseconds=2)
    assert names(twin, before=moment) == ["1", "0"]
    assert names(twin, before=moment + timedelta(microseconds=1)) == ["2", "1", "0"]
    assert names(twin, before=moment.astimezone(timezone(timedelta(hours=5)))) == ["1", "0"]
    assert names(twin, before=NOON) == []


def test_a_thread_that_is_gone_still_says_where_to_go_on(twin: Twin, books: Books) -> None:
    for n in range(3):
        put(twin, str(n))
        books.date(str(n), ms=MS + n)
    _, middle, _ = listed(twin)

    twin.do("delete_thread", "1")

    assert names(twin, before=middle) == ["0"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_gives_nothing(twin: Twin, limit: int) -> None:
    put(twin, "thread")

    assert names(twin, limit=limit) == []


def test_more_threads_than_a_page_holds_are_listed(twin: Twin) -> None:
    for n in range(250):
        put(twin, str(n))

    assert sorted(names(twin)) == sorted(map(str, range(250)))
    assert len(names(twin, limit=120)) == 120


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ({"before": "thread"}, TypeError, "before must be a ThreadInfo .* or a datetime, not str"),
        ({"before": {"configurable": {}}}, TypeError, "not dict"),
        ({"before": datetime(2026, 1, 2)}, ValueError, "before needs a time zone"),  # noqa: DTZ001 - refused.
        ({"limit": "5"}, TypeError, "limit must be an int"),
        ({"filter": ["user_id"]}, TypeError, "filter must be a dict"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    twin: Twin, query: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        listed(twin, **query)


# Filters.


def test_a_filter_looks_at_the_latest_checkpoint_of_the_root(twin: Twin) -> None:
    put(twin, "thread", mood="calm")
    put(twin, "thread", mood="angry")
    put(twin, "thread", ns="sub", mood="calm")

    assert names(twin, filter={"mood": "angry"}) == ["thread"]
    assert names(twin, filter={"mood": "calm"}) == []
    assert names(twin, filter={}) == ["thread"]


@pytest.mark.parametrize("value", [["a", 1], None, {"a": {"b": 1}}, (1, 2), 1.5, "", True])
def test_filters_compare_for_equality(make: Make, value: Any) -> None:
    """With the key indexed or not."""
    stored = list(value) if isinstance(value, tuple) else value
    for options in ({}, {"index_metadata": ["key"]}):
        twin = make(**options)
        put(twin, "has", key=stored)
        put(twin, "other", key="another")

        assert names(twin, filter={"key": stored}) == ["has"]
        assert names(twin, filter={"key": "another"}) == ["other"]
        assert names(twin, filter={"key": "nobody's"}) == []


def test_a_limit_counts_what_the_filter_lets_through(twin: Twin) -> None:
    for n in range(120):
        put(twin, str(n), third=n % 3 == 0)

    assert names(twin, filter={"third": True}, limit=5) == ["117", "114", "111", "108", "105"]

"""The directory of threads: each once, the last used first, as it is; those that are gone are forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import redis
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from counters import RoundTrips
from directories import MS, NOON, ODD_IDS, SOON, Books, Make, Twin, listed, names, put
from langgraph.checkpoint.redis import CorruptRecordError, RedisSaver, ThreadInfo
from steps import config_of
from waiting import eventually

pytestmark = pytest.mark.every_server


@pytest.fixture
def twin(make: Make) -> Twin:
    return make()


# What is said of a thread.


def test_a_thread_is_shown_as_it_is(twin: Twin, books: Books) -> None:
    began = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    put(twin, "thread", user_id="ann", step=1)
    put(twin, "thread", ns="sub", user_id="of the namespace")
    put(twin, "thread", user_id="bob", step=2)
    ended = datetime.now(timezone.utc)
    books.date("thread", ms=MS)

    (found,) = listed(twin)

    assert began <= found.created <= ended
    assert found == ThreadInfo(
        thread_id="thread",
        created=found.created,
        last_used=NOON,
        checkpoints=3,
        bytes=books.weight("thread"),
        ttl=None,
        pinned=False,
        metadata={"source": "loop", "step": 2, "parents": {}, "user_id": "bob"},
    )
    assert found.created.utcoffset() == found.last_used.utcoffset() == timedelta(0)


def test_the_life_of_a_thread_is_shown_in_minutes(make: Make) -> None:
    twin = make(ttl={"default_ttl": 60})
    put(twin, "expires")
    put(twin, "pinned")
    twin.do("persist", "pinned")

    found = {each.thread_id: each for each in listed(twin)}

    assert found["expires"].ttl == pytest.approx(60, abs=1)
    assert found["pinned"].ttl is None
    assert [found[name].pinned for name in ("expires", "pinned")] == [False, True]


def test_a_thread_that_only_has_writes_is_shown_without_metadata(twin: Twin) -> None:
    twin.put_writes(config_of("thread", checkpoint_id="never put"), [("channel", 1)], "task", "")

    (found,) = listed(twin)

    assert (found.checkpoints, found.metadata) == (0, {})
    assert names(twin, filter={"step": 0}) == []


def test_a_thread_without_a_root_namespace_is_shown_without_metadata(twin: Twin) -> None:
    put(twin, "thread", ns="sub")

    (found,) = listed(twin)

    assert (found.checkpoints, found.metadata) == (1, {})


def test_a_user_who_may_not_weigh_keys_is_told_no_bytes(make: Make, books: Books) -> None:
    put(make(), "thread")

    with books.user("memory") as client, RedisSaver(redis_client=client, key_prefix=books.prefix) as saver:
        (found,) = saver.threads()

    assert found.bytes is None
    assert found.checkpoints == 1


def test_what_is_encrypted_is_shown_and_filtered_in_the_clear(make: Make) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    twin = make(serde=serde, index_metadata=["user_id"])
    for user in ("ann", "bob"):
        put(twin, f"of {user}", user_id=user, mood="calm")

    assert names(twin, filter={"user_id": "ann", "mood": "calm"}) == ["of ann"]
    assert names(twin, filter={"mood": "calm"}) == ["of bob", "of ann"]


def test_a_damaged_record_is_named(twin: Twin, books: Books, redis_client: redis.Redis) -> None:
    checkpoint_id = put(twin, "thread")["configurable"]["checkpoint_id"]
    data, _ = books.keys_of("thread")
    redis_client.hdel(data, f"c//{checkpoint_id}")

    with pytest.raises(CorruptRecordError, match=checkpoint_id):
        listed(twin)
    redis_client.delete(data)


def test_a_thread_whose_index_was_evicted_is_shown_whole(
    twin: Twin, books: Books, redis_client: redis.Redis
) -> None:
    put(twin, "thread")
    put(twin, "thread", ns="sub")
    redis_client.delete(books.keys_of("thread")[1])

    assert [found.checkpoints for found in listed(twin)] == [2]


def test_a_listing_prolongs_no_life(make: Make, books: Books, redis_client: redis.Redis) -> None:
    twin = make(ttl={"default_ttl": 60, "refresh_on_read": True}, index_metadata=["user_id"])
    put(twin, "thread", user_id="ann")
    for key in books.keys_of("thread"):
        redis_client.pexpire(key, 10_000)

    for query in ({}, {"filter": {"user_id": "ann"}}, {"filter": {"step": 0}}):
        assert names(twin, **query) == ["thread"]

    left: list[Any] = [redis_client.pttl(key) for key in books.keys_of("thread")]
    assert all(0 < each <= 10_000 for each in left)


# Their order.


def test_threads_are_listed_the_last_used_first(twin: Twin, books: Books) -> None:
    for name, ms in (("second", MS + 1), ("last", MS), ("first", MS + 2)):
        put(twin, name)
        books.date(name, ms=ms)

    assert names(twin) == ["first", "second", "last"]


def test_threads_that_were_used_in_one_millisecond_are_listed_by_name_descending(
    twin: Twin, books: Books
) -> None:
    threads = [f"{n:02}" for n in range(40)]
    for name in threads:
        put(twin, name)
    books.date(*threads, ms=MS)

    assert names(twin) == threads[::-1]


def test_a_thread_that_is_used_again_comes_first(make: Make, books: Books) -> None:
    twin, other_process = make(), make()
    for name in ("old", "new"):
        put(twin, name)
    books.date("old", ms=MS)
    books.date("new", ms=MS + 1)

    put(other_process, "old")

    assert names(twin) == ["old", "new"]


def test_a_thread_that_goes_on_in_new_runs_was_used_by_each_of_them(twin: Twin, books: Books) -> None:
    """Whatever is entered for a new run, the thread's own entry is."""
    put(twin, "thread", run_id="one")
    books.date("thread", ms=MS)

    put(twin, "thread", run_id="two")

    (found,) = listed(twin)
    assert found.last_used > NOON


def test_every_thread_id_is_listed_as_it_was_given(twin: Twin) -> None:
    for name in ODD_IDS:
        put(twin, name)

    assert sorted(names(twin)) == sorted(ODD_IDS)
    for name in ODD_IDS:
        twin.do("delete_thread", name)


# Threads that are gone.


def test_a_thread_that_expired_vanishes_from_everywhere_with_the_next_listing(
    make: Make, books: Books
) -> None:
    twin = make(index_metadata=["user_id"])
    put(twin, "stays", user_id="ann", run_id="r1")
    for name in ("goes", "goes too"):
        put(twin, name, ttl=SOON, user_id="ann", run_id="r1")
        put(twin, name, ttl=SOON, user_id="bob", run_id="r2")
    assert eventually(lambda: books.gone("goes", "goes too"))

    assert names(twin) == ["stays"]

    assert books.registered() == {"stays"}
    assert books.named(books.by("user_id", "'ann")) == {"stays"}
    twin.do("delete_thread", "stays")
    assert books.others() == []


def test_with_a_life_of_its_saver_everything_vanishes(make: Make, books: Books) -> None:
    twin = make(ttl={"default_ttl": SOON}, index_metadata=["user_id"])
    threads = [str(n) for n in range(20)]
    for name in threads:
        put(twin, name, user_id="ann", run_id=name)
    assert eventually(lambda: books.gone(*threads))

    assert names(twin) == []

    assert books.registered() == set()
    assert books.others() == []


def test_a_thread_that_begins_again_after_it_expired_is_listed(make: Make, books: Books) -> None:
    twin = make(index_metadata=["user_id"])
    put(twin, "thread", ttl=SOON, user_id="ann")
    assert eventually(lambda: books.gone("thread"))

    put(twin, "thread", user_id="ann")

    assert names(twin) == names(twin, filter={"user_id": "ann"}) == ["thread"]


def test_a_deleted_thread_is_not_listed(twin: Twin) -> None:
    for name in ("stays", "goes"):
        put(twin, name)
    twin.do("delete_thread", "goes")

    assert names(twin) == ["stays"]


# What it costs.


def test_a_page_takes_three_round_trips_however_many_threads_there_are(
    make: Make, round_trips: Callable[[], RoundTrips]
) -> None:
    twin = make()
    for n in range(200):
        put(twin, str(n))
    names(twin, limit=1)

    with round_trips() as first:
        page = listed(twin, limit=20)
    with round_trips() as second:
        listed(twin, limit=20, before=page[-1])

    assert first.round_trips <= 3, str(first)
    assert second.round_trips <= 3, str(second)
    assert first.scripts == 20

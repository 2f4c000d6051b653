"""Lives of items: what expired is never seen, and leaves nothing in any index."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
import redis
from langgraph.store.base import GetOp, PutOp

from langgraph.store.redis import AsyncRedisStore, RedisStore
from stores import AsyncStore, MakeStore, SyncStore, Twin, member_keys
from waiting import eventually

SOON = 0.05 / 60
"""A life of 50 ms, in minutes."""

LONG = 1000.0


class Shelf:
    """What the server holds of a store on the test's prefix."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self.client = client
        self.prefix = prefix

    def keys(self) -> list[str]:
        """All but what stays when no item is there."""
        return member_keys(self.prefix, cast("list[bytes]", self.client.keys(f"{self.prefix}:*")))

    def lives(self) -> dict[bytes, float]:
        """When items expire, in microseconds."""
        found: dict[bytes, float] = {}
        for key in cast("list[bytes]", self.client.keys(f"{self.prefix}:*:x")):
            found |= dict(cast("list[tuple[bytes, float]]", self.client.zrange(key, 0, -1, withscores=True)))
        return found

    def now(self) -> float:
        seconds, micros = self.client.time()
        return seconds * 1e6 + micros

    def over(self) -> bool:
        """Whether the last life is over by the server's clock."""
        return max(self.lives().values(), default=0) < self.now()


@pytest.fixture
def shelf(redis_client: redis.Redis, key_prefix: str) -> Shelf:
    return Shelf(redis_client, key_prefix)


def minutes_left(shelf: Shelf) -> list[int]:
    return [round((end - shelf.now()) / 60e6) for _, end in sorted(shelf.lives().items())]


def shorten(shelf: Shelf, minutes: float) -> None:
    """Let all lives end so soon, as if time had passed."""
    for key in cast("list[bytes]", shelf.client.keys(f"{shelf.prefix}:*:x")):
        for member in cast("list[bytes]", shelf.client.zrange(key, 0, -1)):
            shelf.client.zadd(key, {member: shelf.now() + minutes * 60e6})


def test_an_item_that_expired_is_not_seen_and_leaves_nothing(store: Twin, shelf: Shelf) -> None:
    store.put(("a", "b"), "k", {"x": 1}, ttl=SOON)
    store.put(("a", "c"), "stays", {"x": 1})
    assert eventually(shelf.over)

    assert store.get(("a", "b"), "k") is None
    assert store.keys_of() == ["stays"]
    assert store.keys_of(filter={"x": 1}) == ["stays"]
    assert store.list_namespaces() == [("a", "c")]
    assert store.list_namespaces(max_depth=1) == [("a",)]
    store.delete(("a", "c"), "stays")
    assert shelf.keys() == []


@pytest.mark.parametrize("count", [21, 1000])
def test_what_expires_in_masses_is_not_seen_either(store: Twin, shelf: Shelf, count: int) -> None:
    gone = [PutOp(("a", f"{n}"), "k", {"n": n}, ttl=LONG) for n in range(count)]
    store.batch(gone)
    store.batch([PutOp(("a", f"{n}"), "stays", {"n": n}) for n in range(5)])
    shorten(shelf, -1)

    # What comes first meets all of it; each call takes away only some.
    assert store.batch([GetOp(op.namespace, op.key) for op in gone[-3:]]) == [None] * 3
    assert [item.value["n"] for item in store.search(("a",), limit=3)] == [4, 3, 2]
    assert [item.value["n"] for item in store.search(("a",), limit=2, offset=3)] == [1, 0]
    assert store.keys_of(filter={"n": {"$gte": 0}}) == ["stays"] * 5
    assert store.list_namespaces(limit=10_000) == [("a", f"{n}") for n in range(5)]
    for n in range(5):
        store.delete(("a", f"{n}"), "stays")
    store.do("sweep_ttl")
    assert shelf.keys() == []


def test_a_sweep_takes_all_that_expired_and_tells_how_much(store: Twin, shelf: Shelf) -> None:
    store.put(("stays",), "k", {})
    store.batch([PutOp((f"{n % 9}",), f"{n}", {}, ttl=LONG) for n in range(700)])
    shorten(shelf, -1)

    assert store.do("sweep_ttl") == 700
    assert store.do("sweep_ttl") == 0
    assert shelf.lives() == {}
    assert store.keys_of() == ["k"]


def test_a_put_of_what_expired_is_an_item_that_begins(store: Twin, shelf: Shelf) -> None:
    """Also of one that is still there, since others are taken away first."""
    store.batch([PutOp(("a",), f"{n}", {}, ttl=LONG) for n in range(60)])
    first = {item.key: item.created_at for item in store.search((), limit=100)}
    shorten(shelf, -1)

    store.put(("a",), "59", {"x": 1})

    found = store.get(("a",), "59")
    assert found is not None
    assert found.created_at == found.updated_at > first["59"]
    assert store.keys_of() == ["59"]
    assert b"a\x00\x0059" not in shelf.lives()


def test_a_default_holds_where_a_put_says_nothing(make_store: MakeStore, shelf: Shelf) -> None:
    store = make_store(ttl={"default_ttl": 60})

    store.put(("a",), "1", {})
    store.put(("a",), "2", {}, ttl=5)
    store.put(("a",), "3", {}, ttl=None)

    assert minutes_left(shelf) == [60, 5]


def test_a_put_sets_the_life_anew(make_store: MakeStore, shelf: Shelf) -> None:
    store = make_store(ttl={"default_ttl": 60})
    store.put(("a",), "1", {}, ttl=5)
    store.put(("a",), "2", {})

    store.put(("a",), "1", {})
    store.put(("a",), "2", {}, ttl=None)

    assert minutes_left(shelf) == [60]


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (({}, {}), 60),
        (({"refresh_on_read": True}, {}), 60),
        (({"refresh_on_read": False}, {}), 10),
        (({"refresh_on_read": False}, {"refresh_ttl": True}), 60),
        (({}, {"refresh_ttl": False}), 10),
        (({"refresh_on_read": True}, {"refresh_ttl": None}), 60),
    ],
)
@pytest.mark.parametrize("shards", [1, 3])
def test_reads_prolong_lives_where_they_shall(
    make_store: MakeStore, shelf: Shelf, shards: int, told: Any, left: float
) -> None:
    settings, asked = told
    store = make_store(shards=shards, ttl={"default_ttl": 60, **settings})
    for key in ("1", "2"):
        store.put(("a",), key, {"x": key})
    reads: list[Callable[[], Any]] = [
        lambda: store.get(("a",), "1", **asked),
        lambda: store.search((), limit=1, offset=1, **asked),
        lambda: store.search(("a",), limit=1, offset=1, **asked),
        lambda: store.search((), filter={"x": "1"}, **asked),
    ]

    for read in reads:
        shorten(shelf, 10)
        assert read()
        assert minutes_left(shelf) == [left, 10]


def test_a_listing_prolongs_nothing(make_store: MakeStore, shelf: Shelf) -> None:
    store = make_store(ttl={"default_ttl": 60})
    store.put(("a",), "1", {})
    shorten(shelf, 10)

    store.list_namespaces()
    store.get(("a",), "never")

    assert minutes_left(shelf) == [10]


def test_a_read_prolongs_no_item_that_lives_for_ever(store: Twin, shelf: Shelf) -> None:
    store.put(("a",), "1", {})

    store.get(("a",), "1", refresh_ttl=True)
    store.search((), refresh_ttl=True)
    store.search((), filter={"x": None}, refresh_ttl=True)

    assert shelf.lives() == {}


def test_a_delete_ends_a_life(store: Twin, shelf: Shelf) -> None:
    store.put(("a",), "k", {}, ttl=5)
    store.delete(("a",), "k")

    assert shelf.keys() == []


# Sweeping now and again.

OFTEN = 0.01 / 60


def test_a_sweeper_sweeps_until_it_is_stopped(redis_url: str, key_prefix: str, shelf: Shelf) -> None:
    with RedisStore(redis_url, store_prefix=key_prefix) as store:
        future = store.start_ttl_sweeper(OFTEN)  # type: ignore[arg-type] # a part of a minute, for a test.
        assert store.start_ttl_sweeper() is future
        store.put(("a",), "k", {}, ttl=SOON)

        assert eventually(lambda: shelf.keys() == [])

        assert store.stop_ttl_sweeper(timeout=10)
        assert future.done()
        assert store.stop_ttl_sweeper()
        again = store.start_ttl_sweeper(OFTEN)  # type: ignore[arg-type] # likewise.
        store.put(("a",), "k", {}, ttl=SOON)
        assert eventually(lambda: shelf.keys() == [])
    assert again.done()


def test_to_cancel_its_future_ends_a_sweeper(redis_url: str, key_prefix: str) -> None:
    with RedisStore(redis_url, store_prefix=key_prefix) as store:
        future = store.start_ttl_sweeper(60)

        assert future.cancel()

        assert eventually(lambda: store._sweeper._thread is None or not store._sweeper._thread.is_alive())


async def test_an_async_sweeper_sweeps_until_it_is_stopped(
    redis_url: str, key_prefix: str, shelf: Shelf
) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix, ttl={"default_ttl": SOON}) as store:
        task = await store.start_ttl_sweeper(OFTEN)  # type: ignore[arg-type] # a part of a minute, for a test.
        assert await store.start_ttl_sweeper() is task
        await store.aput(("a",), "k", {})

        assert await aeventually(lambda: shelf.keys() == [])

        assert await store.stop_ttl_sweeper(timeout=10)
        assert task.done()
        assert await store.stop_ttl_sweeper()
        again = await store.start_ttl_sweeper(OFTEN)  # type: ignore[arg-type] # likewise.
        await store.aput(("a",), "k", {})
        assert await aeventually(lambda: shelf.keys() == [])
    assert again.done()


async def aeventually(condition: Any) -> bool:

    return await asyncio.to_thread(eventually, condition)


def test_a_sweep_that_fails_is_logged_and_the_next_one_sweeps(
    redis_url: str, key_prefix: str, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.INFO, "langgraph.store.redis"),
        RedisStore(redis_url, store_prefix=key_prefix) as store,
    ):
        store.put(("a",), "stays", {})
        shelf.client.set(f"{key_prefix}:{{0}}:x", "no sorted set")
        store.start_ttl_sweeper(OFTEN)  # type: ignore[arg-type] # a part of a minute, for a test.
        assert eventually(lambda: "a sweep of the store failed" in caplog.text)
        shelf.client.delete(f"{key_prefix}:{{0}}:x")
        store.put(("a",), "k", {}, ttl=SOON)
        assert eventually(lambda: "1 items of the store had expired" in caplog.text)


@pytest.mark.parametrize("minutes", [0, -1, "5", float("nan")])
def test_a_sweeper_is_told_a_time(make_store: MakeStore, minutes: Any) -> None:
    store = make_store()

    with pytest.raises((TypeError, ValueError), match="sweep_interval_minutes"):
        store.do("start_ttl_sweeper", minutes)


@pytest.mark.parametrize("kind", [SyncStore, AsyncStore])
def test_a_sweeper_that_never_ran_can_be_stopped(
    redis_url: str, key_prefix: str, kind: type[SyncStore | AsyncStore]
) -> None:
    store = kind(redis_url, key_prefix)

    assert store.do("stop_ttl_sweeper")

    store.close()

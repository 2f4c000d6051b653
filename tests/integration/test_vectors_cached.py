"""Exact search: what it asks of the server, what it remembers; and it never misses what others write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from langgraph.store.base import PutOp

from counters import RoundTrips
from langgraph.store.redis import CorruptRecordError, RedisStore
from langgraph.store.redis.snapshots import Cache
from meanings import DIMS, Meanings, index_of
from stores import MakeStore, SyncStore, Twin, making_stores

Count = Callable[[], RoundTrips]
NS = ("memories",)


@pytest.fixture
def meanings() -> Meanings:
    return Meanings()


def fill(store: Twin, count: int, ns: tuple[str, ...] = NS) -> None:
    for first in range(0, count, 200):
        items = range(first, min(count, first + 200))
        store.batch([PutOp(ns, str(at), {"text": f"text {at}", "n": at}) for at in items])


def exact(make: MakeStore, meanings: Meanings, **options: Any) -> Twin:
    return make(index=index_of(meanings, vector="exact", **options))


def cache_of(store: Twin) -> Cache:
    """What an exact store remembers."""
    found = store.store._parts._ranker._ranker.cache
    assert isinstance(found, Cache)
    return found


def test_a_search_is_one_round_trip_once_vectors_are_known(
    make_store: MakeStore, meanings: Meanings, round_trips: Count
) -> None:
    store = exact(make_store, meanings)
    fill(store, 50)

    with round_trips() as cold:
        store.search(NS, query="text 7")
    with round_trips() as warm:
        store.search(NS, query="text 8")

    assert cold.round_trips == 2
    assert (warm.round_trips, warm.scripts) == (1, 1)


def test_a_search_after_an_update_is_two_round_trips_and_sends_that_vector_only(
    make_store: MakeStore, meanings: Meanings, round_trips: Count
) -> None:
    store = exact(make_store, meanings)
    fill(store, 300)
    store.search(NS, query="text 7")
    store.put(NS, "7", {"text": "chess"})

    with round_trips() as seen:
        found = store.search(NS, query="chess", limit=1)

    assert [item.key for item in found] == ["7"]
    assert seen.round_trips == 2
    assert seen.commands["hget"] == 1


def test_another_first_call_learns_once_what_vectors_are_like(
    make_store: MakeStore, meanings: Meanings, round_trips: Count
) -> None:
    exact(make_store, meanings).put(NS, "k", {"text": "jazz"})
    store = exact(make_store, meanings)

    with round_trips() as first:
        store.get(NS, "k")
    with round_trips() as second:
        store.get(NS, "k")

    # How items are spread, and what vectors are like; then the item.
    assert first.commands["hget"] == 3
    assert (second.round_trips, second.commands["hget"]) == (1, 1)


def test_what_another_process_writes_and_deletes_is_seen_at_once(
    make_store: MakeStore, meanings: Meanings
) -> None:
    store, other = exact(make_store, meanings), exact(make_store, meanings)
    fill(store, 20)
    assert store.search(NS, query="text 3", limit=1)[0].key == "3"

    other.delete(NS, "3")
    other.put(NS, "new", {"text": "jazz"})
    other.put(NS, "4", {"text": "chess"})

    best = {query: store.search(NS, query=query, limit=1)[0].key for query in ("jazz", "chess")}
    assert best == {"jazz": "new", "chess": "4"}
    assert len(store.search(NS, query="text 3", limit=100)) == 20


def test_a_store_that_is_emptied_and_filled_anew_is_read_anew(
    make_store: MakeStore, meanings: Meanings
) -> None:
    store = exact(make_store, meanings)
    fill(store, 400)
    store.search(NS, query="text 3")
    first = next(iter(cache_of(store)._all.values()))

    store.batch([PutOp(NS, str(at), None) for at in range(300)])
    found = store.search(NS, query="text 350", limit=1000)

    assert len(found) == 100
    assert found[0].key == "350"
    assert first not in cache_of(store)._all.values()


def test_what_is_missing_is_noticed_where_the_servers_clock_was_set_back(
    make_store: MakeStore, meanings: Meanings
) -> None:
    store = exact(make_store, meanings)
    fill(store, 5)
    store.search(NS, query="text 3")
    # As after a failover that lost writes, to a server whose clock is an hour behind.
    next(iter(cache_of(store)._all.values())).after += 3_600_000_000

    store.put(NS, "k", {"text": "jazz"})

    assert store.search(NS, query="jazz", limit=1)[0].key == "k"


def test_the_cache_keeps_within_its_bytes_and_forgets_what_was_used_least(
    make_store: MakeStore, meanings: Meanings
) -> None:
    store = exact(make_store, meanings, cache_bytes=300_000)
    for user in range(20):
        fill(store, 100, ("users", str(user)))

    for user in range(20):
        assert store.search(("users", str(user)), query="text 5", limit=1)[0].key == "5"

    cache = cache_of(store)
    assert 100_000 < cache.size <= 300_000
    assert cache.size == sum(each.size for each in cache._all.values())
    assert (0, b"users\x0019") in cache._all
    assert (0, b"users\x000") not in cache._all


@pytest.mark.parametrize("options", [{}, {"filter": {"n": {"$gte": 2000}}}])
def test_a_prefix_beyond_the_limit_is_searched_all_the_same_and_not_kept(
    make_store: MakeStore, meanings: Meanings, options: dict[str, Any]
) -> None:
    small, large = exact(make_store, meanings, cache_bytes=200_000), exact(make_store, meanings)
    fill(small, 2300)
    small.search(("elsewhere",), query="text 1")
    small.put(NS, "2299", {"text": "text 2299", "n": 2299})

    found = small.search(NS, query="text 2100", limit=20, **options)

    assert found == large.search(NS, query="text 2100", limit=20, **options)
    assert list(cache_of(small)._all) == [(0, b"elsewhere")]
    assert cache_of(large).size > 200_000


def test_a_small_update_leaves_the_large_block_as_it_is(make_store: MakeStore, meanings: Meanings) -> None:
    store = exact(make_store, meanings)
    fill(store, 500)
    store.search(NS, query="text 5")
    snapshot = next(iter(cache_of(store)._all.values()))
    before = snapshot.parts[0].block

    for at in range(5):
        store.put(NS, str(at), {"text": f"other {at}"})
        assert store.search(NS, query=f"other {at}", limit=1)[0].key == str(at)

    assert snapshot.parts[0].block is before
    assert len(snapshot.parts) < 5


def test_readers_never_miss_an_item_that_is_being_updated(redis_url: str, key_prefix: str) -> None:
    meanings = Meanings()
    with making_stores(SyncStore, redis_url, key_prefix) as make:
        writer, reader = exact(make, meanings), exact(make, meanings)
        fill(writer, 5)
        done = threading.Event()

        def write() -> None:
            for at in range(300):
                writer.put(NS, "0", {"text": f"text {at % 3}", "n": at})
            done.set()

        def read() -> list[int]:
            seen = []
            while not done.is_set():
                found = {item.key: item for item in reader.search(NS, query="text 0", limit=10)}
                assert set(found) == {"0", "1", "2", "3", "4"}
                seen.append(found["0"].value["n"])
            return seen

        with ThreadPoolExecutor(4) as threads:
            reads = [threads.submit(read) for _ in range(3)]
            threads.submit(write).result()
            for each in reads:
                seen = each.result()
                assert seen == sorted(seen)


def test_items_that_are_updated_while_a_search_reads_on_are_read_again(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanings = Meanings()
    with making_stores(SyncStore, redis_url, key_prefix) as make:
        reader, writer = exact(make, meanings), exact(make, meanings)
        fill(writer, 200)
        order = [item.key for item in reader.search(NS, query="text 0", limit=200)]
        driver, asked = reader.store._driver, iter(range(100))
        ask = driver._ask

        def ask_after_writes(*calls: Any, **options: Any) -> Any:
            if next(asked) == 1:  # The first page was read, the second is not.
                for key in (order[3], order[120]):
                    writer.put(NS, key, {"text": "text 0", "n": 1000})
            return ask(*calls, **options)

        monkeypatch.setattr(driver, "_ask", ask_after_writes)
        found = reader.search(NS, query="text 0", limit=60, filter={"n": {"$gte": 100}})

    assert next(asked) > 2
    assert {item.key for item in found[:2]} == {order[3], order[120]}
    assert [item.value["n"] for item in found[:2]] == [1000, 1000]


def test_an_item_that_moves_is_found_where_it_is(make_store: MakeStore, meanings: Meanings) -> None:
    store, other = exact(make_store, meanings), exact(make_store, meanings)
    store.put(("a",), "k", {"text": "jazz"})
    store.search((), query="jazz")

    other.batch([PutOp(("a",), "k", None), PutOp(("b",), "k", {"text": "jazz"})])

    assert [item.namespace for item in store.search((), query="jazz")] == [("b",)]


def test_vectors_of_another_length_are_an_error_that_names_the_item(
    meanings: Meanings, redis_url: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    with RedisStore(redis_url, index=index_of(meanings), store_prefix=key_prefix) as store:
        store.put(NS, "k", {"text": "jazz"})
        redis_client.hset(f"{key_prefix}:{{0}}:v:memories", "k", b"\0" * (4 * DIMS - 1))

        with pytest.raises(CorruptRecordError, match=r"item 'k' of namespace \('memories',\).*31 bytes"):
            store.search(NS, query="jazz")


def test_a_search_prolongs_the_lives_of_what_it_returns(
    make_store: MakeStore, meanings: Meanings, redis_client: redis.Redis, key_prefix: str
) -> None:
    store = exact(make_store, meanings)
    for key in ("near", "far"):
        store.put(NS, key, {"text": key}, ttl=60)
    expiries = f"{key_prefix}:{{0}}:x"
    before = dict(redis_client.zrange(expiries, 0, -1, withscores=True))  # type: ignore[arg-type] # redis-py types both clients' replies.

    store.search(NS, query="near", limit=1)
    store.search(NS, query="far", limit=1, refresh_ttl=False)

    after = dict(redis_client.zrange(expiries, 0, -1, withscores=True))  # type: ignore[arg-type] # likewise.
    assert [key for key in after if after[key] > before[key]] == [b"memories\0\0near"]

"""Search by meaning, whoever ranks: scores, filters, updates, providers that fail, stores that do not fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from langchain_core.embeddings import Embeddings
from langgraph.store.base import PutOp, SearchOp

from langgraph.store.redis import RedisStore, UnsupportedServerError
from langgraph.store.redis.keys import shard_of
from meanings import DIMS, Meanings, index_of
from stores import AsyncStore, MakeStore, SyncStore, Twin, making_stores
from waiting import eventually

NS = ("memories",)


@pytest.fixture
def meanings() -> Meanings:
    return Meanings()


class Place:
    """Where a test's stores are, and who ranks there."""

    def __init__(self, make: MakeStore, mode: str) -> None:
        self.mode = mode
        self._make = make

    def store(self, embed: Any, *, shards: int | None = None, **index: Any) -> Twin:
        return self._make(index=index_of(embed, **{"vector": self.mode, **index}), shards=shards)


@contextmanager
def _on_the_engine(request: pytest.FixtureRequest) -> Iterator[str]:
    url: str = request.getfixturevalue("search_url")
    yield url
    with redis.Redis.from_url(url) as client:
        client.flushdb()


@pytest.fixture(params=["exact", "search"])
def place(request: pytest.FixtureRequest, redis_url: str, key_prefix: str) -> Iterator[Place]:
    """Exact search on the usual server, and the engine where there is one; by the sync store."""
    if request.param == "exact":
        with making_stores(SyncStore, redis_url, key_prefix) as make:
            yield Place(make, "exact")
        return
    with _on_the_engine(request) as url, making_stores(SyncStore, url, key_prefix) as make:
        yield Place(make, "search")


def test_the_most_alike_comes_first_with_its_cosine(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    for text in ("pizza", "jazz", "chess"):
        store.put(NS, text, {"text": text})

    found = store.search(NS, query="jazz")

    assert found[0].key == "jazz"
    assert found[0].score == pytest.approx(1, abs=1e-5)
    assert [item.score for item in found] == sorted((item.score or 0 for item in found), reverse=True)


@pytest.mark.parametrize("distance", ["inner_product", "l2"])
def test_scores_are_as_the_distance_says_and_more_is_more_alike(
    place: Place, meanings: Meanings, distance: str
) -> None:
    store = place.store(meanings, distance_type=distance)
    query = meanings.of("query")
    for text in ("pizza", "jazz", "chess", "rain"):
        store.put(NS, text, {"text": text})

    found = store.search(NS, query="query")

    def score(text: str) -> float:
        vector = meanings.of(text)
        if distance == "l2":
            return -math.dist(query, vector)
        return math.fsum(a * b for a, b in zip(query, vector, strict=True))

    expected = sorted(("pizza", "jazz", "chess", "rain"), key=score, reverse=True)
    assert [item.key for item in found] == expected
    assert [item.score for item in found] == pytest.approx([score(text) for text in expected], abs=1e-3)


def test_an_item_counts_by_that_of_its_vectors_which_is_most_alike(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    store.put(NS, "two", {"text": "chess", "more": ["rain", "jazz"]})
    store.put(NS, "one", {"text": "pizza"})

    found = store.search(NS, query="jazz")

    assert [item.key for item in found] == ["two", "one"]
    assert found[0].score == pytest.approx(1, abs=1e-5)


def test_a_vector_of_zeros_is_like_nothing(place: Place, meanings: Meanings) -> None:
    def embed(texts: list[str]) -> list[list[float]]:
        return [[0.0] * DIMS if text == "nothing" else meanings.of(text) for text in texts]

    store = place.store(embed, dims=DIMS)
    store.put(NS, "zero", {"text": "nothing"})

    found = store.search(NS, query="jazz")

    # The engine has no distance for it, and gives it last.
    assert [item.score for item in found] == [0.0 if place.mode == "exact" else None]


def test_items_without_vectors_come_last_the_newest_first(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings, shards=3)
    store.put(NS, "old", {"text": "jazz"}, index=False)
    store.put(NS, "new", {"other": "jazz"})
    store.put(NS, "scored", {"text": "jazz"})

    found = store.search((), query="jazz")
    second = store.search((), query="jazz", limit=1, offset=1)

    assert [(item.key, item.score is None) for item in found] == [
        ("scored", False),
        ("new", True),
        ("old", True),
    ]
    assert [item.key for item in second] == ["new"]


def test_a_filter_that_few_pass_still_fills_the_page(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings, shards=3)
    ops = [PutOp((str(at % 7),), str(at), {"text": f"text {at}", "rare": at % 100 == 0}) for at in range(600)]
    store.batch(ops)

    found = store.search((), query="text 1", filter={"rare": True}, limit=5)
    rest = store.search((), query="text 1", filter={"rare": True}, limit=5, offset=5)

    assert [item.value["rare"] for item in found] == [True] * 5
    assert {int(item.key) for item in found + rest} == {0, 100, 200, 300, 400, 500}


def test_what_a_filter_takes_from_one_shard_lets_nothing_worse_of_another_in(place: Place) -> None:
    def embed(texts: list[str]) -> list[list[float]]:
        return [[1.0, float(text) / 1000] + [0.0] * (DIMS - 2) for text in texts]

    near, far = (
        ("a",),
        next((label,) for label in "bcdefgh" if shard_of(label.encode(), 3) != shard_of(b"a", 3)),
    )
    store = place.store(embed, dims=DIMS, shards=3)
    store.batch([PutOp(near, str(at), {"text": str(at), "passes": at >= 100}) for at in range(1, 200)])
    store.batch([PutOp(far, str(at), {"text": str(at), "passes": True}) for at in range(500, 510)])

    found = store.search((), query="0", filter={"passes": True}, limit=5)

    assert [item.key for item in found] == ["100", "101", "102", "103", "104"]


def test_a_prefix_ends_at_a_label(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    for ns in (("users", "1"), ("users", "10"), ("users", "1", "deep"), ("users|1",)):
        store.put(ns, "k", {"text": "jazz"})

    found = store.search(("users", "1"), query="jazz")

    assert {item.namespace for item in found} == {("users", "1"), ("users", "1", "deep")}


def test_an_update_is_found_by_what_it_says_now(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    store.put(NS, "k", {"text": "pizza", "more": ["rain"]})
    store.search(NS, query="pizza")

    store.put(NS, "k", {"text": "chess"})

    scores = {query: store.search(NS, query=query)[0].score for query in ("pizza", "rain", "chess")}
    assert scores["chess"] == pytest.approx(1, abs=1e-5)
    assert max(scores["pizza"] or 0, scores["rain"] or 0) < 0.99


def test_what_expired_is_not_found(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    store.put(NS, "brief", {"text": "jazz"}, ttl=0.0005)
    store.put(NS, "stays", {"text": "rain"})
    store.search(NS, query="jazz", refresh_ttl=False)

    assert eventually(lambda: store.get(NS, "brief", refresh_ttl=False) is None)

    assert [item.key for item in store.search(NS, query="jazz")] == ["stays"]


def test_a_query_in_a_batch_sees_what_was_there_before(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    store.put(NS, "k", {"text": "jazz"})

    found = store.batch([PutOp(NS, "l", {"text": "jazz"}), SearchOp(NS, query="jazz")])

    assert [item.key for item in found[1]] == ["k"]


def test_a_limit_of_none_finds_nothing(place: Place, meanings: Meanings) -> None:
    store = place.store(meanings)
    store.put(NS, "k", {"text": "jazz"})

    assert store.search(NS, query="jazz", limit=0) == []


# Who embeds, in either store.


def test_texts_of_a_batch_are_embedded_at_once_each_once(make_store: MakeStore, meanings: Meanings) -> None:
    store = make_store(index=index_of(meanings))
    texts = ["jazz", "rain", "jazz", "chess", "rain"]

    store.batch([PutOp(NS, str(at), {"text": text}) for at, text in enumerate(texts)])

    assert meanings.asked == [["jazz", "rain", "chess"]]


@pytest.mark.parametrize("method", ["embed_documents", "embed_query"])
def test_a_provider_that_fails_writes_nothing(make_store: MakeStore, meanings: Meanings, method: str) -> None:
    store = make_store(index=index_of(meanings))
    meanings.fails[method] = ConnectionError("the provider is down")

    with pytest.raises(ConnectionError, match="the provider is down"):
        store.batch([PutOp(NS, "k", {"text": "jazz"}), SearchOp(NS, query="jazz")])

    meanings.fails.clear()
    assert store.search() == []


class Wrong(Embeddings):
    """A provider that answers what nobody asked for."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def embed_documents(self, texts: list[str]) -> Any:  # noqa: ARG002 - whatever they are.
        return self.answer

    def embed_query(self, text: str) -> Any:  # noqa: ARG002 - likewise.
        return self.answer[0]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ([[1.0] * DIMS] * 2, "2 vectors for 1 texts"),
        ([], "0 vectors for 1 texts"),
        ([[1.0] * (DIMS - 1)], r'shape \(7,\).*index\["dims"\]'),
        ([[math.nan] * DIMS], "not finite"),
        ([[math.inf] * DIMS], "not finite"),
        ([["a"] * DIMS], "no vector"),
    ],
)
def test_what_is_no_vector_is_refused_and_writes_nothing(
    make_store: MakeStore, answer: Any, complaint: str
) -> None:
    store = make_store(index=index_of(Wrong(answer)))

    with pytest.raises(ValueError, match=complaint):
        store.put(NS, "k", {"text": "jazz"})

    assert store.search() == []


def test_an_async_function_embeds_in_either_store(make_store: MakeStore, meanings: Meanings) -> None:
    async def embed(texts: list[str]) -> list[list[float]]:
        return await meanings.aembed_documents(list(texts))

    store = make_store(index=index_of(embed))
    store.put(NS, "k", {"text": "jazz"})

    found = store.search(NS, query="jazz")

    assert found[0].score == pytest.approx(1, abs=1e-5)


# Stores that meet.


@pytest.mark.parametrize("other", [{"dims": 4}, {"distance_type": "l2"}])
def test_vectors_that_would_not_compare_are_refused(
    make_store: MakeStore, meanings: Meanings, other: dict[str, Any]
) -> None:
    make_store(index=index_of(meanings)).put(NS, "k", {"text": "jazz"})
    embed = Meanings(other.get("dims", DIMS))
    second = make_store(index=index_of(embed, **other))

    with pytest.raises(ValueError, match=r"8 numbers compared by 'cosine'.*reindex\(\).*store_prefix"):
        second.put(NS, "l", {"text": "jazz"})
    with pytest.raises(ValueError, match=r"reindex\(\)"):
        second.do("setup")


def test_a_server_without_the_engine_is_named_and_auto_does_without(
    make_store: MakeStore, meanings: Meanings
) -> None:
    store = make_store(index=index_of(meanings, vector="search"))

    with pytest.raises(UnsupportedServerError, match=r'Redis Query Engine.*unknown command.*"exact"'):
        store.do("setup")
    plain = make_store(index=index_of(meanings, vector="auto"))
    plain.put(NS, "k", {"text": "jazz"})

    assert [item.key for item in plain.search(query="jazz")] == ["k"]


def test_auto_goes_on_as_the_store_began(search_url: str, key_prefix: str, meanings: Meanings) -> None:
    def store(mode: str) -> RedisStore:
        return RedisStore(search_url, index=index_of(meanings, vector=mode), store_prefix=key_prefix)

    with redis.Redis.from_url(search_url) as client:
        with store("exact") as first, store("auto") as second, store("search") as third:
            first.put(NS, "k", {"text": "jazz"})
            second.put(NS, "l", {"text": "jazz"})

            assert {item.key for item in first.search(NS, query="jazz")} == {"k", "l"}
            assert client.keys(f"{key_prefix}:*:f:*") == []
            with pytest.raises(ValueError, match=r'ranks vectors by "exact".*"search".*reindex\(\)'):
                third.search(NS, query="jazz")
        client.flushdb()


def test_the_engine_is_taken_where_it_is_and_only_in_database_0(
    search_url: str, key_prefix: str, meanings: Meanings
) -> None:
    elsewhere = search_url.removesuffix("/0") + "/1"
    index = index_of(meanings)
    with redis.Redis.from_url(search_url) as client, redis.Redis.from_url(elsewhere) as other:
        with RedisStore(search_url, index=index, store_prefix=key_prefix) as store:
            store.put(NS, "k", {"text": "jazz"})
        with RedisStore(elsewhere, index=index, store_prefix=key_prefix) as store:
            store.put(NS, "k", {"text": "jazz"})
            found = store.search(NS, query="jazz")

        assert len(client.keys(f"{key_prefix}:*:f:*")) == 1
        assert other.keys(f"{key_prefix}:*:f:*") == []
        assert [item.key for item in found] == ["k"]
        client.flushall()


@pytest.mark.parametrize(
    ("kind", "protocol"), [(SyncStore, 2), (SyncStore, 3), (AsyncStore, 2), (AsyncStore, 3)]
)
@pytest.mark.parametrize("ann", ["flat", {"type": "hnsw", "M": 8, "EF_RUNTIME": 50}])
def test_the_engine_answers_in_either_protocol_by_either_kind_of_index(
    search_url: str, key_prefix: str, kind: Any, protocol: int, ann: Any
) -> None:
    url = f"{search_url}?protocol={protocol}"
    with making_stores(kind, url, key_prefix) as make, redis.Redis.from_url(search_url) as client:
        store = make(index=index_of(Meanings(), vector="search", ann=ann), shards=3)
        store.batch([PutOp((str(at),), str(at), {"text": f"text {at}"}) for at in range(30)])

        found = store.search((), query="text 7", limit=3)

        assert found[0].key == "7"
        assert found[0].score == pytest.approx(1, abs=1e-5)
        client.flushdb()


def test_an_index_that_was_dropped_is_made_again_from_what_is_stored(
    search_url: str, key_prefix: str, meanings: Meanings
) -> None:
    index = index_of(meanings, vector="search")
    with redis.Redis.from_url(search_url) as client:
        with RedisStore(search_url, index=index, store_prefix=key_prefix) as store:
            store.put(NS, "k", {"text": "jazz"})
            client.execute_command("FT.DROPINDEX", f"{key_prefix}:{{0}}:f:")
            with pytest.raises(Exception, match="opened anew"):
                store.search(NS, query="jazz")
        with RedisStore(search_url, index=index, store_prefix=key_prefix) as store:
            store.setup()

            assert [item.key for item in store.search(NS, query="jazz")] == ["k"]
        client.flushdb()

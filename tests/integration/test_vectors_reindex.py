"""Embedding all items anew: nothing of them changes, searches go on, and what is broken off goes on."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import redis
from langgraph.store.base import PutOp

from langgraph.store.redis import RedisStore
from meanings import Meanings, index_of
from stores import EVERYTHING, MakeStore, Twin

NS = ("memories",)


def fill(store: Twin) -> None:
    store.batch([PutOp(("users", str(at % 5)), str(at), {"text": f"text {at}"}) for at in range(60)])
    store.put(NS, "plain", {"text": "private"}, index=False)
    store.put(NS, "short", {"text": "text 0"}, ttl=60)


def reindex(store: Twin, **options: Any) -> int:
    return int(store.do("reindex", **{"progress": False, **options}))


def best(store: Twin, query: str) -> tuple[str, float]:
    found = store.search(("users",), query=query, limit=1)[0]
    assert found.score is not None
    return found.key, round(found.score, 3)


@pytest.mark.parametrize("options", [{}, {"distance_type": "l2"}, {"fields": ["text"]}])
@pytest.mark.parametrize("shards", [1, 3])
def test_items_get_new_vectors_and_stay_as_they_are(
    make_store: MakeStore, shards: int, options: dict[str, Any]
) -> None:
    old = make_store(index=index_of(Meanings(8)), shards=shards)
    fill(old)
    before = sorted(old.search(limit=EVERYTHING), key=lambda item: (item.namespace, item.key))
    new = make_store(index=index_of(Meanings(4), **options))

    count = reindex(new, batch_size=7)

    assert count == 61
    assert best(new, "text 17")[0] == "17"
    after = sorted(
        new.search(limit=EVERYTHING, refresh_ttl=False), key=lambda item: (item.namespace, item.key)
    )
    assert after == before
    scores = {item.key: item.score for item in new.search(query="private", limit=EVERYTHING)}
    assert [key for key, score in scores.items() if score is None] == ["plain"]


def test_old_vectors_answer_until_the_end_and_are_then_gone(
    make_store: MakeStore, redis_client: redis.Redis, key_prefix: str
) -> None:
    old = make_store(index=index_of(Meanings()))
    fill(old)
    meanings = Meanings(model="another")
    seen = []

    class Watching(Meanings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            with RedisStore(
                redis_client=redis_client, index=index_of(Meanings()), store_prefix=key_prefix
            ) as plain:
                seen.append(plain.search(("users",), query="text 3", limit=1)[0].key)
            return meanings.embed_documents(texts)

        def embed_query(self, text: str) -> list[float]:
            return meanings.embed_query(text)

    new = make_store(index=index_of(Watching()))
    reindex(new, batch_size=20)

    assert seen == ["3"] * len(seen) != []
    assert best(new, "text 3") == ("3", 1.0)
    assert redis_client.keys(f"{key_prefix}:*:v:*") == []
    assert redis_client.exists(f"{key_prefix}:reindex") == 0


def test_what_is_broken_off_goes_on_and_embeds_nothing_twice(make_store: MakeStore) -> None:
    old = make_store(index=index_of(Meanings(8)))
    fill(old)

    class Ending(Meanings):
        left = 3

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            self.left -= 1
            if self.left < 0:
                raise ConnectionError("the provider is down")
            return super().embed_documents(texts)

    with pytest.raises(ConnectionError, match="the provider is down"):
        reindex(make_store(index=index_of(Ending(4))), batch_size=10)
    assert best(old, "text 3") == ("3", 1.0)
    new = make_store(index=index_of(Meanings(4)))

    count = reindex(new, batch_size=10)

    assert count == 61 - 20  # The first of the three calls was the sample's.
    assert best(new, "text 3") == ("3", 1.0)


def test_another_model_begins_anew_where_one_was_broken_off(make_store: MakeStore) -> None:
    fill(make_store(index=index_of(Meanings(8))))
    failing = Meanings(8, "first")
    store = make_store(index=index_of(failing))
    calls = iter(range(3))
    embed = failing.embed_documents

    def embed_some(texts: list[str]) -> list[list[float]]:
        if next(calls) == 2:
            raise ConnectionError("the provider is down")
        return embed(texts)

    failing.embed_documents = embed_some  # type: ignore[method-assign] # a provider that goes away.
    with pytest.raises(ConnectionError):
        reindex(store, batch_size=10)
    new = make_store(index=index_of(Meanings(8, "second")))

    assert reindex(new, batch_size=10) == 61
    assert {best(new, f"text {at}") for at in range(60)} == {(str(at), 1.0) for at in range(60)}


def test_what_is_updated_meanwhile_gets_its_vectors_too(
    make_store: MakeStore, redis_url: str, key_prefix: str
) -> None:
    index = index_of(Meanings(8))
    fill(make_store(index=index))

    class Busy(Meanings):
        """While it embeds, another process goes on."""

        done = False

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if len(texts) > 1 and not self.done:
                self.done = True
                other.put(("users", "0"), "0", {"text": "changed"})
                other.put(("users", "0"), "5", None)  # type: ignore[arg-type] # deletes it.
                other.put(("users", "9"), "new", {"text": "began"})
            return super().embed_documents(texts)

    new = make_store(index=index_of(Busy(4)))
    with RedisStore(redis_url, index=index, store_prefix=key_prefix) as other:
        reindex(new, batch_size=10)

    assert best(new, "changed") == ("0", 1.0)
    assert best(new, "began") == ("new", 1.0)
    assert "5" not in {item.key for item in new.search(query="text 5", limit=EVERYTHING)}


def test_a_store_that_had_no_index_is_embedded_but_for_what_must_not(make_store: MakeStore) -> None:
    fill(make_store())
    store = make_store(index=index_of(Meanings()))
    assert store.search(("users",), query="text 3", limit=1)[0].score is None

    # Without an index there was nobody to be told that "plain" is not to be embedded.
    assert reindex(store) == 62
    assert best(store, "text 3") == ("3", 1.0)


def test_progress_is_shown_or_logged(
    make_store: MakeStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    store = make_store(index=index_of(Meanings()))
    fill(store)

    reindex(store, progress=True)
    shown = capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    with caplog.at_level(logging.INFO, "langgraph.store.redis.progress"):
        reindex(store, progress=True)

    assert "embedding items" in shown
    assert caplog.messages[-1] == "embedding items: 62 of 62"


@pytest.mark.parametrize("batch_size", [0, 1001, "10"])
def test_a_batch_size_out_of_range_is_refused(make_store: MakeStore, batch_size: Any) -> None:
    store = make_store(index=index_of(Meanings()))

    with pytest.raises(ValueError, match="batch_size must be an int from 1 to 1000"):
        reindex(store, batch_size=batch_size)


def test_a_store_without_an_index_cannot_reindex(make_store: MakeStore) -> None:
    with pytest.raises(ValueError, match="give the store an index"):
        reindex(make_store())


def test_a_store_moves_from_exact_search_to_the_engine_and_back(search_url: str, key_prefix: str) -> None:
    def store(mode: str) -> RedisStore:
        return RedisStore(
            search_url, index=index_of(Meanings(), vector=mode), store_prefix=key_prefix, shards=3
        )

    with redis.Redis.from_url(search_url) as client, store("exact") as exact, store("search") as search:
        exact.batch([PutOp((str(at),), str(at), {"text": f"text {at}", "more": ["x"]}) for at in range(40)])

        assert search.reindex(progress=False) == 40
        assert search.search((), query="text 7", limit=1)[0].key == "7"
        assert client.keys(f"{key_prefix}:*:v*") == []
        with store("exact") as back:
            assert back.reindex(progress=False) == 40
            assert back.search((), query="text 7", limit=1)[0].key == "7"
        assert client.keys(f"{key_prefix}:*:f*") == []
        assert client.execute_command("FT._LIST") == []
        client.flushdb()

"""What is wrong with one item, one caller or a full server stays there: the rest of the store goes on."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redis
from langchain_core.documents import Document
from langgraph.store.base import PutOp

from langgraph._redis.errors import CorruptRecordError
from langgraph.store.redis import AsyncRedisStore, RedisIndexConfig, RedisStore
from servers import start_valkey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Sequence

    from stores import MakeStore, Twin

NS = ("a",)


def lengths(texts: list[str]) -> list[list[float]]:
    return [[1.0, float(len(text))] for text in texts]


async def together(*calls: Awaitable[Any]) -> list[Any]:
    """The results, or errors, of calls of one turn of the loop."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_a_record_that_cannot_be_read_is_an_error_of_those_who_read_it(
    redis_url: str, redis_client: redis.Redis, key_prefix: str
) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        await store.abatch([PutOp(("mine",), "broken", {"x": 1}), PutOp(("yours",), "whole", {"x": 1})])
        redis_client.hset(f"{key_prefix}:{{0}}:d:mine", "broken", b"1 1 0 0\n{bro")

        results = await together(
            store.aget(("mine",), "broken"),
            store.asearch(("mine",)),
            store.aget(("yours",), "whole"),
            store.aput(("yours",), "new", {"x": 0}),
            store.aput(("yours",), "new", {"x": 2}),
            store.asearch(("yours",)),
        )

        assert [type(error) for error in results[:2]] == [CorruptRecordError] * 2
        assert results[2].value == {"x": 1}
        assert results[3:5] == [None, None]
        assert [item.key for item in results[5]] == ["whole"]
        new = await store.aget(("yours",), "new")
        assert new is not None
        assert new.value == {"x": 2}
        await store.adelete(("mine",), "broken")


async def test_a_key_of_another_kind_fails_the_writes_of_its_namespace_alone(
    redis_url: str, redis_client: redis.Redis, key_prefix: str
) -> None:
    foreign = f"{key_prefix}:{{0}}:d:mine"
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        redis_client.set(foreign, "none of ours")

        before, failed, after = await together(
            store.aput(("yours",), "before", {"x": 1}),
            store.aput(("mine",), "k", {"x": 1}),
            store.aput(("yours",), "after", {"x": 1}),
        )

        redis_client.delete(foreign)
        assert (before, after) == (None, None)
        assert "WRONGTYPE" in str(failed)
        assert {item.key for item in await store.asearch(())} == {"before", "after"}


async def test_what_waited_for_a_provider_that_fails_is_stored_as_it_was_given(
    redis_url: str, key_prefix: str
) -> None:
    asked = asyncio.Event()

    async def refuse(_: Sequence[str]) -> list[list[float]]:
        asked.set()
        await asyncio.sleep(0)
        raise ConnectionError("no provider")

    index: RedisIndexConfig = {"dims": 2, "embed": refuse}
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix, index=index) as store:
        value: dict[str, Any] = {"x": 1}
        needing = asyncio.create_task(store.aput(NS, "embedded", {"text": "hello"}))
        plain = asyncio.create_task(store.aput(NS, "plain", value, index=False))
        await asked.wait()
        value["x"] = (2,)

        await plain
        with pytest.raises(ConnectionError, match="no provider"):
            await needing
        found = await store.aget(NS, "plain")
        assert found is not None
        assert found.value == {"x": 1}


# A full server.


@pytest.fixture
def full() -> Iterator[str]:
    """A server without room for more, whose store holds an item that expires and one that does not."""
    with start_valkey(maxmemory_policy="noeviction") as server, redis.Redis.from_url(server.url) as client:
        with RedisStore(server.url) as store:
            store.put(NS, "mortal", {"x": 1}, ttl=10)
            store.put(NS, "immortal", {"x": 1})
        client.config_set("maxmemory", "100kb")
        yield server.url


def test_a_server_that_is_full_still_answers_reads_and_deletes(full: str) -> None:
    with RedisStore(full) as store:
        got = store.get(NS, "mortal")
        assert got is not None
        assert got.value == {"x": 1}
        assert len(store.search(NS)) == len(store.search(NS, filter={"x": 1})) == 2
        with pytest.raises(redis.ResponseError, match="used memory"):
            store.put(NS, "mortal", {"x": 2}, ttl=10)
        store.delete(NS, "immortal")

        assert [(item.key, item.value) for item in store.search(NS)] == [("mortal", {"x": 1})]


def test_a_store_that_is_new_to_a_full_server_says_that_it_is_full(full: str) -> None:
    with (
        RedisStore(full, store_prefix="another") as store,
        pytest.raises(redis.ResponseError, match="used memory"),
    ):
        store.get(NS, "k")


async def test_the_reads_of_a_turn_are_answered_where_its_writes_are_refused(full: str) -> None:
    async with AsyncRedisStore(full) as store:
        put, got = await together(store.aput(NS, "new", {"x": 1}), store.aget(NS, "immortal"))

    assert isinstance(put, redis.ResponseError)
    assert "used memory" in str(put)  # Redis 6.2 has no class of its own for that, in a script.
    assert got.value == {"x": 1}


# What is refused before it does harm.


@dataclass
class Note:
    """A value's part, with parts of its own."""

    words: Any


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param(deque([1, (2,)]), r"\['v'\]\[1\]", id="deque"),
        pytest.param(Note(("a", "b")), r"\['v'\]\.words", id="dataclass"),
        pytest.param(Document("text", metadata={"pages": (1, 2)}), r"\.metadata\['pages'\]", id="document"),
    ],
)
def test_a_tuple_inside_an_object_is_refused_as_it_would_come_back_as_a_list(
    store: Twin, value: Any, place: str
) -> None:
    with pytest.raises(TypeError, match=f"a tuple at .*{place} would come back as a list"):
        store.put(NS, "k", {"v": value})

    assert store.get(NS, "k") is None


@pytest.mark.parametrize(
    "value", [deque([1, [2]]), Document("text", metadata={"pages": [1, 2]})], ids=["deque", "document"]
)
def test_an_object_without_a_tuple_comes_back_equal(store: Twin, value: Any) -> None:
    store.put(NS, "k", {"v": value})

    found = store.get(NS, "k")
    assert found is not None
    assert found.value == {"v": value}


@pytest.mark.parametrize("fields", ["text", True, [1]], ids=["text", "True", "int"])
def test_fields_of_an_item_that_are_no_list_of_paths_are_refused(make_store: MakeStore, fields: Any) -> None:
    store = make_store(index={"dims": 2, "embed": lengths})

    with pytest.raises(TypeError, match="index of a put must be a list of paths"):
        store.put(NS, "k", {"text": "hello"}, index=fields)


def test_a_query_that_is_no_text_is_refused(make_store: MakeStore) -> None:
    store = make_store(index={"dims": 2, "embed": lengths})

    with pytest.raises(TypeError, match="query must be a str or None, not int"):
        store.search(NS, query=123)


def test_of_a_batch_that_fails_midway_each_item_is_there_whole_or_not_at_all(
    make_store: MakeStore, redis_client: redis.Redis, key_prefix: str
) -> None:
    store = make_store()
    foreign = f"{key_prefix}:{{0}}:d:mine"
    redis_client.set(foreign, "none of ours")

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.batch([PutOp(("a",), "1", {}), PutOp(("mine",), "2", {}), PutOp(("b",), "3", {})])

    assert [item.key for item in store.search(())] == ["1"]
    assert store.list_namespaces() == [("a",)]
    assert store.get(("b",), "3") is None
    redis_client.delete(foreign)

"""Search by meaning against InMemoryStore with the same embeddings, over random operations.

Where ours differ on purpose, the reference is told so: an update takes away the vectors that an item had
before; two items may have a text in common; equals are in the order of their updates, newest first; and
`offset` counts the items without vectors too, which come last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple, TypeAlias, cast

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from langgraph.store.base import PutOp, SearchItem, get_text_at_path, tokenize_path
from langgraph.store.memory import InMemoryStore

from meanings import DIMS, Meanings, index_of
from stores import EVERYTHING, AsyncStore, SyncStore, Twin, member_keys

FIELDS = ["text", "more[*]"]
MEANINGS = Meanings()

NAMESPACES = st.sampled_from([("a",), ("a", "b"), ("ab",), ("c",), ("c", "a", "b"), ("d", "b")])
PREFIXES = st.sampled_from([(), ("a",), ("a", "b"), ("c",), ("d",), ("nowhere",)])
KEYS = st.sampled_from(["k", "K", "l"])
TEXTS = st.sampled_from(["pizza", "jazz", "chess", "rain", "Paris"])
VALUES = st.fixed_dictionaries(
    {"n": st.integers(0, 2)}, optional={"text": TEXTS, "more": st.lists(TEXTS, max_size=3)}
)
INDEXES = st.sampled_from([None, None, False, ["text"], ["more[*]"], ["more[0]", "text"]])
FILTERS = st.sampled_from([None, None, {"n": 1}, {"n": {"$ne": 1}}, {"text": "jazz"}, {"n": {"$gte": 2}}])


class Write(NamedTuple):
    """An item to be put, or deleted."""

    ns: tuple[str, ...]
    key: str
    value: dict[str, Any] | None
    index: Any


class Query(NamedTuple):
    """A search."""

    ns: tuple[str, ...]
    query: str
    filter: dict[str, Any] | None
    limit: int
    offset: int


WRITES = st.builds(Write, NAMESPACES, KEYS, VALUES | st.none(), INDEXES)
QUERIES = st.builds(Query, PREFIXES, TEXTS | st.just("?"), FILTERS, st.integers(1, 6), st.integers(0, 4))
STEPS = st.lists(st.lists(WRITES, min_size=1, max_size=4) | QUERIES, min_size=4, max_size=14)


Compare: TypeAlias = "Callable[[Twin, Reference, Query], None]"


class Reference:
    """InMemoryStore with the differences above."""

    def __init__(self) -> None:
        self.store = InMemoryStore(index={"dims": DIMS, "embed": MEANINGS, "fields": FIELDS})

    def write(self, write: Write) -> None:
        self.store._vectors[write.ns].pop(write.key, None)
        self.store.put(write.ns, write.key, write.value or {}, index=False)
        if write.value is None:
            self.store.delete(write.ns, write.key)
            return
        paths = [] if write.index is False else FIELDS if write.index is None else write.index
        numbers = count()
        for path in paths:
            for text in get_text_at_path(write.value, tokenize_path(path)):
                self.store._vectors[write.ns][write.key][str(next(numbers))] = MEANINGS.of(text)

    def search(self, query: Query, ours: Twin) -> list[SearchItem]:
        """The items of a page, of which equals are in order."""
        found = self.store.search(query.ns, query=query.query, filter=query.filter, limit=EVERYTHING)

        def place(item: SearchItem) -> Any:
            score = float("-inf") if item.score is None else item.score
            return -round(score, 5), -_updated(ours, item).timestamp()

        return sorted(found, key=place)[query.offset : query.offset + query.limit]


def _updated(ours: Twin, item: SearchItem) -> datetime:
    found = ours.get(item.namespace, item.key)
    assert found is not None
    return found.updated_at


@pytest.fixture(
    params=[
        (SyncStore, "exact", 1),
        (SyncStore, "exact", 3),
        (AsyncStore, "exact", 1),
        (AsyncStore, "exact", 3),
    ]
)
def ours(request: pytest.FixtureRequest, redis_url: str, key_prefix: str) -> Iterator[Twin]:
    kind, mode, shards = request.param
    twin = kind(redis_url, key_prefix, index=index_of(MEANINGS, vector=mode), shards=shards)
    yield twin
    twin.close()


@pytest.fixture(params=[(SyncStore, 1), (AsyncStore, 3)])
def by_the_engine(request: pytest.FixtureRequest, search_url: str, key_prefix: str) -> Iterator[Twin]:
    kind, shards = request.param
    twin = kind(search_url, key_prefix, index=index_of(MEANINGS, vector="search"), shards=shards)
    yield twin
    twin.close()
    with redis.Redis.from_url(search_url) as client:
        found = cast("list[bytes]", client.keys(f"{key_prefix}:*"))
        client.flushdb()  # The indexes go with it.
    assert member_keys(key_prefix, found) == []


def agree(ours: Twin, steps: list[list[Write] | Query], compare: Compare) -> None:
    """Do the same to both, and compare what they find; nothing is left to the next example."""
    reference = Reference()
    try:
        for step in steps:
            if isinstance(step, Query):
                compare(ours, reference, step)
                continue
            ours.batch([PutOp(write.ns, write.key, write.value, index=write.index) for write in step])
            for write in {(write.ns, write.key): write for write in step}.values():
                reference.write(write)
    finally:
        left = ours.search(limit=EVERYTHING)
        ours.batch([PutOp(item.namespace, item.key, None) for item in left])


def same(ours: Twin, reference: Reference, query: Query) -> None:
    found, expected = ours.search(query.ns, **options_of(query)), reference.search(query, ours)
    assert [told(item) for item in found] == [told(item) for item in expected]
    assert scores_of(found) == scores_of(expected)


def same_but_for_equals(ours: Twin, reference: Reference, query: Query) -> None:
    """As much as an engine promises, which chooses among equals where a page ends."""
    found, expected = ours.search(query.ns, **options_of(query)), reference.search(query, ours)
    every = reference.search(query._replace(offset=0, limit=EVERYTHING), ours)
    scores = {(item.namespace, item.key): item.score for item in every}
    assert scores_of(found) == scores_of(expected)
    assert scores_of(found) == [pytest.approx(scores[item.namespace, item.key], abs=1e-5) for item in found]


def options_of(query: Query) -> dict[str, Any]:
    return {name: value for name, value in query._asdict().items() if name != "ns"}


def scores_of(items: list[SearchItem]) -> list[Any]:
    return [item.score if item.score is None else pytest.approx(item.score, abs=1e-5) for item in items]


def told(item: SearchItem) -> Any:
    """What an item tells, but for its score and its instants."""
    return item.namespace, item.key, item.value, item.score is None


@given(steps=STEPS)
def test_what_is_found_by_meaning_is_what_memory_finds(ours: Twin, steps: list[Any]) -> None:
    agree(ours, steps, same)


@given(steps=STEPS)
def test_the_engine_finds_what_memory_finds(by_the_engine: Twin, steps: list[Any]) -> None:
    agree(by_the_engine, steps, same_but_for_equals)

"""Namespaces as they are listed, and several operations at once: sync and async, in one shard and three."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp

from stores import EVERYTHING, MakeStore, Namespace, Twin


def listed(*conditions: tuple[str, Namespace], **query: Any) -> ListNamespacesOp:
    told = tuple(MatchCondition(match_type=kind, path=path) for kind, path in conditions)  # type: ignore[arg-type] # a test may ask for what there is not.
    return ListNamespacesOp(told or None, **query)


@pytest.fixture
def spaces(store: Twin) -> Twin:
    for ns in (
        ("a", "b", "c"),
        ("a", "b", "d"),
        ("a", "c"),
        ("b", "b", "c"),
        ("a",),
        ("a\x01",),
        ("b*", "c"),
    ):
        store.put(ns, "k", {})
        store.put(ns, "l", {})
    return store


ALL = [("a",), ("a", "b", "c"), ("a", "b", "d"), ("a", "c"), ("a\x01",), ("b", "b", "c"), ("b*", "c")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ALL),
        ({"prefix": ("a",)}, ALL[:4]),
        ({"prefix": ("a", "b")}, ALL[1:3]),
        ({"prefix": ("b",)}, [("b", "b", "c")]),
        ({"prefix": ("*", "b")}, [("a", "b", "c"), ("a", "b", "d"), ("b", "b", "c")]),
        ({"prefix": ("a", "*", "d")}, [("a", "b", "d")]),
        ({"suffix": ("c",)}, [("a", "b", "c"), ("a", "c"), ("b", "b", "c"), ("b*", "c")]),
        ({"suffix": ("b", "*")}, [("a", "b", "c"), ("a", "b", "d"), ("b", "b", "c")]),
        ({"prefix": ("a",), "suffix": ("c",)}, [("a", "b", "c"), ("a", "c")]),
        ({"max_depth": 1}, [("a",), ("a\x01",), ("b",), ("b*",)]),
        ({"max_depth": 2}, [("a",), ("a", "b"), ("a", "c"), ("a\x01",), ("b", "b"), ("b*", "c")]),
        ({"max_depth": 2, "suffix": ("c",)}, [("a", "b"), ("a", "c"), ("b", "b"), ("b*", "c")]),
        ({"max_depth": 2, "prefix": ("a", "b")}, [("a", "b")]),
        ({"max_depth": 0}, [()]),
        ({"max_depth": 0, "prefix": ("never",)}, []),
        ({"max_depth": 9}, ALL),
        ({"limit": 2, "offset": 1}, ALL[1:3]),
        ({"limit": 0}, []),
        ({"offset": 100}, []),
        ({"prefix": ("never",)}, []),
        ({"prefix": ("a", "b", "c", "d")}, []),
        ({"prefix": ()}, ALL),
        ({"prefix": ["a", "b"]}, ALL[1:3]),
    ],
)
def test_namespaces_are_listed_in_their_order(spaces: Twin, query: Any, expected: list[Namespace]) -> None:
    assert spaces.list_namespaces(**query) == expected


def test_a_listing_takes_several_conditions_at_once(spaces: Twin) -> None:
    ops = [
        listed(("prefix", ("a",)), ("prefix", ("a", "b")), ("suffix", ("*",))),
        listed(("prefix", ("a",)), ("prefix", ("b", "b"))),
        listed(("suffix", ("c",)), ("suffix", ("b", "c")), ("prefix", ())),
        listed(max_depth=1, limit=2, offset=1),
    ]

    assert spaces.batch(ops) == [
        ALL[1:3],
        [],
        [("a", "b", "c"), ("b", "b", "c")],
        [("a\x01",), ("b",)],
    ]


def test_namespaces_of_thousands_are_listed_in_pages(store: Twin) -> None:
    names = [(f"{n % 5}", f"{n:04}", "x") for n in range(2500)]
    store.batch([PutOp(ns, "k", {}) for ns in names])

    assert store.list_namespaces(limit=EVERYTHING) == sorted(names)
    assert store.list_namespaces(limit=30, offset=2480) == sorted(names)[2480:]
    assert store.list_namespaces(max_depth=2, limit=EVERYTHING) == sorted(ns[:2] for ns in names)
    assert (
        store.list_namespaces(max_depth=2, limit=3, offset=2300) == sorted(ns[:2] for ns in names)[2300:2303]
    )
    assert store.list_namespaces(max_depth=1, limit=EVERYTHING) == [(f"{n}",) for n in range(5)]
    assert store.list_namespaces(suffix=("2499", "x")) == [("4", "2499", "x")]


def test_a_namespace_is_listed_until_its_last_item_is_deleted(store: Twin) -> None:
    store.put(("a", "b"), "1", {})
    store.put(("a", "b"), "2", {})

    store.delete(("a", "b"), "1")
    held = store.list_namespaces()
    store.delete(("a", "b"), "2")

    assert held == [("a", "b")]
    assert store.list_namespaces() == store.list_namespaces(max_depth=1) == []


@pytest.mark.parametrize("large", [10**12, 2**63 - 1, 2**63, 10**30])
def test_limits_may_be_as_large_as_they_like(spaces: Twin, large: int) -> None:
    assert spaces.list_namespaces(limit=large) == ALL
    assert len(spaces.list_namespaces(limit=large, max_depth=1)) == 4
    assert spaces.list_namespaces(limit=large, suffix=("d",)) == [("a", "b", "d")]
    assert len(spaces.search((), limit=large)) == len(spaces.search(("a",), limit=large)) + 6 == 14
    assert len(spaces.search((), limit=large, filter={"x": None})) == 14
    assert spaces.search(("a",), offset=large) == spaces.search((), offset=large, filter={"x": 1}) == []
    assert spaces.list_namespaces(offset=large) == spaces.list_namespaces(offset=large, max_depth=1) == []


# Batches.


def test_the_reads_of_a_batch_see_what_was_there_before_it(store: Twin) -> None:
    store.put(("a",), "k", {"x": 1})

    results = store.batch(
        [
            PutOp(("a",), "k", {"x": 2}),
            GetOp(("a",), "k"),
            PutOp(("b",), "new", {"x": 3}),
            SearchOp((), None, 10),
            GetOp(("b",), "new"),
            listed(),
            PutOp(("a",), "k", None),
            GetOp(("never",), "k"),
        ]
    )

    assert results[0] is results[2] is results[4] is results[6] is results[7] is None
    assert results[1].value == {"x": 1}
    assert [item.value for item in results[3]] == [{"x": 1}]
    assert results[5] == [("a",)]
    assert store.get(("a",), "k") is None
    assert store.keys_of() == ["new"]


def test_of_several_puts_of_one_item_the_last_counts(store: Twin) -> None:
    store.batch([PutOp(("a",), "k", {"x": 1}), PutOp(("a",), "l", {}), PutOp(("a",), "k", {"x": 2})])
    store.batch([PutOp(("a",), "l", None), PutOp(("a",), "l", {"x": 3}), PutOp(("a",), "m", {})])
    store.batch([PutOp(("a",), "m", {"x": 4}), PutOp(("a",), "m", None)])

    assert {item.key: item.value for item in store.search(())} == {"k": {"x": 2}, "l": {"x": 3}}


def test_a_batch_may_be_empty_or_a_generator(store: Twin) -> None:
    assert store.batch([]) == []
    assert store.batch(PutOp(("a",), f"{n}", {"n": n}) for n in range(3)) == [None] * 3
    assert [item.value["n"] for item in store.batch(GetOp(("a",), f"{n}") for n in range(3))] == [0, 1, 2]


def test_the_empty_namespace_holds_what_a_batch_puts_there(store: Twin) -> None:
    """LangGraph's `put` refuses it, its batches do not."""
    store.batch([PutOp((), "k", {"x": 1}), PutOp(("a",), "k", {"x": 2})])

    assert store.batch([GetOp((), "k")])[0].value == {"x": 1}
    assert store.list_namespaces() == [(), ("a",)]
    assert store.list_namespaces(max_depth=1) == [(), ("a",)]
    assert store.keys_of(filter={"x": 1}) == ["k"]
    assert sorted(item.namespace for item in store.search(())) == [(), ("a",)]


def test_two_stores_on_a_prefix_share_what_they_hold(make_store: MakeStore) -> None:
    first = make_store(shards=3)
    first.put(("a",), "k", {"x": 1})

    second = make_store()

    found = second.get(("a",), "k")
    assert found is not None
    assert found.value == {"x": 1}
    second.put(("a",), "k", {"x": 2})
    assert [item.value for item in first.search(())] == [{"x": 2}]


def test_setup_may_be_called_as_often_as_one_likes(store: Twin) -> None:
    store.do("setup")
    store.put(("a",), "k", {})
    store.do("setup")

    assert store.keys_of() == ["k"]

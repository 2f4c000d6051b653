"""What a store answers, operation by operation: sync and async, in one shard and in three."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from langgraph.store.base import GetOp, PutOp, SearchItem

from stores import EVERYTHING, Namespace, Twin

ODD_KEYS = (
    *(
        "",
        "my-doc.md#0",
        "a,b",
        "k|l",
        "Case",
        "case",
        "CASE",
        "é",
        "e\u0301",
        "日本語",
        "🙂",
        "a b",
        "a:b",
        "{x}",
    ),
    *("\x00", "\x00\x00", "a\x00", "\x00a", "a\x00\x00b", "a\n\tb", "*", "%", "[a-z]", "?", "\\", '"', "'"),
    *("\ud800", "1", "01", " ", "x" * 10_000),
)
ODD_LABELS = tuple(key for key in ODD_KEYS if key and "." not in key and "\x00" not in key)


# Items.


def test_an_item_that_was_put_is_got_with_all_that_it_is(store: Twin) -> None:
    before = datetime.now(timezone.utc)

    store.put(("users", "1"), "food", {"likes": "pizza", "n": [1, 2.5, None, True, {"é": []}]})

    found = store.get(("users", "1"), "food")
    assert found is not None
    assert (found.namespace, found.key) == (("users", "1"), "food")
    assert found.value == {"likes": "pizza", "n": [1, 2.5, None, True, {"é": []}]}
    assert found.created_at == found.updated_at
    # The server's clock is this machine's.
    assert before <= found.created_at <= datetime.now(timezone.utc)
    assert found.created_at.tzinfo is not None


def test_what_is_not_there_is_none(store: Twin) -> None:
    store.put(("users", "1"), "food", {})

    assert store.get(("users", "1"), "drink") is None
    assert store.get(("users",), "food") is None
    assert store.get(("users", "1", "food"), "food") is None
    assert store.get((), "food") is None


def test_an_update_replaces_the_value_and_keeps_when_it_was_made(store: Twin) -> None:
    store.put(("a",), "k", {"x": 1, "y": 1})
    first = store.get(("a",), "k")

    store.put(("a",), "k", {"x": 2})

    second = store.get(("a",), "k")
    assert first is not None
    assert second is not None
    assert second.value == {"x": 2}
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


def test_instants_rise_from_put_to_put_however_fast_they_come(store: Twin) -> None:
    store.batch([PutOp(("a",), f"{n}", {"n": n}) for n in range(600)])

    found = store.search(("a",), limit=1000)

    assert [item.value["n"] for item in found] == list(range(599, -1, -1))
    assert len({item.updated_at for item in found}) == 600


def test_an_item_that_is_deleted_is_gone_and_begins_anew(store: Twin) -> None:
    store.put(("a",), "k", {"x": 1})
    first = store.get(("a",), "k")

    store.delete(("a",), "k")
    store.delete(("a",), "k")
    store.delete(("never",), "k")
    gone = store.get(("a",), "k"), store.search(()), store.list_namespaces()
    store.put(("a",), "k", {"x": 2})

    second = store.get(("a",), "k")
    assert gone == (None, [], [])
    assert first is not None
    assert second is not None
    assert second.created_at == second.updated_at > first.updated_at


def test_odd_keys_and_labels_are_items_of_their_own(store: Twin) -> None:
    names: list[tuple[Namespace, str]] = [((label,), key) for label in ODD_LABELS for key in ("k", "K")]
    names += [(("a", label, "z"), "k") for label in ODD_LABELS] + [(("odd",), key) for key in ODD_KEYS]

    store.batch([PutOp(ns, key, {"at": n}) for n, (ns, key) in enumerate(names)])

    found = store.batch([GetOp(ns, key) for ns, key in names])
    assert [(item.namespace, item.key) for item in found] == names
    assert [item.value["at"] for item in found] == list(range(len(names)))
    searched = store.search((), limit=EVERYTHING)
    assert sorted((item.namespace, item.key) for item in searched) == sorted(names)
    assert store.list_namespaces(limit=EVERYTHING) == sorted({ns for ns, _ in names})
    for label in ODD_LABELS:
        assert sorted(store.keys_of((label,))) == sorted(
            [key for ns, key in names if ns[0] == label], key=lambda key: key
        )
        assert store.keys_of(("a", label)) == ["k"]


def test_namespaces_and_keys_that_run_into_each_other_are_not_confused(store: Twin) -> None:
    names: list[tuple[Namespace, str]] = [
        *[(("a",), "b\x00\x00c"), (("a", "b"), "c"), (("a", "b"), "\x00c"), (("a",), "b\x00c")],
        *[(("a",), "\x00b\x00\x00c"), (("ab",), "c"), (("a\x01",), "c"), (("a\x01", "b"), "c")],
    ]
    store.batch([PutOp(ns, key, {"at": n}) for n, (ns, key) in enumerate(names)])

    for n, (ns, key) in enumerate(names):
        found = store.get(ns, key)
        assert found is not None
        assert found.value == {"at": n}
    everything = sorted((item.namespace, item.key) for item in store.search((), limit=EVERYTHING))
    assert everything == sorted(names)
    assert sorted(store.keys_of(("a", "b"))) == ["\x00c", "c"]
    for ns, key in names[:4]:
        store.delete(ns, key)
    assert sorted((item.namespace, item.key) for item in store.search(())) == sorted(names[4:])


def test_a_key_that_is_no_text_is_taken_for_its_text(store: Twin) -> None:
    """As LangGraph's own methods do."""
    store.put(("a",), 1, {"x": 1})  # type: ignore[arg-type] # what is tested.

    found = store.get(("a",), 1)  # type: ignore[arg-type] # likewise.
    assert found is not None
    assert found.key == "1"
    store.delete(("a",), 1)  # type: ignore[arg-type] # likewise.
    assert store.get(("a",), "1") is None


# Searches.


@pytest.fixture
def users(store: Twin) -> Twin:
    """Items of users whose names begin alike."""
    for n, user in enumerate(("1", "10", "11", "2", "100")):
        store.put(("users", user), "likes", {"n": n, "kind": "fact", "color": ("red", "blue")[n % 2]})
        store.put(("users", user, "deep"), "note", {"n": n, "kind": "note"})
    return store


def test_a_prefix_is_of_whole_labels(users: Twin) -> None:
    found = users.search(("users", "1"))

    assert [(item.namespace, item.key) for item in found] == [
        (("users", "1", "deep"), "note"),
        (("users", "1"), "likes"),
    ]
    assert all(isinstance(item, SearchItem) and item.score is None for item in found)
    assert users.search(("user",)) == users.search(("users", "1", "deep", "more")) == []


def test_a_search_finds_the_last_updated_first(users: Twin) -> None:
    users.put(("users", "10"), "likes", {"n": 1, "kind": "fact"})

    found = users.search((), limit=100)

    assert len(found) == 10
    assert (found[0].namespace, found[0].key) == (("users", "10"), "likes")
    instants = [item.updated_at for item in found]
    assert instants == sorted(instants, reverse=True)


def test_limit_and_offset_count_what_passes_the_filter(users: Twin) -> None:
    whole = users.search((), filter={"kind": "fact"}, limit=100)

    assert [item.value["n"] for item in whole] == [4, 3, 2, 1, 0]
    for offset in range(7):
        for limit in (0, 1, 2, 3, 10):
            page = users.search((), filter={"kind": "fact"}, limit=limit, offset=offset)
            assert page == whole[offset : offset + limit]
    everything = users.search((), limit=100)
    for offset in range(12):
        assert users.search((), limit=3, offset=offset) == everything[offset : offset + 3]
    assert len(users.search(())) == 10  # LangGraph's default limit.


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"color": "red"}, [4, 2, 0]),
        ({"color": {"$eq": "red"}}, [4, 2, 0]),
        ({"n": {"$gte": 1, "$lt": 3}, "color": "blue"}, [1]),
        ({"n": {"$gt": 3}}, [4, 4]),
        ({"n": {"$lte": "0"}}, [0, 0]),
        ({"color": {"$ne": "red"}, "kind": "fact"}, [3, 1]),
        ({"color": {"$gt": 1}}, []),
        ({"nothing": {"$gt": 1}}, []),
        ({"nothing": {"$ne": 1}, "kind": "fact"}, [4, 3, 2, 1, 0]),
        ({"nothing": None, "n": 1}, [1, 1]),
        ({"n": True, "kind": "note"}, [1]),
        ({"n": 1.0, "kind": "note"}, [1]),
        ({}, [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]),
    ],
)
def test_a_filter_is_decided_on_values(users: Twin, wanted: dict[str, Any], found: list[int]) -> None:
    assert [item.value["n"] for item in users.search((), filter=wanted, limit=100)] == found


def test_a_filter_looks_into_what_is_nested(store: Twin) -> None:
    store.put(("a",), "1", {"at": {"x": 1, "deep": {"tags": ["a", "b"]}}})
    store.put(("a",), "2", {"at": {"x": 2, "deep": {"tags": ["a"]}}})
    store.put(("a",), "3", {"at": "x"})

    assert store.keys_of((), filter={"at": {"x": 1}}) == ["1"]
    assert store.keys_of((), filter={"at": {"deep": {"tags": ["a", "b"]}}}) == ["1"]
    assert store.keys_of((), filter={"at": {"deep": {"tags": ["a"]}}}) == ["2"]
    assert store.keys_of((), filter={"at": {"x": {"$gt": 1}}}) == ["2"]
    assert store.keys_of((), filter={"at": {"$ne": "x"}}) == ["2", "1"]


def test_a_filter_finds_what_json_spells_in_its_own_way(store: Twin) -> None:
    values: list[Any] = ['"quoted"', "\\", "\n", "é", "\u2028", "/", 2, 2.0, -2, 10**14, 10**17, 1.5, "", "*"]
    for n, value in enumerate(values):
        store.put(("a",), f"{n}", {'odd"key\n': value})

    for n, value in enumerate(values):
        found = store.keys_of((), filter={'odd"key\n': value})
        assert f"{n}" in found
        assert sorted(map(int, found)) == [at for at, other in enumerate(values) if other == value]


def test_a_search_of_thousands_is_read_in_pages(store: Twin) -> None:
    store.batch([PutOp(("a", f"{n % 7}"), f"{n}", {"n": n, "even": n % 2 == 0}) for n in range(2600)])

    assert [
        item.value["n"] for item in store.search(("a",), filter={"even": True}, limit=1250, offset=20)
    ] == (list(range(2558, 58, -2)))
    assert len(store.search(("a",), limit=EVERYTHING)) == 2600
    assert [item.value["n"] for item in store.search((), filter={"n": 3})] == [3]
    assert [item.value["n"] for item in store.search(("a",), limit=3, offset=2598)] == [1, 0]


def test_large_values_are_read_in_pages(store: Twin) -> None:
    for n in range(12):
        store.put(("a",), f"{n}", {"n": n, "text": "x" * 500_000})

    assert [item.value["n"] for item in store.search((), limit=100)] == list(range(11, -1, -1))
    assert [item.value["n"] for item in store.search((), limit=3, offset=8)] == [3, 2, 1]
    assert [item.value["n"] for item in store.search((), filter={"n": {"$lt": 2}})] == [1, 0]

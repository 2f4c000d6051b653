"""What the store decides by itself: filters, values, names, records, settings."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.store.base import Item
from langgraph.store.memory import _compare_values

from langgraph._redis.errors import CorruptRecordError
from langgraph.store.redis import filters, keys, records, values
from langgraph.store.redis.config import checked_ttl

labels = st.text(st.characters(exclude_characters="\x00.", exclude_categories=[]), min_size=1, max_size=4)
namespaces = st.lists(labels, max_size=4).map(tuple)
texts = st.text(st.characters(exclude_categories=[]), max_size=6)


# Names.


@given(namespaces, namespaces)
def test_names_keep_the_order_of_namespaces(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert keys.parted(keys.joined(one)) == one
    assert (keys.joined(one) < keys.joined(other)) == (one < other)


@given(namespaces, texts)
def test_a_member_says_which_item_it_is(ns: tuple[str, ...], key: str) -> None:
    name = keys.member(keys.joined(ns), keys.key_of(key))

    assert keys.item_of(name) == (keys.joined(ns), keys.key_of(key))


@given(namespaces, namespaces)
def test_the_bounds_of_a_prefix_hold_all_that_is_below_it(
    ns: tuple[str, ...], prefix: tuple[str, ...]
) -> None:
    first, last = keys.below(keys.joined(prefix))
    name = keys.joined(ns)

    inside = not prefix or first[1:] <= name < last[1:]

    assert inside == (ns[: len(prefix)] == prefix)


@pytest.mark.parametrize("prefix", ["", None, 1, "a{b", "}"])
def test_a_prefix_is_a_text_without_braces(prefix: Any) -> None:
    with pytest.raises(ValueError, match="store_prefix must be"):
        keys.Keys(prefix)


# Filters.

scalars = st.sampled_from([None, True, False, 0, 1, 2, -2, 1.0, 2.5, 10**14, 10**16, "", "a", "2", 'q"', "é"])
nested: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
conditions = nested | st.dictionaries(
    st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]),
    st.sampled_from([0, 1, 2.5, "2"]),
    min_size=1,
)
wishes = st.dictionaries(st.sampled_from("abc"), conditions, max_size=2)
contents = st.dictionaries(st.sampled_from("abc"), nested, max_size=3)


def in_memory(value: dict[str, Any], wanted: dict[str, Any]) -> bool:
    try:
        return all(_compare_values(value.get(key), condition) for key, condition in wanted.items())
    except (TypeError, ValueError):
        return False


@given(contents, wishes)
def test_a_filter_decides_as_in_memory_store_does(value: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert filters.matches(value, filters.checked(wanted)) == in_memory(value, wanted)


@given(contents, wishes)
def test_what_matches_holds_all_needles(value: dict[str, Any], wanted: dict[str, Any]) -> None:
    packed = values.packed(value, "it")

    if filters.matches(value, wanted) and packed.startswith(b"{"):
        assert all(needle in packed for needle in filters.needles(wanted))


def test_needles_are_what_json_spells_in_one_way_only() -> None:
    assert filters.needles({"a": "x", "b": 5, "c": {"$eq": 7}, "d": {"e": "y"}}) == [
        *(b'"a":"x"', b'"b":5', b'"c":7', b'"e":"y"')
    ]
    for unsure in (1, 0, True, None, 2.5, 10**15, [1], {"$gt": 1}, {"$ne": "x"}, "\ud800"):
        assert filters.needles({"a": unsure}) == []


@pytest.mark.parametrize("bound", [None, "x", [1], {}])
def test_an_ordering_compares_with_numbers(bound: Any) -> None:
    with pytest.raises(ValueError, match=r"\$gt compares with a number"):
        filters.checked({"a": [{"b": {"$gt": bound}}]})


def test_a_number_beyond_all_floats_is_no_match() -> None:
    assert not filters.matches({"a": 10**400}, {"a": {"$gt": 1}})
    assert not filters.matches({"a": math.nan}, {"a": {"$gte": 0}})


# Values.


@given(
    st.recursive(
        scalars | st.floats() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=8,
    )
)
def test_a_value_comes_back_equal_or_is_refused(value: Any) -> None:
    try:
        packed = values.packed({"a": value}, "it")
    except TypeError:
        return
    found = values.unpacked(packed)
    assert repr(found) == repr({"a": value})


def test_plain_values_are_json_that_operators_can_read() -> None:
    assert values.packed({"a": [1, "é"]}, "it") == '{"a":[1,"é"]}'.encode()
    assert orjson.loads(values.packed({"a": {}}, "it")) == {"a": {}}


def test_other_values_are_the_serializers() -> None:
    kind, _, _ = values.packed({"a": b"x"}, "it").partition(b"\n")

    assert kind == b"msgpack"


# Records.


def test_a_record_is_an_item() -> None:
    item = records.read(b"a\x00b", b"k", b'1000000 2500000 0 0\n{"x":"\\n"}').item()

    assert isinstance(item, Item)
    assert (item.namespace, item.key, item.value) == (("a", "b"), "k", {"x": "\n"})
    assert (item.created_at.timestamp(), item.updated_at.timestamp()) == (1.0, 2.5)


@pytest.mark.parametrize(
    "data", [b"", b"1 2 3\n{}", b"x 2 0 0\n{}", b"1 2 0 0", b"1 2 0 0\n{", b"1 2 0 0\nmsgpack\n\xc1"]
)
def test_what_is_no_record_is_an_error_that_names_the_item(data: bytes) -> None:
    with pytest.raises(CorruptRecordError, match=r"item 'k' of namespace \('a', 'b'\).*put it anew"):
        records.read(b"a\x00b", b"k", data).item()


# Settings.


def test_lives_are_taken_as_they_were_given() -> None:
    assert checked_ttl(None) is None
    assert checked_ttl({"default_ttl": 5, "refresh_on_read": False}) == {
        "default_ttl": 5,
        "refresh_on_read": False,
    }
    assert checked_ttl({"default_ttl": None, "omit_expired": True}) == {
        "default_ttl": None,
        "omit_expired": True,
    }

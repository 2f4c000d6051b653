"""Values come back equal, or are refused with an error that says where and why; nothing is written then."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections import OrderedDict
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from langchain_core.messages import HumanMessage
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

from langgraph.store.redis import AsyncRedisStore, RedisStore
from stores import Twin, typed


class Color(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    x: int
    y: int


class Special(dict[str, Any]):
    """A dict with a name of its own."""


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"in": value}
    return value


KEPT: dict[str, Any] = {
    "nothing": {},
    "plain": {"a": 1, "b": 1.0, "c": True, "d": None, "e": "", "f": [], "g": {}, "h": [[], [{}]]},
    "numbers": {"a": 2**63 - 1, "b": -(2**63), "c": 2**64 - 1, "d": 0.1, "e": -0.0, "f": 1e308, "g": 5e-324},
    "text": {"a": "\x00\x01\n\u2028é🙂", "b": "{", "c": "x" * 10_000, "": "empty key", "$gt": 1, "a.b": 2},
    "bytes": {"a": b"\x00\xff", "b": [b""]},
    "infinity": {"a": math.inf, "b": -math.inf},
    "datetime": {"a": dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc), "b": dt.date(2026, 1, 2)},
    "UUID": {"a": UUID(int=5)},
    "Decimal": {"a": Decimal("1.10")},
    "set": {"a": {1, 2}, "b": frozenset({"x"})},
    "int keys": {"a": {1: "x", 2: {3: "y"}}},
    "enum": {"a": Color.RED},
    "named tuple": {"a": Pair(1, 2)},
    "message": {"a": HumanMessage("hello", id="1")},
    "deep": nested(200),
    "tuple keys": {"a": {(1, 2): 3}},
}


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_a_value_comes_back_equal(store: Twin, value: dict[str, Any]) -> None:
    store.put(("a",), "k", value)

    found = store.get(("a",), "k")
    assert found is not None
    assert found.value == value
    assert typed(found.value) == typed(value)
    assert [item.value for item in store.search(())] == [value]


def test_nan_comes_back_as_nan(store: Twin) -> None:
    store.put(("a",), "k", {"a": math.nan, "b": [1.5, math.nan]})

    found = store.get(("a",), "k")
    assert found is not None
    assert math.isnan(found.value["a"])
    assert math.isnan(found.value["b"][1])
    assert store.keys_of(filter={"a": {"$gt": 0}}) == []


def test_large_values_come_back(store: Twin) -> None:
    value = {"text": "é" * 2_500_000, "list": list(range(1000))}

    store.put(("a",), "k", value)

    found = store.get(("a",), "k")
    assert found is not None
    assert found.value == value


def test_any_mapping_is_a_value(store: Twin) -> None:
    """It comes back as a dict, which it equals."""
    for n, value in enumerate([OrderedDict(a=1), MappingProxyType({"a": 1}), Special(a=1)]):
        store.put(("a",), f"{n}", value)

    assert [item.value for item in store.search(())] == [{"a": 1}] * 3


REFUSED: dict[str, tuple[Any, str]] = {
    "a tuple": ({"a": {"b": [1, (2, 3)]}}, r"tuple at \['a'\]\['b'\]\[1\].*come back as a list"),
    "a tuple in a set": ({"a": {(1, 2)}}, "cannot be stored"),
    "beyond 64 bit": ({"a": 2**70}, "cannot be stored"),
    "a lone surrogate": ({"a": "\ud800"}, r"a str at \['a'\] would come back as another str"),
    "a lone surrogate as a key": ({"\ud800": 1}, "surrogates"),
    "too deep": (nested(2000), "Recursion limit"),
    "a function": ({"a": math.sin}, "cannot be stored"),
    "an object": ({"a": object()}, "cannot be stored"),
    "a list as the value": ([1], "must be a dict, not list"),
    "a text as the value": ("x", "must be a dict, not str"),
}


@pytest.mark.parametrize(("value", "says"), REFUSED.values(), ids=REFUSED)
def test_what_would_not_come_back_equal_is_refused(store: Twin, value: Any, says: str) -> None:
    good = PutOp(("a",), "good", {"x": 1})

    with pytest.raises(TypeError, match=says) as told:
        store.batch([good, PutOp(("a", "b"), "some key", value)])

    assert "'some key'" in str(told.value)
    assert "('a', 'b')" in str(told.value)
    assert store.search(()) == []


def test_what_a_caller_changes_afterwards_changes_nothing(store: Twin) -> None:
    value = {"list": [1]}
    store.put(("a",), "k", value)
    value["list"].append(2)

    for found in (store.get(("a",), "k"), *store.search(())):
        assert found is not None
        found.value["list"].append(3)

    again = store.get(("a",), "k")
    assert again is not None
    assert again.value == {"list": [1]}


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "limit": (SearchOp(("a",), limit=-1), ValueError, "limit must be at least 0, not -1"),
    "offset": (SearchOp(("a",), offset=-1), ValueError, "offset must be at least 0, not -1"),
    "limit None": (SearchOp(("a",), limit=None), TypeError, "limit must be an int"),  # type: ignore[arg-type] # what is tested, likewise below.
    "limit text": (ListNamespacesOp(limit="1"), TypeError, "limit must be an int"),  # type: ignore[arg-type]
    "listing offset": (ListNamespacesOp(offset=-2), ValueError, "offset must be at least 0"),
    "max_depth": (ListNamespacesOp(max_depth=-1), ValueError, "max_depth must be"),
    "max_depth text": (ListNamespacesOp(max_depth="2"), TypeError, "max_depth must be"),  # type: ignore[arg-type]
    "operator": (SearchOp(("a",), {"x": {"$regex": "y"}}), ValueError, r"'\$regex'; there are \$eq"),
    "nested operator": (SearchOp(("a",), {"x": {"y": {"$in": [1]}}}), ValueError, r"'\$in'"),
    "mixed operators": (SearchOp(("a",), {"x": {"$gt": 1, "y": 2}}), ValueError, "'y'"),
    "bound": (SearchOp(("a",), {"x": {"$gt": "y"}}), ValueError, r"\$gt compares with a number"),
    "bound None": (SearchOp(("a",), {"x": {"$lte": None}}), ValueError, r"\$lte compares with a number"),
    "filter": (SearchOp(("a",), ["x"]), TypeError, "filter must be a dict"),  # type: ignore[arg-type]
    "match type": (
        ListNamespacesOp((MatchCondition("infix", ("a",)),)),  # type: ignore[arg-type]
        ValueError,
        "match_type must be one of prefix, suffix",
    ),
    "namespace text": (GetOp("users", "k"), TypeError, "tuple of str"),  # type: ignore[arg-type]
    "label period": (GetOp(("a.b",), "k"), InvalidNamespaceError, "period"),
    "label NUL": (GetOp(("a\x00b",), "k"), InvalidNamespaceError, "NUL"),
    "label empty": (GetOp(("a", ""), "k"), InvalidNamespaceError, "empty"),
    "label int": (GetOp(("a", 1), "k"), InvalidNamespaceError, "must be"),  # type: ignore[arg-type]
    "label list": (GetOp(("a", ["b"]), "k"), InvalidNamespaceError, "must be"),  # type: ignore[arg-type]
    "key": (GetOp(("a",), 1.5), TypeError, "key must be a str"),  # type: ignore[arg-type]
    "key None": (PutOp(("a",), None, {}), TypeError, "key must be a str"),  # type: ignore[arg-type]
    "ttl zero": (PutOp(("a",), "k", {}, ttl=0), ValueError, "ttl must be a number of minutes above 0"),
    "ttl below": (PutOp(("a",), "k", {}, ttl=-1), ValueError, "ttl must be a number of minutes above 0"),
    "ttl NaN": (PutOp(("a",), "k", {}, ttl=math.nan), ValueError, "ttl must be"),
    "ttl text": (PutOp(("a",), "k", {}, ttl="1"), TypeError, "ttl must be"),  # type: ignore[arg-type]
    "ttl ages": (PutOp(("a",), "k", {}, ttl=1e12), ValueError, "ttl must be"),
    "operation": ("get", ValueError, "GetOp, PutOp, SearchOp and ListNamespacesOp"),
}


@pytest.mark.parametrize(("op", "kind", "says"), BAD.values(), ids=BAD)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    store: Twin, op: Any, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        store.batch([PutOp(("a",), "good", {"x": 1}), op])

    assert store.search(()) == []


@pytest.mark.parametrize("ns", [(), ("langgraph", "x"), ("a.b",), ("a", "")])
def test_put_refuses_the_namespaces_that_langgraph_refuses(store: Twin, ns: Any) -> None:
    with pytest.raises(InvalidNamespaceError):
        store.put(ns, "k", {})


SETTINGS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "shards 0": ({"shards": 0}, ValueError, "shards must be from 1"),
    "shards many": ({"shards": 100_000}, ValueError, "shards must be from 1"),
    "shards text": ({"shards": "3"}, TypeError, "shards must be an int"),
    "shards bool": ({"shards": True}, TypeError, "shards must be an int"),
    "ttl": ({"ttl": 60}, TypeError, "ttl must be a dict"),
    "ttl setting": ({"ttl": {"defualt_ttl": 60}}, ValueError, "'defualt_ttl'; it takes default_ttl"),
    "default ttl": ({"ttl": {"default_ttl": 0}}, ValueError, "default_ttl.*above 0"),
    "default ttl text": ({"ttl": {"default_ttl": "60"}}, TypeError, "default_ttl"),
    "sweep": ({"ttl": {"sweep_interval_minutes": -1}}, ValueError, "sweep_interval_minutes"),
    "refresh": ({"ttl": {"refresh_on_read": "no"}}, TypeError, "refresh_on_read"),
    "omit": ({"ttl": {"omit_expired": False}}, ValueError, "omit_expired"),
    "prefix": ({"store_prefix": ""}, ValueError, "store_prefix must be"),
    "prefix braces": ({"store_prefix": "a{b}"}, ValueError, "store_prefix must be"),
    "two clients": ({"client": object(), "redis_client": object()}, ValueError, "two names of one"),
    "both": ({"redis_client": object()}, ValueError, "either redis_url or redis_client"),
}


@pytest.mark.parametrize("store", [RedisStore, AsyncRedisStore])
@pytest.mark.parametrize(("options", "kind", "says"), SETTINGS.values(), ids=SETTINGS)
async def test_a_store_is_told_what_is_wrong_with_its_settings(
    redis_url: str,
    store: type[RedisStore | AsyncRedisStore],
    options: dict[str, Any],
    kind: type[Exception],
    says: str,
) -> None:
    """Also in a running loop, and nothing is left to be closed."""
    with pytest.raises(kind, match=says):
        store(redis_url, **options)

"""Values as graphs keep them, and how they change from one step to the next: hypothesis strategies.

Containers reach several KB, so that they are stored in segments; a change appends (most often),
shrinks, or touches the middle, so that segments are kept, cut and left behind.
"""

from __future__ import annotations

import math
import random
from collections import deque
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Send

SERDE = JsonPlusSerializer()
QUOTED_AT_MOST = 30_000
"""Bytes: what quotes a quotation doubles, and an example is to stay small."""

SIZES = (0, 5, 60, 70, 380, 400, 3_000)


def text_of(seed: int, size: int) -> str:
    """Letters that do not compress, so that their size is what is stored."""
    return random.Random(seed).randbytes(size).hex()[:size]


def _few(count: int, size: int) -> list[str]:
    return [text_of(seed, size) for seed in range(count)]


# What an example draws costs it steps, and a sequence of many steps is what finds mistakes: so a value is
# one number, its place in this list. The first are the simplest, as hypothesis simplifies towards them.
ITEMS: list[Any] = [
    None,
    1,
    "text",
    *(text_of(seed, size) for size in SIZES for seed in range(2)),
    *(AIMessage(text_of(seed, size), id=str(seed)) for size in SIZES for seed in range(2)),
    True,
    -(2**63),
    2**64 - 1,
    0.5,
    math.nan,
    -math.inf,
    "é\x00\n",
    b"",
    b"\x00\xff" * 600,
    bytearray(b"ab"),
    Decimal("1.10"),
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
    UUID(int=7),
    {3},
    frozenset({"x"}),
    deque([1, 2]),
    (1, (2, "3")),
    [],
    {},
    ["a", [b"b", None]],
    {1: {"1": [2]}, "x": 3},
    HumanMessage("hello", id="1"),
    _DeltaSnapshot(None),
    _DeltaSnapshot(_few(9, 300)),
]
items = st.integers(0, len(ITEMS) - 1).map(lambda at: ITEMS[at])
lists = st.lists(items, max_size=4)
tables = st.dictionaries(st.sampled_from(["a", "b/c", 1, "1"]), items, max_size=3)
values = st.one_of(items, lists, tables, lists.map(_DeltaSnapshot))


# Below, values stand in closures: hypothesis would spell out what a strategy is given.


def _grown(value: list[Any]) -> st.SearchStrategy[list[Any]]:
    few = st.lists(items, min_size=1, max_size=3).map(lambda more: [*value, *more])
    # Past 15 items the header of a msgpack array is longer, and every segment stands two bytes further.
    many = st.integers(0, 50).map(lambda seed: [*value, *(text_of(seed + n, 300) for n in range(9))])
    return st.one_of(few, few, many)


def _touched(value: list[Any]) -> st.SearchStrategy[list[Any]]:
    at = st.integers(0, len(value))
    placed = st.tuples(at, items)
    cut = at.map(lambda n: value[:n])
    inserted = placed.map(lambda it: [*value[: it[0]], it[1], *value[it[0] :]])
    replaced = placed.map(lambda it: [*value[: it[0]], it[1], *value[it[0] + 1 :]])
    return st.one_of(cut, inserted, replaced)


def conversed(value: Any) -> st.SearchStrategy[list[Any]]:
    """A conversation one step later: longer, as a rule; else with a part of it gone or rewritten."""
    held = value if isinstance(value, list) else []
    grown = _grown(held)
    return st.one_of(grown, grown, grown, _touched(held))


def _changed_list(value: list[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(conversed(value), values)


def _changed_table(value: dict[Any, Any]) -> st.SearchStrategy[Any]:
    """A key that is there keeps its place; one that is new comes last."""
    some = st.integers(0, len(value)).map(lambda n: dict(list(value.items())[:n]))
    return st.one_of(tables.map(lambda more: {**value, **more}), some, values)


def quoting(held: list[Any]) -> st.SearchStrategy[Any]:
    """Values that contain other channels' values, as the input of a task contains the messages."""
    quoted = [value for value in held if len(SERDE.dumps_typed(value)[1]) < QUOTED_AT_MOST]
    if not quoted:
        return values
    one = st.integers(0, len(quoted) - 1).map(lambda at: quoted[at])
    return st.one_of(
        one,
        st.tuples(one, items).map(list),
        st.tuples(items, one, items).map(lambda it: {"before": it[0], "all": it[1], 1: it[2]}),
        st.tuples(one, one).map(lambda it: [it[0], "between", it[1]]),
        st.tuples(one, items).map(lambda it: Send("node", {"messages": it[0], "more": it[1]})),
        one.map(_DeltaSnapshot),
    )


def changed(value: Any) -> st.SearchStrategy[Any]:
    """What a channel may hold one step later."""
    if isinstance(value, _DeltaSnapshot):
        return changed(value.value).map(_DeltaSnapshot)
    if isinstance(value, list):
        return _changed_list(value)
    if isinstance(value, dict):
        return _changed_table(value)
    return st.one_of(lists, values)

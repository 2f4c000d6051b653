"""Whatever LangGraph's serializer keeps comes back as it was: in values, in writes, in metadata."""

from __future__ import annotations

import logging
import math
import pickle
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Send
from pydantic import BaseModel

from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, checkpoint_of, config_of, metadata_of

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.aio import AsyncRedisSaver

SERDE = JsonPlusSerializer()


class Person(BaseModel):
    name: str
    tags: set[str] = set()


@dataclass
class Point:
    x: int
    y: float


class Pair(NamedTuple):
    left: int
    right: str


class Color(Enum):
    RED = "red"


VALUES: dict[str, Any] = {
    "none": None,
    "booleans": [True, False],
    "integers": [0, -1, 2**63, -(2**63)],
    "floats": [0.1, -0.0, math.inf, -math.inf],
    "text": "héllo \x00 😀",
    "long text": "a long text, " * 500,
    "bytes": b"\x00\xff",
    "empty bytes": b"",
    "long bytes": bytes(range(256)) * 40,
    "bytearray": bytearray(b"\x00ab"),
    "bytes in a list": [b"\x00\xff", {"k": b"\xfe"}],
    "set": {1, 2},
    "frozenset": frozenset({"a"}),
    "deque": deque([1, [2]]),
    "tuple": (1, (2, 3)),
    "named tuple": Pair(1, "two"),
    "datetimes": [datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc), date(2026, 1, 2)],
    "naive datetime": datetime(2026, 1, 2),  # noqa: DTZ001 - it must stay naive
    "time": time(1, 2, 3),
    "timedelta": timedelta(days=1, microseconds=2),
    "decimals": [Decimal("1.10"), Decimal("1E+3"), Decimal("Infinity")],
    "uuid": UUID(int=5),
    "path": Path("/a/b"),
    "int keys": {1: "a", 2: {3: b"b"}},
    "mixed keys": {1: "number", "1": "text"},
    "messages": [HumanMessage("hi", id="1"), AIMessage("yo", id="2")],
    "tool message": ToolMessage("42", tool_call_id="call", artifact={"raw": b"\x01"}),
    "document": Document("text", metadata={"page": 1}),
    "send": Send("node", {"arg": Point(1, 2.0)}),
    "command": Command(update={"a": {1}}, goto="node"),
    "interrupt": Interrupt({"ask": "sure?"}, id="abc"),
    "pydantic": Person(name="Ann", tags={"x"}),
    "dataclass": Point(1, 2.5),
    "enum": Color.RED,
    "envelope of langchain": {
        "lc": 2,
        "type": "constructor",
        "id": ["builtins", "set"],
        "args": [[1]],
    },
    "another envelope": {"lc": 1, "type": "constructor", "id": ["x"], "kwargs": {}},
    "typed dict": {"__type__": "bytes", "data": "AA=="},
    "delta snapshot": _DeltaSnapshot([1, {"a": b"b"}]),
    "large list": [{"n": n, "blob": bytes([n]) * 50} for n in range(200)],
    "large table": {f"key {n}": (n, Decimal(n)) for n in range(300)},
    "large deque": deque(range(5_000)),
}
# These are equal to nothing, or not by one `==`.
ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "one dimension": np.arange(5),
    "two dimensions": np.arange(6, dtype=np.float32).reshape(2, 3),
    "column order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "empty": np.zeros((0, 3)),
    "large": np.random.default_rng(1).random((300, 50)),
}


def as_serialized(value: Any) -> Any:
    """What the serializer alone makes of a value: a tuple comes back as a list, for one."""
    return SERDE.loads_typed(SERDE.dumps_typed(value))


def assert_same(found: Any, value: Any) -> None:
    expected = as_serialized(value)
    assert found == expected
    assert type(found) is type(expected)
    assert SERDE.dumps_typed(found) == SERDE.dumps_typed(expected)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_comes_back_as_it_was(saver: RedisSaver, redis_url: str, key_prefix: str, value: Any) -> None:
    Chain().put(saver, channel=value)

    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as cold:
        for reader in (saver, cold, cold):
            found = reader.get_tuple(config_of())
            assert found is not None
            assert_same(found.checkpoint["channel_values"]["channel"], value)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_write_comes_back_as_it_was(saver: RedisSaver, value: Any) -> None:
    config = Chain().put(saver)
    saver.put_writes(config, [("channel", value)], "task")

    found = saver.get_tuple(config)

    assert found is not None
    assert found.pending_writes is not None
    assert_same(found.pending_writes[0][2], value)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_metadata_come_back_as_they_were(saver: RedisSaver, value: Any) -> None:
    saver.put(config_of(), checkpoint_of({}), metadata_of(extra=[value]), {})

    (found,) = saver.list(config_of(), filter={"extra": as_serialized([value])})

    assert_same(dict(found.metadata)["extra"], [value])


def test_everything_at_once_comes_back_through_the_async_saver_too(saver: RedisSaver) -> None:
    Chain().put(saver, **VALUES)

    found = saver.get_tuple(config_of())

    assert found is not None
    for name, value in VALUES.items():
        assert_same(found.checkpoint["channel_values"][name], value)


async def test_values_of_every_type_come_back_through_the_async_saver(
    async_saver: AsyncRedisSaver,
) -> None:
    config = await Chain().aput(async_saver, **VALUES)
    await async_saver.aput_writes(config, list(VALUES.items()), "task")

    found = await async_saver.aget_tuple(config)

    assert found is not None
    assert found.pending_writes is not None
    for (name, value), write in zip(VALUES.items(), found.pending_writes, strict=True):
        assert_same(found.checkpoint["channel_values"][name], value)
        assert_same(write[2], value)


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_an_array_comes_back_with_its_type_and_shape(saver: RedisSaver, array: np.ndarray[Any, Any]) -> None:
    config = Chain().put(saver, array=array, nested=[array, {"a": array}])
    saver.put_writes(config, [("array", array)], "task")

    found = saver.get_tuple(config)

    assert found is not None
    assert found.pending_writes is not None
    values = found.checkpoint["channel_values"]
    for copy in (values["array"], *values["nested"][:1], found.pending_writes[0][2]):
        assert (copy.dtype, copy.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(copy, array)


def test_nan_comes_back(saver: RedisSaver) -> None:
    config = Chain().put(saver, inline=math.nan, nested=[math.nan])

    found = saver.get_tuple(config)

    assert found is not None
    values = found.checkpoint["channel_values"]
    assert math.isnan(values["inline"])
    assert math.isnan(values["nested"][0])


def test_none_is_a_value_and_a_channel_without_one_is_absent(saver: RedisSaver) -> None:
    chain = Chain()
    put = chain.next(none=None, gone=1)
    del put.checkpoint["channel_values"]["gone"]
    config = saver.put(*put)

    found = saver.get_tuple(config)

    assert found is not None
    assert found.checkpoint["channel_values"] == {"none": None}
    assert set(found.checkpoint["channel_versions"]) == {"none", "gone"}


def test_the_rest_of_a_checkpoint_comes_back_with_keys_it_does_not_know(saver: RedisSaver) -> None:
    checkpoint: Any = {
        **checkpoint_of({}),
        "versions_seen": {"node": {"a": "1", "b": 2}, "__interrupt__": {"a": 1.5}},
        "updated_channels": ["a", "b"],
        "pending_sends": [Send("node", 1)],
        "of a later version": {"x": (1, 2)},
    }
    config = saver.put(config_of(), checkpoint, metadata_of(), {})

    found = saver.get_tuple(config)

    assert found is not None
    assert found.checkpoint == as_serialized(checkpoint)


def test_put_does_not_change_what_it_is_given(saver: RedisSaver) -> None:
    put = Chain().next(messages=[{"n": n} for n in range(100)], state={"a": 1})
    before = SERDE.dumps_typed(put)

    saver.put(*put)

    assert SERDE.dumps_typed(put) == before


def test_what_was_read_may_be_changed(saver: RedisSaver) -> None:
    config = Chain().put(saver, messages=[{"n": n} for n in range(500)])
    first = saver.get_tuple(config)
    assert first is not None
    first.checkpoint["channel_values"]["messages"].clear()
    first.metadata["step"] = 99

    again = saver.get_tuple(config)

    assert again is not None
    assert len(again.checkpoint["channel_values"]["messages"]) == 500
    assert again.metadata["step"] == 0


def test_what_was_put_may_be_changed(saver: RedisSaver) -> None:
    messages = [{"n": n} for n in range(500)]
    chain = Chain()
    chain.put(saver, messages=messages)
    messages[0]["n"] = "changed"  # type: ignore[assignment]  # a caller's list is a caller's
    chain.put(saver, other=1)

    found = saver.get_tuple(chain.config)

    assert found is not None
    assert found.checkpoint["channel_values"]["messages"][0] == {"n": 0}


def test_a_value_that_cannot_be_serialized_is_an_error_and_nothing_is_stored(
    saver: RedisSaver,
) -> None:
    chain = Chain()
    before = chain.put(saver, channel="kept")

    with pytest.raises(TypeError, match="serializable"):
        saver.put(*chain.next(channel=object()))

    found = saver.get_tuple(config_of())
    assert found is not None
    assert found.config == before


def test_a_strict_allowlist_holds_for_a_clone_and_not_for_its_origin(
    redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, serde=strict) as saver:
        config = Chain().put(saver, point=Point(1, 2.0), points=[Point(n, 0.5) for n in range(200)])
        clone = saver.with_allowlist([(__name__, "Point")])
        with caplog.at_level(logging.ERROR):
            refused, allowed = saver.get(config), clone.get(config)

    assert refused is not None
    assert refused["channel_values"]["point"] == {"x": 1, "y": 2.0}
    assert allowed is not None
    assert allowed["channel_values"]["point"] == Point(1, 2.0)
    assert allowed["channel_values"]["points"][199] == Point(199, 0.5)


def test_a_clone_shares_the_client_of_its_origin(redis_url: str, key_prefix: str) -> None:
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, serde=strict) as saver:
        clone = saver.with_allowlist([(__name__, "Point")])
        config = Chain().put(clone, channel=1)
        assert saver.get(config) is not None
        assert saver.with_allowlist([]) is saver


def test_the_serializer_is_the_one_that_the_saver_has_now(saver: RedisSaver) -> None:
    """LangGraph replaces `serde` on a copy of a saver; what was opened with is not kept."""
    config = Chain().put(saver, point=Point(1, 2.0))

    saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)

    found = saver.get(config)
    assert found is not None
    assert found["channel_values"]["point"] == {"x": 1, "y": 2.0}


def test_pickled_data_are_written_only_on_demand_and_never_loaded_without(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickling = JsonPlusSerializer(pickle_fallback=True)
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, serde=pickling) as saver:
        config = Chain().put(saver, channel=complex(1, 2))
        found = saver.get(config)
        assert found is not None
        assert found["channel_values"]["channel"] == complex(1, 2)

    monkeypatch.setattr(pickle, "loads", lambda _: pytest.fail("pickle was loaded"))
    with (
        RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as saver,
        pytest.raises(Exception, match="pickle"),
    ):
        saver.get(config)

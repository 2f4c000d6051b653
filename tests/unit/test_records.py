"""Records and writes as bytes: what stands in them comes back, whatever ids and values it holds."""

from __future__ import annotations

from collections import OrderedDict, UserList
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT, RESUME, SCHEDULED

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.records import (
    Body,
    inline,
    open_record,
    pack_writes,
    record_tail,
)
from langgraph.checkpoint.redis.segments import Segment
from unit.by_hand import Entry, read_writes

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = Codec(JsonPlusSerializer())
ENCRYPTED = Codec(EncryptedSerializer.from_pycryptodome_aes(key=b"a key of 16 byte"))
BOTH = [pytest.param(PLAIN, id="plain"), pytest.param(ENCRYPTED, id="encrypted")]

_ODD = "\x00\x01\t\n\r /%{}\x7f\u00e9\ud800\U0010ffff"
ids = st.text(st.one_of(st.sampled_from(_ODD), st.characters(exclude_categories=())), max_size=6)
# Surrogates have no msgpack: they occur in ids, and not in what the serializer is given.
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=80) | st.binary(max_size=600),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def record_of(codec: Codec, parent: str, refs: Sequence[bytes], body: list[Any], run: str = "") -> bytes:
    """What the script that stores a record makes of its parts."""
    joined = b"\t".join(refs)
    tail = record_tail(codec, keys.encoded(run), [b"delta"], body)
    return b"1%b\nedition\n%b\n%b" % (keys.encoded_id(parent), joined, tail)


@pytest.mark.parametrize("codec", BOTH)
@given(
    names=st.tuples(ids, ids), versions=st.dictionaries(ids, ids, max_size=3), body=st.tuples(values, values)
)
def test_a_record_comes_back_whole(
    codec: Codec, names: tuple[str, str], versions: dict[str, str], body: tuple[Any, Any]
) -> None:
    (parent, run), (inlined, metadata) = names, body
    shell = {"v": 4, "channel_versions": {"a\nb": "1"}}
    refs = {name: b"%b/%b" % (keys.word(name), keys.encoded_id(at)) for name, at in versions.items()}
    earlier = [b"\x02" + ref for ref in refs.values()]
    line = [*earlier, *refs.values(), keys.word("x")]
    data = record_of(codec, parent, line, [shell, {"x": inlined}, {"m": metadata}], run)

    record = open_record(codec, b"c//1", data)

    field, kind, dumped = record.body
    assert field == b"c//1"
    assert Body(*codec.loads(kind, dumped)) == (shell, {"x": inlined}, {"m": metadata})
    assert record.parent == (parent or None)
    assert (record.refs, record.named) == (refs, len(refs) + 1)


@pytest.mark.parametrize("data", [b"2parent\nedition\nrefs\n\n\nmsgpack\n\x00", b"9", b"{}", b""])
def test_another_layout_is_refused_and_says_which_is_read(data: bytes) -> None:
    with pytest.raises(
        CorruptRecordError, match=r"layout version is b'.*' and this release reads b'1'.*newer"
    ):
        open_record(PLAIN, b"c//1", data)


def test_a_plaintext_record_is_refused_by_an_encrypting_serializer() -> None:
    data = record_of(PLAIN, "", [], [{}, {}, {}])

    with pytest.raises(CorruptRecordError, match="not encrypted"):
        open_record(ENCRYPTED, b"c//1", data)


def test_an_encrypted_record_shows_ids_and_nothing_of_its_body() -> None:
    body = [{"v": 4}, {"channel": "inlined"}, {"source": "loop"}]

    data = record_of(ENCRYPTED, "the-parent", [b"messages"], body, "the-run")

    assert all(shown in data for shown in (b"the-parent", b"messages", b"the-run"))
    assert not any(hidden in data for hidden in (b"inlined", b"source", b"loop"))


class Level(IntEnum):
    """An `int` of somebody's own."""

    HIGH = 3


class Label(str):
    """A `str` of somebody's own."""

    __slots__ = ()


@pytest.mark.parametrize("value", [None, True, 0, -7, 2**63, 1.5, float("inf"), "", "a" * 64, [], {}])
def test_small_values_stand_in_the_record_itself(value: Any) -> None:
    assert inline(value)


@pytest.mark.parametrize(
    "value", ["a" * 65, b"", [0], {"a": 0}, (), set(), Level.HIGH, Label("a"), UserList(), OrderedDict()]
)
def test_other_values_are_left_to_the_serializer(value: Any) -> None:
    assert not inline(value)


def entries_of(codec: Codec, blob: bytes, task: str = "task", run: Sequence[Segment] = ()) -> list[Entry]:
    """What stands in a task's field, if these segments are stored."""
    stored = {piece.name: piece for piece in run}

    def segments(names: bytes) -> list[Segment]:
        return [stored[names[at : at + 10]] for at in range(0, len(names), 10)]

    return read_writes(codec, task, blob, segments)


@pytest.mark.parametrize("codec", BOTH)
@given(writes=st.lists(st.tuples(ids, values), max_size=5), path=ids, task=ids)
def test_writes_come_back_in_order(codec: Codec, writes: list[tuple[str, Any]], path: str, task: str) -> None:
    writes = [(f"channel {name}", value) for name, value in writes]

    entries = entries_of(codec, pack_writes(codec, writes, path).blob, task)

    found = [(entry.path, entry.task, entry.idx, entry.channel, entry.value) for entry in entries]
    assert found == [(path, task, idx, channel, value) for idx, (channel, value) in enumerate(writes)]


def test_writes_of_two_calls_stand_one_behind_the_other() -> None:
    first = pack_writes(PLAIN, [("a", b"\n1\t"), ("b", [2])], "path").blob
    second = pack_writes(PLAIN, [(ERROR, "went wrong")], "other").blob

    entries = entries_of(PLAIN, first + second)

    assert [(entry.path, entry.channel, entry.value) for entry in entries] == [
        ("path", "a", b"\n1\t"),
        ("path", "b", [2]),
        ("other", ERROR, "went wrong"),
    ]


@pytest.mark.parametrize("channel", [ERROR, SCHEDULED, INTERRUPT, RESUME])
def test_of_two_special_writes_to_one_channel_the_last_counts(channel: str) -> None:
    blob = pack_writes(PLAIN, [(channel, "first"), ("regular", 1), (channel, "last")], "").blob

    entries = {entry.idx: (entry.channel, entry.value) for entry in entries_of(PLAIN, blob)}

    assert entries == {WRITES_IDX_MAP[channel]: (channel, "last"), 1: ("regular", 1)}


def test_of_two_regular_writes_to_one_channel_both_count() -> None:
    blob = pack_writes(PLAIN, [("a", 1), ("a", 2)], "").blob

    assert [(entry.idx, entry.value) for entry in entries_of(PLAIN, blob)] == [(0, 1), (1, 2)]


@pytest.mark.parametrize(("characters", "compressed"), [(300, False), (600, False), (700, True)])
def test_a_write_is_compressed_from_some_lines_of_text_on(characters: int, *, compressed: bool) -> None:
    blob = pack_writes(PLAIN, [("a", "text" * (characters // 4))], "").blob

    assert (len(blob) < characters) is compressed
    assert [entry.value for entry in entries_of(PLAIN, blob)] == ["text" * (characters // 4)]


def test_encrypted_writes_show_their_channel_and_not_their_value() -> None:
    blob = pack_writes(ENCRYPTED, [("channel", "hidden")], "path").blob

    assert b"channel" in blob
    assert b"hidden" not in blob


def test_a_plaintext_write_is_refused_by_an_encrypting_serializer() -> None:
    blob = pack_writes(PLAIN, [("channel", 1)], "").blob

    with pytest.raises(CorruptRecordError, match="not encrypted"):
        entries_of(ENCRYPTED, blob)

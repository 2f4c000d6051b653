"""Writes that repeat their checkpoint's conversation: it is named, not sent, and comes back whole."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.records import pack_writes
from langgraph.checkpoint.redis.segments import Segment, header_length
from unit.by_hand import read_writes
from values import text_of

PLAIN = Codec(JsonPlusSerializer())
ENCRYPTED = Codec(EncryptedSerializer.from_pycryptodome_aes(key=b"a key of 16 byte"))

both = pytest.mark.parametrize("codec", [PLAIN, ENCRYPTED], ids=["plain", "encrypted"])

MESSAGES = [text_of(number, 400) for number in range(20)]
_, DATA = PLAIN.dumps(MESSAGES)
FIRST = header_length(DATA) + len(PLAIN.dumps(MESSAGES[:15])[1]) - 1
RUN = (
    Segment(b"aaaaaaaaaa", DATA[header_length(DATA) : FIRST]),
    Segment(b"bbbbbbbbbb", DATA[FIRST:]),
)


class NotStoredError(Exception):
    """A segment was asked for that is not stored."""


def stored(names: bytes) -> list[Segment]:
    by_name = {piece.name: piece for piece in RUN}
    return [by_name[names[at : at + 10]] for at in range(0, len(names), 10)]


def nothing_stored(names: bytes) -> list[Segment]:
    raise NotStoredError(names)


@both
def test_the_conversation_in_a_write_is_named_and_comes_back(codec: Codec) -> None:
    value = {"name": "tool", "state": {"messages": MESSAGES}}

    packed = pack_writes(codec, [("tasks", value)], "path", RUN)

    assert len(packed.blob) < 300
    assert packed.names == b"aaaaaaaaaabbbbbbbbbb"
    (entry,) = read_writes(codec, "task", packed.blob, stored)
    assert entry.value == value


@both
def test_the_beginning_of_the_conversation_may_be_repeated(codec: Codec) -> None:
    packed = pack_writes(codec, [("tasks", [MESSAGES[:15], "and more"])], "path", RUN)

    assert packed.names == b"aaaaaaaaaa"
    (entry,) = read_writes(codec, "task", packed.blob, stored)
    assert entry.value == [MESSAGES[:15], "and more"]


def test_of_several_writes_all_segments_up_to_the_furthest_are_named() -> None:
    writes = [("a", [MESSAGES]), ("b", [MESSAGES[:15]]), ("c", 1)]

    for some in (writes, writes[::-1]):
        packed = pack_writes(PLAIN, some, "path", RUN)
        assert packed.names == b"aaaaaaaaaabbbbbbbbbb"
        entries = read_writes(PLAIN, "task", packed.blob, stored)
        assert [(entry.channel, entry.value) for entry in entries] == some


@pytest.mark.parametrize("value", [None, "text", ["other"] * 900, text_of(99, 3000), b"\x04" * 2000])
def test_writes_that_repeat_nothing_need_no_segment(value: Any) -> None:
    packed = pack_writes(PLAIN, [("a", value)], "path", RUN)

    assert packed.names == b""
    (entry,) = read_writes(PLAIN, "task", packed.blob, nothing_stored)
    assert entry.value == value


def test_without_segments_writes_are_whole() -> None:
    packed = pack_writes(PLAIN, [("a", [MESSAGES])], "path")

    assert packed.names == b""
    (entry,) = read_writes(PLAIN, "task", packed.blob, nothing_stored)
    assert entry.value == [MESSAGES]


def test_a_segment_that_is_not_stored_is_an_error() -> None:
    packed = pack_writes(PLAIN, [("a", [MESSAGES])], "path", RUN)

    with pytest.raises(NotStoredError, match="aaaaaaaaaabbbbbbbbbb"):
        read_writes(PLAIN, "task", packed.blob, nothing_stored)


def test_an_encrypted_write_shows_nothing_of_what_is_around_the_segments() -> None:
    packed = pack_writes(ENCRYPTED, [("a", {"hidden": MESSAGES})], "path", RUN)

    assert b"hidden" not in packed.blob

"""What a read makes of a reply: the checkpoint that was stored, or an error that names key and field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.reader import GONE
from langgraph.checkpoint.redis.records import pack_writes, record_tail
from steps import config_of
from unit.by_hand import batch, returned_after

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

CODEC = Codec(JsonPlusSerializer())
REFUSED = b"msgpack\n\x00\xc1"  # The serializer does not load this: no type begins with this byte.


@dataclass
class Stored:
    """One checkpoint as the server would answer with it."""

    refs: bytes = b"messages/2\tsmall"
    inline: dict[str, Any] = field(default_factory=lambda: {"small": None})
    values: dict[bytes, bytes | None] = field(
        default_factory=lambda: {b"v//messages/2": b"I" + CODEC.pack(["hello"])}
    )
    segments: dict[bytes, bytes | None] = field(default_factory=dict)
    writes: list[bytes] = field(default_factory=list)
    record: bytes | None = None

    def read(self) -> CheckpointTuple:
        """Answer a `get_tuple` with it."""
        plans = Plans(Core(Keys("prefix")), CODEC)
        found = returned_after(plans.get_tuple(config_of()), [self._reply()])
        assert found is not None
        return found

    def _reply(self) -> list[Any]:
        record = self._record() if self.record is None else self.record
        flat = [[part for pair in some.items() for part in pair] for some in (self.values, self.segments)]
        return batch([[b"", b"the id", record, self.writes]], *flat)

    def _record(self) -> bytes:
        versions = {"messages": "2", "small": "1", "empty": "1"}
        body = [{"v": 4, "id": "the id", "channel_versions": versions}, self.inline, {"step": 1}]
        return b"1the parent\nedition\n%b\n%b" % (self.refs, record_tail(CODEC, b"", [], body))


def in_segments() -> Stored:
    """The value `["hello", "you"]`, cut behind its header and behind its first item."""
    kind, data = CODEC.dumps(["hello", "you"])
    manifest = b"M" + b"aaaaaaaaaa" + b"bbbbbbbbbb\n" + kind + b"\n1:2\n" + CODEC.seal(data[:1])
    pieces = {b"s/aaaaaaaaaa": CODEC.seal(data[1:7]), b"s/bbbbbbbbbb": CODEC.seal(data[7:])}
    return Stored(values={b"v//messages/2": manifest}, segments={**pieces})


def test_a_checkpoint_has_the_values_that_are_stored_and_no_other() -> None:
    found = Stored().read()

    assert found.checkpoint["channel_values"] == {"messages": ["hello"], "small": None}
    assert found.checkpoint["channel_versions"] == {"messages": "2", "small": "1", "empty": "1"}
    assert found.metadata == {"step": 1}


def test_a_checkpoint_names_itself_and_its_parent() -> None:
    found = Stored().read()

    assert found.config == config_of(checkpoint_id="the id")
    assert found.parent_config == config_of(checkpoint_id="the parent")


def test_a_checkpoint_without_a_parent_or_writes() -> None:
    root = Stored(record=Stored()._record().replace(b"the parent", b"", 1)).read()

    assert root.parent_config is None
    assert root.pending_writes == []


def test_segments_are_joined_behind_the_header() -> None:
    assert in_segments().read().checkpoint["channel_values"]["messages"] == ["hello", "you"]


def test_writes_are_in_the_order_of_path_task_and_index() -> None:
    late = pack_writes(CODEC, [("a", 3)], "path b").blob
    early = pack_writes(CODEC, [("b", 1), ("a", 2)], "path a").blob

    found = Stored(writes=[b"task 1", late, b"task 3", early, b"task 2", early]).read()

    assert found.pending_writes == [
        ("task 2", "b", 1),
        ("task 2", "a", 2),
        ("task 3", "b", 1),
        ("task 3", "a", 2),
        ("task 1", "a", 3),
    ]


def refusal_of(stored: Stored) -> str:
    with pytest.raises(CorruptRecordError) as refused:
        stored.read()
    return str(refused.value)


def unreadable(name: str) -> str:
    return f"cannot read field {name!r} of key 'prefix:{{thread}}:data': "


@pytest.mark.parametrize(
    "record", [b"2 of a newer release", b"", b"1 broken off", b"1\n\n\n\n\n{}", b"1\n\n\n\n\n" + REFUSED]
)
def test_a_record_that_cannot_be_read_is_named(record: bytes) -> None:
    assert refusal_of(Stored(record=record)).startswith(unreadable("c//the id"))


def test_a_newer_layout_is_named_as_such() -> None:
    assert "layout version" in refusal_of(Stored(record=b"2 of a newer release"))


@pytest.mark.parametrize(
    "value", [b"", b"I", b"Inonsense", b"Mnonsense", b"Imsgpack\n\x09flag", b"I" + REFUSED]
)
def test_a_value_that_cannot_be_read_is_named(value: bytes) -> None:
    stored = Stored(values={b"v//messages/2": value})

    assert refusal_of(stored).startswith(unreadable("v//messages/2"))


def test_a_value_that_is_gone_is_named_and_never_left_out() -> None:
    stored = Stored(values={b"v//messages/2": None})

    assert refusal_of(stored) == unreadable("v//messages/2") + GONE


def test_a_segment_that_is_gone_is_named() -> None:
    stored = in_segments()
    stored.segments[b"s/bbbbbbbbbb"] = None

    assert refusal_of(stored) == unreadable("s/bbbbbbbbbb") + GONE


def test_a_name_that_was_cut_is_not_taken_for_the_one_of_another_value() -> None:
    stored = in_segments()
    manifest = stored.values[b"v//messages/2"]
    assert manifest is not None
    stored.refs = b"messages/2\tempty/1\tsmall"
    stored.values[b"v//empty/1"] = manifest.replace(b"bbbbbbbbbb", b"bbbbbbb").replace(b"1:2", b"1:1")

    assert refusal_of(stored) == unreadable("s/bbbbbbb") + GONE


def test_a_segment_that_cannot_be_read_is_named() -> None:
    stored = in_segments()
    stored.segments[b"s/aaaaaaaaaa"] = b"\x01no zstd"

    assert refusal_of(stored).startswith(unreadable("s/aaaaaaaaaa"))


@pytest.mark.parametrize("value", [b"short", REFUSED])
def test_writes_that_cannot_be_read_are_named(value: bytes) -> None:
    others = pack_writes(CODEC, [("a", 1)], "path").blob
    stored = Stored(writes=[b"other", others, b"task", b"0\tpath\tchannel\t%d\n%b" % (len(value), value)])

    assert refusal_of(stored).startswith(unreadable("w//task/the id"))


def test_every_field_of_the_checkpoint_is_found_by_its_name_in_keys() -> None:
    assert keys.checkpoint("", "the id") == b"c//the id"
    assert keys.value(b"", b"messages/2") == b"v//messages/2"
    assert keys.segment(b"aaaaaaaaaa") == b"s/aaaaaaaaaa"
    assert keys.write(b"", b"task", b"the id") == b"w//task/the id"

"""A growing value is stored once: what is cut is what there was, in few pieces, rewritten seldom."""

from __future__ import annotations

import math
import random
from typing import Any

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from langgraph.checkpoint.redis.pieces import arrange
from langgraph.checkpoint.redis.segments import Segment, header_length, merged

_OTHER_EXTENSION = 5


def text_of(seed: int, size: int = 500) -> str:
    return random.Random(seed).randbytes(size // 2).hex()


def packed(value: Any) -> bytes:
    return JsonPlusSerializer().dumps_typed(value)[1]


def items_of(container: list[Any] | dict[str, Any]) -> bytes:
    """The items of a container, one behind the other, without what stands before them."""
    if isinstance(container, dict):
        return b"".join(ormsgpack.packb(item) for pair in container.items() for item in pair)
    return b"".join(map(ormsgpack.packb, container))


def array(count: int) -> list[Any]:
    return list(range(count))


def table(count: int) -> dict[str, Any]:
    return {str(number): number for number in range(count)}


class Stored:
    """One channel as it is put again and again: the segments of its last value, and the bytes written."""

    def __init__(self) -> None:
        self.segments: tuple[Segment, ...] = ()
        self.written = 0
        self._names = 0

    def put(self, value: Any) -> bytes:
        """Store a value and return the bytes that were new."""
        data = packed(value)
        offset = header_length(data)
        parts = arrange(self.segments, data, offset)
        rest = b"".join(part for part in parts if isinstance(part, bytes))
        self.segments = tuple(part if isinstance(part, Segment) else self._named(part) for part in parts)
        self.written += len(rest)
        assert b"".join(segment.data for segment in self.segments) == data[offset:]
        return rest

    def _named(self, data: bytes) -> Segment:
        self._names += 1
        return Segment(b"%010d" % self._names, data)


def grown(turns: int) -> tuple[Stored, list[str]]:
    """A list of texts of some 500 bytes, put at each of its lengths."""
    stored, items = Stored(), list[str]()
    for turn in range(turns):
        items.append(text_of(turn))
        stored.put(items)
    return stored, items


# The lengths at which msgpack changes from one form of header to the next.
@pytest.mark.parametrize("count", [0, 1, 15, 16, 65_535, 65_536])
@pytest.mark.parametrize("build", [array, table])
def test_what_follows_the_header_of_a_container_are_its_items(build: Any, count: int) -> None:
    container = build(count)
    data = ormsgpack.packb(container)

    assert data[header_length(data) :] == items_of(container)


# As above, and the sizes at which an extension's own header changes.
@pytest.mark.parametrize("count", [2, 9, 20, 300, 30_000, 70_000])
@pytest.mark.parametrize("build", [array, table])
def test_the_header_of_a_delta_snapshot_is_that_of_both_its_shells(build: Any, count: int) -> None:
    container = build(count)
    data = packed(_DeltaSnapshot(container))

    assert data[header_length(data) :] == items_of(container)


@pytest.mark.parametrize("count", [0, 1, 3, 7, 15])
def test_a_tiny_delta_snapshot_of_a_fixed_size_is_no_container(count: int) -> None:
    data = packed(_DeltaSnapshot(array(count)))

    assert len(data) < 32
    assert header_length(data) == 0


@pytest.mark.parametrize("scalar", [None, True, 7, -1, 2**40, 1.5, "text", "text" * 100, b"bytes" * 100])
def test_a_scalar_is_no_container(scalar: Any) -> None:
    assert header_length(ormsgpack.packb(scalar)) == 0
    assert header_length(packed(_DeltaSnapshot(scalar))) == 0


@pytest.mark.parametrize("size", [100, 300, 70_000])
def test_another_extension_is_no_container(size: int) -> None:
    data = ormsgpack.packb(ormsgpack.Ext(_OTHER_EXTENSION, ormsgpack.packb(array(size))))

    assert header_length(data) == 0


def test_no_bytes_are_no_container() -> None:
    assert header_length(b"") == 0


def test_a_header_that_breaks_off_is_no_container() -> None:
    data = packed(_DeltaSnapshot(array(300)))

    assert [header_length(data[:size]) for size in range(5)] == [0] * 5


# A splice: where (mostly at the end), how many items go, what comes instead.
splices = st.tuples(
    st.sampled_from([0, 1, 7, 20, 1000, 1000, 1000]),
    st.integers(0, 5),
    st.lists(st.builds(text_of, st.integers(0, 9), st.sampled_from([2, 250, 600, 5000])), max_size=20),
)


@given(edits=st.lists(splices, min_size=2, max_size=25))
def test_segments_are_always_the_whole_value(edits: list[tuple[int, int, list[str]]]) -> None:
    stored, items = Stored(), list[str]()
    for at, gone, come in edits:
        items[at : at + gone] = come
        stored.put(items)  # It compares all bytes.

    assert all(segment.data for segment in stored.segments)


@given(
    before=st.lists(st.binary(min_size=1, max_size=6), max_size=6),
    data=st.binary(max_size=30),
    offset=st.integers(0, 3),
)
def test_what_is_kept_and_what_is_new_make_any_value(before: list[bytes], data: bytes, offset: int) -> None:
    segments = [Segment(b"%d" % number, piece) for number, piece in enumerate(before)]
    data = b"\x00" * offset + b"".join(before[:3]) + data

    parts = arrange(segments, data, offset)

    assert all(part in segments for part in parts if isinstance(part, Segment))
    assert b"".join(part.data if isinstance(part, Segment) else part for part in parts) == data[offset:]


def test_a_long_conversation_is_in_few_segments() -> None:
    most = 0
    stored, items = Stored(), list[str]()
    for turn in range(600):
        items.append(text_of(turn))
        stored.put(items)
        most = max(most, len(stored.segments))

    assert most <= 25


@pytest.mark.parametrize("turns", [75, 150, 300, 600])
def test_a_byte_is_written_once_for_each_size_class_it_passes(turns: int) -> None:
    stored, items = grown(turns)
    size = len(packed(items))

    assert stored.written <= size * (1 + math.log(turns, 8))


def test_an_unchanged_value_is_no_new_byte() -> None:
    stored, items = grown(40)
    before = stored.segments

    rest = stored.put(items)

    assert rest == b""
    assert stored.segments == before


def test_one_more_item_is_written_alone() -> None:
    stored, items = grown(3)

    rest = stored.put([*items, "new"])

    assert rest == ormsgpack.packb("new")


def test_a_longer_header_moves_items_and_changes_none() -> None:
    stored, items = grown(14)
    assert header_length(packed(items)) == 1
    before = stored.segments

    stored.put([*items, "fifteenth", "sixteenth"])

    assert header_length(packed([*items, "fifteenth", "sixteenth"])) == 3
    assert stored.segments[: len(before)] == before


def test_a_change_in_the_middle_keeps_the_head() -> None:
    stored, items = grown(100)
    before = stored.segments
    items[85] = "changed"

    rest = stored.put(items)

    assert stored.segments[0] == before[0]
    assert len(rest) < len(packed(items)) / 2


def test_a_change_at_the_beginning_keeps_what_follows() -> None:
    stored, items = grown(20)
    before = stored.segments
    items[0] = "changed"

    rest = stored.put(items)

    assert stored.segments[1:] == before[1:]
    assert len(rest) < len(before[0].data)


def test_a_value_that_shrinks_to_whole_segments_writes_nothing() -> None:
    stored, items = grown(60)
    kept = stored.segments[:-1]
    ends = [len(items_of(items[:count])) for count in range(len(items))]
    shorter = items[: ends.index(sum(len(segment.data) for segment in kept))]

    rest = stored.put(shorter)

    assert rest == b""
    assert stored.segments == kept


def test_the_eighth_of_a_size_class_is_merged_with_those_before_it() -> None:
    assert merged([300] * 7, 300) == 7
    assert merged([300] * 8, 300) == 0


def test_a_merge_that_fills_the_next_size_class_goes_on_there() -> None:
    assert merged([*[3000] * 8, *[300] * 8], 300) == 0


def test_a_merge_stops_at_a_larger_segment() -> None:
    assert merged([100_000, *[300] * 8], 300) == 1
    assert merged([*[300] * 7, 100_000, 300], 300) == 9

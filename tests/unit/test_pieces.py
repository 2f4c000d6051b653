"""A large value that changes anywhere: a change is written with little around it, and reads as it was put."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph.checkpoint.redis.pieces import arrange
from langgraph.checkpoint.redis.segments import PIECE, Segment, header_length

FILES = 60
SIZE = 10_000
CHANGES = 200

Table = dict[str, str]


def text(seed: int, size: int = SIZE) -> str:
    return random.Random(seed).randbytes(size // 2).hex()


def name(number: int) -> str:
    return f"file-{number:03}.md"


def files() -> Table:
    return {name(number): text(number) for number in range(FILES)}


class Channel:
    """A channel as it is put again and again: its segments, and the bytes of each put that were new."""

    def __init__(self, value: Any) -> None:
        self.segments: list[Segment] = []
        self._names = 0
        self.put(value)

    def put(self, value: Any) -> int:
        """Store a value, see that it is there, and return how many bytes were new."""
        data = ormsgpack.packb(value)
        parts = arrange(self.segments, data, header_length(data))
        self.segments = [part if isinstance(part, Segment) else self._named(part) for part in parts]
        assert b"".join(segment.data for segment in self.segments) == data[header_length(data) :]
        return sum(len(part) for part in parts if isinstance(part, bytes))

    def _named(self, data: bytes) -> Segment:
        self._names += 1
        return Segment(b"%010d" % self._names, data)


def changes(change: Callable[[Table, int], None], count: int = CHANGES) -> tuple[Channel, list[int]]:
    """A table of files, changed one by one: the channel, and the bytes that each put wrote."""
    table = files()
    channel = Channel(table)
    written = []
    for number in range(count):
        change(table, number)
        written.append(channel.put(table))
    return channel, written


def early(table: Table, number: int) -> None:
    table[name(3)] = text(-number - 1, SIZE + number % 7)


def last(table: Table, number: int) -> None:
    table[name(FILES - 1)] = text(-number - 1)


def anywhere(table: Table, number: int) -> None:
    table[random.Random(number).choice(list(table))] = text(-number - 1, SIZE + number % 50)


def added(table: Table, number: int) -> None:
    table[f"new-{number:04}.md"] = text(-number - 1)


def renewed(table: Table, number: int) -> None:
    """One goes at the beginning, one comes at the end."""
    del table[next(iter(table))]
    added(table, number)


@pytest.mark.parametrize("change", [early, last])
def test_a_file_that_changes_again_is_written_alone(change: Callable[[Table, int], None]) -> None:
    _, written = changes(change)

    assert sum(written[1:]) < 1.2 * SIZE * len(written[1:])


def test_the_first_change_in_the_midst_writes_the_table_once_more() -> None:
    _, written = changes(early)

    assert written[0] > FILES * SIZE
    assert max(written[1:]) < 2 * PIECE


def test_files_that_change_anywhere_are_written_with_little_around_them() -> None:
    _, written = changes(anywhere)

    assert sum(written[1:]) < 3 * SIZE * len(written[1:])


def test_files_that_are_added_are_written_once_for_each_size_class_they_pass() -> None:
    _, written = changes(added)

    assert sum(written) < 3 * SIZE * CHANGES


def test_a_window_that_moves_on_is_not_written_again() -> None:
    _, written = changes(renewed)

    assert sum(written[1:]) < 4 * SIZE * len(written[1:])


@pytest.mark.parametrize("change", [early, last, anywhere, added, renewed])
def test_parts_stay_few(change: Callable[[Table, int], None]) -> None:
    channel, _ = changes(change, 600)
    size = sum(len(segment.data) for segment in channel.segments)

    assert len(channel.segments) <= 2 * size // PIECE + 64


def test_a_very_large_table_is_cut_into_larger_pieces() -> None:
    table = {name(number): "x" * 1_000_000 for number in range(30)}
    channel = Channel(table)
    table[name(3)] = "y"

    channel.put(table)

    assert 100 < len(channel.segments) < 600


def test_another_table_altogether_is_one_segment() -> None:
    channel = Channel(files())

    written = channel.put({key: value[::-1] for key, value in files().items()})

    assert len(channel.segments) == 1
    assert written > FILES * SIZE


def test_a_file_that_goes_is_a_change_like_any_other() -> None:
    table = files()
    channel = Channel(table)
    for number in range(0, FILES, 6):
        del table[name(number)]
        channel.put(table)

    before = set(channel.segments)
    del table[name(31)]
    written = channel.put(table)

    assert written < 3 * PIECE
    assert len(before & set(channel.segments)) >= len(before) - 4


# An edit: at which item, how many go, the sizes of those that come.
edits = st.tuples(
    st.integers(0, 40), st.integers(0, 3), st.lists(st.sampled_from([3, 3000, 40_000]), max_size=3)
)


@given(st.lists(edits, max_size=30), st.integers(0, 2))
def test_whatever_is_edited_reads_as_it_was_put(made: list[tuple[int, int, list[int]]], alike: int) -> None:
    items = [text(number, 4000) for number in range(40)]
    channel = Channel(items)
    for number, (at, gone, come) in enumerate(made):
        # Texts that come again elsewhere must not lead it astray.
        items[at : at + gone] = [text(number % 3 if alike else number, size) for size in come]
        channel.put(items)  # It compares all bytes.

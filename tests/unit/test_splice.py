"""A value that contains another's segments is kept as what is new in it, and comes back byte for byte."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis.segments import SPLIT_FROM, Segment, header_length
from langgraph.checkpoint.redis.splice import Spliced, is_plain, join, plain, splice


def bytes_of(seed: int, size: int) -> bytes:
    return Random(seed).randbytes(size)


def run_of(*sizes: int) -> tuple[Segment, ...]:
    return tuple(Segment(b"%010d" % number, bytes_of(number, size)) for number, size in enumerate(sizes))


RUN = run_of(5000, 700, 90)
WHOLE = b"".join(piece.data for piece in RUN)


def found_in(data: bytes, run: tuple[Segment, ...] = RUN) -> Spliced:
    """What is found, having come back as it was."""
    found = splice(data, run)
    assert found is not None
    assert join(found.pieces, found.layout, found.literal) == data
    return found


# Parts of a value: literal bytes, or so many segments from the beginning.
parts = st.lists(st.one_of(st.binary(max_size=9), st.integers(0, 3)), max_size=8)


@given(parts=parts)
def test_what_is_spliced_is_joined_again(parts: list[bytes | int]) -> None:
    pieces = [part if isinstance(part, bytes) else b"".join(s.data for s in RUN[:part]) for part in parts]
    data = b"".join(pieces)

    found = splice(data, RUN)

    if any(isinstance(part, int) and part for part in parts):
        assert found is not None
        assert join(found.pieces, found.layout, found.literal) == data
        assert len(found.literal) < len(data)
    else:
        assert found is None


@given(seeds=st.lists(st.integers(0, 3), max_size=6), size=st.sampled_from([300, 1100, 4000]))
def test_segments_that_begin_alike_are_told_apart(seeds: list[int], size: int) -> None:
    same = bytes_of(9, 400)
    run = tuple(Segment(b"%010d" % n, same + bytes_of(n, size)) for n in range(3))
    data = b"".join(same + bytes_of(seed, size) for seed in seeds)

    found = splice(data, run)

    if found is not None:
        assert join(found.pieces, found.layout, found.literal) == data


def test_the_bytes_around_the_segments_are_all_that_is_new() -> None:
    found = found_in(b"before" + WHOLE + b"after")

    assert found.literal == b"beforeafter"
    assert found.pieces == RUN
    assert found.layout == b"6:3"


def test_segments_may_stand_in_a_value_more_than_once() -> None:
    found = found_in(b"a" + WHOLE + b"b" + WHOLE + RUN[0].data + b"c")

    assert found.literal == b"abc"
    assert found.pieces == (*RUN, *RUN, RUN[0])
    assert found.layout == b"1:3,2:3,2:1"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_is_told_how_far_into_the_run_it_reaches(count: int) -> None:
    data = RUN[0].data + b"," + b"".join(piece.data for piece in RUN[:count]) + b"," + RUN[0].data

    assert found_in(data).reach == count


def test_only_the_beginning_of_a_run_may_be_contained() -> None:
    assert splice(b"x" + RUN[1].data + RUN[2].data + b"y", RUN) is None
    assert found_in(b"x" + RUN[0].data + RUN[2].data).pieces == RUN[:1]


@pytest.mark.parametrize("data", [b"", b"short", bytes_of(77, 9000), RUN[0].data[:-1]])
def test_a_value_without_the_segments_is_left_whole(data: bytes) -> None:
    assert splice(data, RUN) is None


def test_no_segments_are_in_nothing() -> None:
    assert splice(WHOLE, ()) is None


def test_few_bytes_in_common_are_not_worth_it() -> None:
    small = run_of(SPLIT_FROM - 1)
    enough = run_of(SPLIT_FROM)

    assert splice(b"x" + small[0].data, small) is None
    assert splice(b"x" + enough[0].data, enough) is not None


def test_a_value_full_of_false_beginnings_is_not_searched_to_its_end() -> None:
    run = (Segment(b"0000000000", b"\x00" * 2000 + b"end"),)

    assert splice(b"\x00" * 500_000, run) is None


def test_a_value_that_is_a_header_and_its_segments_may_be_extended() -> None:
    whole = plain(b"head", RUN)

    assert join(whole.pieces, whole.layout, whole.literal) == b"head" + WHOLE
    assert is_plain(whole.layout, whole.literal, whole.pieces)
    assert is_plain(plain(b"", ()).layout, b"", ())


@pytest.mark.parametrize("data", [b"x" + WHOLE + b"y", WHOLE + b"y", b"x" + WHOLE + b"y" + WHOLE])
def test_a_value_with_anything_behind_its_segments_is_not_extended(data: bytes) -> None:
    found = found_in(data)

    assert not is_plain(found.layout, found.literal, found.pieces)


def test_a_value_with_other_segments_than_its_layout_says_is_not_extended() -> None:
    whole = plain(b"head", RUN)

    assert not is_plain(whole.layout, whole.literal, (*RUN, *RUN))


def test_a_tasks_input_is_found_to_hold_the_conversation() -> None:
    serializer = JsonPlusSerializer()
    messages = [bytes_of(number, 300).hex() for number in range(40)]
    _, data = serializer.dumps_typed(messages)
    run = (Segment(b"0000000000", data[header_length(data) :]),)

    _, state = serializer.dumps_typed({"name": "tool", "state": {"messages": messages, "step": 3}})

    assert len(found_in(state, run).literal) < 100

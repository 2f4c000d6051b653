"""What a process remembers of stored values: bounded in bytes, the least recently used forgotten first."""

from __future__ import annotations

from itertools import count

from langgraph.checkpoint.redis.segments import Segment
from langgraph.checkpoint.redis.shelves import EMPTY, Held, Shelf, Shelves

_numbers = count()

KILOBYTE = 1024
# A shelf with one segment of a kilobyte, and what the objects around it are taken to need.
SHELF = 2 * KILOBYTE


def shelf_of(size: int = KILOBYTE) -> Shelf:
    segment = Segment(b"%010d" % next(_numbers), b"x" * size)
    return Shelf({"messages": Held("1", segments=(segment,))})


def test_a_shelf_knows_its_segments_by_name() -> None:
    one, other = Segment(b"aaaaaaaaaa", b"1"), Segment(b"bbbbbbbbbb", b"2")

    shelf = Shelf({"x": Held("1", segments=(one, other)), "y": Held("2")})

    assert shelf.segments() == {b"aaaaaaaaaa": one, b"bbbbbbbbbb": other}
    assert shelf.names() == b"aaaaaaaaaa bbbbbbbbbb"


def test_a_shelf_is_as_large_as_its_segments_and_more() -> None:
    assert KILOBYTE < shelf_of().size < SHELF
    assert EMPTY.size > 0


def test_the_largest_channel_is_known_by_its_checkpoint_and_by_the_next() -> None:
    small, large = shelf_of(10).channels["messages"], shelf_of(20).channels["messages"]
    before = Shelf({"a": small}, "1")

    shelf = Shelf({"a": small, "b": large, "c": Held("1")}, "2", before)

    assert shelf.largest_at("2") == large
    assert shelf.largest_at("1") == small
    assert shelf.largest_at("3").segments == ()


def test_nothing_is_known_under_a_new_key() -> None:
    assert Shelves().get(("thread", "", False)) is EMPTY


def test_what_is_put_is_found_again() -> None:
    shelves, shelf = Shelves(), shelf_of()

    shelves.put(("thread", ""), shelf)

    assert shelves.get(("thread", "")) is shelf
    assert shelves.get(("thread", "other")) is EMPTY


def test_the_least_recently_put_goes_first() -> None:
    shelves = Shelves(3 * SHELF)
    for key in "abcdefgh":
        shelves.put((key,), shelf_of())

    left = [key for key in "abcdefgh" if shelves.get((key,)) is not EMPTY]

    assert "fgh".endswith("".join(left[-3:]))
    assert left[0] > "a"


def test_what_is_used_stays() -> None:
    shelves = Shelves(3 * SHELF)
    for key in "abcdefgh":
        shelves.put((key,), shelf_of())
        assert shelves.get(("a",)) is not EMPTY, f"gone when {key} came"


def test_many_shelves_take_no_more_than_the_limit() -> None:
    shelves = Shelves(10 * SHELF)
    for key in range(200):
        shelves.put((key,), shelf_of(KILOBYTE + key))

    held = sum(shelf.size for key in range(200) if (shelf := shelves.get((key,))) is not EMPTY)

    assert 5 * SHELF < held <= 10 * SHELF


def test_a_shelf_put_again_counts_once() -> None:
    shelves = Shelves(3 * SHELF)
    shelves.put(("other",), shelf_of())

    for _ in range(50):
        shelves.put(("same",), shelf_of())

    assert shelves.get(("other",)) is not EMPTY


def test_a_shelf_above_the_limit_is_not_kept_and_drives_nothing_out() -> None:
    shelves = Shelves(3 * SHELF)
    shelves.put(("small",), shelf_of())

    shelves.put(("large",), shelf_of(4 * SHELF))

    assert shelves.get(("large",)) is EMPTY
    assert shelves.get(("small",)) is not EMPTY


def test_what_grows_above_the_limit_is_forgotten_in_its_old_form_too() -> None:
    shelves = Shelves(3 * SHELF)
    shelves.put(("key",), shelf_of())

    shelves.put(("key",), shelf_of(4 * SHELF))

    assert shelves.get(("key",)) is EMPTY


def test_many_namespaces_without_segments_are_bounded_too() -> None:
    shelves = Shelves(100 * KILOBYTE)
    for number in range(5000):
        shelves.put((number,), Shelf({"x": Held("1", inline=number)}))

    left = sum(shelves.get((number,)) is not EMPTY for number in range(5000))

    assert 0 < left < 1000

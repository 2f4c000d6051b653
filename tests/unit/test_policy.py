"""What a saver may be told: each setting as it is understood, or refused by its name."""

from __future__ import annotations

import math
from enum import Enum, IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph._redis.lives import milliseconds, minutes
from langgraph._redis.plan import Wait
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from langgraph.checkpoint.redis.policy import (
    FOR_EVER,
    NO_READ,
    UNTOLD,
    Policy,
    call_life,
    count,
    index_text,
    policy,
)

CENTURY = 100 * 366 * 24 * 60
HUGE = 10**400

# What is no number of minutes: of the wrong type, or out of range.
NO_NUMBERS: list[Any] = ["60", b"60", True, False, [60], {}, 1j]
NO_MINUTES: list[Any] = [0, 0.0, -0.0, -1, -1e-9, math.nan, math.inf, -math.inf, CENTURY + 1, HUGE, -HUGE]


class Level(IntEnum):
    LOW = 1


class Colour(str, Enum):
    """An enumeration whose own `str` is the name of its member."""

    RED = "red"


# Minutes.


@pytest.mark.parametrize(
    ("given", "expected"),
    [(1, 60_000), (0.5, 30_000), (1.0, 60_000), (60, 3_600_000), (0.1, 6_000), (1 / 3, 20_000)],
)
def test_minutes_are_whole_milliseconds(given: float, expected: int) -> None:
    assert milliseconds("ttl", given) == expected


@pytest.mark.parametrize("given", [1e-9, 5e-324, 1 / 120_000])
def test_the_shortest_life_is_a_millisecond(given: float) -> None:
    assert milliseconds("ttl", given) == 1


def test_the_longest_life_is_a_century() -> None:
    assert milliseconds("ttl", CENTURY) == CENTURY * 60_000


@pytest.mark.parametrize("refused", NO_NUMBERS)
def test_what_is_no_number_is_no_number_of_minutes(refused: Any) -> None:
    with pytest.raises(TypeError, match=r"^the setting must be a number of minutes, not \w+: "):
        milliseconds("the setting", refused)


@pytest.mark.parametrize("refused", NO_MINUTES, ids=lambda item: repr(item)[:20])
def test_minutes_out_of_range_are_refused_with_what_to_do(refused: Any) -> None:
    with pytest.raises(ValueError, match=r"^the setting must be a number of minutes above 0 .*give None"):
        milliseconds("the setting", refused)


@pytest.mark.parametrize("refused", [math.nan, math.inf, HUGE], ids=["nan", "inf", "huge"])
def test_a_refusal_of_minutes_is_short(refused: Any) -> None:
    with pytest.raises(ValueError, match=r"must be") as raised:
        milliseconds("the setting", refused)

    assert len(str(raised.value)) < 300


@given(st.integers(1, 10**9))
def test_milliseconds_come_back_as_the_minutes_they_are(given: int) -> None:
    assert milliseconds("ttl", minutes(given)) == given


# What one call asks for.


@pytest.mark.parametrize(
    ("configurable", "life"),
    [
        ({}, None),
        ({"thread_id": "1"}, None),
        ({"ttl": None}, FOR_EVER),
        ({"ttl": 1}, b"=60000"),
        ({"ttl": 0.5}, b"=30000"),
    ],
)
def test_a_config_may_ask_for_a_life_of_its_own(configurable: dict[str, Any], life: bytes | None) -> None:
    assert call_life(configurable) == life


@pytest.mark.parametrize("refused", [*NO_NUMBERS, *NO_MINUTES], ids=lambda item: repr(item)[:20])
def test_a_life_that_a_config_may_not_ask_for_is_refused_by_its_place(refused: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r'^config\["configurable"\]\["ttl"\] must be'):
        call_life({"ttl": refused})


# ttl.


def told(ttl: Any = None, keep_last: Any = None, index_metadata: Any = None) -> Policy:
    return policy(ttl, keep_last, index_metadata)


def test_a_saver_that_was_told_nothing_keeps_everything_for_ever() -> None:
    assert told() == Policy(life=UNTOLD, refresh=False, keep_last=None, index_metadata=())


@pytest.mark.parametrize(
    ("ttl", "life", "refresh"),
    [
        ({}, UNTOLD, False),
        ({"default_ttl": None}, UNTOLD, False),
        ({"default_ttl": 60}, b"3600000", False),
        ({"default_ttl": 0.5, "refresh_on_read": True}, b"30000", True),
        ({"default_ttl": 1, "refresh_on_read": False}, b"60000", False),
        ({"refresh_on_read": True}, UNTOLD, True),
    ],
)
def test_a_ttl_says_how_long_and_whether_reads_prolong(ttl: Any, life: bytes, refresh: bool) -> None:  # noqa: FBT001 - a parameter of the cases.
    assert told(ttl) == Policy(life=life, refresh=refresh)


@pytest.mark.parametrize("refused", [60, 0.5, "60", True, [("default_ttl", 60)]])
def test_a_ttl_that_is_no_dict_is_refused_with_an_example(refused: Any) -> None:
    with pytest.raises(TypeError, match=r'^ttl must be a dict such as \{"default_ttl": 60\}, not \w+: '):
        told(refused)


@pytest.mark.parametrize("refused", [{"default_tl": 60}, {"default_ttl": 60, "refresh": True}, {1: 2}])
def test_a_key_that_a_ttl_does_not_know_is_named(refused: Any) -> None:
    (unknown,) = refused.keys() - {"default_ttl"}

    with pytest.raises(ValueError, match=rf"^ttl knows default_ttl and refresh_on_read, not {unknown}$"):
        told(refused)


@pytest.mark.parametrize("refused", NO_NUMBERS)
def test_a_default_ttl_that_is_no_number_is_refused_by_its_name(refused: Any) -> None:
    with pytest.raises(TypeError, match=r'^ttl\["default_ttl"\] must be a number of minutes'):
        told({"default_ttl": refused})


@pytest.mark.parametrize("refused", NO_MINUTES, ids=lambda item: repr(item)[:20])
def test_a_default_ttl_out_of_range_is_refused_by_its_name(refused: Any) -> None:
    with pytest.raises(ValueError, match=r'^ttl\["default_ttl"\] must be a number of minutes above 0'):
        told({"default_ttl": refused})


@pytest.mark.parametrize("refused", [1, 0, None, "yes"])
def test_refresh_on_read_is_true_or_false(refused: Any) -> None:
    with pytest.raises(TypeError, match=r'^ttl\["refresh_on_read"\] must be True or False, not '):
        told({"default_ttl": 60, "refresh_on_read": refused})


# keep_last.


@pytest.mark.parametrize("kept", [None, 1, 10, 10**6])
def test_a_number_of_checkpoints_is_kept_or_all(kept: int | None) -> None:
    assert count("keep_last", kept) == told(keep_last=kept).keep_last == kept


@pytest.mark.parametrize("refused", [1.0, "1", True, [1]])
def test_a_number_to_keep_that_is_no_int_is_refused_by_its_name(refused: Any) -> None:
    with pytest.raises(TypeError, match=r"^keep_last must be an int or None, not \w+: "):
        told(keep_last=refused)


@pytest.mark.parametrize("refused", [0, -1, -(10**9)])
def test_at_least_one_checkpoint_is_kept(refused: int) -> None:
    with pytest.raises(ValueError, match=rf"^keep_last must be at least 1, not {refused}: "):
        told(keep_last=refused)


def test_a_number_to_keep_is_sent_as_a_plain_int() -> None:
    class Count(int):
        """As of an enumeration."""

    assert type(told(keep_last=Count(5)).keep_last) is int


# index_metadata.


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (None, ()),
        ([], ()),
        (["user_id"], ("user_id",)),
        (("a", "b", "a"), ("a", "b")),
        (["/", "\x00", "é"], ("/", "\x00", "é")),
    ],
)
def test_keys_to_index_are_each_named_once_in_their_order(names: Any, kept: tuple[str, ...]) -> None:
    assert told(index_metadata=names).index_metadata == kept


@pytest.mark.parametrize("refused", ["user_id", {"user_id"}, {"user_id": 1}, 1, iter(["user_id"])])
def test_keys_to_index_are_a_list(refused: Any) -> None:
    with pytest.raises(
        TypeError, match=r'^index_metadata must be a list of keys such as \["user_id"\], not '
    ):
        told(index_metadata=refused)


@pytest.mark.parametrize("refused", ["", None, 1, b"user_id", ["user_id"]])
def test_a_key_to_index_is_a_text(refused: Any) -> None:
    with pytest.raises(TypeError, match=r"^index_metadata holds .*: a key of the metadata must be a str"):
        told(index_metadata=["user_id", refused])


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ({"ttl": 60}, TypeError),
        ({"ttl": {"default_ttl": 0}}, ValueError),
        ({"keep_last": 0}, ValueError),
        ({"index_metadata": "user_id"}, TypeError),
    ],
)
@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver])
def test_a_saver_refuses_a_setting_by_its_name_when_it_is_made(
    kind: type[Any], setting: dict[str, Any], error: type[Exception]
) -> None:
    (name,) = setting

    with pytest.raises(error, match=f"^{name}"):
        kind("redis://localhost:1", **setting)


# What stands for a metadata value.


@pytest.mark.parametrize("equals", [(1, 1.0, True, Level.LOW), (0, 0.0, -0.0, False), (2**70, float(2**70))])
def test_numbers_that_are_equal_are_one_value(equals: tuple[Any, ...]) -> None:
    assert len(set(equals)) == 1
    assert len({index_text(value) for value in equals}) == 1


def test_texts_that_are_equal_are_one_value() -> None:
    red: str = Colour.RED

    assert red == "red"
    assert index_text(red) == index_text("red")


@given(st.lists(st.text() | st.integers() | st.floats(allow_nan=False), min_size=2, max_size=2, unique=True))
def test_values_that_differ_never_share_a_text(pair: list[Any]) -> None:
    one, other = map(index_text, pair)

    assert one != other


def test_a_number_and_its_digits_differ() -> None:
    assert len({index_text(value) for value in (1, "1", "#1", "'1", 1.5, "1.5", "", 10)}) == 8


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1.7e308, 5e-324, HUGE, -HUGE], ids=lambda item: repr(item)[:20]
)
def test_every_number_has_a_text(value: float) -> None:
    assert index_text(value)


@pytest.mark.parametrize("value", [None, b"1", [], ["a"], ("a",), {}, {"a": 1}, 1j, object()])
def test_what_is_no_text_and_no_number_has_none(value: Any) -> None:
    assert index_text(value) is None


def test_of_the_metadata_only_what_is_wanted_and_can_be_found_is_indexed() -> None:
    wanted = Policy(index_metadata=("user", "tags", "absent", "step"))

    found = wanted.indexed({"user": "ann", "tags": ["a"], "step": 1, "source": "loop"})

    assert found == [("user", "'ann"), ("step", "#1")]


# What scripts are told.


@pytest.mark.parametrize(
    ("configurable", "write", "read"),
    [({}, b"60000", b"60000"), ({"ttl": 2}, b"=120000", b"=120000"), ({"ttl": None}, FOR_EVER, FOR_EVER)],
)
def test_what_a_call_asks_for_goes_before_what_the_saver_says(
    configurable: dict[str, Any], write: bytes, read: bytes
) -> None:
    refreshing, writing = Policy(b"60000", refresh=True), Policy(b"60000")

    assert refreshing.on_write(configurable) == writing.on_write(configurable) == write
    assert refreshing.on_read(configurable) == read
    assert writing.on_read(configurable) == NO_READ


# Replicas, and conflicts.


def test_replicas_are_waited_for_if_a_number_is_given() -> None:
    assert policy(None, None, None).wait is None
    assert policy(None, None, None, wait_timeout_ms=5).wait is None
    assert policy(None, None, None, wait_replicas=2).wait == Wait(2, 1000)
    assert policy(None, None, None, wait_replicas=1, wait_timeout_ms=50).wait == Wait(1, 50)


@pytest.mark.parametrize("argument", ["wait_replicas", "wait_timeout_ms"])
@pytest.mark.parametrize("given", [0, -1, 1 << 31, True, 1.5, "1", b"1"])
def test_numbers_that_wait_does_not_take_are_refused_by_name(argument: str, given: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^{argument} must be"):
        policy(None, None, None, **{argument: given})


def test_a_time_to_wait_may_not_be_none() -> None:
    with pytest.raises(TypeError, match=r"^wait_timeout_ms must be an int, not NoneType"):
        policy(None, None, None, wait_replicas=1, wait_timeout_ms=None)


def test_conflicts_are_allowed_unless_they_are_to_be_errors() -> None:
    assert not policy(None, None, None).refuses
    assert not policy(None, None, None, on_conflict="allow").refuses
    assert policy(None, None, None, on_conflict="error").refuses


@pytest.mark.parametrize("given", [None, "", "raise", True, []])
def test_another_way_with_conflicts_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r'^on_conflict must be "allow" or "error", not'):
        policy(None, None, None, on_conflict=given)


@pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver])
@pytest.mark.parametrize("options", [{"wait_replicas": 0}, {"wait_timeout_ms": 0}, {"on_conflict": "raise"}])
def test_both_savers_refuse_what_cannot_be(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"^{next(iter(options))} must be"):
        kind("redis://nowhere", **options)

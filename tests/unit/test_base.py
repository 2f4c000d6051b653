"""What both savers have in common and needs no server: versions, clones, the serializer of the moment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from steps import checkpoint_of, config_of, metadata_of

NOWHERE = "redis://localhost:1"
SAVER = RedisSaver(NOWHERE)

both = pytest.mark.parametrize("kind", [RedisSaver, AsyncRedisSaver])


@given(steps=st.integers(1, 2000))
def test_versions_grow_as_texts(steps: int) -> None:
    version = None
    before = ""
    for _ in range(min(steps, 30)):
        version = SAVER.get_next_version(version, None)
        assert version > before
        before = version

    assert len({version, *(SAVER.get_next_version(before, None) for _ in range(5))}) == 6


def test_a_version_is_32_digits_and_something_random() -> None:
    number, _, rest = SAVER.get_next_version(None, None).partition(".")

    assert (len(number), int(number)) == (32, 1)
    assert rest


def test_forks_of_one_version_never_share_the_next() -> None:
    version = SAVER.get_next_version(None, None)

    assert len({SAVER.get_next_version(version, None) for _ in range(1000)}) == 1000


# Other savers count with numbers, or write what follows the digits in their own way.
@pytest.mark.parametrize(
    ("current", "number"),
    [(4, 5), (4.0, 5), (4.75, 5), ("4", 5), (f"{4:032}.0.150489", 5), (f"{99:032}.abcdef", 100)],
)
def test_versions_that_another_saver_began_go_on(current: Any, number: int) -> None:
    following = SAVER.get_next_version(current, None)

    assert int(following.partition(".")[0]) == number


@both
def test_a_clone_with_an_allowlist_shares_all_but_the_serializer(kind: type[Any]) -> None:
    saver = kind(NOWHERE, serde=JsonPlusSerializer(allowed_msgpack_modules=None))

    clone = saver.with_allowlist({("somewhere", "Something")})

    assert clone is not saver
    assert clone.serde is not saver.serde
    assert clone._core is saver._core
    assert clone._driver is saver._driver


@both
def test_each_clone_uses_its_own_serializer(kind: type[Any]) -> None:
    saver = kind(NOWHERE, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    before = saver._plans
    clone = saver.with_allowlist({("somewhere", "Something")})

    assert clone._plans.codec.serde is clone.serde
    assert saver._plans.codec.serde is saver.serde
    assert saver._plans is before


@both
def test_the_serializer_may_be_exchanged(kind: type[Any]) -> None:
    saver = kind(NOWHERE)
    saver.serde = JsonPlusSerializer(pickle_fallback=False)

    assert saver._plans.codec.serde is saver.serde


def test_a_put_changes_nothing_that_it_was_given() -> None:
    config, metadata = config_of(), metadata_of(run_id="run")
    values = {"messages": ["x" * 100] * 50}
    checkpoint = checkpoint_of(values, {"messages": "1"})
    before = repr((config, checkpoint, metadata))

    next(SAVER._plans.put(config, checkpoint, metadata, {"messages": "1"}))

    assert repr((config, checkpoint, metadata)) == before

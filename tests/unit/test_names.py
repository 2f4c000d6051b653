"""Ids as Redis is given them: never two under one name, and in their own order where they stand last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langgraph._redis import names

if TYPE_CHECKING:
    from collections.abc import Callable

# Every code point, lone surrogates included; more often those that an encoding could trip over.
_ODD = "\x00\x01\x02\t\n\x1f\x7f /%{}@AOIo-.0\u00e9\ud800\udfff\ue000\U0010ffff"
characters = st.one_of(st.sampled_from(_ODD), st.characters(exclude_categories=()))
texts = st.text(characters, max_size=8)
# Ids that begin alike: where an order goes wrong, it does so at the first difference.
neighbours = st.tuples(texts, texts, texts).map(lambda three: (three[0] + three[1], three[0] + three[2]))
numbers = st.one_of(st.integers(), st.floats(allow_nan=False))


@pytest.mark.parametrize(
    ("encoding", "decoding"),
    [(names.part, names.plain), (names.last, names.plain), (names.tag, names.untag)],
)
@given(text=texts)
def test_an_encoded_id_is_that_id_again(
    encoding: Callable[[str], str], decoding: Callable[[str], str], text: str
) -> None:
    encoded = encoding(text)

    assert decoding(encoded) == text


@pytest.mark.parametrize("encoding", [names.part, names.last, names.tag])
@given(text=texts)
@example("")
@example("%7B")
@example("\x01o")
def test_an_id_that_looks_encoded_is_another_id(encoding: Callable[[str], str], text: str) -> None:
    encoded = encoding(text)

    assert encoded == text or encoding(encoded) != encoded


@pytest.mark.parametrize("encoding", [names.part, names.last, names.tag])
@given(pair=neighbours)
def test_two_ids_have_two_names(encoding: Callable[[str], str], pair: tuple[str, str]) -> None:
    one, other = pair

    assert (encoding(one) == encoding(other)) == (one == other)


@given(pair=neighbours)
def test_the_bytes_of_ids_are_in_the_order_of_ids(pair: tuple[str, str]) -> None:
    one, other = pair
    first, second = (names.encode(names.last(text)) for text in pair)

    assert (first < second) == (one < other)


@given(pair=neighbours)
def test_what_follows_an_id_behind_a_nul_does_not_change_the_order(pair: tuple[str, str]) -> None:
    one, other = pair
    first, second = (names.encode(names.last(text)) + b"\x00ns" for text in pair)

    assert (first < second) == (one < other)


@given(text=texts)
def test_an_encoded_id_holds_no_separator_nor_any_control_character_but_the_escape(text: str) -> None:
    controls = set(map(chr, range(32))) - {"\x01"}

    assert not (controls | {"/"}) & set(names.part(text))
    assert not controls & set(names.last(text))


@given(text=texts)
@example("")
def test_a_hash_tag_is_never_empty_and_holds_nothing_that_ends_it(text: str) -> None:
    tag = names.tag(text)

    assert tag
    assert not set("{} \x7f").union(map(chr, range(32))) & set(tag)


@given(text=texts)
def test_every_str_has_bytes_lone_surrogates_too(text: str) -> None:
    assert names.decode(names.encode(text)) == text


@given(pair=neighbours)
def test_the_order_of_texts_is_the_order_of_their_bytes(pair: tuple[str, str]) -> None:
    one, other = pair

    assert (names.encode(one) < names.encode(other)) == (one < other)


@given(one=numbers, other=numbers)
@example(one=1, other=1.0)
@example(one=0, other=-0.0)
@example(one=2**60, other=float(2**60))
@example(one=1, other=1.5)
def test_versions_are_one_where_their_numbers_are_equal(one: float, other: float) -> None:
    assert (names.version(one) == names.version(other)) == (one == other)


@given(number=numbers, text=texts)
@example(number=1, text="1")
@example(number=1, text="\x01#1")
@example(number=1.5, text="\x01#1.5")
def test_a_text_is_never_the_version_that_a_number_is(number: float, text: str) -> None:
    assert names.version(number) != names.version(text)


@given(text=texts)
def test_a_version_holds_no_separator_of_records(text: str) -> None:
    assert not set("\x00\t\n") & set(names.version(text))


class Name(str):
    """A `str` of somebody's own."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("given_id", "text"),
    [
        ("a", "a"),
        ("", ""),
        (7, "7"),
        (-1, "-1"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Name("b"), "b"),
    ],
)
def test_an_id_is_a_str_an_int_or_a_uuid(given_id: Any, text: str) -> None:
    found = names.text_of("thread_id", given_id)

    assert found == text
    assert type(found) is str


@pytest.mark.parametrize("refused", [None, True, 1.5, b"a", ["a"], {"a": 1}, ("a",), object()])
def test_an_id_of_another_type_is_refused_by_the_name_of_its_argument(refused: Any) -> None:
    with pytest.raises(TypeError, match=f"^thread_id must be a str.*{type(refused).__name__}"):
        names.text_of("thread_id", refused)


def test_a_refusal_quotes_the_beginning_of_what_was_given() -> None:
    with pytest.raises(TypeError) as refusal:
        names.text_of("thread_id", ["a" * 10_000])

    assert "['aaa" in str(refusal.value)
    assert len(str(refusal.value)) < 200

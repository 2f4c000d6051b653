"""What a contender gave back, against what it was given: the first difference ends the course.

A course looks at ids, counts and ends after each act, and at everything once; never while the clock runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.peers.contract import WrongResultError


def expect(true: bool, otherwise: str) -> None:  # noqa: FBT001  # Reads as a sentence.
    """Raise WrongResultError with a sentence for a reader, unless it is true."""
    if not true:
        raise WrongResultError(otherwise)


def expect_same(found: Any, wanted: Any, what: str) -> None:
    """Both are equal; otherwise say what came back."""
    # The sentence is only made for what is wrong: values have megabytes.
    if found != wanted:
        raise WrongResultError(f"{what}: {shown(found)} came back, not {shown(wanted)}")


def expect_id(found: Any, wanted: str, what: str) -> None:
    """A checkpoint tuple, and the one that was asked for."""
    expect(found is not None, f"{what}: nothing was found")
    expect_same(found.checkpoint["id"], wanted, f"{what}, the checkpoint's id")


def expect_ends(found: Sequence[Any], wanted: Sequence[Any], what: str) -> None:
    """As many as there should be, and the first and the last are right."""
    expect_same(len(found), len(wanted), f"{what}, how many")
    if wanted:
        expect_same(found[0], wanted[0], f"{what}, the first")
        expect_same(found[-1], wanted[-1], f"{what}, the last")


def expect_all(found: Sequence[Any], wanted: Sequence[Any], what: str) -> None:
    """Each of them is right."""
    expect_same(len(found), len(wanted), f"{what}, how many")
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        expect_same(one, other, f"{what}, number {number}")


def contents(messages: Sequence[Any]) -> list[Any]:
    """What messages say. What is no message at all says nothing, and is shown as it is."""
    return [getattr(message, "content", message) for message in messages]


def shown(value: Any) -> str:
    """A value as a sentence can hold it."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:80]}... ({len(text):,} characters)"  # noqa: PLR2004

"""Sweeps by hand: what a survey answers, and what is asked of a thread after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph._redis.plan import Call


def survey(*entries: list[bytes], more: bytes = b"") -> list[object]:
    return [more, list(entries)]


def surveyed(name: bytes, parent: bytes = b"", refs: bytes = b"", run: bytes = b"") -> list[bytes]:
    """A record that holds no DeltaChannel, as a survey answers with it."""
    return [b"", name, parent, refs, run, b""]


def asked_of(call: Call, first: int = 1) -> list[object]:
    """Arguments, without a budget or a token before them."""
    return list(call.args[first:])

"""Values that contain another value's segments: a manifest with literal bytes in between. Pure.

A task's input often holds the conversation once more: an agent that sends a tool call hands over its
whole state, messages included. Their bytes are the same wherever they stand in a value, so the value is
kept as what is new in it, and the names of the segments in between.

A layout says where segments stand: ``<literal bytes before>:<count of segments>``, comma-separated. A
value that is nothing but its container's header and its own segments is the simplest case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from langgraph.checkpoint.redis.segments import SPLIT_FROM, Segment

_PROBE: Final = 256
_MISSES: Final = 32


class Spliced(NamedTuple):
    """A value as literal bytes and segments; `reach`: how many of the run's it needs, from the first on."""

    pieces: tuple[Segment, ...]
    layout: bytes
    literal: bytes
    reach: int = 0


def plain(header: bytes, pieces: tuple[Segment, ...]) -> Spliced:
    """A value that is a header and its own segments."""
    return Spliced(pieces, b"%d:%d" % (len(header), len(pieces)), header)


def is_plain(layout: bytes, literal: bytes, pieces: Sequence[Segment]) -> bool:
    """Whether a value is a header and these segments, so that a later value may extend it."""
    return layout == b"%d:%d" % (len(literal), len(pieces))


def splice(data: bytes, run: Sequence[Segment]) -> Spliced | None:
    """Find where a run of segments, or its beginning, stands in a value.

    Args:
        data: The value.
        run: Segments of another value, in its order.

    Returns:
        None if they do not stand in it, or too few bytes of them do.
    """
    if not run:
        return None
    probe = run[0].data[:_PROBE]
    literals: list[bytes] = []
    pieces: list[Segment] = []
    layout: list[bytes] = []
    at, length, misses, reach = 0, 0, 0, 0
    hit = data.find(probe)
    while hit >= 0 and misses < _MISSES:
        count, end = _extent(data, run, hit)
        if end - hit < SPLIT_FROM:
            misses += 1
            hit = data.find(probe, hit + 1)
            continue
        literals.append(data[at:hit])
        pieces += run[:count]
        reach = max(reach, count)
        length += hit - at
        layout.append(b"%d:%d" % (length, count))
        at = end
        hit = data.find(probe, at)
    if not pieces:
        return None
    return Spliced(tuple(pieces), b",".join(layout), b"".join((*literals, data[at:])), reach)


def _extent(data: bytes, run: Sequence[Segment], at: int) -> tuple[int, int]:
    """How many segments stand in `data` from `at` on, and where they end."""
    for count, segment in enumerate(run):
        if not data.startswith(segment.data, at):
            return count, at
        at += len(segment.data)
    return len(run), at


def join(pieces: Sequence[Segment], layout: bytes, literal: bytes) -> bytes:
    """Undo `splice` and `plain`."""
    parts: list[bytes] = []
    start, used = 0, 0
    for place in layout.split(b","):
        before, _, count = place.partition(b":")
        parts.append(literal[start : int(before)])
        parts += [piece.data for piece in pieces[used : used + int(count)]]
        start, used = int(before), used + int(count)
    parts.append(literal[start:])
    return b"".join(parts)

"""Splitting and merging one growing value, as bytes. Pure: no keys, no compression, no server.

LangGraph hands a saver the whole list of messages at every step. Stored whole each time, the bytes of a
thread grow with the square of its length. Here the bytes of a container (a msgpack array or map, also
inside the extension type of a DeltaChannel's snapshot) are cut into immutable segments: a value that
extends the one before it shares all segments but the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

SPLIT_FROM: Final = 1024
"""Bytes from which a container is cut into segments; below, a value is stored whole."""

PIECE: Final = 16 * 1024
"""Bytes of a large segment, about: smaller ones cost more fields, larger ones more bytes at a change."""

_FAN: Final = 8
_FAN_BITS: Final = 3
_DELTA_SNAPSHOT: Final = 7  # `EXT_DELTA_SNAPSHOT` of LangGraph's serializer.
_EXT_PREFIX: Final = {0xC7: 3, 0xC8: 4, 0xC9: 6}  # ext 8, 16, 32: bytes up to and with the type.
_CONTAINER_PREFIX: Final = {0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5}  # array and map, 16 and 32.


class Segment(NamedTuple):
    """A piece of a value: the name it is stored under, and its bytes."""

    name: bytes
    data: bytes


def header_length(data: bytes) -> int:
    """How many bytes stand before the items of a msgpack container; 0 if this is none.

    Args:
        data: One msgpack object.
    """
    start = _EXT_PREFIX.get(data[0], 0) if data else 0
    if start and (len(data) <= start or data[start - 1] != _DELTA_SNAPSHOT):
        return 0
    first = data[start] if data else 0
    if 0x80 <= first <= 0x9F:  # noqa: PLR2004 - fixmap and fixarray, as msgpack's specification numbers them.
        return start + 1
    length = _CONTAINER_PREFIX.get(first, 0)
    return start + length if length else 0


def level(size: int) -> int:
    """The size class of a segment: -1 below 256 bytes, then one more for every factor of eight."""
    return ((size >> 8).bit_length() - 1) // _FAN_BITS


def kept(segments: Sequence[Segment], data: bytes, offset: int) -> int:
    """How many leading segments stand unchanged in `data` from `offset` on."""
    for count, segment in enumerate(segments):
        if not data.startswith(segment.data, offset):
            return count
        offset += len(segment.data)
    return len(segments)


def merged(sizes: Sequence[int], tail: int, largest: int = PIECE) -> int:
    """How many of the kept segments stay as they are when `tail` bytes are added.

    Eight segments of a size class are merged with the tail into one of the next, and so on, so that a
    value has few segments and each byte is rewritten once per size class. A segment of a higher class
    ends the walk: going on past it would rewrite everything at every append. So does one that is large:
    fields cost little next to it, and a change inside it would cost all of it.

    Args:
        sizes: Bytes of the kept segments, oldest first.
        tail: Bytes that are new.
        largest: Bytes from which a segment stays as it is.
    """
    stays, absorbed, total, top = len(sizes), 0, tail, level(tail)
    for position in range(len(sizes) - 1, -1, -1):
        if level(sizes[position]) > top or sizes[position] >= largest:
            break
        absorbed += 1
        total += sizes[position]
        if absorbed == _FAN:
            stays, absorbed, top = position, 0, max(top + 1, level(total))
    return stays


def appended(before: Sequence[Segment], tail: bytes, largest: int = PIECE) -> list[Segment | bytes]:
    """Merge bytes that are new with the segments right before them, as far as `merged` says."""
    stays = merged([len(segment.data) for segment in before], len(tail), largest)
    if stays < len(before):
        tail = b"".join((*[segment.data for segment in before[stays:]], tail))
    return [*before[:stays], tail]


def grown(parts: Sequence[Segment | bytes], largest: int = PIECE) -> list[Segment | bytes]:
    """Likewise what is new at the end of a value's parts, if it is."""
    if not parts or isinstance(parts[-1], Segment):
        return list(parts)
    segments = [part for part in takewhile(_is_segment, reversed(parts[:-1])) if isinstance(part, Segment)]
    return [*parts[: -1 - len(segments)], *appended(segments[::-1], parts[-1], largest)]


def _is_segment(part: Segment | bytes) -> bool:
    return isinstance(part, Segment)

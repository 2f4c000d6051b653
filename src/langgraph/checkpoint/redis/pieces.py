"""A value that changed in its midst: what of the one before it still stands in it, and what is new. Pure.

A conversation grows at its end, so it is cut there alone, into few segments. A table of documents changes
anywhere. The first change inside a large segment cuts what is around it into pieces, once; from then on a
change costs the pieces that it touches. A value that only grows is never cut up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from langgraph.checkpoint.redis.segments import PIECE, Segment, appended, grown, kept

Part: TypeAlias = "Segment | bytes"
"""A segment that is there already, or bytes that are new."""

_LEAST: Final = PIECE // 8
"""Bytes that are worth a segment of their own, or a look for them."""

_MOST: Final = 512
"""Pieces of a value, about: a very large one is cut into larger pieces, so that its manifest stays small."""

_SPARE: Final = 64
"""Parts above twice the number of pieces, from which small neighbours are joined."""

_MARGIN: Final = 32
"""Bytes beside a change that go with it."""

_PROBE: Final = 64
_MISSES: Final = 4


def arrange(before: Sequence[Segment], data: bytes, offset: int) -> list[Part]:
    """Take a value apart, from `offset` on: the segments of the one before it that it has, and what is new.

    Args:
        before: The segments of the value before it, in their order.
        data: The value.
        offset: Where its items begin.

    Returns:
        Parts that joined are the value. Nothing is reused, and nothing cut, if it is another altogether.
    """
    count = kept(before, data, offset)
    at = offset + sum(len(segment.data) for segment in before[:count])
    piece = max(PIECE, len(data) // _MOST)
    few = 2 * len(data) // piece + _SPARE
    if count == len(before) < few and at < len(data):  # It only grew, as most values do.
        return appended(before, data[at:], piece)
    parts = [*before[:count], *_changed(before[count:], data, at, piece)]
    return grown(parts, piece) if len(parts) <= few else list(_joined(parts, piece))


def _changed(old: Sequence[Segment], data: bytes, at: int, piece: int) -> list[Part]:
    """The parts from `at` on, where the first of the old segments does not stand."""
    parts: list[Part] = []
    places = [(-1, at), *_places(old, data, at), (len(old), len(data))]
    for (last, start), (index, end) in pairwise(places):
        found = old[max(last, 0) : last + 1]
        start_of_gap = start + sum(len(segment.data) for segment in found)
        dropped = b"".join(segment.data for segment in old[last + 1 : index])
        parts += [*found, *_cut_anew(dropped, data[start_of_gap:end], piece)]
    return parts


def _places(old: Sequence[Segment], data: bytes, at: int) -> list[tuple[int, int]]:
    """Which of the old segments stand further on, and where: those of the end first, the cheapest."""
    index, end, last = len(old), len(data), list[tuple[int, int]]()
    while index and data.endswith(old[index - 1].data, at, end):
        index -= 1
        end -= len(old[index].data)
        last.append((index, end))
    return [*_between(old[:index], data, at, end), *reversed(last)]


def _between(old: Sequence[Segment], data: bytes, at: int, end: int) -> Iterable[tuple[int, int]]:
    misses = 0
    for index, segment in enumerate(old):
        if len(segment.data) < _LEAST:
            continue
        hit = data.find(segment.data[:_PROBE], at, end)
        if hit >= 0 and hit + len(segment.data) <= end and data.startswith(segment.data, hit):
            yield index, hit
            at = hit + len(segment.data)
        else:
            misses += 1
        if misses == _MISSES:
            return


def _cut_anew(was: bytes, now: bytes, piece: int) -> list[bytes]:
    """Cut new bytes where they begin, and end, to differ from those that stood in their place.

    What is alike at both ends becomes pieces, and so does one long run of bytes that moved in between.
    """
    head, tail = _ends(was, now)
    start, stop = _moved(was[head : len(was) - tail], now[head : len(now) - tail], piece)
    if head + tail + stop - start < piece:
        return [now] if now else []
    alike = ((0, head), (head + start, head + stop), (len(now) - tail, len(now)))
    parts: list[bytes] = []
    at = 0
    for begin, end in alike:
        parts += [now[at:begin], *_sliced(now[begin:end], piece)]
        at = end
    return [part for part in parts if part]


def _ends(was: bytes, now: bytes) -> tuple[int, int]:
    """How many bytes are alike at the beginning and at the end, but for those right beside what differs.

    Two texts may begin alike by chance: with a margin, what comes next in their place leaves the rest alone.
    """
    most = min(len(was), len(now))
    head = _same(most, lambda start, stop: was[start:stop] == now[start:stop])
    tail = _same(most - head, lambda start, stop: _ending(was, start, stop) == _ending(now, start, stop))
    head, tail = (0 if size < _LEAST else size - _MARGIN for size in (head, tail))
    return head, tail


def _moved(was: bytes, now: bytes, piece: int) -> tuple[int, int]:
    """Where a run of bytes stands in `now` that stood elsewhere in `was`, as after a window moved on."""
    if min(len(was), len(now)) < piece:
        return 0, 0
    return max((_around(was, now, len(was) * part // 4) for part in (1, 2, 3)), key=_length)


def _around(was: bytes, now: bytes, at: int) -> tuple[int, int]:
    """The run in `now` that is alike with that around one place of `was`."""
    hit = now.find(was[at : at + _PROBE])
    if hit < 0:
        return 0, 0
    before, after = was[:at], was[at:]
    back = _same(
        min(at, hit), lambda start, stop: _ending(before, start, stop) == now[hit - stop : hit - start]
    )
    on = _same(
        min(len(after), len(now) - hit),
        lambda start, stop: after[start:stop] == now[hit + start : hit + stop],
    )
    return (hit - back + _MARGIN, hit + on - _MARGIN) if back + on >= _LEAST else (0, 0)


def _length(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _ending(data: bytes, start: int, stop: int) -> bytes:
    return data[len(data) - stop : len(data) - start]


def _same(most: int, alike: Callable[[int, int], bool]) -> int:
    """For how many bytes two values are alike, looked at in strides that double, and then by halves."""
    same, stride = 0, _PROBE
    while same < most and alike(same, min(same + stride, most)):
        same, stride = min(same + stride, most), 2 * stride
    stop = min(same + stride, most)
    while same < stop:
        middle = (same + stop + 1) // 2
        if alike(same, middle):
            same = middle
        else:
            stop = middle - 1
    return same


def _sliced(data: bytes, piece: int) -> list[bytes]:
    """Pieces of one size, none of them smaller than a piece, unless it is alone."""
    if not data:
        return []
    size = -(-len(data) // max(1, len(data) // piece))
    return [data[at : at + size] for at in range(0, len(data), size)]


def _joined(parts: Iterable[Part], piece: int) -> Iterable[Part]:
    """Neighbours that are small together become one part, which is new."""
    group: list[Part] = []
    size = 0
    for part in parts:
        length = len(_bytes(part))
        if group and size + length > piece:
            yield _one(group)
            group, size = [], 0
        group.append(part)
        size += length
    if group:
        yield _one(group)


def _one(group: Sequence[Part]) -> Part:
    return group[0] if len(group) == 1 else b"".join(map(_bytes, group))


def _bytes(part: Part) -> bytes:
    return part.data if isinstance(part, Segment) else part

r"""Bytes <-> checkpoint records and pending writes, in layout version 1.

* record: ``1<parent>\n<edition>\n<refs>\n<run>\n<delta>\n<packed>``. The lines are for scripts, which
  follow parents and refs. `edition` tells records of one id apart that name other values: a digest of the
  refs that the put names or looks for, then ``+`` or ``-`` for each of the latter: was it there? `refs`,
  tab-separated: ``<channel>/<version>`` for a value in a field of its own, a bare ``<channel>`` for one in
  the body. `run`: the run that made the checkpoint. `delta`: channels whose value is rebuilt from ancestors,
  so that dropping those keeps what is still needed. The body is
  `[checkpoint without values, inline values, metadata]`.
* value: ``I<packed>`` whole, or a manifest, ``M<segment names>\n<type>\n<layout>\n<sealed literal>``
  (`splice` says what a layout is).
* write entry: ``<idx>\t<task path>\t<channel>\t<length>\n<packed>``; or instead of ``<packed>``
  ``<type>\n\x04<segment names>\n<layout>\n<sealed literal>``, with segments of a value of the same
  checkpoint: as long as the write is there, they are.

``<packed>`` is what `Codec.pack` makes: the serializer's type, a newline, sealed bytes, of which the first
is never ``\x04``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from langgraph.checkpoint.base import WRITES_IDX_MAP

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import MSGPACK, Codec, Dumped, checked
from langgraph.checkpoint.redis.segments import SPLIT_FROM, Segment
from langgraph.checkpoint.redis.splice import Spliced, join, splice

LAYOUT: Final = b"1"
_SPLICED: Final = b"\x04"
_EARLIER: Final = b"\x02"
_INLINE_TYPES: Final = frozenset({type(None), bool, int, float})
_INLINE_TEXT: Final = 64
_CHANNEL: Final = itemgetter(0)
_INLINE_IF_EMPTY: Final = frozenset({list, dict})

_WRITE_COMPRESSED_FROM: Final = 640
"""Bytes from which a write is compressed: a message of some lines would be a quarter shorter, and it is read
at most once or twice, while compressing it takes a tenth of the time of the whole call."""


def inline(value: Any) -> bool:
    """Whether a value is small enough to stand in the record itself.

    Empty lists are: LangGraph's own channel of tasks holds one at most steps of an agent with tools.
    Subclasses, an `IntEnum` say, are left to the serializer as values of their own.
    """
    kind = type(value)
    if kind in _INLINE_TYPES:
        return True
    return (kind is str and len(value) <= _INLINE_TEXT) or (kind in _INLINE_IF_EMPTY and not value)


class Record(NamedTuple):
    """A checkpoint's record, taken apart.

    Attributes:
        refs: Those of values in fields of their own, by channel.
        named: How many values it has, in fields and inline.
        body: What `Body` is loaded from.
    """

    parent: str | None
    edition: bytes
    refs: dict[str, bytes]
    named: int
    body: Dumped


class Body(NamedTuple):
    """The body of a record: the checkpoint without values, those that stand in the record, the metadata."""

    checkpoint: dict[str, Any]
    inline: dict[str, Any]
    metadata: dict[str, Any]


def record_tail(codec: Codec, run: bytes, delta: Sequence[bytes], body: list[Any]) -> bytes:
    """What follows the refs in a record; the script puts parent, edition and refs before it."""
    tail = b"".join((run, b"\n", b"\t".join(delta), b"\n", codec.pack(body)))
    return checked(tail, "the checkpoint without its values, its metadata above all,")


def open_record(codec: Codec, field: bytes, data: bytes) -> Record:
    """Take a record apart.

    Raises:
        CorruptRecordError: If the layout is not ours.
    """
    if data[:1] != LAYOUT:
        raise CorruptRecordError(
            f"its layout version is {data[:1]!r} and this release reads {LAYOUT!r}: "
            "a newer release may have written it"
        )
    parent, edition, refs, _, _, packed = data[1:].split(b"\n", 5)
    above = keys.decoded(parent) if parent else None
    return Record(above, edition, *_open_refs(refs), codec.opened(field, packed))


def _open_refs(line: bytes) -> tuple[dict[str, bytes], int]:
    r"""What a record says of its values; a ref after ``\x02`` is one of an earlier put under this id."""
    refs, named = {}, 0
    for ref in line.split(b"\t") if line else ():
        if not ref.startswith(_EARLIER):
            named += 1
            channel, of_field, _ = ref.partition(b"/")
            if of_field:
                refs[keys.decoded(channel)] = ref
    return refs, named


class PendingEntry(NamedTuple):
    """One write as it is ordered: by task path, task, index."""

    path: str
    task: str
    idx: int
    channel: str
    value: Dumped


class PackedWrites(NamedTuple):
    """The entries of one `put_writes`.

    Attributes:
        blob: The entries.
        names: All segments' names up to the furthest that they name, joined.
        named: How many they name.
    """

    blob: bytes
    names: bytes
    named: int = 0


def pack_writes(
    codec: Codec, writes: Sequence[tuple[str, Any]], path: str, run: Sequence[Segment] = ()
) -> PackedWrites:
    """Pack the writes of one task.

    Of two special writes to one channel the last counts, as LangGraph's contract has it
    (`WRITES_IDX_MAP`: special writes have one slot each, the others one for each position).

    Args:
        codec: Turns values into bytes.
        writes: Pairs of channel and value.
        path: The task's path.
        run: Segments of a value of the same checkpoint, which writes may contain.
    """
    slots = {WRITES_IDX_MAP.get(channel, idx): (channel, obj) for idx, (channel, obj) in enumerate(writes)}
    encoded_path, entries, reach, count = keys.word(path), [], 0, 0
    for idx, (channel, obj) in slots.items():
        kind, data = codec.dumps(obj)
        found = splice(data, run) if run and len(data) >= SPLIT_FROM and kind == MSGPACK else None
        if found is None:
            packed = codec.seal(data, _WRITE_COMPRESSED_FROM)
        else:
            packed = _spliced(codec, found)
            reach = max(reach, found.reach)
            count += len(found.pieces)
        head = idx, encoded_path, keys.word(channel), len(kind) + 1 + len(packed)
        entries.append(b"%d\t%b\t%b\t%d\n%b\n%b" % (*head, kind, packed))
    blob = checked(b"".join(entries), "what one task writes to", map(_CHANNEL, slots.values()))
    return PackedWrites(blob, b"".join([piece.name for piece in run[:reach]]), count)


def _spliced(codec: Codec, found: Spliced) -> bytes:
    """A value that names segments."""
    names = b"".join([piece.name for piece in found.pieces])
    return b"\n".join((_SPLICED + names, found.layout, codec.seal(found.literal)))


def open_writes(
    codec: Codec, field: bytes, task: str, blob: bytes, segments: Callable[[bytes], Sequence[Segment]]
) -> list[PendingEntry]:
    """The entries of one task's field; `segments` finds those of joined names."""
    entries = []
    at = 0
    while at < len(blob):
        stop = blob.index(b"\n", at)
        idx, path, channel, length = blob[at:stop].split(b"\t")
        at = stop + 1 + int(length)
        value = _open_write(codec, field, blob[stop + 1 : at], segments)
        entries.append(PendingEntry(keys.decoded(path), task, int(idx), keys.decoded(channel), value))
    return entries


def _open_write(
    codec: Codec, field: bytes, packed: bytes, segments: Callable[[bytes], Sequence[Segment]]
) -> Dumped:
    kind, _, piece = packed.partition(b"\n")
    if piece[:1] != _SPLICED:
        return field, kind, codec.unseal(piece)
    names, layout, literal = piece[1:].split(b"\n", 2)
    return field, kind, join(segments(names), layout, codec.unseal(literal))

r"""Bytes <-> checkpoint records and pending writes, in layout version 1.

* record: ``1<parent>\n<refs>\n<run>\n<delta>\n<packed>``. The lines are for scripts, which follow
  parents and refs. `refs`, tab-separated: ``<channel>/<version>`` for a value in a field of its own, a
  bare ``<channel>`` for one in the body. `run`: the run that made the checkpoint. `delta`: channels
  whose value is rebuilt from ancestors, so that dropping those keeps what is still needed. The body is
  `[checkpoint without values, inline values, metadata]`.
* value: ``I<packed>`` whole, or ``M<segment names>\n<type>\n<sealed container header>``.
* write entry: ``<idx>\t<task path>\t<channel>\t<length>\n<packed>``.

``<packed>`` is what `Codec.pack` makes: the serializer's type, a newline, sealed bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from langgraph.checkpoint.base import WRITES_IDX_MAP

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec

LAYOUT: Final = b"1"
_INLINE_TYPES: Final = frozenset({type(None), bool, int, float})
_INLINE_TEXT: Final = 64


def inline(value: Any) -> bool:
    """Whether a value is small enough to stand in the record itself.

    Subclasses, an `IntEnum` say, are left to the serializer as values of their own.
    """
    kind = type(value)
    return kind in _INLINE_TYPES or (kind is str and len(value) <= _INLINE_TEXT)


class Record(NamedTuple):
    """A checkpoint's record, taken apart."""

    parent: str | None
    refs: list[bytes]
    checkpoint: dict[str, Any]
    inline: dict[str, Any]
    metadata: dict[str, Any]


def record_tail(codec: Codec, run: bytes, delta: Sequence[bytes], body: list[Any]) -> bytes:
    """What follows the refs in a record; the script puts parent and refs before it."""
    return b"".join((run, b"\n", b"\t".join(delta), b"\n", codec.pack(body)))


def read_record(codec: Codec, data: bytes) -> Record:
    """Take a record apart.

    Raises:
        CorruptRecordError: If the layout is not ours.
    """
    if data[:1] != LAYOUT:
        raise CorruptRecordError(
            f"its layout version is {data[:1]!r} and this release reads {LAYOUT!r}: "
            "a newer release may have written it"
        )
    parent, refs, _, _, packed = data[1:].split(b"\n", 4)
    checkpoint, small, metadata = codec.unpack(packed)
    return Record(
        keys.decoded(parent) if parent else None,
        refs.split(b"\t") if refs else [],
        checkpoint,
        small,
        metadata,
    )


class PendingEntry(NamedTuple):
    """One write as it is ordered: by task path, task, index."""

    path: str
    task: str
    idx: int
    channel: str
    value: Any


def pack_writes(codec: Codec, writes: Sequence[tuple[str, Any]], path: str) -> bytes:
    """The entries of one `put_writes`.

    Of two special writes to one channel the last counts, as LangGraph's contract has it
    (`WRITES_IDX_MAP`: special writes have one slot each, the others one for each position).
    """
    slots = {WRITES_IDX_MAP.get(channel, idx): (channel, obj) for idx, (channel, obj) in enumerate(writes)}
    encoded_path = keys.word(path)
    entries = []
    for idx, (channel, obj) in slots.items():
        packed = codec.pack(obj)
        name = keys.word(channel)
        entries.append(b"%d\t%b\t%b\t%d\n%b" % (idx, encoded_path, name, len(packed), packed))
    return b"".join(entries)


def read_writes(codec: Codec, task: str, blob: bytes) -> list[PendingEntry]:
    """The entries of one task's field."""
    entries = []
    at = 0
    while at < len(blob):
        stop = blob.index(b"\n", at)
        idx, path, channel, length = blob[at:stop].split(b"\t")
        at = stop + 1 + int(length)
        value = codec.unpack(blob[stop + 1 : at])
        entries.append(PendingEntry(keys.decoded(path), task, int(idx), keys.decoded(channel), value))
    return entries

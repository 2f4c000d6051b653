"""One reply of checkpoints, taken apart: records, values, segments, writes. Pure.

Whatever cannot be read raises an error that names the key and the field: never a checkpoint with less
in it than was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from langgraph.checkpoint.base import CheckpointTuple

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.names import decode
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.keys import SEGMENT_NAME_LENGTH, Thread
from langgraph.checkpoint.redis.records import PendingEntry, Record, read_record, read_writes
from langgraph.checkpoint.redis.segments import Segment
from langgraph.checkpoint.redis.shelves import ABSENT, EMPTY, Held, Shelf, own
from langgraph.checkpoint.redis.splice import is_plain, join

T = TypeVar("T")

# The ref and the segments of a value in a field of its own.
_InField: TypeAlias = "tuple[bytes, tuple[Segment, ...]]"

_ORDER: Final = itemgetter(0, 1, 2)
"""Of a `PendingEntry`: path, task, index."""

GONE: Final = "it is gone, and something that is stored needs it: was it evicted?"


def unreadable(thread: Thread, field: bytes, why: str) -> CorruptRecordError:
    """What went wrong, with the key and the field."""
    try:
        name = decode(field)
    except UnicodeDecodeError:  # What is damaged may be where the name comes from.
        name = field.decode("utf-8", "backslashreplace")
    return CorruptRecordError(f"cannot read field {name!r} of key {decode(thread.data)!r}: {why}")


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """A reply's [field, value, field, value, ...] as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Stored(NamedTuple):
    """What a reply holds of checkpoints, as it is stored.

    Attributes:
        entries: Namespace, id, record, and [task, writes, task, writes, ...] of each.
        values: Bytes by value field; None for what is gone.
        segments: Bytes by segment field, likewise.
    """

    entries: list[tuple[bytes, bytes, bytes, Sequence[bytes]]]
    values: dict[bytes, bytes]
    segments: dict[bytes, bytes]


NOTHING: Final = Stored([], {}, {})


def stored(reply: Sequence[Any], at: int = 0) -> Stored:
    """The batches of checkpoints that stand in a reply from `at` on, as the scripts lay them out."""
    entries, values, segments = [], dict[bytes, bytes](), dict[bytes, bytes]()
    while at < len(reply):
        of_values, of_segments, count = reply[at : at + 3]
        middle = at + 3 + 2 * of_values
        values.update(pairs(reply[at + 3 : middle]))
        at = middle + 2 * of_segments
        segments.update(pairs(reply[middle:at]))
        for _ in range(count):
            ns, name, record, tasks = reply[at : at + 4]
            first, at = at + 4, at + 4 + 2 * tasks
            entries.append((ns, name, record, reply[first:at]))
    return Stored(entries, values, segments)


class Reader:
    """Reads the entries of one reply.

    Args:
        codec: Turns bytes into objects.
        thread: Whose checkpoints these are.
        found: What the script answered.
        shelf: What the script was told that the client holds.
    """

    def __init__(self, codec: Codec, thread: Thread, found: Stored = NOTHING, shelf: Shelf = EMPTY) -> None:
        self._codec = codec
        self._thread = thread
        self._values = found.values
        self._sealed = found.segments
        self._open: dict[bytes, Segment] = shelf.segments()
        self._last: tuple[Record, dict[str, _InField]]  # What was read last, and what it has in fields.
        self._field = b""  # What is being read, for an error to name.
        self._names = b""  # The last run of segments.
        self._run: tuple[Segment, ...] = ()

    def _guarded(self, field: bytes, read: Callable[..., T], *args: Any) -> T:
        """Read what a field held, and what that names; an error names the field at which it went wrong."""
        self._field = field
        try:
            return read(*args)
        except Exception as error:
            raise unreadable(self._thread, self._field, str(error) or type(error).__name__) from error

    def record(self, ns: bytes, checkpoint_id: bytes, data: bytes) -> Record:
        """One record."""
        return self._guarded(keys.record(ns, checkpoint_id), read_record, self._codec, data)

    def tuple_of(self, entry: Sequence[Any]) -> CheckpointTuple:
        """One checkpoint."""
        return self._guarded(keys.record(*entry[:2]), self._tuple, *entry)

    def value(self, field: bytes, data: bytes | None) -> Any:
        """One channel value."""
        return self._guarded(field, self._value, data)[0]

    def entries(self, ns: bytes, checkpoint_id: bytes, flat: Sequence[bytes]) -> list[PendingEntry]:
        """Pending writes in the order in which live execution applies them."""
        return self._guarded(keys.record(ns, checkpoint_id), self._entries, ns, checkpoint_id, flat)

    def shelf(self, checkpoint_id: str) -> Shelf:
        """What is known of the checkpoint that was read last, whose id is this."""
        record, in_fields = self._last
        held = {
            channel: Held(version, *in_fields[channel])
            if channel in in_fields
            else Held(version, inline=own(record.inline.get(channel, ABSENT)))
            for channel, version in record.checkpoint["channel_versions"].items()
        }
        return Shelf(held, checkpoint_id, edition=record.edition)

    def _tuple(
        self, ns: bytes, checkpoint_id: bytes, data: bytes, writes: Sequence[bytes]
    ) -> CheckpointTuple:
        given, space, name = self._thread.given, keys.decoded(ns), keys.decoded(checkpoint_id)
        record = read_record(self._codec, data)
        if record.checkpoint.get("id") != name:
            raise CorruptRecordError("what it holds is not the checkpoint of that id")
        values = self._channels(ns, record)
        entries = self._entries(ns, checkpoint_id, writes)
        return CheckpointTuple(
            config=keys.config_of(given, space, name),
            checkpoint=cast("Any", {**record.checkpoint, "channel_values": values}),
            metadata=cast("Any", record.metadata),
            parent_config=keys.config_of(given, space, record.parent) if record.parent else None,
            pending_writes=[(task, channel, value) for _, task, _, channel, value in entries],
        )

    def _channels(self, ns: bytes, record: Record) -> dict[str, Any]:
        """The values, in the order of their versions. What is known of them then is for `shelf`."""
        of_record, small, refs = self._field, record.inline, record.refs
        values: dict[str, Any] = {}
        in_fields: dict[str, _InField] = {}
        for channel in record.checkpoint["channel_versions"]:
            if channel in refs:
                self._field = keys.value(ns, refs[channel])
                values[channel], pieces = self._value(self._values.get(self._field))
                in_fields[channel] = refs[channel], pieces
            elif channel in small:
                values[channel] = small[channel]
        self._field, self._last = of_record, (record, in_fields)
        if len(values) != record.named:
            raise CorruptRecordError(f"it names {record.named} values, and has {len(values)} by these names")
        return values

    def _value(self, data: bytes | None) -> tuple[Any, tuple[Segment, ...]]:
        if data is None:
            raise CorruptRecordError(GONE)
        if data[:1] == b"I":
            return self._codec.unpack(data[1:]), ()
        names, kind, layout, piece = data[1:].split(b"\n", 3)
        pieces, literal = self._segments(names), self._codec.unseal(piece)
        if is_plain(layout, literal):
            return self._codec.loads(kind, b"".join([literal, *[piece.data for piece in pieces]])), pieces
        return self._codec.loads(kind, join(pieces, layout, literal)), ()

    def _segments(self, names: bytes) -> tuple[Segment, ...]:
        """Those of joined names: of an older value mostly the first of those of the newer one before it."""
        if len(names) % SEGMENT_NAME_LENGTH or not self._names.startswith(names):
            starts, known = range(0, len(names), SEGMENT_NAME_LENGTH), self._open
            found = [names[at : at + SEGMENT_NAME_LENGTH] for at in starts]
            self._run = tuple([known[name] if name in known else self._opened(name) for name in found])
            self._names = names
        return self._run[: len(names) // SEGMENT_NAME_LENGTH]

    def _opened(self, name: bytes) -> Segment:
        user, self._field = self._field, keys.segment(name)
        sealed = self._sealed.get(self._field)
        if sealed is None:
            raise CorruptRecordError(GONE)
        opened = self._open[name] = Segment(name, self._codec.unseal(sealed))
        self._field = user
        return opened

    def _entries(self, ns: bytes, checkpoint_id: bytes, flat: Sequence[bytes]) -> list[PendingEntry]:
        """With path and index: `(task_path, task_id, idx)` is LangGraph's `writes_sort_key`."""
        found: list[PendingEntry] = []
        for task, blob in zip(flat[::2], flat[1::2], strict=True):
            if task.startswith(b"\n"):
                self._field = task[1:]
                raise CorruptRecordError("it should list tasks with writes, and does not")
            self._field = keys.write(ns, task, checkpoint_id)
            if not blob:
                raise CorruptRecordError("it is gone or empty, and its task is listed as one with writes")
            found += read_writes(self._codec, keys.decoded(task), blob, self._segments)
        if len(found) > 1:
            found.sort(key=_ORDER)
        return found


def matches(metadata: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether metadata has every wanted key with an equal value, compared in Python."""
    return not wanted or all(metadata.get(key) == value for key, value in wanted.items())

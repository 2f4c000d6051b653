"""One reply of checkpoints, taken apart: records, values, segments, writes. Pure.

Whatever cannot be read raises an error that names the key and the field: never a checkpoint with less
in it than was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar, cast

from langgraph.checkpoint.base import CheckpointTuple

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.names import decode
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.keys import SEGMENT_NAME_LENGTH, Thread
from langgraph.checkpoint.redis.records import PendingEntry, Record, read_record, read_writes
from langgraph.checkpoint.redis.segments import Segment
from langgraph.checkpoint.redis.shelves import ABSENT, Held, Shelf
from langgraph.checkpoint.redis.splice import is_plain, join

T = TypeVar("T")

# A channel, and the fields of what is `Held` of it.
_Known: TypeAlias = "tuple[str, Any, bytes | None, tuple[Segment, ...], Any]"

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


class Reader:
    """Reads the entries of one reply.

    Args:
        codec: Turns bytes into objects.
        thread: Whose checkpoints these are.
        values: Value fields and their bytes, as the script answered.
        segments: Segment fields and their bytes, likewise.
        shelf: What the script was told that the client holds.
    """

    def __init__(
        self,
        codec: Codec,
        thread: Thread,
        values: Sequence[bytes],
        segments: Sequence[bytes],
        shelf: Shelf,
    ) -> None:
        self._codec = codec
        self._thread = thread
        self._values = pairs(values)
        self._sealed = pairs(segments)
        self._open: dict[bytes, Segment] = shelf.segments()
        self._found: list[_Known] = []
        self._edition = b""
        self._field = b""  # What is being read, for an error to name.

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
        held = {channel: Held(*known) for channel, *known in self._found}
        return Shelf(held, checkpoint_id, edition=self._edition)

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
            pending_writes=[(entry.task, entry.channel, entry.value) for entry in entries],
        )

    def _channels(self, ns: bytes, record: Record) -> dict[str, Any]:
        """The values, in the order of their versions. What is known of them then is for `shelf`."""
        own = self._field
        refs = {ref.partition(b"/")[0]: ref for ref in record.refs if b"/" in ref}
        values: dict[str, Any] = {}
        found: list[_Known] = []
        for channel, version in record.checkpoint["channel_versions"].items():
            ref = refs.get(keys.word(channel))
            if ref is not None:
                self._field = keys.value(ns, ref)
                values[channel], pieces = self._value(self._values.get(self._field))
                found.append((channel, version, ref, pieces, ABSENT))
                self._field = own
            else:
                small = record.inline.get(channel, ABSENT)
                found.append((channel, version, None, (), small))
                if small is not ABSENT:
                    values[channel] = small
        self._found, self._edition = found, record.edition
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
        value = self._codec.loads(kind, join(pieces, layout, literal))
        return value, pieces if is_plain(layout, literal) else ()

    def _segments(self, names: bytes) -> tuple[Segment, ...]:
        starts = range(0, len(names), SEGMENT_NAME_LENGTH)
        found = [names[at : at + SEGMENT_NAME_LENGTH] for at in starts]
        for name in found:
            if name not in self._open:
                self._open[name] = self._opened(name)
        return tuple([self._open[name] for name in found])

    def _opened(self, name: bytes) -> Segment:
        user, self._field = self._field, keys.segment(name)
        sealed = self._sealed.get(self._field)
        if sealed is None:
            raise CorruptRecordError(GONE)
        data = self._codec.unseal(sealed)
        self._field = user
        return Segment(name, data)

    def _entries(self, ns: bytes, checkpoint_id: bytes, flat: Sequence[bytes]) -> list[PendingEntry]:
        """With path and index: `(task_path, task_id, idx)` is LangGraph's `writes_sort_key`."""
        found: list[PendingEntry] = []
        for task, blob in pairs(flat).items():
            if task.startswith(b"\n"):
                self._field = task[1:]
                raise CorruptRecordError("it should list tasks with writes, and does not")
            self._field = keys.write(ns, task, checkpoint_id)
            if not blob:
                raise CorruptRecordError("it is gone or empty, and its task is listed as one with writes")
            found += read_writes(self._codec, keys.decoded(task), blob, self._segments)
        if len(found) > 1:
            found.sort(key=_order)
        return found


def _order(entry: PendingEntry) -> tuple[str, str, int]:
    return entry[:3]


def matches(metadata: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether metadata has every wanted key with an equal value, compared in Python."""
    return not wanted or all(metadata.get(key) == value for key, value in wanted.items())

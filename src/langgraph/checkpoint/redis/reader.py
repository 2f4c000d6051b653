"""One reply of checkpoints, taken apart: records, values, segments, writes. Pure.

Whatever cannot be read raises an error that names the key and the field: never a checkpoint with less
in it than was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from langgraph.checkpoint.base import CheckpointTuple

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.names import decode
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import Codec, Dumped
from langgraph.checkpoint.redis.keys import SEGMENT_NAME_LENGTH, Thread
from langgraph.checkpoint.redis.records import Body, PendingEntry, Record, open_record, open_writes
from langgraph.checkpoint.redis.segments import Segment
from langgraph.checkpoint.redis.shelves import ABSENT, EMPTY, Held, Shelf, own
from langgraph.checkpoint.redis.splice import is_plain, join

T = TypeVar("T")

# The ref and the segments of a value in a field of its own.
_InField: TypeAlias = "tuple[bytes, tuple[Segment, ...]]"

# Namespace, id, record, writes.
_Entry: TypeAlias = "tuple[bytes, bytes, bytes, Sequence[bytes]]"

_AT_ONCE: Final = 16
"""Checkpoints that are in memory as bytes and as objects both, at most."""

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

    entries: list[_Entry]
    values: dict[bytes, bytes]
    segments: dict[bytes, bytes]


NOTHING: Final = Stored([], {}, {})


def stored(reply: Sequence[Any], at: int = 0) -> Stored:
    """The checkpoints that stand in a reply from `at` on, as the scripts lay them out."""
    entries, values, segments = [], list[bytes](), list[bytes]()
    while at < len(reply):
        ns, name, record, of_values, of_segments, tasks = reply[at : at + 6]
        first = at + 6
        second = first + 2 * of_values
        third = second + 2 * of_segments
        at = third + 2 * tasks
        values += reply[first:second]
        segments += reply[second:third]
        entries.append((ns, name, record, reply[third:at]))
    return Stored(entries, pairs(values), pairs(segments))


class _Opened(NamedTuple):
    """One checkpoint that is taken apart; `in_fields` has its values in fields of their own, by channel."""

    ns: bytes
    id: bytes
    record: Record
    in_fields: dict[str, _InField]
    writes: list[PendingEntry]


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
        self._last: tuple[_Opened, Body]  # The checkpoint that was read last.
        self._field = b""  # What is being read, for an error to name.
        self._names = b""  # The last run of segments.
        self._run: tuple[Segment, ...] = ()

    def _guarded(self, field: bytes, read: Callable[..., T], *args: Any) -> T:
        """Read what a field held, and what that names; an error names the field at which it went wrong."""
        self._field = field
        try:
            return read(*args)
        except Exception as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> CorruptRecordError:
        return unreadable(self._thread, self._field, str(error) or type(error).__name__)

    def tuples(self, entries: Sequence[_Entry]) -> Iterator[CheckpointTuple]:
        """Checkpoints.

        Several are taken apart, then loaded, then put together. Were each read by itself, this code would
        find the processor's caches full of the serializer's each time, and take twice as long.
        """
        for first in range(0, len(entries), _AT_ONCE):
            dumped: list[Dumped] = []
            opened = [
                self._guarded(keys.record(*entry[:2]), self._opened, dumped, *entry)
                for entry in entries[first : first + _AT_ONCE]
            ]
            objects = iter(self._loaded(dumped))
            for one in opened:
                yield self._guarded(one.record.body[0], self._tuple, one, objects)

    def body(self, ns: bytes, checkpoint_id: bytes, data: bytes) -> Body:
        """The body of one record."""
        field = keys.record(ns, checkpoint_id)
        return Body(*self.load(self._guarded(field, open_record, self._codec, field, data).body))

    def value(self, field: bytes, data: bytes | None) -> Any:
        """One channel value."""
        dumped, _ = self._guarded(field, self._value, field, data)
        return self.load(dumped)

    def entries(self, ns: bytes, checkpoint_id: bytes, flat: Sequence[bytes]) -> list[PendingEntry]:
        """Pending writes in the order in which live execution applies them; `load` makes their values."""
        return self._guarded(keys.record(ns, checkpoint_id), self._entries, ns, checkpoint_id, flat)

    def load(self, dumped: Dumped) -> Any:
        """One object."""
        (found,) = self._loaded([dumped])
        return found

    def shelf(self, checkpoint_id: str) -> Shelf:
        """What is known of the checkpoint that was read last, whose id is this."""
        one, body = self._last
        held = {
            channel: Held(version, *one.in_fields[channel])
            if channel in one.in_fields
            else Held(version, inline=own(body.inline.get(channel, ABSENT)))
            for channel, version in body.checkpoint["channel_versions"].items()
        }
        return Shelf(held, checkpoint_id, edition=one.record.edition)

    def _opened(
        self, dumped: list[Dumped], ns: bytes, checkpoint_id: bytes, data: bytes, flat: Sequence[bytes]
    ) -> _Opened:
        """Take one apart: `_tuple` takes its objects in the order in which `dumped` gets them here."""
        of_record = self._field
        record = open_record(self._codec, of_record, data)
        in_fields: dict[str, _InField] = {}
        dumped.append(record.body)
        for channel, ref in record.refs.items():
            self._field = keys.value(ns, ref)
            value, pieces = self._value(self._field, self._values.get(self._field))
            in_fields[channel] = ref, pieces
            dumped.append(value)
        self._field = of_record
        writes = self._entries(ns, checkpoint_id, flat)
        dumped += [entry.value for entry in writes]
        return _Opened(ns, checkpoint_id, record, in_fields, writes)

    def _loaded(self, dumped: Sequence[Dumped]) -> list[Any]:
        loads, objects = self._codec.loads, []
        try:
            for _, kind, data in dumped:
                objects.append(loads(kind, data))
        except Exception as error:
            self._field = dumped[len(objects)][0]
            raise self._unreadable(error) from error
        return objects

    def _tuple(self, one: _Opened, objects: Iterator[Any]) -> CheckpointTuple:
        body, above = Body(*next(objects)), one.record.parent
        given, space, name = self._thread.given, keys.decoded(one.ns), keys.decoded(one.id)
        if body.checkpoint.get("id") != name:
            raise CorruptRecordError("what it holds is not the checkpoint of that id")
        of_fields = {channel: next(objects) for channel in one.in_fields}
        values = _in_order(body, of_fields, one.record.named)
        self._last = one, body
        return CheckpointTuple(
            config=keys.config_of(given, space, name),
            checkpoint=cast("Any", {**body.checkpoint, "channel_values": values}),
            metadata=cast("Any", body.metadata),
            parent_config=keys.config_of(given, space, above) if above else None,
            pending_writes=[(entry.task, entry.channel, next(objects)) for entry in one.writes],
        )

    def _value(self, field: bytes, data: bytes | None) -> tuple[Dumped, tuple[Segment, ...]]:
        if data is None:
            raise CorruptRecordError(GONE)
        if data[:1] == b"I":
            return self._codec.opened(field, data[1:]), ()
        names, kind, layout, piece = data[1:].split(b"\n", 3)
        pieces, literal = self._segments(names), self._codec.unseal(piece)
        if is_plain(layout, literal, pieces):
            return (field, kind, b"".join([literal, *[piece.data for piece in pieces]])), pieces
        return (field, kind, join(pieces, layout, literal)), ()

    def _segments(self, names: bytes) -> tuple[Segment, ...]:
        """Those of joined names: of an older value mostly the first of those of the newer one before it."""
        if len(names) % SEGMENT_NAME_LENGTH or not self._names.startswith(names):
            starts, known = range(0, len(names), SEGMENT_NAME_LENGTH), self._open
            found = [names[at : at + SEGMENT_NAME_LENGTH] for at in starts]
            self._run = tuple([known[name] if name in known else self._segment(name) for name in found])
            self._names = names
        return self._run[: len(names) // SEGMENT_NAME_LENGTH]

    def _segment(self, name: bytes) -> Segment:
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
        for task, blob in pairs(flat).items():
            if task.startswith(b"\n"):
                self._field = task[1:]
                raise CorruptRecordError("it should list tasks with writes, and does not")
            self._field = keys.write(ns, task, checkpoint_id)
            if not blob:
                raise CorruptRecordError("it is gone or empty, and its task is listed as one with writes")
            found += open_writes(self._codec, self._field, keys.decoded(task), blob, self._segments)
        if len(found) > 1:
            found.sort(key=_ORDER)
        return found


def _in_order(body: Body, of_fields: Mapping[str, Any], named: int) -> dict[str, Any]:
    """The values of a checkpoint, in the order of their versions."""
    small, values = body.inline, {}
    for channel in body.checkpoint["channel_versions"]:
        if channel in of_fields:
            values[channel] = of_fields[channel]
        elif channel in small:
            values[channel] = small[channel]
    if len(values) != named:
        raise CorruptRecordError(f"it names {named} values, and has {len(values)} by these names")
    return values


def matches(metadata: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether metadata has every wanted key with an equal value, compared in Python."""
    return not wanted or all(metadata.get(key) == value for key, value in wanted.items())

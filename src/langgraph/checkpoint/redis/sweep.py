"""Dropping checkpoints of one thread, and the values and segments that nothing names then.

It works in slices that hold the server for some milliseconds each, while others go on writing:

1. *survey*: every record's lines are read, a page at a time, and it is decided what goes;
2. *values*: the manifests of values are read, so that segments are known to be shared or not;
3. *slices*: some records go at a time, with their writes, and with the values and segments that nothing
   names when these are gone. A sweep that ends in the middle leaves nothing behind that a later one would
   not find.

A put between survey and slices may reuse a value that is about to go. It cannot know; but while the
thread carries a mark (`t/sweep`), a put adds the name of its record to it, and a slice spares whatever
those records name, and what says of which calls they are. If one of them is rebuilt from its ancestors, the
sweep begins anew, and so does one of two sweeps of a thread: the mark holds the later one's token.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from langgraph._redis import scripts
from langgraph._redis.errors import CorruptRecordError, RedisPersistenceError
from langgraph._redis.names import decode
from langgraph._redis.plan import Call, Pause, Plan
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.drafts import new_segment_name
from langgraph.checkpoint.redis.keys import BUDGET, SEGMENT_NAME_LENGTH, Thread
from langgraph.checkpoint.redis.reader import unreadable

if TYPE_CHECKING:
    from langgraph.checkpoint.redis.core import Core

_SURVEY: Final = scripts.load("survey")
_MANIFESTS: Final = scripts.load("manifests")
_WRITE_SEGMENTS: Final = scripts.load("write_segments")
_SLICE: Final = scripts.load("sweep")
_END: Final = scripts.load("sweep_end")

_SURVEYED: Final = 250
_SLICED: Final = 20
_ATTEMPTS: Final = 20

_LOG: Final = logging.getLogger(__name__)

_PAUSE: Final = 0.05


class Line(NamedTuple):
    """What a survey tells of one record, everything encoded as it is stored."""

    ns: bytes
    id: bytes
    parent: bytes
    refs: tuple[bytes, ...]
    run: bytes
    delta: tuple[bytes, ...]

    @property
    def name(self) -> tuple[bytes, bytes]:
        """Namespace and id."""
        return self.ns, self.id

    @property
    def values(self) -> set[bytes]:
        """The fields of its values."""
        return {keys.value(self.ns, ref.lstrip(b"\x02")) for ref in self.refs if b"/" in ref}


class Slice(NamedTuple):
    """Records that go, fields of values and segments that go with them, and members of calls."""

    lines: Sequence[Line]
    fields: list[bytes]
    members: list[bytes]


class Made(NamedTuple):
    """A namespace of a subgraph's call, and the checkpoint that it was made from."""

    member: bytes
    maker: tuple[bytes, bytes]
    ns: bytes


Choice: TypeAlias = "Callable[[Sequence[Line]], set[tuple[bytes, bytes]]]"
"""Chooses the names of the records that stay."""


def newest_of_each_namespace(count: int) -> Choice:
    """Keep the largest ids of each namespace."""

    def choose(lines: Sequence[Line]) -> set[tuple[bytes, bytes]]:
        ids: dict[bytes, list[bytes]] = {}
        for line in lines:
            ids.setdefault(line.ns, []).append(line.id)
        return {(ns, name) for ns, names in ids.items() for name in nlargest(count, names)}

    return choose


def of_runs(runs: set[bytes]) -> Choice:
    """Keep all but the records that these runs made."""
    return lambda lines: {line.name for line in lines if line.run not in runs}


def with_ancestors(lines: Sequence[Line], kept: set[tuple[bytes, bytes]]) -> set[tuple[bytes, bytes]]:
    """Add to what stays the ancestors that its DeltaChannels are rebuilt from.

    For each channel: every ancestor back to the nearest that holds a value of it, that one included.
    """
    by_name = {line.name: line for line in lines}
    needed = set(kept)
    for name in kept:
        for channel in by_name[name].delta:
            needed |= _chain(by_name, by_name[name], channel)
    return needed


def _chain(by_name: dict[tuple[bytes, bytes], Line], line: Line, channel: bytes) -> set[tuple[bytes, bytes]]:
    chain: set[tuple[bytes, bytes]] = set()
    above = by_name.get((line.ns, line.parent))
    while above is not None and above.name not in chain:
        chain.add(above.name)
        if any(ref.partition(b"/")[0] == channel for ref in above.refs):
            break
        above = by_name.get((above.ns, above.parent))
    return chain


class _Superseded(Exception):  # noqa: N818 - a signal between the steps of a sweep, not an error.
    """Another sweep of the thread began."""


@dataclass(slots=True)
class Sweep:
    """One thread's sweep. Round trips: one per 250 records, one per 20 that go, some more.

    `finished`: also drop the namespaces of subgraph calls whose checkpoint does not stay.
    """

    core: Core
    thread: Thread
    finished: bool = False
    token: bytes = field(default_factory=new_segment_name)

    def drop(self, choice: Choice, keep: int | None = None) -> Plan[None]:
        """Drop the records that are not chosen to stay.

        Args:
            choice: Chooses.
            keep: Of which namespaces to remember that more than so many had to stay.

        Raises:
            RedisPersistenceError: If other sweeps of the thread began before this one could end.
        """
        for attempt in range(_ATTEMPTS):
            if (yield from self._tried(choice, keep)):
                return
            _LOG.info("a sweep of a thread pauses and begins anew: another one of the same thread began")
            self.token = new_segment_name()
            # Of two that overtake each other all the time, one must let the other end.
            yield Pause(random.uniform(0, _PAUSE * (attempt + 1)))  # noqa: S311 - no secret.
        raise RedisPersistenceError(
            f"{decode(self.thread.data)!r} is being pruned by others all the time: let one process do it"
        )

    def tidy(self, choice: Choice, keep: int | None = None) -> Plan[None]:
        """`drop`, on behalf of a put that is done: it tries once, and what stands in its way is logged.

        Another sweep of the thread does the same, and the next put drops what is more than is kept.
        """
        try:
            if not (yield from self._tried(choice, keep)):
                _LOG.info("a put leaves older checkpoints to another sweep of the thread, or to the next put")
        except CorruptRecordError as error:
            _LOG.warning("a put is stored, and what is more than is kept stays: %s", error)

    def _tried(self, choice: Choice, keep: int | None) -> Plan[bool]:
        try:
            yield from self._drop(choice, keep)
        except _Superseded:
            return False
        return True

    def _drop(self, choice: Choice, keep: int | None) -> Plan[None]:
        lines = yield from self._survey()
        chosen = choice(lines)
        calls = (
            (yield from self._calls(lines, chosen)) if self.finished or any(line.ns for line in lines) else []
        )
        ended = {made.ns for made in calls} if self.finished else set[bytes]()
        kept = with_ancestors(lines, {name for name in chosen if ended.isdisjoint(_path(name[0]))})
        going = [line for line in lines if line.name not in kept]
        staying = [line for line in lines if line.name in kept]
        slices = yield from self._slices(going, staying)
        spaces = {line.ns for line in going} - {line.ns for line in staying}
        held = {space for ns in {line.ns for line in staying} for space in _path(ns)}
        over = [made for made in calls if made.ns not in held]
        facts = [keys.kept(ns) for ns in sorted(spaces)] + [keys.call(made.ns) for made in over]
        if facts:
            slices.append(Slice((), facts, [made.member for made in over]))
        for part in slices:
            names = [word for line in part.lines for word in line.name]
            args: list[bytes | int] = [self.token, len(names), *names, len(part.members), *part.members]
            self._checked((yield Call(_SLICE, self.thread.keys, (*args, *part.fields))))
        counted = Counter(line.ns for line in staying) if keep is not None else {}
        notes = [word for ns, left in counted.items() if left > (keep or 0) for word in (ns, left)]
        yield from self._end(sorted({line.run for line in staying} - {b""}), notes)

    def _slices(self, going: Sequence[Line], staying: Sequence[Line]) -> Plan[list[Slice]]:
        """What goes together: records, and the fields that none after them names."""
        needed = _values(staying)
        last = {value: at for at, line in enumerate(going) for value in line.values - needed}
        if last:
            shared = yield from self._written(staying)
            shared |= _names((yield from self._segments(needed)))
            for value, names in (yield from self._segments(set(last))).items():
                for name in names - shared:
                    last[name] = max(last[value], last.get(name, 0))
        slices = [Slice(going[at : at + _SLICED], [], []) for at in range(0, len(going), _SLICED)]
        for field_, at in last.items():
            slices[at // _SLICED].fields.append(field_)
        return slices

    def _calls(self, lines: Sequence[Line], chosen: set[tuple[bytes, bytes]]) -> Plan[list[Made]]:
        """The subgraph calls whose checkpoint does not stay, nor may yet be put; and those within them."""
        found: list[Made] = []
        newest = {line.ns: line.id for line in sorted(lines)}
        lower, members = b"[u/", [b""]
        while members:
            members = yield Call("ZRANGEBYLEX", [self.thread.index], (lower, b"(u0", b"LIMIT", 0, _SURVEYED))
            found += [Made(member, *keys.made(member)) for member in members]
            lower = b"(" + members[-1] if members else lower
        gone = {made for made in found if made.maker not in chosen}
        ended = {made for made in gone if made.maker[1] <= newest.get(made.maker[0], b"")}
        spaces = {made.ns for made in ended}
        return [made for made in found if made in ended or not spaces.isdisjoint(_path(made.maker[0]))]

    def _survey(self) -> Plan[list[Line]]:
        lines: list[Line] = []
        cursor = b""
        while True:
            reply = yield Call(_SURVEY, self.thread.keys, (self.token, cursor, _SURVEYED))
            if reply is None:
                return lines
            cursor, found = page_of(self.thread, self._checked(reply))
            lines += (_line(entry) for entry in found)
            if not cursor:
                return lines

    def _segments(self, values: Iterable[bytes]) -> Plan[dict[bytes, set[bytes]]]:
        """The segments that each of these values names."""
        found: dict[bytes, set[bytes]] = {}
        fields = sorted(values)
        while fields:
            reply = yield Call(_MANIFESTS, self.thread.keys[:1], (BUDGET, *fields[:_SURVEYED]))
            for value, names in zip(fields, reply, strict=False):
                starts = range(0, len(names), SEGMENT_NAME_LENGTH)
                found[value] = {keys.segment(names[i : i + SEGMENT_NAME_LENGTH]) for i in starts}
            fields = fields[len(reply) :]
        return found

    def _written(self, lines: Sequence[Line]) -> Plan[set[bytes]]:
        """Segments that writes name: their checkpoint named them, and may have been put anew since."""
        found: set[bytes] = set()
        at = 0
        while at < len(lines):
            names = [part for line in lines[at : at + _SURVEYED] for part in line.name]
            count, fields = yield Call(_WRITE_SEGMENTS, self.thread.keys[:1], (BUDGET, *names))
            found.update(fields)
            at += count
        return found

    def _end(self, runs: Sequence[bytes], notes: Sequence[bytes | int]) -> Plan[None]:
        gone = yield Call(_END, self.thread.keys, (self.token, len(notes), *notes, *runs))
        yield from registry.forget_runs(self.core, self.thread, [keys.decoded(run) for run in gone])

    def _checked(self, reply: Any) -> Any:
        if reply == 0:
            raise _Superseded
        return reply


def page_of(thread: Thread, reply: Any) -> tuple[bytes, list[list[bytes]]]:
    """Where to go on, and the lines of records, of a survey.

    Raises:
        CorruptRecordError: If a record cannot be read.
    """
    if isinstance(reply, bytes):
        raise unreadable(thread, reply, "it is damaged, or a newer release wrote it; nothing was changed")
    cursor, found = reply
    return cursor, found


def _path(ns: bytes) -> list[bytes]:
    """A namespace, and those that it is below."""
    parts = ns.split(b"|")
    return [b"|".join(parts[: count + 1]) for count in range(len(parts))]


def _names(found: dict[bytes, set[bytes]]) -> set[bytes]:
    return {name for names in found.values() for name in names}


def _values(lines: Iterable[Line]) -> set[bytes]:
    return {value for line in lines for value in line.values}


def _line(entry: Sequence[bytes]) -> Line:
    ns, checkpoint_id, parent, refs, run, delta = entry
    return Line(ns, checkpoint_id, parent, _split(refs), run, _split(delta))


def _split(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined.split(b"\t")) if joined else ()

"""Taking checkpoints of one thread to the place of another, in slices that leave the server free for others.

They are put together as a draft: two keys beside the target's that nobody reads, and that expire if nobody
goes on with them. At the end one script puts the draft in the target's place, so that readers see what was
there or the whole.

Others write to the source meanwhile. A checkpoint is read with its writes at one moment, its values after it,
and segments never change; so each is whole, or something of it is gone and the transfer begins anew. It does
so too if a checkpoint that was taken is not there at the end: then what was taken was never there at once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from langgraph._redis import scripts
from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.names import decode
from langgraph._redis.plan import Atomic, Call, Pause, Plan
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.drafts import new_segment_name
from langgraph.checkpoint.redis.sweep import Made, page_of

if TYPE_CHECKING:
    from langgraph._redis.plan import Argument
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.keys import Thread

_SURVEY: Final = scripts.load("survey")
_CARRY: Final = scripts.load("carry")
_FIELDS: Final = scripts.load("fields")
_DRAFT: Final = scripts.load("draft")
_ADOPT: Final = scripts.load("adopt")

SLICE: Final = 1_000_000
"""Bytes that are read or written at a time, or a little more."""

_SURVEYED: Final = 250
_CARRIED: Final = 100
_NAMED: Final = 500
_WORDS: Final = 4_000
_LISTED: Final = 2_000

DRAFT_MS: Final = 60 * 60 * 1000
"""How long a draft stays with which nobody goes on."""

_NO_SWEEP: Final = b""
_ATTEMPTS: Final = 10
_LOG: Final = logging.getLogger(__name__)
_PAUSE: Final = 0.05

Name: TypeAlias = "tuple[bytes, bytes]"
"""Namespace and id of a checkpoint, as scripts answer with them."""


class Outline(NamedTuple):
    """A thread without what is in it.

    Attributes:
        made: When it began; None if there is no thread.
        parents: Its checkpoints in the order of the index, each with the id of its parent, or b"".
        calls: The namespaces of subgraph calls.
    """

    made: bytes | None
    parents: dict[Name, bytes]
    calls: Sequence[Made]


class Chosen(NamedTuple):
    """What of an outline is taken."""

    names: Sequence[Name]
    calls: Sequence[Made]


Choice: TypeAlias = "Callable[[Outline], Chosen | None]"
"""Chooses what is taken; None if that is nothing and the target is to stay as it is."""


class _Changed(Exception):  # noqa: N818 - a signal between the steps of a transfer, not an error.
    """What was to be taken is gone; the argument says what."""


def transfer(core: Core, source: Thread, target: Thread, choose: Choice) -> Plan[None]:
    """Put what is chosen of a thread in the place of another.

    Raises:
        RedisPersistenceError: If checkpoints of the source were dropped during each of ten attempts.
    """
    missing = ""
    for attempt in range(_ATTEMPTS):
        draft = core.keys.draft(target, new_segment_name())
        try:
            return (yield from _Transfer(core, source, target, draft).run(choose))
        except _Changed as changed:
            missing = changed.args[0]
        _LOG.info("a copy of a thread begins anew: something that it was to take was dropped meanwhile")
        yield Call("UNLINK", draft)
        yield Pause(random.uniform(0, _PAUSE * (attempt + 1)))  # noqa: S311 - no secret.
    raise RedisPersistenceError(
        f"{decode(source.data)!r} was not copied, and nothing was changed: during each of {_ATTEMPTS} "
        f"attempts something was dropped, the last time {missing}. Copy it when it is pruned less often"
    )


@dataclass(slots=True)
class _Transfer:
    """One attempt, which counts what it puts into its draft."""

    core: Core
    source: Thread
    target: Thread
    draft: tuple[bytes, bytes]
    runs: set[bytes] = field(default_factory=set)
    fields: int = 0
    members: int = 0
    _begun: bool = False
    _asked: set[bytes] = field(default_factory=set)
    _words: list[bytes] = field(default_factory=list)
    _size: int = 0
    _members: list[bytes] = field(default_factory=list)

    def run(self, choose: Choice) -> Plan[None]:
        outline = yield from self._outline()
        chosen = choose(outline)
        if chosen is None:
            return
        self._list(made.member for made in chosen.calls)
        for made in chosen.calls:
            yield from self._put(keys.call(made.ns), b"/".join(made.maker))
        yield from self._take(chosen.names)
        yield from self._write()
        yield from self._check(chosen.names)
        yield from self._adopt(outline.made)

    def _outline(self) -> Plan[Outline]:
        made = yield Call("HGET", [self.source.data], [keys.MADE])
        parents: dict[Name, bytes] = {}
        cursor: bytes | None = None
        while cursor is None or cursor:
            reply = yield Call(_SURVEY, self.source.keys, (_NO_SWEEP, cursor or b"", _SURVEYED))
            if reply is None:
                return Outline(None, {}, ())
            cursor, found = page_of(self.source, reply)
            parents |= {(entry[0], entry[1]): entry[2] for entry in found}
        calls = yield from self._members_in(keys.CALLS)
        return Outline(made, parents, [Made(member, *keys.made(member)) for member in calls])

    def _members_in(self, bounds: tuple[bytes, bytes]) -> Plan[list[bytes]]:
        """Members of the source's index, in pages."""
        found: list[bytes] = []
        lower, upper = bounds
        while True:
            args = (lower, upper, b"LIMIT", 0, _LISTED)
            page = yield Call("ZRANGEBYLEX", [self.source.index], args)
            found += page
            if len(page) < _LISTED:
                return found
            lower = b"(" + page[-1]

    def _take(self, names: Sequence[Name]) -> Plan[None]:
        at = 0
        while at < len(names):
            page = names[at : at + _CARRIED]
            args: list[Argument] = [SLICE, *(word for name in page for word in name)]
            reply = yield Call(_CARRY, self.source.keys[:1], args)
            if isinstance(reply, bytes):
                raise _Changed(decode(reply))
            count, stored, named, runs = reply
            for name, data in zip(stored[::2], stored[1::2], strict=True):
                yield from self._put(name, data)
            new_runs = set(runs) - self.runs
            self.runs |= new_runs
            self._list(keys.run_link(keys.decoded(run)) for run in new_runs)
            self._list(member for name in page[:count] for member in keys.members(*name))
            yield from self._take_fields(named)
            at += count

    def _take_fields(self, named: Sequence[bytes]) -> Plan[None]:
        """Values and segments, and the segments that the values name; each once."""
        wanted = self._new(named)
        while wanted:
            found, segments = yield Call(_FIELDS, self.source.keys[:1], (SLICE, *wanted[:_NAMED]))
            for name, data in zip(wanted, found, strict=False):
                if data is None:
                    raise _Changed(decode(name))
                yield from self._put(name, data)
            wanted = wanted[len(found) :] + self._new(segments)

    def _new(self, fields: Sequence[bytes]) -> list[bytes]:
        new = [name for name in fields if name not in self._asked]
        self._asked.update(new)
        return new

    def _put(self, name: bytes, data: bytes) -> Plan[None]:
        self._words += (name, data)
        self._size += len(data)
        self.fields += 1
        if self._size >= SLICE or len(self._words) >= _WORDS:
            yield from self._write()

    def _list(self, members: Iterable[bytes]) -> None:
        before = len(self._members)
        self._members += members
        self.members += len(self._members) - before

    def _write(self) -> Plan[None]:
        """Put into the draft what was gathered; the first time, begin it."""
        args: list[Argument] = [int(not self._begun), DRAFT_MS, len(self._words)]
        args += (*self._words, *self._members)
        if not (yield Call(_DRAFT, self.draft, args)):
            raise _Changed(f"the draft {decode(self.draft[0])}")
        self._begun, self._words, self._members, self._size = True, [], [], 0

    def _check(self, names: Sequence[Name]) -> Plan[None]:
        there = yield from self._members_in(keys.CHECKPOINTS)
        gone = {keys.record(*name) for name in names}.difference(there)
        if gone:
            raise _Changed(decode(min(gone)))

    def _adopt(self, made: bytes | None) -> Plan[None]:
        left, (still, own), links = yield [
            Call("PTTL", [self.source.data]),
            Call("HMGET", [self.source.data], [keys.MADE, keys.OWN_LIFE]),
            registry.links_call(self.core, self.source),
        ]
        if still != made or still is None:
            raise _Changed("the thread")
        begun = still if self.source.data == self.target.data else b""
        told = [link for link in registry.read_links(self.source, links) if not keys.is_run_link(link)]
        told += sorted(keys.run_link(keys.decoded(run)) for run in self.runs)
        life: Argument = max(left, 1) if left >= 0 else b""
        args: list[Argument] = [self.fields, self.members, life, begun, own or b""]
        done, *before = yield from self._in_place(Call(_ADOPT, [*self.draft, *self.target.keys], args), told)
        if not done:
            raise _Changed(f"the draft {decode(self.draft[0])}")
        lost = sorted(set(before) - self.runs)
        yield from registry.forget_runs(self.core, self.target, [keys.decoded(run) for run in lost])

    def _in_place(self, call: Call, links: Sequence[bytes]) -> Plan[Any]:
        """Tell the indexes of the target, with all that it is found by; then put it there."""
        self.core.touches.forget(self.target)
        *_, reply = yield Atomic([*registry.registration(self.core, self.target, links), call])
        registry.registered(self.core, self.target, links)
        return reply

"""What one put sends: which values are new, which are reused, what the script must check. Pure."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import nlargest
from typing import Any, NamedTuple

from langgraph._redis.names import encode, version
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.codec import MSGPACK, Codec, checked
from langgraph.checkpoint.redis.keys import SEGMENT_NAME_LENGTH
from langgraph.checkpoint.redis.pieces import Part, arrange
from langgraph.checkpoint.redis.records import inline
from langgraph.checkpoint.redis.segments import SPLIT_FROM, Segment, header_length
from langgraph.checkpoint.redis.shelves import Held, Shelf, own
from langgraph.checkpoint.redis.splice import Spliced, plain, splice

_SOURCES = 3  # Channels in which a value's contents are looked for: those with the most bytes.
_LONGEST = 32 * 1024  # Bytes of a manifest at most: scripts tell by its length what may be one.


def new_segment_name() -> bytes:
    """60 random bits: a name must never mean two things, not even after its thread was deleted.

    From the system: a program may seed `random`, and then names would come again.
    """
    return urlsafe_b64encode(os.urandom(9))[:SEGMENT_NAME_LENGTH]


def edition_of(refs: Sequence[bytes], maybe: Sequence[bytes]) -> bytes:
    """What tells a record from others of its id that name other values: 72 bits of a digest."""
    lines = b"\n".join((b"\t".join(refs), b"\t".join(maybe)))
    return urlsafe_b64encode(sha256(lines, usedforsecurity=False).digest()[:9])


class _New(NamedTuple):
    """A new value of some size, serialized."""

    channel: str
    version: Any
    ref: bytes
    kind: bytes
    data: bytes


@dataclass(slots=True)
class Draft:
    """The arguments of one put, gathered channel by channel.

    Attributes:
        refs: Values that the record names: ``<channel>/<version>``, or ``<channel>`` if inline.
        maybe: Refs of versions that another checkpoint may have stored; the script keeps those it finds.
        edition: Tells a record of these refs from others.
        base: The field of the checkpoint some of whose values stay as they are, and the edition that it must
            be; empty if none do.
        reused: Fields of values that are neither new nor known to be the base's.
        shared: Fields of values whose segments are named, or that stay with theirs; the names with which each
            must begin.
        segments: (segment field, sealed bytes) that are new.
        values: (value field, value) that are new.
        inline: Values for the record's body.
        held: What will be known once it is stored.
        spared: How many of the first of `values` stay as they are if they are stored already.
        kept: How many times a segment is named that is stored before, or once, and not sent for it.
        later: Large new values that extend none before them, until `finish`.
    """

    codec: Codec
    ns: bytes
    shelf: Shelf
    refs: list[bytes] = field(default_factory=list)
    maybe: list[bytes] = field(default_factory=list)
    edition: bytes = b""
    base: tuple[bytes, bytes] = (b"", b"")
    reused: list[bytes] = field(default_factory=list)
    shared: dict[bytes, bytes] = field(default_factory=dict)
    segments: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    inline: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    spared: int = 0
    kept: int = 0
    later: list[_New] = field(default_factory=list)

    def present(self, channel: str, number: Any, value: Any, *, new: bool) -> None:
        """Add a channel that has a value.

        If the version is not new, what was stored at it counts, and not what became of the object since: as
        far as that is known here, or can be looked for, which an empty list in another record cannot.
        """
        known = None if new else self._known(channel, number)
        if known is not None and known.stored:
            self._add_known(channel, number, known)
        elif inline(value):
            self._add_inline(channel, number, value)
        elif new:
            self._add_new(channel, number, value)
        else:
            self._add_reused(channel, number, known)

    def missing(self, channel: str, number: Any, *, new: bool) -> None:
        """Add a channel that has a version and no value here.

        If the version is not new, what an earlier checkpoint stored at that version still counts
        (a DeltaChannel that a step did not write is read from its last snapshot this way).
        """
        known = Held(number) if new else self._known(channel, number)
        if known is None:
            self.maybe.append(self._ref(channel, number))
        elif known.stored:
            self._add_known(channel, number, known)
        else:
            self.held[channel] = known

    def _add_known(self, channel: str, number: Any, known: Held) -> None:
        if known.ref is not None:
            self._add_reused(channel, number, known)
        else:
            self._add_inline(channel, number, known.inline)

    def knows(self, channel: str, number: Any) -> bool:
        """Whether something is known of a channel at a version."""
        return self._known(channel, number) is not None

    def _known(self, channel: str, number: Any) -> Held | None:
        held = self.shelf.channels.get(channel)
        return held if held is not None and held.version == number else None

    def _ref(self, channel: str, number: Any) -> bytes:
        return b"%b/%b" % (keys.word(channel), encode(version(number)))

    def _add_inline(self, channel: str, number: Any, value: Any) -> None:
        self.refs.append(keys.word(channel))
        self.inline[channel] = value
        self.held[channel] = Held(number, inline=own(value))

    def _add_reused(self, channel: str, number: Any, known: Held | None) -> None:
        if known is not None and known.ref is not None:
            self.kept += len(known.segments)
            self.held[channel] = known
            if known.segments:
                self._share(known, len(known.segments))
            ref, of_base = known.ref, bool(self.shelf.edition)
        else:
            ref, of_base = self._ref(channel, number), False
        self.refs.append(ref)
        if not of_base:
            self.reused.append(keys.value(self.ns, ref))
        elif not self.base[0]:
            self.base = keys.record(self.ns, keys.encoded_id(self.shelf.id)), self.shelf.edition

    def _share(self, held: Held, reach: int) -> None:
        """Name segments of a value that is stored: the first, up to some number of them."""
        names = b"".join([piece.name for piece in held.segments[:reach]])
        stored = keys.value(self.ns, held.ref or b"")
        if len(names) > len(self.shared.get(stored, b"")):
            self.shared[stored] = names

    def _add_new(self, channel: str, number: Any, value: Any) -> None:
        kind, data = self.codec.dumps(value)
        new = _New(channel, number, self._ref(channel, number), kind, data)
        self.refs.append(new.ref)
        if kind != MSGPACK or len(data) < SPLIT_FROM:
            self._store(new, b"".join((b"I", kind, b"\n", self.codec.seal(data))), ())
        elif not self._extend(new):
            self.later.append(new)

    def finish(self) -> Draft:
        """Add the large values that extend none before them, and the edition.

        The smallest first: what contains another value is larger than it, and is stored without it.
        """
        sources = nlargest(_SOURCES, self.held.values(), key=_size) if self.later else ()
        for new in sorted(self.later, key=lambda new: len(new.data)):
            if not self._contain(new, sources):
                offset = header_length(new.data)
                self._add_parts(new, arrange((), new.data, offset), offset)
                sources = nlargest(_SOURCES, (*sources, self.held[new.channel]), key=_size)
        self.edition = edition_of(self.refs, self.maybe)
        return self

    def spare(self, sure: Mapping[str, Any] | None) -> Draft:
        """Say which values stay as they are if they are stored: all but those of the versions that are sure.

        Args:
            sure: Versions whose values are new; None if all are.
        """
        if sure is not None:
            stored = {keys.value(self.ns, self._ref(*version)) for version in sure.items()}
            pairs = sorted(
                zip(self.values[::2], self.values[1::2], strict=True), key=lambda it: it[0] in stored
            )
            self.values = [word for pair in pairs for word in pair]
            self.spared = sum(name not in stored for name, _ in pairs)
        return self

    def _extend(self, new: _New) -> bool:
        """Add a value that has something of the channel's previous value."""
        held, offset = self.shelf.channels.get(new.channel), header_length(new.data)
        if held is None or not offset or not held.segments:
            return False
        parts = arrange(held.segments, new.data, offset)
        if len(parts) == 1 and parts[0] not in held.segments:
            return False
        self._add_parts(new, parts, offset)
        reused = [part for part in parts if isinstance(part, Segment)]
        if reused:
            self.kept += len(reused)
            self._share(held, held.segments.index(reused[-1]) + 1)
        return True

    def _add_parts(self, new: _New, parts: Sequence[Part], offset: int) -> None:
        pieces = tuple(part if isinstance(part, Segment) else self._add_segment(new, part) for part in parts)
        self._store(new, self._manifest(new, plain(new.data[:offset], pieces)), pieces)

    def _add_segment(self, new: _New, data: bytes) -> Segment:
        piece = Segment(new_segment_name(), data)
        sealed = checked(self.codec.seal(data), "what is new in channel", [new.channel])
        self.segments += (keys.segment(piece.name), sealed)
        return piece

    def _contain(self, new: _New, sources: Iterable[Held]) -> bool:
        """Add a value that contains another channel's segments."""
        for held in sources:
            found = splice(new.data, held.segments)
            if found is not None and len(found.literal) <= _LONGEST:
                manifest = self._manifest(new, found)
                if len(manifest) <= _LONGEST:
                    self.kept += len(found.pieces)
                    if keys.value(self.ns, held.ref or b"") not in self.values:
                        self._share(held, found.reach)
                    self._store(new, manifest, ())
                    return True
        return False

    def _manifest(self, new: _New, spliced: Spliced) -> bytes:
        names = b"".join(piece.name for piece in spliced.pieces)
        lines = (b"M" + names, new.kind, spliced.layout, self.codec.seal(spliced.literal))
        return b"\n".join(lines)

    def _store(self, new: _New, stored: bytes, pieces: tuple[Segment, ...]) -> None:
        self.values += (
            keys.value(self.ns, new.ref),
            checked(stored, "the value of channel", [new.channel]),
        )
        self.held[new.channel] = Held(new.version, new.ref, pieces)


def _size(held: Held) -> int:
    return held.size


def draft(
    codec: Codec,
    ns: str,
    checkpoint: Mapping[str, Any],
    new_versions: Mapping[str, Any] | None,
    shelf: Shelf,
) -> Draft:
    """Gather what a put of this checkpoint sends.

    Args:
        codec: Turns values into bytes.
        ns: The checkpoint's namespace.
        checkpoint: As LangGraph gives it; not changed.
        new_versions: The versions whose values are new; None for all that the shelf does not know, when hints
            proved wrong.
        shelf: What is known of the namespace.
    """
    made = Draft(codec, keys.encoded(ns), shelf)
    values = checkpoint["channel_values"]
    for channel, number in checkpoint["channel_versions"].items():
        if channel in values:
            new = not made.knows(channel, number) if new_versions is None else channel in new_versions
            made.present(channel, number, values[channel], new=new)
        else:
            made.missing(channel, number, new=new_versions is not None and channel in new_versions)
    return made.finish()

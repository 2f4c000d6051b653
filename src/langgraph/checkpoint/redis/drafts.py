"""What one put sends: which values are new, which are reused, what the script must check. Pure."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langgraph._redis.names import encode, version
from langgraph.checkpoint.redis import keys, segments
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.keys import SEGMENT_NAME_LENGTH
from langgraph.checkpoint.redis.records import inline
from langgraph.checkpoint.redis.segments import SPLIT_FROM, Segment
from langgraph.checkpoint.redis.shelves import ABSENT, Held, Shelf

_MSGPACK = b"msgpack"


def new_segment_name() -> bytes:
    """60 random bits: a name must never mean two things, not even after its thread was deleted.

    Python reseeds `random` in forked children.
    """
    return urlsafe_b64encode(random.randbytes(9))[:SEGMENT_NAME_LENGTH]  # noqa: S311 - no secret.


@dataclass(slots=True)
class Draft:
    """The arguments of one put, gathered channel by channel.

    Attributes:
        refs: Values that the record names: ``<channel>/<version>``, or ``<channel>`` if inline.
        maybe: Refs of versions that another checkpoint may have stored; the script keeps those it finds.
        reused: Fields of values that the record names and that are not new.
        extends: (value field, segment that it must name) for each new value that keeps segments.
        segments: (segment field, sealed bytes) that are new.
        values: (value field, value) that are new.
        inline: Values for the record's body.
        held: What will be known once it is stored.
    """

    codec: Codec
    ns: bytes
    shelf: Shelf
    refs: list[bytes] = field(default_factory=list)
    maybe: list[bytes] = field(default_factory=list)
    reused: list[bytes] = field(default_factory=list)
    extends: list[bytes] = field(default_factory=list)
    segments: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    inline: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)

    def present(self, channel: str, number: Any, value: Any, *, new: bool) -> None:
        """Add a channel that has a value."""
        if inline(value):
            self._add_inline(channel, number, value)
        elif new:
            self._add_new(channel, number, value)
        else:
            self._add_reused(channel, number, self._known(channel, number))

    def missing(self, channel: str, number: Any, *, new: bool) -> None:
        """Add a channel that has a version and no value here.

        If the version is not new, what an earlier checkpoint stored at that version still counts
        (a DeltaChannel that a step did not write is read from its last snapshot this way).
        """
        known = Held(number) if new else self._known(channel, number)
        if known is None:
            self.maybe.append(self._ref(channel, number))
        elif known.ref is not None:
            self._add_reused(channel, number, known)
        elif known.inline is not ABSENT:
            self._add_inline(channel, number, known.inline)
        else:
            self.held[channel] = known

    def _known(self, channel: str, number: Any) -> Held | None:
        held = self.shelf.channels.get(channel)
        return held if held is not None and held.version == number else None

    def _ref(self, channel: str, number: Any) -> bytes:
        return b"%b/%b" % (keys.word(channel), encode(version(number)))

    def _add_inline(self, channel: str, number: Any, value: Any) -> None:
        self.refs.append(keys.word(channel))
        self.inline[channel] = value
        self.held[channel] = Held(number, inline=value)

    def _add_reused(self, channel: str, number: Any, known: Held | None) -> None:
        ref = self._ref(channel, number)
        self.refs.append(ref)
        self.reused.append(keys.value(self.ns, ref))
        if known is not None and known.ref is not None:
            self.held[channel] = known

    def _add_new(self, channel: str, number: Any, value: Any) -> None:
        ref = self._ref(channel, number)
        self.refs.append(ref)
        kind, data = self.codec.dumps(value)
        offset = segments.header_length(data) if kind == _MSGPACK and len(data) >= SPLIT_FROM else 0
        pieces = self._cut(channel, data, offset) if offset else ()
        stored = self._manifest(kind, data[:offset], pieces) if offset else self._whole(kind, data)
        self.values += (keys.value(self.ns, ref), stored)
        self.held[channel] = Held(number, ref, pieces)

    def _whole(self, kind: bytes, data: bytes) -> bytes:
        return b"".join((b"I", kind, b"\n", self.codec.seal(data)))

    def _manifest(self, kind: bytes, header: bytes, pieces: tuple[Segment, ...]) -> bytes:
        names = b"".join(piece.name for piece in pieces)
        return b"".join((b"M", names, b"\n", kind, b"\n", self.codec.seal(header)))

    def _cut(self, channel: str, data: bytes, offset: int) -> tuple[Segment, ...]:
        held = self.shelf.channels.get(channel)
        before = held.segments if held is not None else ()
        count, rest = segments.cut(before, data, offset)
        pieces = before[:count]
        if held is not None and held.ref is not None and pieces:
            self.extends += (keys.value(self.ns, held.ref), pieces[-1].name)
        if rest:
            piece = Segment(new_segment_name(), rest)
            self.segments += (keys.segment(piece.name), self.codec.seal(rest))
            pieces = (*pieces, piece)
        return pieces


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
        new_versions: The versions whose values are new; None for all, when hints proved wrong.
        shelf: What is known of the namespace.
    """
    made = Draft(codec, keys.encoded(ns), shelf)
    values = checkpoint["channel_values"]
    for channel, number in checkpoint["channel_versions"].items():
        if channel in values:
            made.present(
                channel,
                number,
                values[channel],
                new=new_versions is None or channel in new_versions,
            )
        else:
            made.missing(channel, number, new=new_versions is not None and channel in new_versions)
    return made

"""Where a listing begins and ends in a thread's index, and what is left after a page."""

from __future__ import annotations

from typing import NamedTuple

from langgraph._redis.names import encode, last, part
from langgraph.checkpoint.redis import keys


class Bounds(NamedTuple):
    """What of the index to list, for ZREVRANGEBYLEX: of one namespace, and maybe of all but the root's."""

    upper: bytes
    lower: bytes
    others_upper: bytes = b""
    others_lower: bytes = b""

    def below(self, ns: bytes, checkpoint_id: bytes) -> Bounds:
        """What is left after a page that ended with this checkpoint.

        Where namespaces share an id, the root's comes last.
        """
        if not self.others_upper:
            return self._replace(upper=b"(c/%b/%b" % (ns, checkpoint_id))
        edge = b"[" if ns else b"("
        return self._replace(
            upper=b"%bc//%b" % (edge, checkpoint_id),
            others_upper=b"(i/%b\x00%b" % (checkpoint_id, ns),
        )


def bounds(ns: str | None, before: str | None) -> Bounds:
    """The bounds of a listing.

    Args:
        ns: One namespace, or None for all.
        before: Only ids below this one, which need not exist.
    """
    own = _below(f"c/{part(ns or '')}/", before)
    return Bounds(*own, *_below("i/", before)) if ns is None else Bounds(*own)


def _below(stem: str, before: str | None) -> tuple[bytes, bytes]:
    # "0" follows "/", so the stem with it is above every member with the stem.
    upper = f"{stem[:-1]}0" if before is None else stem + last(before)
    return encode(f"({upper}"), encode(f"[{stem}")


def bounds_of_id(ns: str | None, checkpoint_id: str) -> Bounds:
    """The bounds of one id in one namespace, or in all."""
    exact = b"[" + keys.checkpoint(ns or "", checkpoint_id)
    if ns is not None:
        return Bounds(exact, exact)
    stem = f"i/{last(checkpoint_id)}"
    return Bounds(exact, exact, encode(f"({stem}\x01"), encode(f"[{stem}\x00"))

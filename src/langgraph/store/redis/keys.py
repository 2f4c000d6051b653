"""Every key that the store writes. Nothing else may spell one, but for the scripts that read them.

Namespaces are spread over shards by their first label; a shard is one hash tag, ``<prefix>:{<n>}:``, and
what is said of an item stands in its shard:

====================  ==============  ==========================================================
key                   type            holds
====================  ==============  ==========================================================
``d:<ns>``            hash            key -> record (`records`)
``o:<prefix of ns>``  sorted set      the items below it, ``<rest of ns>NULNUL<key>``, by last update
``n``                 sorted set      namespaces that hold an item, in byte order
``x``                 sorted set      items that expire, ``<ns>NULNUL<key>``, by the instant
``v:<ns>``            hash            key -> vectors, float32
``f:<sha1>:<i>``      hash            one vector of an item, as the server's search reads it
``v2:<ns>`` ``f2:``   likewise        the same, and in turn: items embedded anew are kept in the other place
``m``                 hash            ``t``: the last instant given to a write
====================  ==============  ==========================================================

``<prefix>:meta`` says how many shards there are, ``<prefix>:vectors`` what vectors are like, and
``<prefix>:reindex`` what they will be like, while items are embedded anew. Instants are
microseconds since the epoch. Labels of a namespace are joined by NUL, which no label holds: the order of
such bytes is the order of the tuples, and no namespace can be read as another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from langgraph.store.base import InvalidNamespaceError

from langgraph._redis import names
from langgraph._redis.names import decode, encode

NUL: Final = b"\x00"
GAP: Final = b"\x00\x00"
"""Stands between namespace and key; the first one counts, since no label is empty."""

MOST_SHARDS: Final = 1024

FIELD: Final = b"is"
"""The field of ``meta``, ``vectors`` and ``draft``: hashes, of which a user has the commands anyway."""


@lru_cache(maxsize=4096)
def _joined(ns: tuple[str, ...]) -> bytes:
    for label in ns:
        wrong = _wrong(label)
        if wrong:
            raise InvalidNamespaceError(f"label {label!r:.80} of namespace {ns!r:.200} {wrong}")
    return NUL.join([encode(label) for label in ns])


def _wrong(label: Any) -> str:
    """What is wrong with a label, if anything: not every release of LangGraph refuses NUL."""
    if not isinstance(label, str):
        return f"must be a str, not {type(label).__name__}"
    if not label:
        return "must not be empty"
    if "\x00" in label:
        return "must not hold NUL (\\x00)"
    return "must not hold a period" if "." in label else ""


def joined(ns: Any) -> bytes:
    """A namespace, or a prefix of one, as keys and members spell it.

    Raises:
        InvalidNamespaceError: If a label is empty, no `str`, or holds a period or NUL.
        TypeError: If it is no tuple of labels.
    """
    if isinstance(ns, tuple):
        try:
            return _joined(ns)
        except TypeError:  # A label that cannot be hashed, and so is no text.
            return _joined.__wrapped__(ns)
    if isinstance(ns, list):
        return joined(tuple(ns))
    raise TypeError(f"a namespace is a tuple of str, such as ('users', '42'), not {ns!r:.80}")


@lru_cache(maxsize=4096)
def parted(ns: bytes) -> tuple[str, ...]:
    """Undo `joined`."""
    return tuple(decode(ns).split("\x00")) if ns else ()


def key_of(given: Any) -> bytes:
    """An item's key as the store spells it.

    Raises:
        TypeError: If it is no `str`.
    """
    if isinstance(given, str):
        return encode(given)
    raise TypeError(f"an item's key must be a str, not {type(given).__name__}: {given!r:.80}")


def member(ns: bytes, key: bytes) -> bytes:
    """An item's name in its shard."""
    return ns + GAP + key


def item_of(name: bytes) -> tuple[bytes, bytes]:
    """Undo `member`: namespace and key."""
    ns, _, key = name.partition(GAP)
    return ns, key


def below(ns: bytes) -> tuple[bytes, bytes]:
    """The bounds of a namespace and all below it, for ZRANGEBYLEX."""
    return (b"[" + ns, b"(" + ns + b"\x01") if ns else (b"-", b"+")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys below one prefix.

    Args:
        prefix: Stands before every key. It may not hold braces, which Redis Cluster reads as a hash tag.
    """

    prefix: str

    def __post_init__(self) -> None:
        names.check_prefix("store_prefix", self.prefix)

    @property
    def meta(self) -> bytes:
        """How items are spread."""
        return encode(f"{self.prefix}:meta")

    @property
    def vectors(self) -> bytes:
        """What vectors are like."""
        return encode(f"{self.prefix}:vectors")

    @property
    def draft(self) -> bytes:
        """What vectors will be like when all items are embedded anew."""
        return encode(f"{self.prefix}:reindex")

    def clock(self, shard: int) -> bytes:
        """The key that a shard is addressed by; scripts derive its others."""
        return encode(f"{self.prefix}:{{{shard}}}:m")

    def documents(self, shard: int, place: bytes) -> bytes:
        """What the names of a shard's documents begin with; also the name of the index over them."""
        return encode(f"{self.prefix}:{{{shard}}}:f") + place + b":"


def shard_of(ns: bytes, shards: int) -> int:
    """The shard of a namespace."""
    return crc32(ns.partition(NUL)[0]) % shards if shards > 1 else 0

"""Objects <-> bytes, through LangGraph's serializer; compression and encryption of those bytes.

Nothing is revived here that the serializer does not revive: its bytes are stored under its type tag.
A sealed piece is one flag byte and bytes: raw or compressed, in the clear or as a cipher made them. Under an
`EncryptedSerializer` the plaintext is compressed (and split) first, since ciphertext neither compresses
nor repeats; and a piece in the clear is then refused, so that nobody can plant one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis.compression import RAW, ZSTD, ZSTD_DICTIONARY, compressed, decompressed

MSGPACK: Final = b"msgpack"
"""The type tag of what can be split and spliced."""

LARGEST: Final = 512 * 1024 * 1024
"""Bytes of one field or argument, as the server's `proto-max-bulk-len` is set by default."""

Dumped: TypeAlias = "tuple[bytes, bytes, bytes]"
"""An object as the serializer wrote it: the field where it stands, the serializer's type, bytes."""

_SEALED: Final = {RAW: b"\x02", ZSTD: b"\x03", ZSTD_DICTIONARY: b"\x06"}
_OPENED: Final = {sealed: flag for flag, sealed in _SEALED.items()}


def checked(piece: bytes, what: str, channels: Iterable[str] = ()) -> bytes:
    """What is to be stored in one piece, if Redis takes as much.

    Raises:
        ValueError: If it does not; the message begins with `what` that is, and of which channels.
    """
    if len(piece) > LARGEST:
        names = ", ".join(dict.fromkeys(map(repr, channels)))
        what = f"{what} {names:.200}".rstrip()
        raise ValueError(
            f"{what} takes {len(piece)} bytes where it is stored, and Redis takes at most {LARGEST} in one "
            "piece (proto-max-bulk-len, 512 MB): keep it elsewhere, and in the state only where it is"
        )
    return piece


class Codec:
    """Turns objects into typed bytes and sealed pieces, and back, under one serializer.

    Args:
        serde: What the saver serializes with, read anew at each call: `with_allowlist` swaps it.
    """

    __slots__ = ("_cipher", "_inner", "encrypted", "serde")

    def __init__(self, serde: Any) -> None:
        self.serde = serde
        # A subclass that serializes its own way is used as it is, like any other serializer.
        plain = type(serde).dumps_typed is EncryptedSerializer.dumps_typed
        self._cipher = serde.cipher if plain else None
        self._inner = serde.serde if plain else serde
        self.encrypted = plain

    def dumps(self, obj: Any) -> tuple[bytes, bytes]:
        """The serializer's type tag and bytes, not encrypted yet."""
        kind, data = self._inner.dumps_typed(obj)
        return kind.encode(), data if type(data) is bytes else bytes(data)

    def loads(self, kind: bytes, data: bytes) -> Any:
        """Undo `dumps`."""
        return self._inner.loads_typed((kind.decode(), data))

    def seal(self, data: bytes, compress_from: int = 0) -> bytes:
        """Compress where it helps, from so many bytes on, encrypt where the serializer does."""
        flag, data = compressed(data) if len(data) >= compress_from else (RAW, data)
        if self._cipher is None:
            return flag + data
        name, data = self._cipher.encrypt(data)
        return b"".join((_SEALED[flag], name.encode(), b"\n", data))

    def unseal(self, piece: bytes) -> bytes:
        """Undo `seal`.

        Raises:
            CorruptRecordError: If the piece is in the clear and should not be, or the other way round, or
                begins with no flag that this release knows.
        """
        flag, data = piece[:1], piece[1:]
        if flag in _OPENED:
            flag, data = _OPENED[flag], self._decrypt(data)
        elif self._cipher is not None:
            raise CorruptRecordError(
                "it is not encrypted, and this saver's EncryptedSerializer reads only what is"
            )
        return decompressed(flag, data)

    def _decrypt(self, data: bytes) -> bytes:
        if self._cipher is None:
            raise CorruptRecordError("it is encrypted: give the saver its EncryptedSerializer as serde")
        name, _, data = data.partition(b"\n")
        plain: bytes = self._cipher.decrypt(name.decode(), data)
        return plain

    def pack(self, obj: Any) -> bytes:
        """The type of one object, a newline, and its sealed bytes."""
        kind, data = self.dumps(obj)
        return b"".join((kind, b"\n", self.seal(data)))

    def opened(self, field: bytes, packed: bytes) -> Dumped:
        """Undo `pack`, up to what `loads` does; `field` says where it stood."""
        kind, _, piece = packed.partition(b"\n")
        return field, kind, self.unseal(piece)

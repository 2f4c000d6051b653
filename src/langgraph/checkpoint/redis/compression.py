"""Bytes compressed with zstd, each piece behind a flag that says how. Pure.

What agents store is small: a message, a record. Alone such a piece has little that repeats, and zstd spends
most of its time on tables for it. Against a dictionary of what nearly all of them contain a record becomes
half as long in half the time, and it pays for messages, too. What is large repeats itself, and is compressed
alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import zstandard

from langgraph._redis.errors import CorruptRecordError
from langgraph.checkpoint.redis.dictionary import DICTIONARY

RAW: Final = b"\x00"
ZSTD: Final = b"\x01"
ZSTD_DICTIONARY: Final = b"\x05"

_FROM: Final = 128
"""Bytes from which compression is tried; a shorter text of a person's has nothing to refer to."""

_LEVEL_FROM: Final = 640
"""Bytes from which texts are worth a Huffman code, which takes some microseconds to make and to read."""

_ALONE_FROM: Final = 8 * 1024
"""Bytes from which a dictionary costs more time than it saves bytes."""

_FASTEST, _FAST = -1, 1


class _Zstd(threading.local):
    """What compresses in one thread: none of it is thread-safe."""

    def __init__(self) -> None:
        self.small = _compressor(_FASTEST, _SMALL)
        self.medium = _compressor(_FAST, _MEDIUM)
        self.large = _compressor(_FAST)
        self.alone = zstandard.ZstdDecompressor().decompress
        self.by_dictionary = zstandard.ZstdDecompressor(dict_data=_SMALL).decompress


def _dictionary(level: int) -> zstandard.ZstdCompressionDict:
    made = zstandard.ZstdCompressionDict(DICTIONARY, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    made.precompute_compress(level=level)
    return made


def _compressor(
    level: int, dictionary: zstandard.ZstdCompressionDict | None = None
) -> Callable[[bytes], bytes]:
    # A name that stands twice in a frame may be stored once: a flipped byte would then change it in both
    # places, and all would seem well. The checksum is 4 bytes and is not seen in the time it takes.
    return zstandard.ZstdCompressor(level=level, write_checksum=True, dict_data=dictionary).compress


_SMALL, _MEDIUM = _dictionary(_FASTEST), _dictionary(_FAST)
_zstd = _Zstd()


def compressed(data: bytes) -> tuple[bytes, bytes]:
    """A flag, and the bytes compressed, if they become fewer."""
    size = len(data)
    if size < _FROM:
        return RAW, data
    if size < _ALONE_FROM:
        flag, packed = ZSTD_DICTIONARY, (_zstd.small if size < _LEVEL_FROM else _zstd.medium)(data)
    else:
        flag, packed = ZSTD, _zstd.large(data)
    return (flag, packed) if len(packed) < size else (RAW, data)


def decompressed(flag: bytes, data: bytes) -> bytes:
    """Undo `compressed`.

    Raises:
        CorruptRecordError: If the flag is none that this release knows.
        zstandard.ZstdError: If the bytes are damaged.
    """
    if flag == RAW:
        return data
    if flag == ZSTD_DICTIONARY:
        return _zstd.by_dictionary(data)
    if flag == ZSTD:
        return _zstd.alone(data)
    raise CorruptRecordError(f"it begins with the unknown flag {flag!r}: a newer release may have written it")

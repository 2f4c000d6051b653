r"""Records <-> items.

A record is ``<created> <updated> <life> <vectors>\n<value>``: two instants, the life in microseconds (0: for
ever), how many vectors it has at most (-1: none are wanted), the value as `values` packs it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from langgraph.store.base import Item, SearchItem

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.names import decode
from langgraph.store.redis import keys, values

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Record(NamedTuple):
    """An item as it is stored."""

    ns: bytes
    key: bytes
    created: int
    updated: int
    life: int
    vectors: int
    data: bytes

    @property
    def value(self) -> Any:
        """The value.

        Raises:
            CorruptRecordError: If it cannot be read; the message names the item.
        """
        try:
            return values.unpacked(self.data)
        except Exception as error:
            raise _unreadable(self.ns, self.key, error) from error

    def _named(self) -> dict[str, Any]:
        return {
            "namespace": keys.parted(self.ns),
            "key": decode(self.key),
            "created_at": _EPOCH + timedelta(microseconds=self.created),
            "updated_at": _EPOCH + timedelta(microseconds=self.updated),
        }

    def item(self) -> Item:
        """The item."""
        return Item(value=self.value, **self._named())

    def found(self, value: Any, score: float | None = None) -> SearchItem:
        """The item as a search finds it; `value` was read already."""
        return SearchItem(value=value, score=score, **self._named())


def read(ns: bytes, key: bytes, record: bytes) -> Record:
    """Take a record apart.

    Raises:
        CorruptRecordError: If it is none; the message names the item.
    """
    try:
        header, _, data = record.partition(b"\n")
        created, updated, life, vectors = map(int, header.split(b" "))
    except ValueError as error:
        raise _unreadable(ns, key, error) from error
    return Record(ns, key, created, updated, life, vectors, data)


def _unreadable(ns: bytes, key: bytes, error: Exception) -> CorruptRecordError:
    return CorruptRecordError(
        f"cannot read item {decode(key)!r} of namespace {keys.parted(ns)!r}: {error}. Other items are not "
        "affected; put it anew, or delete it"
    )

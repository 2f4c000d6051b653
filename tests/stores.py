"""InMemoryStore as the reference, and ours behind the same blocking calls, to be compared.

Where ours differ on purpose, the reference is told so: a search without a query finds the last updated first;
an update keeps `created_at`; a namespace without items is not listed; an ordering operator does not match a
field that is missing or no number, where InMemoryStore raises.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

from langgraph.store.base import GetOp, Item, ListNamespacesOp, Op, PutOp, SearchItem, SearchOp
from langgraph.store.memory import InMemoryStore, _compare_values

from langgraph._redis.names import decode
from langgraph.store.redis import AsyncRedisStore, RedisStore
from langgraph.store.redis.keys import joined, shard_of

Namespace: TypeAlias = tuple[str, ...]
EVERYTHING = 10**9
"""A limit that nothing reaches."""

CONTRACT = ("get", "put", "search", "delete", "list_namespaces", "batch")
"""What an async store has under a name with an `a` before it."""


class Twin(ABC):
    """Either store, asked with the names that the sync one has."""

    store: Any

    @abstractmethod
    def do(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method, and wait for it."""

    def get(self, ns: Namespace, key: str, **options: Any) -> Item | None:
        return cast("Item | None", self.do("get", ns, key, **options))

    def put(self, ns: Namespace, key: str, value: Any, **options: Any) -> None:
        self.do("put", ns, key, value, **options)

    def delete(self, ns: Namespace, key: str) -> None:
        self.do("delete", ns, key)

    def search(self, ns: Namespace = (), **query: Any) -> list[SearchItem]:
        return cast("list[SearchItem]", self.do("search", ns, **query))

    def list_namespaces(self, **query: Any) -> list[Namespace]:
        return cast("list[Namespace]", self.do("list_namespaces", **query))

    def batch(self, ops: Iterable[Op]) -> list[Any]:
        return cast("list[Any]", self.do("batch", ops))

    def keys_of(self, ns: Namespace = (), **query: Any) -> list[str]:
        """The keys that a search finds, in its order."""
        return [found.key for found in self.search(ns, **{"limit": EVERYTHING, **query})]

    @abstractmethod
    def close(self) -> None:
        """Close the store."""


class SyncStore(Twin):
    """RedisStore."""

    def __init__(self, url: str | None, prefix: str, **options: Any) -> None:
        self.store: RedisStore = RedisStore(url, store_prefix=prefix, **options)

    def do(self, method: str, *args: Any, **options: Any) -> Any:
        return getattr(self.store, method)(*args, **options)

    def close(self) -> None:
        self.store.close()


class AsyncStore(Twin):
    """AsyncRedisStore on a loop of its own."""

    def __init__(self, url: str | None, prefix: str, **options: Any) -> None:
        self.store: AsyncRedisStore = AsyncRedisStore(url, store_prefix=prefix, **options)
        self.loop = asyncio.new_event_loop()

    def do(self, method: str, *args: Any, **options: Any) -> Any:
        named = getattr(self.store, f"a{method}" if method in CONTRACT else method)
        return self.loop.run_until_complete(named(*args, **options))

    def close(self) -> None:
        self.loop.run_until_complete(self.store.aclose())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class MakeStore(Protocol):
    """Makes stores on the test's keys, with options of the test."""

    def __call__(self, **options: Any) -> Twin: ...


@contextmanager
def making_stores(kind: Callable[..., Twin], url: str, prefix: str) -> Iterator[MakeStore]:
    """Stores of one style, closed at the end."""
    made: list[Twin] = []

    def make_one(**options: Any) -> Twin:
        made.append(kind(url, prefix, **options))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


class Stamp(NamedTuple):
    """When ours says that an item was made, and updated."""

    created: datetime
    updated: datetime


class Reference:
    """InMemoryStore with the differences above; `stamps` are ours, told after each write."""

    def __init__(self, shards: int) -> None:
        self.store = InMemoryStore()
        self.stamps: dict[tuple[Namespace, str], Stamp] = {}
        self._shards = shards

    def batch(self, ops: Sequence[Op]) -> list[Any]:
        """Reads by the rules above; then writes."""
        results = [self._read(op) for op in ops]
        self.store.batch([op for op in ops if isinstance(op, PutOp)])
        return results

    def _read(self, op: Op) -> Any:
        if isinstance(op, GetOp):
            return self.store.batch([op])[0]
        if isinstance(op, SearchOp):
            return self._searched(op)
        if isinstance(op, ListNamespacesOp):
            for ns in [ns for ns, items in self.store._data.items() if not items]:
                del self.store._data[ns]
            return self.store.batch([op])[0]
        return None

    def _searched(self, op: SearchOp) -> list[SearchItem]:
        whole = SearchOp(op.namespace_prefix, None, EVERYTHING, 0)
        found = cast("list[SearchItem]", self.store.batch([whole])[0])
        fitting = sorted(filter(lambda item: _fits(item, op.filter), found), key=self._place)
        return fitting[op.offset : op.offset + op.limit]

    def _place(self, item: Item) -> Any:
        """The last updated first; of the same instant in two shards, the first shard's."""
        stamp = self.stamps[item.namespace, item.key]
        return -stamp.updated.timestamp(), shard_of(joined(item.namespace), self._shards)

    def stamp(self, ns: Namespace, key: str, found: Item | None) -> None:
        """Take the instants that ours gave to an item that was put, or that is gone."""
        before = self.stamps.pop((ns, key), None)
        if found is None:
            return
        if before is None:
            assert found.created_at == found.updated_at
        else:
            assert found.created_at == before.created
            assert found.updated_at > before.updated
        self.stamps[ns, key] = Stamp(found.created_at, found.updated_at)


def _fits(item: Item, wanted: dict[str, Any] | None) -> bool:
    try:
        return all(_compare_values(item.value.get(key), it) for key, it in (wanted or {}).items())
    except (TypeError, ValueError):
        return False


def seen(found: Any) -> Any:
    """What a result tells, but for its instants."""
    if isinstance(found, Item):
        return found.namespace, found.key, typed(found.value), getattr(found, "score", None)
    if isinstance(found, list):
        return [seen(each) for each in found]
    return found


def typed(value: Any) -> Any:
    """A value in which 1, 1.0 and True are three."""
    if isinstance(value, dict):
        return {key: typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    return type(value), repr(value)


def member_keys(prefix: str, keys: Iterable[bytes]) -> list[str]:
    """The keys of a store that hold something of its items."""
    return sorted(decode(key) for key in keys if not is_bookkeeping(prefix.encode(), key))


def is_bookkeeping(prefix: bytes, key: bytes) -> bool:
    """Whether a key stays when all items are gone: how items are spread, the last instant given."""
    rest = key[len(prefix) :]
    return rest in (b":meta", b":vectors") or (rest.startswith(b":{") and rest.endswith(b"}:m"))

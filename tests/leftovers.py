"""Once every thread of a test is deleted, and a listing went by, a database holds nothing.

Threads are found in the registry (`<prefix>:threads:<shard>`), which may name threads that are
gone but may never miss one that exists: a thread missing there is left behind, and so is noticed.
The registry, the indexes and what is known of who stands in them are empty once nobody is left.

Stores are found by their `<prefix>:meta`. Of them only that is left, what vectors are like, and each shard's
last instant.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import cast

import redis
from langgraph.store.base import PutOp

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.keys import thread_named
from langgraph.store.redis import RedisStore
from stores import EVERYTHING, is_bookkeeping

_REGISTRY = re.compile(rb"(?P<prefix>.*):threads:\d+", re.DOTALL)
_STORE = re.compile(rb"(?P<prefix>.*):meta", re.DOTALL)


class Leftovers(AbstractContextManager["Leftovers"]):
    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)

    def delete_threads(self) -> None:
        """Delete all threads that are registered; the listing afterwards forgets them."""
        for prefix, members in self._registered().items():
            with RedisSaver(redis_client=self._client, key_prefix=prefix) as saver:
                for member in members:
                    saver.delete_thread(thread_named(member))
                assert list(saver.list(None)) == []

    def delete_items(self) -> None:
        """Delete all items of all stores."""
        for prefix in self._stores():
            with RedisStore(redis_client=self._client, store_prefix=prefix.decode()) as store:
                found = store.search((), limit=EVERYTHING, refresh_ttl=False)
                store.batch([PutOp(item.namespace, item.key, None) for item in found])
                store.sweep_ttl()
                assert store.search(()) == []
                assert store.list_namespaces() == []

    def keys(self) -> list[bytes]:
        """Every key, but for those of stores that say nothing of an item."""
        stores = self._stores()
        return sorted(key for key in self._all() if not any(is_bookkeeping(each, key) for each in stores))

    def forget(self) -> None:
        """Leave an empty database to the next test."""
        self._client.flushdb()

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _registered(self) -> dict[str, list[bytes]]:
        """The members of all registries, by their prefix."""
        found: dict[str, list[bytes]] = {}
        for key in self._all():
            registry = _REGISTRY.fullmatch(key)
            if registry is not None:
                members = cast("list[bytes]", self._client.zrange(key, 0, -1))
                found.setdefault(registry["prefix"].decode(), []).extend(members)
        return found

    def _stores(self) -> list[bytes]:
        """The prefixes of all stores."""
        found = map(_STORE.fullmatch, self._all())
        return [store["prefix"] for store in found if store is not None]

    def _all(self) -> list[bytes]:
        return list(cast("list[bytes]", self._client.keys("*")))

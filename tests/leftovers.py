"""Once every thread of a test is deleted, and a listing went by, a database holds nothing.

Threads are found in the registry (`<prefix>:threads:<shard>`), which may name threads that are
gone but may never miss one that exists: a thread missing there is left behind, and so is noticed.
The registry, the indexes and what is known of who stands in them are empty once nobody is left.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import cast

import redis

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.keys import thread_named

_REGISTRY = re.compile(rb"(?P<prefix>.*):threads:\d+", re.DOTALL)


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

    def keys(self) -> list[bytes]:
        """Every key."""
        return sorted(self._all())

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

    def _all(self) -> list[bytes]:
        return list(cast("list[bytes]", self._client.keys("*")))

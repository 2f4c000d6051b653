"""Once every thread of a test is deleted, a database holds nothing but the registry of threads.

Threads are found in the registry (`<prefix>:threads:<shard>`), which may name threads that are
gone but may never miss one that exists: a thread missing there is left behind, and so is noticed.
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
        for registry in self._registries():
            self._delete_named_in(registry)

    def keys(self) -> list[bytes]:
        """Every key but the registries."""
        return sorted(key for key in self._all() if not _REGISTRY.fullmatch(key))

    def forget(self) -> None:
        """Leave an empty database to the next test."""
        self._client.flushdb()

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _delete_named_in(self, registry: bytes) -> None:
        found = _REGISTRY.fullmatch(registry)
        assert found is not None
        prefix = found["prefix"].decode()
        with RedisSaver(redis_client=self._client, key_prefix=prefix) as saver:
            for member in cast("list[bytes]", self._client.zrange(registry, 0, -1)):
                saver.delete_thread(thread_named(member))

    def _registries(self) -> list[bytes]:
        return [key for key in self._all() if _REGISTRY.fullmatch(key)]

    def _all(self) -> list[bytes]:
        return list(cast("list[bytes]", self._client.keys("*")))

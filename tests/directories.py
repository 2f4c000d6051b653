"""Many threads at once: made, dated, listed, and asked for by what a saver's registry and indexes hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import uuid4

import redis

from langgraph._redis.plan import Asked, Atomic, Call, Plan
from langgraph.checkpoint.redis import ThreadInfo
from langgraph.checkpoint.redis.keys import SHARDS, Keys, member, thread_named
from steps import Chain, Put, config_of, metadata_of
from twins import Async, Sync

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

T = TypeVar("T")
Twin: TypeAlias = "Sync | Async"
Make: TypeAlias = Callable[..., Twin]

SOON = 0.05 / 60
"""A life of 50 ms, in minutes."""

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
MS = NOON.timestamp() * 1000
"""A moment to date threads by, and as the registry holds it."""

ODD_IDS = ("", "a", "{", "}", "{}", " ", "%", "%41", "A", "é", "\x00", "\x01", "\n", "a/b", "*", "x" * 500)
"""Each is a thread of its own."""


@contextmanager
def making(kind: type[Twin], url: str, prefix: str) -> Iterator[Make]:
    """Savers of either style, with options of the test, closed at the end."""
    made: list[Twin] = []

    def make_one(**options: Any) -> Twin:
        made.append(kind(url, prefix, **options))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


def put(
    twin: Twin, thread: str, *, ttl: float | None = None, ns: str = "", **metadata: Any
) -> RunnableConfig:
    """One more checkpoint of a thread."""
    config = config_of(thread, ns)
    if ttl is not None:
        config["configurable"]["ttl"] = ttl
    made = Chain(config).next(channel=thread)
    return twin.put(Put(config, made.checkpoint, metadata_of(**{"step": 0, **metadata}), made.new_versions))


def listed(twin: Twin, **query: Any) -> list[ThreadInfo]:
    """What `threads` or `athreads` gives."""
    if isinstance(twin, Sync):
        return list(twin.saver.threads(**query))
    saver = twin.saver

    async def collected() -> list[ThreadInfo]:
        return [found async for found in saver.athreads(**query)]

    found: list[ThreadInfo] = twin._run(collected())
    return found


def names(twin: Twin, **query: Any) -> list[str]:
    """The ids of the threads that are listed."""
    return [found.thread_id for found in listed(twin, **query)]


class Books:
    """What the server holds about threads under a prefix, beside the threads."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self.prefix = prefix
        self._client = client
        self._keys = Keys(prefix)

    def date(self, *threads: str, ms: float, index: bytes | None = None) -> None:
        """Let threads have been used at a moment, by the registry or by an index."""
        for name in threads:
            thread = self._keys.thread(name)
            self._client.zadd(index or self._keys.registry(thread), {member(thread): ms})

    def registered(self) -> set[str]:
        """The threads that the registry names."""
        shards: list[Any] = [self._client.zrange(self._keys.shard(n), 0, -1) for n in range(SHARDS)]
        return {thread_named(name) for shard in shards for name in shard}

    def by(self, key: str, text: str) -> bytes:
        """An index by metadata."""
        return self._keys.by(key, text)

    def named(self, index: bytes) -> set[str]:
        """The threads that an index names."""
        found: Any = self._client.zrange(index, 0, -1)
        return {thread_named(name) for name in found}

    def others(self) -> list[bytes]:
        """All keys under the prefix that are neither of a thread nor of the registry."""
        found: Any = self._client.keys(f"{self.prefix}:*")
        books = (b":links:", b":run:", b":by:")
        return sorted(key for key in found if any(kind in key for kind in books))

    def keys_of(self, thread: str) -> tuple[bytes, bytes]:
        """The keys of a thread."""
        return self._keys.thread(thread).keys

    def gone(self, *threads: str) -> bool:
        """Whether all of these threads are gone."""
        return not self._client.exists(*(key for thread in threads for key in self.keys_of(thread)))

    def weight(self, thread: str) -> int:
        """The bytes of a thread's keys."""
        found: list[Any] = [self._client.memory_usage(key, samples=0) for key in self.keys_of(thread)]
        return sum(each or 0 for each in found)

    @contextmanager
    def user(self, *commands: str) -> Iterator[redis.Redis]:
        """A client of a user who may do everything but these commands."""
        name = f"user-{uuid4().hex[:8]}"
        self._client.acl_setuser(
            name,
            enabled=True,
            nopass=True,
            keys=["*"],
            commands=["+@all", *(f"-{each}" for each in commands)],
        )
        told = self._client.connection_pool.connection_kwargs
        with redis.Redis(host=told["host"], port=told["port"], username=name, password="any") as client:
            yield client
        self._client.acl_deluser(name)


def meanwhile(plan: Plan[T], before: str, act: Callable[[], Any]) -> Plan[T]:
    """A plan that waits once while others act: ahead of the round trip with this script or command."""
    asked = next(plan)
    waiting = True
    while True:
        if waiting and before in _verbs(asked):
            waiting = False
            act()
        reply = yield asked
        try:
            asked = plan.send(reply)
        except StopIteration as done:
            assert not waiting, f"{before} was never asked"
            result: T = done.value
            return result


def _verbs(asked: Asked) -> list[str]:
    calls = asked.calls if isinstance(asked, Atomic) else asked if isinstance(asked, list) else [asked]
    verbs = [call.verb for call in calls if isinstance(call, Call)]
    return [verb if isinstance(verb, str) else verb.name for verb in verbs]

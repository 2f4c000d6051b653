"""Where copies are made, and through which client: a server, or a cluster that keeps threads apart."""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import redis
import redis.asyncio

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import Put, checkpoint_of, config_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.runnables import RunnableConfig

SERVER = ("server", "server, async")
CLUSTER = (
    "cluster",
    "cluster, async",
    "cluster, by a client of one server",
    "cluster, by an async client of one server",
)


@dataclass(frozen=True)
class Place:
    """Copies go through the client that `kind` names, everything else through `saver`."""

    kind: str
    url: str
    prefix: str
    client: redis.Redis
    saver: RedisSaver

    @property
    def cluster(self) -> bool:
        return self.kind in CLUSTER

    def copy(self, source: str, target: str, until: str | None = None) -> None:
        if "async" in self.kind:
            asyncio.run(self._acopy(source, target, until))
            return
        with self._sync_client() as client:
            RedisSaver(redis_client=client, key_prefix=self.prefix).copy_thread(source, target, until=until)

    async def _acopy(self, source: str, target: str, until: str | None) -> None:
        async with self._async_client() as client:
            saver = AsyncRedisSaver(redis_client=client, key_prefix=self.prefix)
            await saver.acopy_thread(source, target, until=until)

    def _sync_client(self) -> Any:
        return (redis.RedisCluster if self.kind == "cluster" else redis.Redis).from_url(self.url)

    def _async_client(self) -> Any:
        if self.kind == "cluster, async":
            return redis.asyncio.RedisCluster.from_url(self.url)
        return redis.asyncio.Redis.from_url(self.url)

    def saver_with(self, stack: ExitStack, **options: Any) -> RedisSaver:
        """Another saver on the same keys."""
        return stack.enter_context(RedisSaver.from_conn_string(self.url, key_prefix=self.prefix, **options))

    def key(self, thread: str, part: str = "data") -> str:
        return f"{self.prefix}:{{{thread}}}:{part}"

    def data(self, thread: str) -> dict[bytes, bytes]:
        """What a thread holds, but for when it began."""
        found = cast("dict[bytes, bytes]", self.client.hgetall(self.key(thread)))
        return {field: held for field, held in found.items() if field != b"t/made"}

    def index(self, thread: str) -> set[bytes]:
        return set(cast("list[bytes]", self.client.zrange(self.key(thread, "index"), 0, -1)))

    def drafts(self) -> list[bytes]:
        return cast("list[bytes]", self.client.keys(f"{self.prefix}:*:draft:*"))


def unnamed(data: Mapping[bytes, bytes]) -> set[bytes]:
    """The fields of a thread that no checkpoint of it leads to."""
    named = {field for field in data if field[:2] in (b"c/", b"t/")}
    named |= {field for field in data if field[:2] == b"u/" and _called(data, field)}
    for ns, name in [field[2:].split(b"/", 1) for field in named if field.startswith(b"c/")]:
        refs = data[b"c/%b/%b" % (ns, name)].split(b"\n")[2].split(b"\t")
        named |= {b"v/%b/%b" % (ns, ref.lstrip(b"\x02")) for ref in refs if b"/" in ref}
        named |= _of_writes(data, ns, name)
    for field in [field for field in named if field.startswith((b"v/", b"w/"))]:
        named |= _segments(field, data[field])
    return set(data) - named


def _called(data: Mapping[bytes, bytes], field: bytes) -> bool:
    """Whether the checkpoint that a call was made from is there, or one that the call made."""
    return b"c/" + data[field] in data or any(name.startswith(b"c/%b/" % field[2:]) for name in data)


def _of_writes(data: Mapping[bytes, bytes], ns: bytes, name: bytes) -> set[bytes]:
    tasks = b"l/%b/%b" % (ns, name)
    if tasks not in data:
        return set()
    full, *listed = data[tasks].split(b"\n")
    chunks = [b"m/%b/%d/%b" % (ns, chunk, name) for chunk in range(int(full))]
    for chunk in chunks:
        listed += [task for task in data[chunk].split(b"\n") if task]
    return {tasks, *chunks, *(b"w/%b/%b/%b" % (ns, task, name) for task in listed)}


def _segments(field: bytes, data: bytes) -> set[bytes]:
    lists = (
        re.findall(rb"\n\x04([^\n]*)\n", data)
        if field.startswith(b"w/")
        else re.findall(rb"^M([^\n]*)\n", data)
    )
    return {b"s/" + names[at : at + 10] for names in lists for at in range(0, len(names), 10)}


def put_at(
    saver: RedisSaver, thread: str, ns: str, parent: str | None, values: dict[str, Any], **facts: Any
) -> RunnableConfig:
    checkpoint = checkpoint_of(values, dict.fromkeys(values, "1"))
    put = Put(config_of(thread, ns, parent), checkpoint, metadata_of(**facts), dict.fromkeys(values, "1"))
    return saver.put(*put)

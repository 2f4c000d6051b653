"""Every key and field that the checkpointer writes. Nothing else may spell one.

A thread is two keys in one slot, ``<prefix>:{<thread>}:data`` (a hash) and ``<prefix>:{<thread>}:index``
(a sorted set whose members share score 0, so that Redis orders them by bytes: id order is time order).
They live, are copied and die together.

======================================  ========================================================
field of the hash                       holds
======================================  ========================================================
``c/<ns>/<id>``                         a checkpoint's record (`records`)
``v/<ns>/<channel>/<version>``          a channel value: whole, or as a manifest of segments
``s/<10 random characters>``            one segment, never overwritten, its name never used twice
``w/<ns>/<task>/<id>``                  one task's writes at one checkpoint
``l/<ns>/<id>``, ``m/<ns>/<n>/<id>``    the tasks with writes at one checkpoint: last chunk, full chunks
``t/sweep``                             while values are collected: a token, then the records made since
``t/swept``                             when that went on last (ms)
``u/<namespace>``                       of a call: the checkpoint it was made from, ``<ns>/<id>``
``t/made``                              when the thread began (ms, by the server's clock); always there
``t/ttl``                               the thread's own life in ms, 0 if it is pinned
``t/kept/<ns>``                         how many checkpoints had to stay when more than is kept was dropped
======================================  ========================================================

======================================  ========================================================
member of the sorted set                serves
======================================  ========================================================
``c/<ns>/<id>``                         the newest of a namespace, `before`, paging
``i/<id>NUL<ns>``                       all namespaces but the root's in id order
``r/<run>``                             the runs that made checkpoints here
``u/<ns>/<id>NUL<namespace>``           the namespaces of calls that were made from a checkpoint
======================================  ========================================================

``<prefix>:{<thread>}:draft:<name>:data`` and ``...:index`` are what a copy puts together before it takes the
thread's place; they expire within the hour if nobody goes on with them.

Beside the threads, sorted sets of threads by last use (ms): ``<prefix>:threads:<shard>`` of all,
``<prefix>:run:{<run>}`` of those in which a run made checkpoints, ``<prefix>:by:<key>:{<value>}`` of those
with a metadata value. And ``<prefix>:links:<shard>``, sorted sets of ``<thread>NUL<link>``: where a thread
stands. They may name threads that are gone and never miss one that exists (`registry`).

Only what Lua or a listing must read is spelled out in fields; see `names` for the encoding of ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import crc32

from langgraph._redis import names
from langgraph._redis.names import decode, encode, last, part, plain, tag, text_of, untag

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

SHARDS: Final = 16
SEGMENT_NAME_LENGTH: Final = 10

BUDGET: Final = 4_000_000
"""Bytes after which a script that reads answers, so that it holds the server for some milliseconds only."""


def configurable(config: RunnableConfig, argument: str = "config") -> dict[str, Any]:
    """The part of a config that addresses checkpoints.

    Raises:
        ValueError: If there is none; the message names the argument.
    """
    found: Any = config.get("configurable") if isinstance(config, (dict, Mapping)) else None
    if not isinstance(found, dict):
        raise ValueError(  # noqa: TRY004 - what is wrong is what the config holds.
            f'{argument} needs a "configurable" dict, such as {{"configurable": {{"thread_id": "1"}}}}'
        )
    return found


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread: the id as the caller gave it, as keys spell it, and its two keys."""

    given: Any
    tag: str
    data: bytes
    index: bytes

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """The keys that a script of this thread is given."""
        return self.data, self.index


class Address(NamedTuple):
    """Where a config points: a thread, a namespace, and a checkpoint id or None for the largest."""

    thread: Thread
    ns: str
    id: str | None

    def config(self, checkpoint_id: str) -> RunnableConfig:
        """The config of one checkpoint of this namespace."""
        return config_of(self.thread.given, self.ns, checkpoint_id)


def config_of(thread_id: Any, ns: str, checkpoint_id: str) -> RunnableConfig:
    """The config that addresses one checkpoint."""
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": ns,
            "checkpoint_id": checkpoint_id,
        }
    }


def checkpoint_id_of(found: dict[str, Any], argument: str = "config") -> str | None:
    """The checkpoint id of a configurable; absent, None and "" all mean the largest.

    Raises:
        TypeError: If it is no `str`, `int` or `UUID`.
    """
    given = found.get("checkpoint_id")
    if given is None or given == "":
        return None
    return text_of(f'{argument}["configurable"]["checkpoint_id"]', given)


@lru_cache(maxsize=4096)
def _thread(prefix: str, text: str) -> Thread:
    name = tag(text)
    stem = f"{prefix}:{{{name}}}"
    return Thread(text, name, encode(f"{stem}:data"), encode(f"{stem}:index"))


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys below one prefix.

    Args:
        prefix: Stands before every key. It may not hold braces, which Redis Cluster reads as a hash tag.
    """

    prefix: str

    def __post_init__(self) -> None:
        names.check_prefix("key_prefix", self.prefix)

    def thread(self, given: Any, argument: str = "thread_id") -> Thread:
        """The keys of a thread.

        Raises:
            TypeError: If the id is no `str`, `int` or `UUID`.
        """
        thread = _thread(self.prefix, text_of(argument, given))
        return thread if type(given) is str else replace(thread, given=given)

    def address(self, config: RunnableConfig) -> Address:
        """Where a config points.

        Raises:
            ValueError: If the thread id is missing.
            TypeError: If an id is no `str`, `int` or `UUID`, or the namespace no `str`.
        """
        found = configurable(config)
        if "thread_id" not in found:
            raise ValueError('config["configurable"]["thread_id"] is missing: name the thread to use')
        thread = self.thread(found["thread_id"], 'config["configurable"]["thread_id"]')
        return Address(thread, namespace_of(found) or "", checkpoint_id_of(found))

    def registry(self, thread: Thread) -> bytes:
        """The registry shard that lists a thread."""
        return self.shard(crc32(encode(thread.tag)) % SHARDS)

    def shard(self, number: int) -> bytes:
        """One shard of the registry of threads."""
        return encode(f"{self.prefix}:threads:{number}")

    def links(self, thread: Thread) -> bytes:
        """The shard that says where a thread stands in indexes."""
        return encode(f"{self.prefix}:links:{crc32(encode(thread.tag)) % SHARDS}")

    def run(self, run_id: str) -> bytes:
        """The threads in which a run made checkpoints."""
        return encode(f"{self.prefix}:run:{{{tag(run_id)}}}")

    def by(self, key: str, text: str) -> bytes:
        """The threads with one value of a metadata key; `text` stands for the value (`policy.index_text`)."""
        return encode(f"{self.prefix}:by:{tag(key)}:{{{tag(text)}}}")

    def draft(self, thread: Thread, name: bytes) -> tuple[bytes, bytes]:
        """Two keys in the thread's slot, where what will be the thread is put together."""
        stem = encode(f"{self.prefix}:{{{thread.tag}}}:draft:") + name
        return stem + b":data", stem + b":index"

    def linked(self, link: bytes) -> bytes:
        """The index that a link is about."""
        if is_run_link(link):
            return self.run(decoded(link[2:]))
        _, key, text = link.split(b"/", 2)
        return self.by(decoded(key), decoded(text))


def namespace_of(found: dict[str, Any]) -> str | None:
    """The namespace of a configurable, or None if it names none.

    Raises:
        TypeError: If it is no `str`.
    """
    ns = found.get("checkpoint_ns")
    if ns is not None and not isinstance(ns, str):
        kind = type(ns).__name__
        raise TypeError(f'config["configurable"]["checkpoint_ns"] must be a str, not {kind}: {ns!r:.80}')
    return ns


def run_link(run: str) -> bytes:
    """Where a run makes its thread known."""
    return run_member(run)


def value_link(key: str, text: str) -> bytes:
    """Where a metadata value makes its thread known."""
    return encode(f"m/{part(key)}/{last(text)}")


def is_run_link(link: bytes) -> bool:
    """Whether a link is about a run."""
    return link.startswith(b"r/")


def link_member(thread: Thread, link: bytes) -> bytes:
    """What the shard of links holds of one."""
    return b"%b\x00%b" % (member(thread), link)


def link_bounds(thread: Thread) -> tuple[bytes, bytes]:
    """The bounds of a thread's links, for ZRANGEBYLEX."""
    return b"[%b\x00" % member(thread), b"(%b\x01" % member(thread)


def owner(ns: str, parents: Mapping[str, Any]) -> bytes:
    """What of its parent a namespace belongs to, as an index holds it after ``u/``, or b"".

    A call of a subgraph makes a namespace ``<node>:<task id>`` below its parent's, and a task belongs to one
    checkpoint: that which the metadata's `parents` name. A subgraph with a checkpointer of its own has a
    namespace without a task id, and belongs to none.
    """
    names = ns.split("|") if ns else []
    while names and ":" not in names[-1]:
        names.pop()
    above = "|".join(names[:-1])
    parent = parents.get(above)
    if not names or not isinstance(parent, str):
        return b""
    return encode(f"{part(above)}/{last(parent)}\x00{part('|'.join(names))}")


def made(member: bytes) -> tuple[tuple[bytes, bytes], bytes]:
    """The checkpoint (namespace and id) and the namespace of a member that `owner` made."""
    maker, _, ns = member[2:].partition(b"\x00")
    above, _, checkpoint_id = maker.partition(b"/")
    return (above, checkpoint_id), ns


def thread_named(member: bytes) -> str:
    """The thread id of a member of the registry or of a run's set."""
    return untag(decode(member))


def member(thread: Thread) -> bytes:
    """What the registry and the sets of runs call a thread."""
    return encode(thread.tag)


def run_member(run: str) -> bytes:
    """What an index calls a run."""
    return b"r/" + encoded(run)


MADE: Final = b"t/made"
"""The field that says when a thread began."""

OWN_LIFE: Final = b"t/ttl"
"""The field that says how long a thread is to live by itself."""

CHECKPOINTS: Final = (b"[c/", b"(c0")
"""The bounds of the checkpoints in an index, for ZRANGEBYLEX."""

CALLS: Final = (b"[u/", b"(u0")
"""The bounds of the namespaces of calls in an index, for ZRANGEBYLEX."""


def record(ns: bytes, checkpoint_id: bytes) -> bytes:
    """The field and the member of one checkpoint; both as a script answered with them."""
    return b"c/%b/%b" % (ns, checkpoint_id)


def members(ns: bytes, checkpoint_id: bytes) -> list[bytes]:
    """All that an index holds of one checkpoint; both as a script answered with them."""
    found = [record(ns, checkpoint_id)]
    return [*found, b"i/%b\x00%b" % (checkpoint_id, ns)] if ns else found


def checkpoint(ns: str, checkpoint_id: str) -> bytes:
    """The field and the member of one checkpoint."""
    return encode(f"c/{part(ns)}/{last(checkpoint_id)}")


def value(ns: bytes, ref: bytes) -> bytes:
    """The field of a channel value; `ref` is ``<channel>/<version>`` as a record names it."""
    return b"v/" + ns + b"/" + ref


def kept(ns: bytes) -> bytes:
    """The field that says how many checkpoints of a namespace had to stay."""
    return b"t/kept/" + ns


def call(ns: bytes) -> bytes:
    """The field that says which checkpoint the namespace of a call was made from."""
    return b"u/" + ns


def segment(name: bytes) -> bytes:
    """The field of a segment."""
    return b"s/" + name


@lru_cache(maxsize=4096)
def encoded(text: str) -> bytes:
    """A namespace or run as scripts are given it."""
    return encode(part(text))


@lru_cache(maxsize=4096)
def word(text: str) -> bytes:
    """A channel, task or task path as scripts are given it; never empty."""
    return encode(names.word(text))


def encoded_id(text: str) -> bytes:
    """A checkpoint id as scripts are given it."""
    return encode(last(text))


@lru_cache(maxsize=4096)
def decoded(data: bytes) -> str:
    """The id that a script answered with."""
    return plain(decode(data))


def write(ns: bytes, task: bytes, checkpoint_id: bytes) -> bytes:
    """The field of one task's writes; all as a script answered with it."""
    return b"w/%b/%b/%b" % (ns, task, checkpoint_id)


def run_id(given: Any) -> str:
    """The text of a run id that a caller gave.

    Raises:
        TypeError: If it is no `str`, `int` or `UUID`.
    """
    return text_of("run_ids", given)

"""What a saver does, once: every operation on one thread's checkpoints, as a plan.

One plan asks for one round trip, unless its docstring says otherwise. Maintenance is in `history`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_metadata

from langgraph._redis import scripts
from langgraph._redis.errors import CheckpointNotFoundError, RedisPersistenceError, ReplicationError
from langgraph._redis.names import decode, text_of
from langgraph._redis.plan import Argument, Atomic, Call, Plan, Replicated, joined
from langgraph.checkpoint.redis import keys, registry
from langgraph.checkpoint.redis.conflicts import branches, moved_on, named
from langgraph.checkpoint.redis.drafts import Draft, draft
from langgraph.checkpoint.redis.reader import GONE, Reader, stored, unreadable
from langgraph.checkpoint.redis.records import PackedWrites, pack_writes, record_tail
from langgraph.checkpoint.redis.shelves import Held, Shelf
from langgraph.checkpoint.redis.stats import AGAIN, ANEW, NEW, REUSED
from langgraph.checkpoint.redis.sweep import Line, Sweep, newest_of_each_namespace

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

    from langgraph.checkpoint.redis.codec import Codec
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.keys import Address, Thread

_GET: Final = scripts.load("get")
_PUT: Final = scripts.load("put")
_PUT_WRITES: Final = scripts.load("put_writes")
_GONE, _UNREGISTERED, _ANCESTORS_GONE, _TOO_MANY = 0, -1, -2, 2
_DELETE: Final = scripts.load("delete")

_LOG: Final = logging.getLogger(__name__)

_ANEW: Final = MappingProxyType({ANEW: 1})


def run_of(metadata: Mapping[str, Any]) -> str:
    """The run that a checkpoint's metadata names, or ""."""
    run = metadata.get("run_id")
    return "" if run is None else str(run)


def _facts(config: RunnableConfig, metadata: CheckpointMetadata) -> dict[str, Any]:
    """The metadata to store: LangGraph adds what the config says, of which `ttl` is for this saver alone."""
    found = keys.configurable(config)
    if "ttl" in found:
        config = {**config, "configurable": {key: item for key, item in found.items() if key != "ttl"}}
    return cast("dict[str, Any]", get_checkpoint_metadata(config, metadata))


def delta_channels(metadata: Mapping[str, Any], made: Draft, versions: Mapping[str, Any]) -> list[bytes]:
    """Channels whose value is rebuilt from this checkpoint's ancestors.

    LangGraph counts the steps since a DeltaChannel's last snapshot in `counters_since_delta_snapshot`.
    """
    counted = metadata.get("counters_since_delta_snapshot")
    if not counted:
        return []
    named = {ref.partition(b"/")[0] for ref in made.refs}
    channels = [keys.word(channel) for channel in counted if channel in versions]
    return [channel for channel in channels if channel not in named]


@dataclass(frozen=True, slots=True)
class Plans:
    """The operations of a saver under one codec."""

    core: Core
    codec: Codec

    def shelf_key(self, thread: Thread, ns: str) -> tuple[Any, ...]:
        """Where the shelves keep what is known of a namespace."""
        return thread.data, ns, self.codec.encrypted

    def get_tuple(self, config: RunnableConfig) -> Plan[CheckpointTuple | None]:
        """The checkpoint that a config names, or the one with the largest id; None if there is none."""
        at = self.core.keys.address(config)
        shelf = self.core.shelves.get(self.shelf_key(at.thread, at.ns))
        wanted = keys.encoded_id(at.id) if at.id else b""
        life = self.core.policy.on_read(keys.configurable(config))
        reply = yield Call(_GET, at.thread.keys, (keys.encoded(at.ns), wanted, shelf.names(), life))
        if reply is None:
            return None
        if isinstance(reply, bytes):
            raise unreadable(at.thread, reply, GONE)
        answer = stored(reply)
        reader = Reader(self.codec, at.thread, answer, shelf)
        (found,) = reader.tuples(answer.entries)
        self.core.shelves.put(self.shelf_key(at.thread, at.ns), reader.shelf(found.checkpoint["id"]))
        return named(found) if at.id and self.core.policy.refuses else found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> Plan[RunnableConfig]:
        """Store a checkpoint; a second round trip if what was to be reused, or the thread, is gone by now."""
        at = self.core.keys.address(config)
        life = self.core.policy.on_write(keys.configurable(config))
        key = self.shelf_key(at.thread, at.ns)
        facts = _facts(config, metadata)
        alone = self.core.policy.refuses and not branches(config, facts)
        known = self.core.shelves.get(key)
        for versions, shelf in ((new_versions, known), (None, known.inlined(new_versions or ()))):
            made = draft(self.codec, at.ns, checkpoint, versions, shelf)
            # Before it is stored: writes that follow at once may share its segments, if the script agrees.
            edition = b"" if made.maybe else made.edition
            self.core.shelves.put(key, Shelf(made.held, checkpoint["id"], known, edition))
            sure = None if versions is not None else new_versions
            made.spare(sure)
            notes = {NEW: len(made.segments) // 2, REUSED: made.kept}
            if versions is None:
                _LOG.info(
                    "a put is sent again whole: the checkpoint or values it counted on are gone, or others"
                )
                notes[AGAIN] = 1
            if (yield from self._send(at, checkpoint, facts, made, life, notes=notes, alone=alone)):
                return at.config(checkpoint["id"])
            self.core.touches.forget(at.thread)
        raise RedisPersistenceError(
            f"checkpoint {checkpoint['id']!r} was not stored in {decode(at.thread.data)!r}: two new segments "
            "met names that were in use, which chance does not do twice: report this"
        )

    def _send(
        self,
        at: Address,
        checkpoint: Checkpoint,
        facts: dict[str, Any],
        made: Draft,
        life: bytes,
        *,
        notes: Mapping[str, int],
        alone: bool,
    ) -> Plan[bool]:
        run = run_of(facts)
        encoded_run = keys.encoded(run)
        policy = self.core.policy
        links = registry.links_of(run, policy.indexed(facts) if policy.index_metadata else ())
        ahead = registry.registration(self.core, at.thread, links)
        args: list[bytes | int] = [
            keys.encoded(at.ns),
            keys.encoded_id(checkpoint["id"]),
            keys.encoded_id(at.id) if at.id else b"",
            b"\t".join(made.refs),
            b"\t".join(made.maybe),
            self._tail(checkpoint, facts, made, encoded_run),
            encoded_run,
            int(bool(ahead)),
            life,
            policy.keep_last or b"",
            keys.owner(at.ns, facts.get("parents") or {}) if at.ns else b"",
            self.core.touches.made(at.thread) if links and not ahead else b"",
            int(alone),
            made.spared,
            *made.base,
            made.edition,
            len(made.reused),
            len(made.shared),
            len(made.segments) // 2,
            *made.reused,
            *chain.from_iterable(made.shared.items()),
            *made.segments[::2],
            *made.segments[1::2],
            *made.values,
        ]
        call = Call(_PUT, at.thread.keys, args, notes=notes)
        reply, replicas = yield from self._write(at.thread, ahead, call, links)
        if reply == _UNREGISTERED:
            self._unregistered(at.thread)
            return (yield from self._send(at, checkpoint, facts, made, life, notes=_ANEW, alone=alone))
        if isinstance(reply, bytes):
            raise moved_on(at, checkpoint["id"], reply)
        if reply == _ANCESTORS_GONE:
            raise CheckpointNotFoundError(
                f"checkpoint {at.id!r} is gone from {decode(at.thread.data)!r}: it was deleted, or the "
                f"thread expired, while a run went on. Checkpoint {checkpoint['id']!r} has DeltaChannels "
                "that need it, so it was not stored; a ttl must be longer than the longest step"
            )
        yield from self._dropped(at, checkpoint["id"], reply)
        if reply == _GONE:
            return False
        if policy.wait is not None:
            self._confirm(at, f"checkpoint {checkpoint['id']!r}", replicas)
        return True

    def _unregistered(self, thread: Thread) -> None:
        """The server has no such thread, or another one by now: the next attempt registers it."""
        _LOG.debug("a thread is registered anew: it is not there, or began again since it was registered")
        self.core.touches.forget(thread)

    def _tail(self, checkpoint: Checkpoint, facts: dict[str, Any], made: Draft, run: bytes) -> bytes:
        shell = {name: item for name, item in checkpoint.items() if name != "channel_values"}
        delta = delta_channels(facts, made, checkpoint["channel_versions"])
        return record_tail(self.codec, run, delta, [shell, made.inline, facts])

    def _dropped(self, at: Address, checkpoint_id: str, reply: Any) -> Plan[None]:
        """After a put that dropped older checkpoints: runs that ended, or what it left to a sweep."""
        if isinstance(reply, list):
            yield from registry.forget_runs(self.core, at.thread, [keys.decoded(run) for run in reply])
        elif reply == _TOO_MANY and self.core.policy.keep_last:
            keep, own = self.core.policy.keep_last, (keys.encoded(at.ns), keys.encoded_id(checkpoint_id))
            newest = newest_of_each_namespace(keep)

            def choice(lines: Sequence[Line]) -> set[tuple[bytes, bytes]]:
                return newest(lines) | {line.name for line in lines if line.name == own}

            yield from Sweep(self.core, at.thread, finished=True).tidy(choice, keep)

    def _write(
        self, thread: Thread, ahead: Sequence[Call], call: Call, links: Sequence[bytes] = ()
    ) -> Plan[Replicated]:
        """Send a write, with the thread's registration ahead of it where one is due."""
        if wait := self.core.policy.wait:
            ahead, call = [each._replace(wait=wait) for each in ahead], call._replace(wait=wait)
        if not ahead:
            reply = yield call
            return reply if type(reply) is Replicated else Replicated(reply, 0)
        # An index names this thread, not one that begins anew: the next put tells them apart.
        look = [Call("HGET", [thread.data], (b"t/made",))] if links else []
        replies = yield Atomic([*ahead, call, *look])
        registry.registered(self.core, thread, links, replies.pop() if look else None)
        yield from registry.tidy(self.core, thread)
        return joined(replies)

    def _confirm(self, at: Address, what: str, replicas: int) -> None:
        wait = self.core.policy.wait
        if wait is not None and replicas < wait.replicas:
            _LOG.warning(
                "a write was confirmed by %d of %d replicas within %d ms",
                replicas,
                wait.replicas,
                wait.milliseconds,
            )
            raise ReplicationError(
                f"{what} is stored in {decode(at.thread.data)!r} on the primary, and {replicas} of the "
                f"{wait.replicas} replicas that wait_replicas asks for confirmed it within "
                f"{wait.milliseconds} ms (wait_timeout_ms): it would be lost if the primary failed now. Look "
                "at the replicas (INFO replication); the same call may be made again",
                confirmed=replicas,
                wanted=wait.replicas,
            )

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> Plan[None]:
        """Store a task's writes at a checkpoint that need not exist yet. None sent if there are none.

        A second round trip if segments that they share with the checkpoint are gone by now.

        Raises:
            ValueError: If the config names no checkpoint.
        """
        at = self.core.keys.address(config)
        if at.id is None:
            raise ValueError(
                'config["configurable"]["checkpoint_id"] is missing: writes belong to one checkpoint'
            )
        if not writes:
            return
        life = self.core.policy.on_write(keys.configurable(config))
        held = self.core.shelves.get(self.shelf_key(at.thread, at.ns)).largest_at(at.id)
        packed = pack_writes(self.codec, writes, task_path, held.segments)
        notes: Mapping[str, int] | None = {REUSED: packed.named} if packed.named else None
        while True:
            ahead = registry.registration(self.core, at.thread)
            args = self._writes(at, task_id, packed, held, life, registers=bool(ahead))
            call = Call(_PUT_WRITES, at.thread.keys, args, notes=notes)
            if ahead or self.core.policy.wait is not None:
                (reply,), replicas = yield from self._write(at.thread, ahead, call)
            else:  # Most writes, by hundreds at once: a generator less for each.
                (reply,), replicas = (yield call), 0
            if reply == _UNREGISTERED:
                self._unregistered(at.thread)
                notes = _ANEW
            elif reply == _GONE:
                _LOG.info("writes are sent again whole: segments that they named are gone")
                packed, notes = pack_writes(self.codec, writes, task_path), {AGAIN: 1}
            else:
                break
        if isinstance(reply, bytes):
            raise unreadable(at.thread, reply, "it holds no writes, so none can be added")
        if self.core.policy.wait is not None:
            self._confirm(at, f"what task {task_id!r} wrote at checkpoint {at.id!r}", replicas)

    def _writes(
        self, at: Address, task_id: str, packed: PackedWrites, held: Held, life: bytes, *, registers: bool
    ) -> tuple[Argument, ...]:
        """What `put_writes.lua` is told of one task's writes."""
        ns = keys.encoded(at.ns)
        return (
            ns,
            keys.encoded_id(at.id or ""),
            keys.word(text_of("task_id", task_id)),
            packed.blob,
            keys.value(ns, held.ref) if packed.names and held.ref else b"",
            packed.names,
            int(registers),
            life,
            int(self.core.policy.keep_last is not None),
        )

    def delete_thread(self, thread_id: str) -> Plan[None]:
        """Delete a thread whole; a second round trip if indexes must forget it."""
        thread = self.core.keys.thread(thread_id)
        _, found = yield [Call(_DELETE, thread.keys), registry.links_call(self.core, thread)]
        self.core.touches.forget(thread)
        yield from registry.unlink(self.core, thread, registry.read_links(thread, found))

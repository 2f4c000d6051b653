"""What a saver does, once: every operation on one thread's checkpoints, as a plan.

One plan asks for one round trip, unless its docstring says otherwise. Maintenance is in `history`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_metadata

from langgraph._redis import scripts
from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.names import decode, text_of
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.drafts import Draft, draft
from langgraph.checkpoint.redis.reader import GONE, Reader, unreadable
from langgraph.checkpoint.redis.records import PackedWrites, pack_writes, record_tail
from langgraph.checkpoint.redis.shelves import EMPTY, Held, Shelf

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

    from langgraph.checkpoint.redis.codec import Codec
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.keys import Address, Thread

_GET: Final = scripts.load("get")
_PUT: Final = scripts.load("put")
_PUT_WRITES: Final = scripts.load("put_writes")
_UNREGISTERED: Final = -1
_DELETE: Final = scripts.load("delete")


def run_of(metadata: Mapping[str, Any]) -> str:
    """The run that a checkpoint's metadata names, or ""."""
    run = metadata.get("run_id")
    return "" if run is None else str(run)


def delta_channels(metadata: Mapping[str, Any], made: Draft, versions: Mapping[str, Any]) -> list[bytes]:
    """Channels whose value is rebuilt from this checkpoint's ancestors.

    LangGraph counts the steps since a DeltaChannel's last snapshot in `counters_since_delta_snapshot`.
    """
    counted = metadata.get("counters_since_delta_snapshot") or ()
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
        reply = yield Call(_GET, at.thread.keys, (keys.encoded(at.ns), wanted, shelf.names))
        if reply is None:
            return None
        if isinstance(reply, bytes):
            raise unreadable(at.thread, reply, GONE)
        (entry,), values, segments = reply
        reader = Reader(self.codec, at.thread, values, segments, shelf)
        found = reader.tuple_of(entry)
        self.core.shelves.put(self.shelf_key(at.thread, at.ns), Shelf(reader.held(), found.checkpoint["id"]))
        return found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> Plan[RunnableConfig]:
        """Store a checkpoint; a second round trip if what was to be reused, or the thread, is gone by now."""
        at = self.core.keys.address(config)
        key = self.shelf_key(at.thread, at.ns)
        facts = cast("dict[str, Any]", get_checkpoint_metadata(config, metadata))
        known = self.core.shelves.get(key)
        for versions, shelf in ((new_versions, known), (None, EMPTY)):
            made = draft(self.codec, at.ns, checkpoint, versions, shelf)
            # Before it is stored: writes that follow at once may share its segments, if the script agrees.
            self.core.shelves.put(key, Shelf(made.held, checkpoint["id"], known))
            if (yield from self._send(at, checkpoint, facts, made)):
                return at.config(checkpoint["id"])
        raise RedisPersistenceError(
            f"checkpoint {checkpoint['id']!r} was not stored in {decode(at.thread.data)!r}: two new segments "
            "met names that were in use, which chance does not do twice: report this"
        )

    def _send(self, at: Address, checkpoint: Checkpoint, facts: dict[str, Any], made: Draft) -> Plan[bool]:
        run = run_of(facts)
        shell = {name: item for name, item in checkpoint.items() if name != "channel_values"}
        delta = delta_channels(facts, made, checkpoint["channel_versions"])
        encoded_run = keys.encoded(run)
        args: list[bytes | int] = [
            keys.encoded(at.ns),
            keys.encoded_id(checkpoint["id"]),
            keys.encoded_id(at.id) if at.id else b"",
            b"\t".join(made.refs),
            b"\t".join(made.maybe),
            record_tail(self.codec, encoded_run, delta, [shell, made.inline, facts]),
            encoded_run,
            int(bool(run) and self.core.touches.due(at.thread, encoded_run)),
            len(made.reused),
            len(made.segments) // 2,
            *made.reused,
            *made.segments[::2],
            *made.segments[1::2],
            *made.values,
        ]
        reply = yield from self._write(at.thread, Call(_PUT, at.thread.keys, args), run)
        if reply == _UNREGISTERED:
            self.core.touches.forget(at.thread)
            return (yield from self._send(at, checkpoint, facts, made))
        return bool(reply)

    def _write(self, thread: Thread, call: Call, run: str = "") -> Plan[Any]:
        """Send a write, with the thread's registration ahead of it where one is due."""
        ahead = self.core.registration(thread, run)
        if not ahead:
            return (yield call)
        replies = yield [*ahead, call]
        self.core.registered(thread, run)
        return replies[-1]

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
        shelf = self.core.shelves.get(self.shelf_key(at.thread, at.ns))
        held = shelf.largest_at(at.id)
        packed = pack_writes(self.codec, writes, task_path, held.segments)
        if (yield from self._send_writes(at, task_id, packed, held)):
            return
        yield from self._send_writes(at, task_id, pack_writes(self.codec, writes, task_path), held)

    def _send_writes(self, at: Address, task_id: str, packed: PackedWrites, held: Held) -> Plan[bool]:
        named = packed.last_segment and held.ref
        args = (
            keys.encoded(at.ns),
            keys.encoded_id(at.id or ""),
            keys.word(text_of("task_id", task_id)),
            packed.blob,
            keys.value(keys.encoded(at.ns), held.ref) if named and held.ref else b"",
            packed.last_segment,
        )
        (stored,) = yield from self._write(at.thread, Call(_PUT_WRITES, at.thread.keys[:1], args))
        if isinstance(stored, bytes):
            raise unreadable(at.thread, stored, "it holds no writes, so none can be added")
        return bool(stored)

    def delete_thread(self, thread_id: str) -> Plan[None]:
        """Delete a thread whole; a second round trip if runs must forget it."""
        thread = self.core.keys.thread(thread_id)
        runs = yield Call(_DELETE, thread.keys)
        yield from self.forget_runs(thread, [keys.decoded(run) for run in runs])

    def forget_runs(self, thread: Thread, runs: Sequence[str]) -> Plan[None]:
        """Take a thread out of the index of these runs, but for those that wrote to it meanwhile."""
        self.core.touches.forget(thread)
        if not runs:
            return
        name = [keys.member(thread)]
        removals = [Call("SREM", [self.core.keys.run(run)], name) for run in runs]
        looks = [Call("ZSCORE", [thread.index], [keys.run_member(run)]) for run in runs]
        found = (yield [*removals, *looks])[len(runs) :]
        back = [run for run, score in zip(runs, found, strict=True) if score is not None]
        if back:
            yield [Call("SADD", [self.core.keys.run(run)], name) for run in back]

"""The ancestors of a checkpoint, and maintenance: copies of threads, and what is dropped of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.reader import Reader
from langgraph.checkpoint.redis.shelves import EMPTY
from langgraph.checkpoint.redis.sweep import Sweep, latest_of_each_namespace, of_runs

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph.checkpoint.redis.keys import Thread
    from langgraph.checkpoint.redis.plans import Plans

_HISTORY: Final = scripts.load("history")
_COPY: Final = scripts.load("copy")

_UNTOLD: Final = -1

ANCESTORS: Final = 200
"""Ancestors a round trip walks at most, so that the script holds the server for some milliseconds only."""


class _Histories:
    """Gathers what each channel contributed, newest first, until its seed is met."""

    def __init__(self, channels: Sequence[str]) -> None:
        self.channels = channels
        self.left = set(channels)
        self.writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
        self.seeds: dict[str, Any] = {}

    def add(self, reader: Reader, ns: bytes, step: Sequence[Any]) -> None:
        """One ancestor: its writes count even where its value ends the walk, for they came after it."""
        checkpoint_id, flat, seeds = step
        entries = reader.entries(keys.decoded(ns), keys.decoded(checkpoint_id), flat)
        for entry in reversed(entries):
            if entry.channel in self.left:
                self.writes[entry.channel].append((entry.task, entry.channel, entry.value))
        for at in range(0, len(seeds), 4):
            name, *seed = seeds[at : at + 4]
            channel = keys.decoded(name)
            self.seeds[channel] = _seed(reader, ns, checkpoint_id, channel, seed)
            self.left.discard(channel)

    def result(self) -> dict[str, DeltaChannelHistory]:
        """As LangGraph asks for it: writes oldest first, and a seed only where one was met."""
        found: dict[str, DeltaChannelHistory] = {}
        for channel in self.channels:
            found[channel] = {"writes": self.writes[channel][::-1]}
            if channel in self.seeds:
                found[channel]["seed"] = self.seeds[channel]
        return found


def _seed(reader: Reader, ns: bytes, checkpoint_id: bytes, channel: str, seed: Sequence[bytes]) -> Any:
    kind, field, data = seed
    if kind == b"v":
        return reader.value_from(field, data)[0]
    return reader.record(ns, checkpoint_id, data).inline[channel]


def delta_history(
    plans: Plans, config: RunnableConfig, channels: Sequence[str]
) -> Plan[Mapping[str, DeltaChannelHistory]]:
    """The stored value at the nearest ancestor, and the writes since; 200 ancestors a round trip."""
    gathered = _Histories(channels)
    at = plans.core.keys.address(config)
    ns = keys.encoded(at.ns)
    cursor, going_on = keys.encoded_id(at.id) if at.id else b"", 0
    while gathered.left and (cursor or not going_on):
        wanted = b"\t".join(keys.word(channel) for channel in gathered.left)
        reply = yield Call(_HISTORY, at.thread.keys, (ns, cursor, going_on, ANCESTORS, wanted))
        if reply is None:
            break
        cursor, steps, segments = reply
        reader = Reader(plans.codec, at.thread, (), segments, EMPTY)
        for step in steps:
            gathered.add(reader, ns, step)
        going_on = 1
    return gathered.result()


def copy_thread(plans: Plans, source_id: str, target_id: str) -> Plan[None]:
    """Copy a thread over another, in one round trip (three if the source holds runs, which are told first).

    Readers of the target see what it was or the whole copy. A source that does not exist changes nothing.
    """
    source = plans.core.keys.thread(source_id, "source_thread_id")
    target = plans.core.keys.thread(target_id, "target_thread_id")
    if source.data == target.data:
        return
    told: list[bytes] = []
    while (before := (yield from _copied(plans, source, target, told))) == _UNTOLD:
        told = [
            keys.run_of_member(member) for member in (yield Call("ZRANGEBYLEX", [source.index], keys.RUNS))
        ]
    if before is not None:
        lost = sorted(set(before) - set(told))
        yield from plans.forget_runs(target, [keys.decoded(run) for run in lost])


def _copied(plans: Plans, source: Thread, target: Thread, told: Sequence[bytes]) -> Plan[Any]:
    """Tell runs of the target, then copy: the index of runs may never miss a thread."""
    name = keys.member(target)
    ahead = [Call("SADD", [plans.core.keys.run(keys.decoded(run))], [name]) for run in told]
    call = Call(_COPY, [*source.keys, *target.keys], told)
    *_, reply = yield [*plans.core.registration(target), *ahead, call]
    plans.core.registered(target)
    return reply


def _refuse_text(argument: str, ids: Iterable[str]) -> None:
    """A lone id would be taken for a sequence of ids of one letter each."""
    if isinstance(ids, (str, bytes)):
        raise TypeError(f"{argument} must be a sequence of ids, not one: [{ids!r:.80}]")


def prune(plans: Plans, thread_ids: Iterable[str], strategy: str) -> Plan[None]:
    """Keep the latest checkpoint of each namespace, or nothing, of each of these threads.

    Raises:
        ValueError: For a strategy that is neither "keep_latest" nor "delete".
    """
    _refuse_text("thread_ids", thread_ids)
    if strategy not in ("keep_latest", "delete"):
        raise ValueError(f'strategy must be "keep_latest" or "delete", not {strategy!r}')
    for thread_id in thread_ids:
        if strategy == "delete":
            yield from plans.delete_thread(thread_id)
        else:
            thread = plans.core.keys.thread(thread_id)
            yield from Sweep(plans, thread).drop(latest_of_each_namespace)


def delete_for_runs(plans: Plans, run_ids: Iterable[str]) -> Plan[None]:
    """Drop the checkpoints that these runs made, with their writes, in whatever threads.

    What a DeltaChannel of a kept checkpoint is rebuilt from stays.
    """
    _refuse_text("run_ids", run_ids)
    runs = [keys.run_id(run) for run in run_ids]
    if not runs:
        return
    found = yield [Call("SMEMBERS", [plans.core.keys.run(run)]) for run in runs]
    for name in sorted({name for members in found for name in members}):
        thread = plans.core.keys.thread(keys.thread_named(name))
        yield from Sweep(plans, thread).drop(of_runs({keys.encoded(run) for run in runs}))
        # What a DeltaChannel needs may keep checkpoints of the run: then its thread stays listed.

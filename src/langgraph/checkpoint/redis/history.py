"""The ancestors of a checkpoint: what the values of DeltaChannels are rebuilt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

from langgraph._redis import scripts
from langgraph._redis.plan import Call, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.reader import Reader, Stored, pairs

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph.checkpoint.redis.plans import Plans

_HISTORY: Final = scripts.load("history")

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
        entries = reader.entries(ns, checkpoint_id, flat)
        for entry in reversed(entries):
            if entry.channel in self.left:
                self.writes[entry.channel].append((entry.task, entry.channel, reader.load(entry.value)))
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
        return reader.value(field, data)
    return reader.body(ns, checkpoint_id, data).inline[channel]


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
        reader = Reader(plans.codec, at.thread, Stored([], {}, pairs(segments)))
        for step in steps:
            gathered.add(reader, ns, step)
        going_on = 1
    return gathered.result()

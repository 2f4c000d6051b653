"""What a saver is given: the checkpoints and writes of an agent's thread, one message a step.

Channels, versions and metadata are those that a react agent's graph hands to its saver. Everything
is built ahead of the clock, and the same for each contender.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.base.id import uuid6

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

NextVersion: TypeAlias = Callable[[Any, None], Any]
Write: TypeAlias = "tuple[str, Any]"

CHARACTERS = 300
"""The length of each message's text."""

_GO = "branch:to:agent"
"""The channel that starts the agent's node; its value is None."""


def _word(dice: random.Random) -> str:
    return "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(3, 9)))


# Words, not one repeated letter: a text that compresses to nothing would flatter a saver.
_SEED = random.Random(300)  # noqa: S311  # the same words each run; nothing is secret
_WORDS = [_word(_SEED) for _ in range(2000)]


@cache
def text(number: int) -> str:
    """`CHARACTERS` characters of words; the same for the same number."""
    words = random.Random(number).choices(_WORDS, k=CHARACTERS // 4)  # noqa: S311  # as above
    return " ".join(words)[:CHARACTERS]


def message(number: int) -> AnyMessage:
    """The thread's message at `number`: a person's at even ones, the model's at odd ones."""
    identifier = str(UUID(int=random.Random(-number - 1).getrandbits(128)))  # noqa: S311
    speaker = AIMessage if number % 2 else HumanMessage
    return speaker(content=text(number), id=identifier)


@dataclass(frozen=True)
class Step:
    """One superstep: what `put` takes, and the writes of the task that then runs."""

    number: int
    parent: str | None
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    new_versions: ChannelVersions

    def config(self, thread: str) -> RunnableConfig:
        """What `put` is called with: the thread, and the parent's id."""
        return config(thread, self.parent)

    def stored(self, thread: str) -> RunnableConfig:
        """The checkpoint itself, as `put_writes` names it."""
        return config(thread, self.checkpoint["id"])

    @property
    def task(self) -> str:
        """The id of the one task that runs on this checkpoint."""
        return task(self.number)

    @property
    def writes(self) -> list[Write]:
        """Two writes: the message that comes next, and the edge to follow."""
        return writes(len(self.checkpoint["channel_values"]["messages"]))


def config(thread: str, checkpoint_id: str | None = None) -> RunnableConfig:
    """A thread's config in the root namespace, at a checkpoint where one is named."""
    configurable = {"thread_id": thread, "checkpoint_ns": ""}
    if checkpoint_id is not None:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable, "metadata": {"thread_id": thread}}


def task(number: int) -> str:
    """A task id with the shape of LangGraph's own."""
    return str(UUID(int=random.Random(number).getrandbits(128)))  # noqa: S311  # only an id


def writes(number: int) -> list[Write]:
    """The two writes of a node that answers with message `number`."""
    return [("messages", [message(number)]), (_GO, None)]


def steps(next_version: NextVersion, sizes: Sequence[int]) -> list[Step]:
    """A thread's checkpoints, oldest first; `sizes` says how many messages each holds."""
    said = [message(number) for number in range(max(sizes))]
    result: list[Step] = []
    for number, size in enumerate(sizes):
        last = result[-1] if result else None
        newest = last.checkpoint["channel_versions"][_GO] if last else None
        result.append(_step(number, last, next_version(newest, None), said[:size]))
    return result


def _step(number: int, last: Step | None, version: Any, messages: list[AnyMessage]) -> Step:
    """The checkpoint after `last`; a person speaks at even numbers, the model at odd ones."""
    new = _new_versions(number, last, version, len(messages))
    versions: ChannelVersions = {**(last.checkpoint["channel_versions"] if last else {}), **new}
    values: dict[str, Any] = {"messages": messages, "__pregel_tasks": []}
    if number % 2 == 0:
        values[_GO] = None
    checkpoint = Checkpoint(
        v=4,
        id=str(uuid6(clock_seq=number)),
        ts=datetime.now(timezone.utc).isoformat(),
        channel_values=values,
        channel_versions=versions,
        versions_seen=_seen(versions),
        updated_channels=sorted(new),
    )
    metadata = CheckpointMetadata(source="loop", step=number, parents={})
    return Step(number, last.checkpoint["id"] if last else None, checkpoint, metadata, new)


def _new_versions(number: int, last: Step | None, version: Any, size: int) -> ChannelVersions:
    """The channels that this step wrote or consumed."""
    new = {_GO: version}
    if last is None or len(last.checkpoint["channel_values"]["messages"]) != size:
        new["messages"] = version
    if number % 2 == 0:
        new["__start__"] = version
    if last is None:
        new["__pregel_tasks"] = version
    return new


def _seen(versions: ChannelVersions) -> dict[str, ChannelVersions]:
    """What each node of the agent had seen of its triggers."""
    start, go = versions["__start__"], versions[_GO]
    return {"__input__": {}, "__start__": {"__start__": start}, "agent": {_GO: go}, "tools": {}}

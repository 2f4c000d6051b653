"""Checkpoints as a graph hands them to a saver: one more step of a thread at a time."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.memory import InMemorySaver

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions

asks_in_async_runs = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="LangGraph's interrupt() in async runs needs Python 3.11"
)

next_version = InMemorySaver().get_next_version


class Put(NamedTuple):
    """The arguments of `put`, in its order."""

    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    new_versions: ChannelVersions


def config_of(
    thread_id: Any = "thread", checkpoint_ns: Any = "", checkpoint_id: Any = None
) -> RunnableConfig:
    """Ids are of any type, so that a test can hand over one that is refused."""
    configurable = {"thread_id": thread_id, "checkpoint_ns": checkpoint_ns}
    if checkpoint_id is not None:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def id_of(config: RunnableConfig) -> str:
    return str(config["configurable"]["checkpoint_id"])


def checkpoint_of(
    values: dict[str, Any],
    versions: ChannelVersions | None = None,
    checkpoint_id: str | None = None,
) -> Checkpoint:
    return Checkpoint(
        v=4,
        id=str(uuid6()) if checkpoint_id is None else checkpoint_id,
        ts="2026-01-02T03:04:05.678901+00:00",
        channel_values=values,
        channel_versions={} if versions is None else versions,
        versions_seen={"__input__": {}},
        updated_channels=None,
    )


def metadata_of(step: int = 0, **more: Any) -> CheckpointMetadata:
    return cast("CheckpointMetadata", {"source": "loop", "step": step, "parents": {}, **more})


@dataclass
class Chain:
    """A thread (of one namespace) that grows: what changes at a step gets a new version."""

    config: RunnableConfig = field(default_factory=config_of)
    values: dict[str, Any] = field(default_factory=dict)
    versions: ChannelVersions = field(default_factory=dict)
    step: int = -1

    def next(self, **changed: Any) -> Put:
        """The arguments for the next `put`; `config` must be set to what that returns."""
        new = {name: next_version(self._version(name), None) for name in changed}
        self.values = {**self.values, **changed}
        self.versions = {**self.versions, **new}
        self.step += 1
        checkpoint = checkpoint_of(dict(self.values), dict(self.versions))
        return Put(self.config, checkpoint, metadata_of(self.step), dict(new))

    def put(self, saver: BaseCheckpointSaver[str], **changed: Any) -> RunnableConfig:
        self.config = saver.put(*self.next(**changed))
        return self.config

    async def aput(self, saver: BaseCheckpointSaver[str], **changed: Any) -> RunnableConfig:
        self.config = await saver.aput(*self.next(**changed))
        return self.config

    def _version(self, channel: str) -> str | None:
        version = self.versions.get(channel)
        return None if version is None else str(version)


def long_list(count: int, mark: str = "") -> list[str]:
    return [f"{mark}{n} {'x' * 200}" for n in range(count)]


def values_at(saver: BaseCheckpointSaver[str], config: RunnableConfig) -> dict[str, Any] | None:
    found = saver.get(config)
    return None if found is None else found["channel_values"]

"""InMemorySaver as the reference, and ours behind the same blocking calls, to be compared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        BaseCheckpointSaver,
        CheckpointTuple,
        DeltaChannelHistory,
        PendingWrite,
    )

    from steps import Put

_SERDE = JsonPlusSerializer()

EVERY_OPTION: dict[str, Any] = {
    "ttl": {"default_ttl": 60, "refresh_on_read": True},
    "keep_last": 1_000,
    "index_metadata": ["user", "step"],
}
"""All that a saver can be told, of which none may change what it answers in a test."""


class Saver(Protocol):
    """What is compared."""

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None: ...
    def list(self, config: RunnableConfig | None, **query: Any) -> list[CheckpointTuple]: ...
    def put(self, put: Put) -> RunnableConfig: ...
    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task: str, path: str
    ) -> None: ...
    def history(
        self, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]: ...
    def delete_thread(self, thread_id: str) -> None: ...
    def copy_thread(self, source: str, target: str) -> None: ...
    def prune(self, thread_id: str) -> None: ...
    def delete_for_run(self, run_id: str) -> None: ...
    def close(self) -> None: ...


class _Blocking:
    """What a machine asks of any saver through its sync methods."""

    saver: BaseCheckpointSaver[str]

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self.saver.get_tuple(config)

    def list(self, config: RunnableConfig | None, **query: Any) -> list[CheckpointTuple]:
        return list(self.saver.list(config, **query))

    def put(self, put: Put) -> RunnableConfig:
        return self.saver.put(*put)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task: str, path: str
    ) -> None:
        self.saver.put_writes(config, writes, task, path)

    def history(self, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, DeltaChannelHistory]:
        return self.saver.get_delta_channel_history(config=config, channels=channels)

    def delete_thread(self, thread_id: str) -> None:
        self.saver.delete_thread(thread_id)


class Reference(_Blocking):
    """InMemorySaver, which has no maintenance of its own: it is done here in the plainest way."""

    def __init__(self) -> None:
        self.saver: InMemorySaver = InMemorySaver()

    def copy_thread(self, source: str, target: str) -> None:
        self.saver.delete_thread(target)
        for ns, checkpoints in self.saver.storage[source].items():
            self.saver.storage[target][ns] = dict(checkpoints)
        for thread, ns, checkpoint_id in list(self.saver.writes):
            if thread == source:
                writes = self.saver.writes[thread, ns, checkpoint_id]
                self.saver.writes[target, ns, checkpoint_id] = dict(writes)
        for thread, ns, channel, version in list(self.saver.blobs):
            if thread == source:
                value = self.saver.blobs[thread, ns, channel, version]
                self.saver.blobs[target, ns, channel, version] = value

    def prune(self, thread_id: str) -> None:
        for ns, checkpoints in self.saver.storage[thread_id].items():
            for checkpoint_id in sorted(checkpoints)[:-1]:
                self._drop(thread_id, ns, checkpoint_id)

    def delete_for_run(self, run_id: str) -> None:
        for found in self.list(None, filter={"run_id": run_id}):
            self._drop(*address(found.config))

    def _drop(self, thread_id: str, ns: str, checkpoint_id: str) -> None:
        del self.saver.storage[thread_id][ns][checkpoint_id]
        self.saver.writes.pop((thread_id, ns, checkpoint_id), None)

    def close(self) -> None:
        """Nothing is open."""


class Sync(_Blocking):
    """RedisSaver."""

    def __init__(self, url: str, key_prefix: str, **options: Any) -> None:
        self.saver: RedisSaver = RedisSaver(url, key_prefix=key_prefix, **options)

    def do(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method by the name that the sync saver gives it."""
        return getattr(self.saver, method)(*args, **options)

    def copy_thread(self, source: str, target: str) -> None:
        self.saver.copy_thread(source, target)

    def prune(self, thread_id: str) -> None:
        self.saver.prune([thread_id])

    def delete_for_run(self, run_id: str) -> None:
        self.saver.delete_for_runs([run_id])

    def close(self) -> None:
        self.saver.close()


class Async:
    """AsyncRedisSaver on a loop of its own."""

    def __init__(self, url: str, key_prefix: str, **options: Any) -> None:
        self.saver = AsyncRedisSaver(url, key_prefix=key_prefix, **options)
        self._loop = asyncio.new_event_loop()

    def do(self, method: str, *args: Any, **options: Any) -> Any:
        """Await the async twin of a method."""
        return self._run(getattr(self.saver, f"a{method}")(*args, **options))

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(coroutine)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        found: CheckpointTuple | None = self._run(self.saver.aget_tuple(config))
        return found

    def list(self, config: RunnableConfig | None, **query: Any) -> list[CheckpointTuple]:
        async def listed() -> list[CheckpointTuple]:
            return [found async for found in self.saver.alist(config, **query)]

        everything: list[CheckpointTuple] = self._run(listed())
        return everything

    def put(self, put: Put) -> RunnableConfig:
        config: RunnableConfig = self._run(self.saver.aput(*put))
        return config

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task: str, path: str
    ) -> None:
        self._run(self.saver.aput_writes(config, writes, task, path))

    def history(self, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, DeltaChannelHistory]:
        found: Mapping[str, DeltaChannelHistory] = self._run(
            self.saver.aget_delta_channel_history(config=config, channels=channels)
        )
        return found

    def delete_thread(self, thread_id: str) -> None:
        self._run(self.saver.adelete_thread(thread_id))

    def copy_thread(self, source: str, target: str) -> None:
        self._run(self.saver.acopy_thread(source, target))

    def prune(self, thread_id: str) -> None:
        self._run(self.saver.aprune([thread_id]))

    def delete_for_run(self, run_id: str) -> None:
        self._run(self.saver.adelete_for_runs([run_id]))

    def close(self) -> None:
        self._run(self.saver.aclose())
        self._loop.close()


def seen(found: CheckpointTuple | None) -> Any:
    """Everything that a tuple tells, as bytes: equal bytes are equal values of equal types.

    Channels stand in order of their names; a config is what it addresses, since InMemorySaver
    hands back the one it was given.
    """
    if found is None:
        return None
    values = sorted(found.checkpoint["channel_values"].items())
    return (
        address(found.config),
        address(found.parent_config),
        _SERDE.dumps_typed({**found.checkpoint, "channel_values": values}),
        _SERDE.dumps_typed(dict(sorted(found.metadata.items()))),
        _writes(found.pending_writes),
    )


def address(config: RunnableConfig | None) -> Any:
    """Thread, namespace, checkpoint id."""
    if config is None:
        return None
    named = config["configurable"]
    return named["thread_id"], named["checkpoint_ns"], named["checkpoint_id"]


def seen_history(history: Mapping[str, DeltaChannelHistory]) -> Any:
    return {
        channel: (_writes(entry["writes"]), _SERDE.dumps_typed(entry["seed"]))
        if "seed" in entry
        else _writes(entry["writes"])
        for channel, entry in history.items()
    }


def _writes(writes: Sequence[PendingWrite] | None) -> Any:
    """As they come: their order is part of what they tell."""
    if writes is None:
        return None
    return [(type(write), *write[:2], _SERDE.dumps_typed(write[2])) for write in writes]

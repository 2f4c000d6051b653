"""The sync saver: signatures, docstrings, one line of work each."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langgraph._redis.drivers import SyncDriver
from langgraph._redis.probe import EvictionWarning, check
from langgraph.checkpoint.redis import history
from langgraph.checkpoint.redis.base import BaseRedisSaver, endpoint
from langgraph.checkpoint.redis.listing import Listing, query

if TYPE_CHECKING:
    from types import TracebackType

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self


class RedisSaver(BaseRedisSaver):
    """Keeps LangGraph checkpoints in Redis or Valkey, through a sync client.

    Thread-safe; one saver may serve many graphs. Its async methods run the sync ones in threads: in an
    async program, `AsyncRedisSaver` does better.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads them; or
            ``embedded://<folder>`` for a Valkey server of its own that keeps its data in that folder,
            ``embedded://`` for a temporary one.
        redis_client: A `redis.Redis` to use instead. It is never closed here.
        connection_args: Further arguments for the connections to `redis_url`, such as
            ``{"socket_timeout": 5}``.
        serde: LangGraph's serializer, `JsonPlusSerializer()` unless given. With an
            `EncryptedSerializer`, values, writes, metadata and the rest of each checkpoint are
            encrypted; ids, channel names, versions and run ids stay readable.
        key_prefix: Stands before every key.

    Raises:
        ValueError: If both or neither of `redis_url` and `redis_client` are given, or one is unusable.
        TypeError: If `redis_client` is an async client.

    Example:
        ```python
        with RedisSaver.from_conn_string("redis://localhost:6379") as checkpointer:
            checkpointer.setup()
            graph = builder.compile(checkpointer=checkpointer)
            graph.invoke(inputs, {"configurable": {"thread_id": "1"}})
        ```
    """

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        redis_client: Any = None,
        connection_args: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        key_prefix: str = "langgraph",
    ) -> None:
        place = endpoint(redis_url, redis_client, connection_args, key_prefix, wants_async=False)
        super().__init__(place, serde, key_prefix)
        client, self._owned = place.sync_client()
        self._driver = SyncDriver(client, cluster=place.cluster)

    @classmethod
    @contextmanager
    def from_conn_string(
        cls,
        redis_url: str | None = None,
        *,
        redis_client: Any = None,
        connection_args: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        key_prefix: str = "langgraph",
    ) -> Iterator[Self]:
        """A saver for the length of a `with` block; takes what the constructor takes."""
        saver = cls(
            redis_url,
            redis_client=redis_client,
            connection_args=connection_args,
            serde=serde,
            key_prefix=key_prefix,
        )
        with saver:
            yield saver

    @property
    def client(self) -> Any:
        """The client in use: the one that was brought, or this saver's own, to share but not to close."""
        return self._driver.client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are this saver's own. A client that was brought stays open."""
        if self._owned:
            self._driver.client.close()
        self._endpoint.release()

    async def aclose(self) -> None:
        """`close`, in a thread."""
        await asyncio.to_thread(self.close)

    def setup(self) -> None:
        """Check that the server can do what is needed; one round trip, as often as you like.

        Nothing is created: a saver works without this call. It uses no admin command, and warns with
        `EvictionWarning` if it is allowed to see that the server may drop live threads.

        Raises:
            UnsupportedServerError: If the server is too old, or the user may not run scripts.
        """
        for warning in self._driver.run(check(self._core.keys.prefix)):
            warnings.warn(warning, EvictionWarning, stacklevel=2)

    async def asetup(self) -> None:
        """`setup`, in a thread."""
        await asyncio.to_thread(self.setup)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Fetch a checkpoint with its metadata, parent and pending writes. One round trip.

        Args:
            config: ``{"configurable": {"thread_id": ...}}``; with `checkpoint_id` that checkpoint, else
                the one with the largest id; `checkpoint_ns` is the root's, ``""``, unless given.

        Returns:
            The checkpoint, or None if there is none. An outage raises.

        Raises:
            CorruptRecordError: If what is stored cannot be read.
        """
        return self._driver.run(self._plans.get_tuple(config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Iterate over checkpoints, the largest id first.

        A page of up to 100 checkpoints (or some 4 MB) is one round trip, two with a filter.

        Args:
            config: The thread; without `checkpoint_ns` all its namespaces. None: all threads, the last
                used first.
            filter: Metadata that must be there, compared for equality.
            before: Only ids below this config's `checkpoint_id`, which need not exist.
            limit: The most to return, counted after the filter.
        """
        listing = Listing(self._plans, config, query(config, filter, before, limit))
        while not listing.done:
            yield from self._driver.run(listing.next_page())

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint, or nothing of it. One round trip, atomic.

        Args:
            config: Where; its `checkpoint_id` is the parent's.
            checkpoint: What to store. One with the same id is replaced, and keeps its writes.
            metadata: Stored with it, together with what `config` adds.
            new_versions: The channel versions whose values are new. A value that is neither new nor
                stored yet is stored all the same.

        Returns:
            The config of the stored checkpoint.
        """
        return self._driver.run(self._plans.put(config, checkpoint, metadata, new_versions))

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote at a checkpoint, which need not be stored yet. One round trip, atomic.

        A regular write that is there already stays; a special one (an error, an interrupt, a resume
        value: `WRITES_IDX_MAP`) is replaced.

        Args:
            config: The checkpoint, by `checkpoint_id`.
            writes: Pairs of channel and value.
            task_id: The task that wrote them.
            task_path: Its path, by which writes are ordered.
        """
        self._driver.run(self._plans.put_writes(config, writes, task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        """Delete all that is stored of a thread. One round trip; a second if it held run ids."""
        self._driver.run(self._plans.delete_thread(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata name one of these runs, with their writes.

        Checkpoints that a DeltaChannel of another one is rebuilt from are kept.
        """
        self._driver.run(history.delete_for_runs(self._plans, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history. What the target held before is replaced.

        Atomic, in one round trip, or three if the source holds run ids. A source that does not exist
        changes nothing.
        """
        self._driver.run(history.copy_thread(self._plans, source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Drop old checkpoints of these threads, in slices that leave the server free for others.

        Args:
            thread_ids: The threads; an empty sequence does nothing.
            strategy: "keep_latest" keeps the newest checkpoint of each namespace, and the ancestors
                that its DeltaChannels are rebuilt from; "delete" deletes the threads.

        Raises:
            ValueError: For another strategy.
        """
        self._driver.run(history.prune(self._plans, thread_ids, strategy))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """What each channel's value is rebuilt from: the nearest stored value, and the writes since.

        One round trip per 200 ancestors.

        Args:
            config: The checkpoint whose ancestors are asked; without `checkpoint_id` the latest.
            channels: Names of DeltaChannels.
        """
        return self._driver.run(history.delta_history(self._plans, config, channels))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`get_tuple`, in a thread."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """`list`, each page in a thread."""
        listing = Listing(self._plans, config, query(config, filter, before, limit))
        while not listing.done:
            for found in await asyncio.to_thread(self._driver.run, listing.next_page()):
                yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """`put`, in a thread."""
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """`put_writes`, in a thread."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """`delete_thread`, in a thread."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """`delete_for_runs`, in a thread."""
        await asyncio.to_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """`copy_thread`, in a thread."""
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`prune`, in a thread."""
        await asyncio.to_thread(self.prune, thread_ids, strategy=strategy)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """`get_delta_channel_history`, in a thread."""
        return await asyncio.to_thread(self.get_delta_channel_history, config=config, channels=channels)

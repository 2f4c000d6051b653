"""What a saver is asked, once for both savers: signatures, docstrings, one line of work each.

A saver brings the two ways to run a plan, `_run` and `_arun`. Nothing else tells them apart here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.checkpoint.redis import history
from langgraph.checkpoint.redis.base import BaseRedisSaver
from langgraph.checkpoint.redis.listing import Listing, query

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )

    from langgraph._redis.plan import Plan

T = TypeVar("T")


class Operations(BaseRedisSaver):
    """The methods of LangGraph's contract, sync and async."""

    @abstractmethod
    def _run(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        """Run a plan in this thread.

        Args:
            plan: The plan.
            name: The operation's, where that is not the plan's own.
            about: The config or the thread id that it is asked for.
        """

    @abstractmethod
    async def _arun(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        """Run a plan and let the event loop go on meanwhile."""

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
        return self._run(self._plans.get_tuple(config), about=config)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`get_tuple`, awaited."""
        return await self._arun(self._plans.get_tuple(config), about=config)

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
            yield from self._run(listing.next_page(), "list", config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """`list`, each page awaited."""
        listing = Listing(self._plans, config, query(config, filter, before, limit))
        while not listing.done:
            for found in await self._arun(listing.next_page(), "list", config):
                yield found

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
        return self._run(self._plans.put(config, checkpoint, metadata, new_versions), about=config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """`put`, awaited. A call that is cancelled has stored all of it or nothing."""
        return await self._arun(self._plans.put(config, checkpoint, metadata, new_versions), about=config)

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
        self._run(self._plans.put_writes(config, writes, task_id, task_path), about=config)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """`put_writes`, awaited. A call that is cancelled has stored all of them or none."""
        await self._arun(self._plans.put_writes(config, writes, task_id, task_path), about=config)

    def delete_thread(self, thread_id: str) -> None:
        """Delete all that is stored of a thread. One round trip; a second if it held run ids."""
        self._run(self._plans.delete_thread(thread_id), about=thread_id)

    async def adelete_thread(self, thread_id: str) -> None:
        """`delete_thread`, awaited."""
        await self._arun(self._plans.delete_thread(thread_id), about=thread_id)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """What each channel's value is rebuilt from: the nearest stored value, and the writes since.

        One round trip per 200 ancestors.

        Args:
            config: The checkpoint whose ancestors are asked; without `checkpoint_id` the latest.
            channels: Names of DeltaChannels.
        """
        return self._run(
            history.delta_history(self._plans, config, channels), "get_delta_channel_history", config
        )

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """`get_delta_channel_history`, awaited."""
        return await self._arun(
            history.delta_history(self._plans, config, channels), "get_delta_channel_history", config
        )

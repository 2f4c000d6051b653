"""What keeps a database small, once for both savers: signatures, docstrings, one line of work each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from langgraph.checkpoint.redis import copies, retention
from langgraph.checkpoint.redis.lifetimes import Lifetimes


class Maintenance(Lifetimes):
    """Copies of threads, and what is dropped of them."""

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata name one of these runs, with their writes.

        Checkpoints that a DeltaChannel of another one is rebuilt from are kept.
        """
        self._run(retention.delete_for_runs(self._plans, run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """`delete_for_runs`, awaited."""
        await self._arun(retention.delete_for_runs(self._plans, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str, *, until: str | None = None) -> None:
        """Copy a thread; or fork it, with what led to one of its checkpoints.

        What the target held before is replaced: readers of it see what it was, or all of the copy. What
        others write to the target meanwhile is lost. The copy is found by runs and metadata as the source
        is; it keeps the source's time to live, its own life and its pin; it is made now.

        Whole, it is atomic: one round trip, or two if the source is found by runs or metadata. A fork, and
        any copy across the slots of a cluster, travels through this client, some hundred checkpoints or 1 MB
        at a time; others may write to the source meanwhile.

        Args:
            source_thread_id: The thread to copy. If there is none, nothing changes.
            target_thread_id: A new or an existing thread. The source itself: nothing happens; or, with
                `until`, the thread goes back to that checkpoint, and all that came after is gone.
            until: A checkpoint of the root namespace, by its id. The fork has it as its latest, with its
                pending writes and interrupts, its ancestors, the namespaces of the subgraph calls that these
                made, and of subgraphs with a checkpointer of their own the checkpoints that are no younger.

        Raises:
            CheckpointNotFoundError: If there is no checkpoint `until`; nothing is changed.
            RedisPersistenceError: If a transfer met checkpoints that were dropped meanwhile, ten times over.
        """
        self._run(
            copies.copy_thread(self._core, source_thread_id, target_thread_id, until), about=source_thread_id
        )

    async def acopy_thread(
        self, source_thread_id: str, target_thread_id: str, *, until: str | None = None
    ) -> None:
        """`copy_thread`, awaited."""
        await self._arun(
            copies.copy_thread(self._core, source_thread_id, target_thread_id, until), about=source_thread_id
        )

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
        older_than: timedelta | None = None,
    ) -> None:
        """Drop old checkpoints of these threads, in slices that leave the server free for others.

        Whatever is kept still loads: its pending writes stay, and the ancestors that its DeltaChannels are
        rebuilt from. Values and segments that nothing names then are dropped as well.

        Args:
            thread_ids: The threads; an empty sequence does nothing.
            strategy: "keep_latest" keeps the newest checkpoint of each namespace; "delete" deletes the
                threads.
            keep_last: Keep so many of each namespace instead, and drop the namespaces of subgraph calls
                that were made from a checkpoint that is not kept.
            older_than: Of all others drop those only that were made longer ago, with the namespaces of
                their subgraph calls. An id that is not LangGraph's (a UUID of version 6) has no time, and
                its checkpoint stays.

        Raises:
            ValueError: For another strategy, or numbers out of range.
        """
        self._run(retention.prune(self._plans, thread_ids, strategy, keep_last, older_than))

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        keep_last: int | None = None,
        older_than: timedelta | None = None,
    ) -> None:
        """`prune`, awaited."""
        await self._arun(retention.prune(self._plans, thread_ids, strategy, keep_last, older_than))

"""All threads of a database, once for both savers: signatures, docstrings, one line of work each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

from langgraph.checkpoint.redis import idle
from langgraph.checkpoint.redis.idle import PruneReport
from langgraph.checkpoint.redis.maintenance import Maintenance
from langgraph.checkpoint.redis.threads import ThreadInfo, Threads


class Directory(Maintenance):
    """Who is there, and who may go."""

    def threads(
        self,
        *,
        filter: dict[str, Any] | None = None,
        before: ThreadInfo | datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[ThreadInfo]:
        """Iterate over all threads, the last used first; of those used in one millisecond by id, descending.

        Three round trips for each 100 threads that are looked at, so for a limit of up to 100 without a
        filter; some more where threads were met that have expired. What is met of these is taken out of the
        registry and of the indexes. No thread is prolonged by being listed.

        With a filter, all threads are looked at until the limit is reached. Not so if the filter has one of
        the saver's `index_metadata` keys, with a value that is a str, a number or a bool: then only threads
        with that value are. Give the option to every saver that writes; a thread that was written without
        it is found that way after its next checkpoint. The order and `last_used` are then those of its
        writes that had the value.

        Args:
            filter: Metadata that the latest checkpoint of the root namespace must have, compared for
                equality.
            before: A `ThreadInfo`, to go on after it, or a `datetime` with a time zone: threads that were
                last used before it.
            limit: The most to return, counted after the filter.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `before` is a `datetime` without a time zone.
            CorruptRecordError: If what is stored cannot be read.
        """
        listing = Threads(self._plans, filter, before, limit)
        while not listing.done:
            yield from self._run(listing.next_page(), "threads")

    async def athreads(
        self,
        *,
        filter: dict[str, Any] | None = None,
        before: ThreadInfo | datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ThreadInfo]:
        """`threads`, each page awaited."""
        listing = Threads(self._plans, filter, before, limit)
        while not listing.done:
            for found in await self._arun(listing.next_page(), "threads"):
                yield found

    def prune_idle(
        self, older_than: timedelta, *, dry_run: bool = False, limit: int | None = None
    ) -> PruneReport:
        """Delete the threads that were last written to longer ago, the least recently used first.

        Pinned threads stay, and so does a thread that is written to meanwhile. It works in batches of 100
        threads, some seven round trips each; neither the server nor this process is held up by more.

        A process notes the use of a thread at most once a minute. Within that minute the time in the ids of
        checkpoints counts, too, if LangGraph made them; `put_writes` alone is then no use.

        Args:
            older_than: How long ago, above 0.
            dry_run: Whether only to say what would be deleted.
            limit: The most threads to delete.

        Returns:
            How many threads and checkpoints went, and the memory they took.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `older_than` is not above 0.
        """
        return self._run(idle.prune_idle(self._core, older_than, limit, dry_run=dry_run))

    async def aprune_idle(
        self, older_than: timedelta, *, dry_run: bool = False, limit: int | None = None
    ) -> PruneReport:
        """`prune_idle`, awaited."""
        return await self._arun(idle.prune_idle(self._core, older_than, limit, dry_run=dry_run))

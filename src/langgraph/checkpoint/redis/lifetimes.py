"""How long threads live, once for both savers: signatures, docstrings, one line of work each."""

from __future__ import annotations

from langgraph.checkpoint.redis import expiry
from langgraph.checkpoint.redis.operations import Operations


class Lifetimes(Operations):
    """The life of single threads, beside what the saver's `ttl` gives to all."""

    def get_ttl(self, thread_id: str) -> float | None:
        """How long a thread has to live, if nobody uses it. One round trip.

        Returns:
            Minutes, or None if it does not expire.

        Raises:
            ThreadNotFoundError: If there is no such thread.
        """
        return self._run(expiry.ttl(self._core, thread_id), "get_ttl", thread_id)

    async def aget_ttl(self, thread_id: str) -> float | None:
        """`get_ttl`, awaited."""
        return await self._arun(expiry.ttl(self._core, thread_id), "get_ttl", thread_id)

    def set_ttl(self, thread_id: str, minutes: float | None) -> None:
        """Give a thread a life of its own, which later writes prolong it by, whatever their saver's `ttl`.

        One round trip, atomic: all keys of the thread expire at one instant.

        Args:
            thread_id: The thread.
            minutes: From now, and from each later write; above 0. None: what the saver's `ttl` says, from
                now; this ends a pin, too.

        Raises:
            ThreadNotFoundError: If there is no such thread.
            ValueError: If `minutes` is not above 0.
        """
        self._run(expiry.set_ttl(self._core, thread_id, minutes), about=thread_id)

    async def aset_ttl(self, thread_id: str, minutes: float | None) -> None:
        """`set_ttl`, awaited."""
        await self._arun(expiry.set_ttl(self._core, thread_id, minutes), about=thread_id)

    def persist(self, thread_id: str) -> None:
        """Pin a thread: it does not expire, and no later write or read makes it. One round trip.

        `set_ttl` ends a pin.

        Raises:
            ThreadNotFoundError: If there is no such thread.
        """
        self._run(expiry.persist(self._core, thread_id), about=thread_id)

    async def apersist(self, thread_id: str) -> None:
        """`persist`, awaited."""
        await self._arun(expiry.persist(self._core, thread_id), about=thread_id)

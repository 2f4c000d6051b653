"""Sync methods of an async class: through a sync client of their own, and never in a running event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph._redis.drivers import SyncDriver
from langgraph._redis.forked import renewed

if TYPE_CHECKING:
    from langgraph._redis.connect import Endpoint
    from langgraph._redis.observe import Observer
    from langgraph._redis.plan import Plan

T = TypeVar("T")


class OffLoop:
    """Runs plans for the threads that have no event loop; the client is made when the first one comes.

    Args:
        place: Where to connect to.
        observer: Is told of what is done.
        advice: The error for those who call from a running loop, which would stand still meanwhile.
    """

    def __init__(self, place: Endpoint, observer: Observer, advice: str) -> None:
        self._place = place
        self._observer = observer
        self._advice = advice
        self._driver: SyncDriver | None = None
        renewed(self)

    def renew(self) -> None:
        """A lock that is free, also in a process that was forked while it was held."""
        self._lock = threading.Lock()

    def check(self) -> None:
        """Refuse a thread whose event loop runs.

        Raises:
            RuntimeError: If it does.
        """
        if _loop_runs_here():
            raise RuntimeError(self._advice)

    def run(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        """Run a plan in this thread.

        Raises:
            RuntimeError: If an event loop runs here.
        """
        try:
            self.check()
        except RuntimeError:
            plan.close()
            raise
        with self._lock:
            if self._driver is None:
                client, _ = self._place.sync_client()
                self._driver = SyncDriver(
                    client, cluster=self._place.cluster, owned=True, observer=self._observer
                )
        return self._driver.run(plan, name, about)

    def close(self) -> None:
        """Close the client, if one was made."""
        with self._lock:
            if self._driver is not None:
                self._driver.client.close()
                self._driver = None


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

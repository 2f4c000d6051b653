"""Sweeping now and again: in a thread, or in a task of an event loop.

What expired is never seen, and goes by and by with other calls. A sweeper is for programs that seldom call,
and for namespaces that nobody reads any more.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from langgraph._redis.lives import milliseconds

_LOG: Final = logging.getLogger(__name__)
_MINUTES: Final = 5
_FAILED: Final = "a sweep of the store failed; the next one is in %g seconds"


def _seconds(given: Any, ttl: Mapping[str, Any] | None) -> float:
    minutes = given if given is not None else (ttl or {}).get("sweep_interval_minutes") or _MINUTES
    return milliseconds("sweep_interval_minutes", minutes) / 1000


def _told(swept: int) -> None:
    if swept:
        _LOG.info("%d items of the store had expired and were taken away", swept)


class Sweeper:
    """Sweeps in a daemon thread.

    Args:
        sweep: Takes away what expired, and tells how much it was.
        ttl: May say how often.
    """

    def __init__(self, sweep: Callable[[], int], ttl: Mapping[str, Any] | None) -> None:
        self._sweep = sweep
        self._ttl = ttl
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._future: Future[None] = Future()

    def start(self, minutes: float | None) -> Future[None]:
        """Begin, unless it runs already; what is returned is done when it ended, and ends it if cancelled."""
        if self._thread is not None and self._thread.is_alive():
            return self._future
        seconds = _seconds(minutes, self._ttl)
        stopped, self._future = threading.Event(), Future()
        self._future.add_done_callback(lambda _: stopped.set())
        self._stopped = stopped
        name = "langgraph-store-sweeper"
        arguments = (stopped, self._future, seconds)
        self._thread = threading.Thread(target=self._run, args=arguments, name=name, daemon=True)
        self._thread.start()
        return self._future

    def _run(self, stopped: threading.Event, future: Future[None], seconds: float) -> None:
        while not stopped.wait(seconds):
            try:
                _told(self._sweep())
            except Exception:  # noqa: BLE001, PERF203 - an outage passes: the next sweep does what this one left.
                _LOG.exception(_FAILED, seconds)
        if not future.done():
            future.set_result(None)

    def stop(self, timeout: float | None = None) -> bool:
        """End it; whether it ended within so many seconds."""
        self._stopped.set()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()


class AsyncSweeper:
    """Sweeps in a task of the running event loop.

    Args:
        sweep: Takes away what expired, and tells how much it was.
        ttl: May say how often.
    """

    def __init__(self, sweep: Callable[[], Awaitable[int]], ttl: Mapping[str, Any] | None) -> None:
        self._sweep = sweep
        self._ttl = ttl
        self._task: asyncio.Task[None] | None = None
        self._under_way: asyncio.Task[None] | None = None

    def start(self, minutes: float | None) -> asyncio.Task[None]:
        """Begin, unless it runs already; what is returned ends with it, and ends it if cancelled."""
        if self._task is None or self._task.done():
            seconds = _seconds(minutes, self._ttl)
            self._task = asyncio.get_running_loop().create_task(self._run(seconds))
        return self._task

    async def _run(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            # In a task of its own: cancelled as a reply comes in, a call of redis-py may go on regardless.
            self._under_way = asyncio.get_running_loop().create_task(self._sweep_once(seconds))
            await asyncio.shield(self._under_way)

    async def _sweep_once(self, seconds: float) -> None:
        try:
            _told(await self._sweep())
        except Exception:  # noqa: BLE001 - likewise.
            _LOG.exception(_FAILED, seconds)

    async def stop(self, timeout: float | None = None) -> bool:
        """End it; whether it ended within so many seconds."""
        task, self._task = self._task, None
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            return True
        task.cancel()
        _, left = await asyncio.wait({task, self._under_way or task}, timeout=timeout)
        return not left

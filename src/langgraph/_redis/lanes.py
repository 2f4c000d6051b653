"""Calls of one event loop that travel together: few round trips at once, whatever the concurrency."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable
from functools import partial
from typing import Any, Final, NamedTuple

from langgraph._redis.combine import BATCH
from langgraph._redis.observe import Observer
from langgraph._redis.plan import Call, merged, shares
from langgraph._redis.replies import grouped, settle
from langgraph._redis.senders import AsyncSender, Client

LANES: Final = 4
"""Round trips under way at once, per event loop. More calls wait, and travel together."""


def _width(client: Client) -> int:
    """How many round trips a client may have under way: its pool may allow fewer than `LANES`."""
    pool = getattr(client, "connection_pool", None)
    return max(1, min(LANES, getattr(pool, "max_connections", LANES)))


class _Queued(NamedTuple):
    """Calls of one caller, who waits for their replies."""

    calls: list[Call]
    waiting: asyncio.Future[list[Any]]
    atomic: bool


class Lane:
    """One event loop's client, and the calls that wait for it.

    A call that finds a free slot goes straight out, in its caller's task. The others queue; whoever
    frees a slot sends up to `BATCH` of them as one pipeline, in which calls that one run of a script can
    serve are one. Such calls go straight out only where nothing is under way; else they queue until the
    loop's next turn, for the others of this turn. So concurrency costs neither connections nor round trips,
    and a call that fails or is cancelled leaves its neighbours alone.
    """

    def __init__(self, client: Client, *, cluster: bool, observer: Observer, owned: bool = False) -> None:
        self.client = client
        self.guard: AsyncGenerator[None] | None = None
        self._observer = observer
        self._sender = AsyncSender(client, cluster=cluster, observer=observer, owned=owned)
        self._free = self._width = _width(client)
        self._starting = False
        self._queue: deque[_Queued] = deque()
        self._tasks: set[asyncio.Task[list[Any]]] = set()

    def ask(self, calls: list[Call], *, atomic: bool = False) -> Awaitable[list[Any]]:
        """Send calls that belong together. Await the replies here and now: a slot is taken as that begins."""
        if self._free < 1 or (grouped(calls) and self._free < self._width):
            return self._queued(calls, atomic=atomic)
        return self._straight(calls, atomic=atomic)

    async def _straight(self, calls: list[Call], *, atomic: bool) -> list[Any]:
        self._free -= 1
        try:
            return settle(calls, await self._sender.send(calls, atomic=atomic))
        finally:
            self._next()

    def _queued(self, calls: list[Call], *, atomic: bool) -> asyncio.Future[list[Any]]:
        waiting: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Queued(calls, waiting, atomic))
        self._begin()
        return waiting

    def _begin(self) -> None:
        """Send for those who wait, if there is a slot."""
        if self._queue and self._free and not self._starting:
            self._free -= 1
            self._start()

    def _next(self) -> None:
        """Pass a slot on to those who wait, or free it."""
        if self._queue and not self._starting:
            self._start()
        else:
            self._free += 1

    def _start(self) -> None:
        """Send in the loop's next turn. As a callback: a task may be cancelled before it begins."""
        self._starting = True
        asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        self._starting = False
        batch = self._batch()
        task = asyncio.get_running_loop().create_task(self._send_merged(batch))
        self._tasks.add(task)
        task.add_done_callback(partial(self._served, batch))
        if self._free > 1:  # The last slot is for what is asked meanwhile.
            self._begin()  # If more than one batch waits, the next is packed while this one is served.

    def _served(self, batch: list[_Queued], task: asyncio.Task[list[Any]]) -> None:
        self._tasks.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            for queued in batch:
                _fail(queued.waiting, error)
        else:
            replies, at = task.result(), 0
            for queued in batch:
                first, at = at, at + len(queued.calls)
                _deliver(queued.waiting, queued.calls, replies[first:at])
        self._next()

    def _batch(self) -> list[_Queued]:
        """Those who travel together next: atomic calls by themselves, of the others up to `BATCH`."""
        batch: list[_Queued] = []
        size = 0
        while self._queue and size < BATCH and not (batch and (batch[0].atomic or self._queue[0].atomic)):
            queued = self._queue.popleft()
            if not queued.waiting.done():  # Else its caller was cancelled before anything was sent.
                batch.append(queued)
                size += len(queued.calls)
        return batch

    async def _send_merged(self, batch: list[_Queued]) -> list[Any]:
        if batch and batch[0].atomic:
            return await self._sender.send(batch[0].calls, atomic=True)
        calls = [call for queued in batch for call in queued.calls]
        if len(batch) > 1:
            self._observer.together(len(calls))
        runs = merged(calls)
        replies = await self._sender.send([call for call, _ in runs])
        return [
            share for (_, count), reply in zip(runs, replies, strict=True) for share in shares(reply, count)
        ]


def _fail(waiting: asyncio.Future[list[Any]], error: BaseException) -> None:
    if waiting.done():
        return
    if isinstance(error, Exception):
        waiting.set_exception(error)
    else:
        waiting.cancel()


def _deliver(waiting: asyncio.Future[list[Any]], calls: list[Call], replies: list[Any]) -> None:
    if waiting.done():
        return
    try:
        waiting.set_result(settle(calls, replies))
    except Exception as error:  # noqa: BLE001 - whatever a call met goes to its caller.
        waiting.set_exception(error)

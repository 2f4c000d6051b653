"""The only I/O: run a plan over a sync or an async client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from langgraph._redis.combine import Combiner
from langgraph._redis.lanes import Lane
from langgraph._redis.plan import Atomic, Call, Pause, Plan
from langgraph._redis.replies import grouped, settle
from langgraph._redis.senders import Client, SyncSender

T = TypeVar("T")


class SyncDriver:
    """Runs plans over a sync client, in the caller's thread.

    Writes of many threads at once travel together (`combine`); all else goes out at once.
    """

    def __init__(self, client: Client, *, cluster: bool = False) -> None:
        self.client = client
        self._sender = SyncSender(client, cluster=cluster)
        self._combiner = Combiner(self._sender.send)

    def run(self, plan: Plan[T]) -> T:
        """Run a plan to its end and return its result."""
        try:
            asked = next(plan)
            while True:
                if isinstance(asked, Call):
                    asked = plan.send(self._ask([asked])[0])
                elif isinstance(asked, Pause):
                    time.sleep(asked.seconds)
                    asked = next(plan)
                elif isinstance(asked, Atomic):
                    asked = plan.send(settle(asked.calls, self._sender.send(asked.calls, atomic=True)))
                else:
                    asked = plan.send(self._ask(asked))
        except StopIteration as done:
            result: T = done.value
            return result

    def _ask(self, calls: list[Call]) -> list[Any]:
        if grouped(calls):
            return settle(calls, [self._combiner.ask(calls[0])])
        return settle(calls, self._sender.send(calls))


class AsyncDriver:
    """Runs plans over async clients, one for each event loop.

    Args:
        client: Makes the client of the running loop; called once per loop.
        owned: Whether clients are ours to close. They then end with their loop.
    """

    def __init__(self, client: Callable[[], Client], *, cluster: bool = False, owned: bool) -> None:
        self._client = client
        self._cluster = cluster
        self._owned = owned
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, Lane] = WeakKeyDictionary()

    async def run(self, plan: Plan[T]) -> T:
        """Run a plan to its end and return its result."""
        lane = self._lane()
        if lane.guard is None:
            lane.guard = self._close_with_loop(lane)
            await anext(lane.guard)
        try:
            asked = next(plan)
            while True:
                if isinstance(asked, Call):
                    asked = plan.send((await lane.ask([asked]))[0])
                elif isinstance(asked, Pause):
                    await asyncio.sleep(asked.seconds)
                    asked = next(plan)
                elif isinstance(asked, Atomic):
                    asked = plan.send(await lane.ask(asked.calls, atomic=True))
                else:
                    asked = plan.send(await lane.ask(asked))
        except StopIteration as done:
            result: T = done.value
            return result

    @property
    def client(self) -> Client:
        """The running loop's client."""
        return self._lane().client

    def _lane(self) -> Lane:
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(loop)
        if lane is None:
            # A loop that was closed without closing its generators left its lane behind.
            for closed in [other for other in self._lanes if other.is_closed()]:
                del self._lanes[closed]
            lane = self._lanes[loop] = Lane(self._client(), cluster=self._cluster)
        return lane

    async def _close_with_loop(self, lane: Lane) -> AsyncGenerator[None]:
        """Close a lane before its loop ends: `asyncio.run` closes the generators that were started in it."""
        try:
            yield
        finally:
            self._lanes.pop(asyncio.get_running_loop(), None)
            if self._owned:
                await lane.client.aclose()

    async def aclose(self) -> None:
        """Close the clients that are ours: this loop's now, those of other running loops from there."""
        here = asyncio.get_running_loop()
        for loop, lane in list(self._lanes.items()):
            if lane.guard is None:
                continue
            if loop is here:
                await lane.guard.aclose()
            elif loop.is_running():
                asyncio.run_coroutine_threadsafe(lane.guard.aclose(), loop)

"""The only I/O: run a plan over a sync or an async client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from langgraph._redis.combine import Combiner
from langgraph._redis.lanes import Lane
from langgraph._redis.observe import Observer
from langgraph._redis.plan import Atomic, Call, Pause, Plan
from langgraph._redis.replies import MOVING, grouped, settle
from langgraph._redis.senders import Client, SyncSender

T = TypeVar("T")

BREATH: Final = 0.2
"""Seconds until a call is sent again whose slot is on its way to another node of a cluster."""

BREATHS: Final = 10
"""How often it is; with the client's own attempts, it is raised after some ten seconds."""


class SyncDriver:
    """Runs plans over a sync client, in the caller's thread.

    Writes of many threads at once travel together (`combine`); all else goes out at once.

    Args:
        client: The client.
        cluster: Whether it talks to a cluster.
        owned: Whether it is ours alone: its connections may then be kept at hand.
        observer: Is told of what is done; one of its own unless given.
    """

    def __init__(
        self,
        client: Client,
        *,
        cluster: bool = False,
        owned: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self.client = client
        self.observer = observer or Observer(cluster=cluster)
        self._sender = SyncSender(client, cluster=cluster, observer=self.observer, owned=owned)
        self._combiner = Combiner(self._sender.send, self.observer)

    def run(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        """Run a plan to its end and return its result.

        Args:
            plan: The plan.
            name: What the operation is called; the plan's own name unless given.
            about: What it is about, for those who may tell its ids.
        """
        seen = self.observer.begin(name or getattr(plan, "__name__", ""), about)
        try:
            asked = next(plan)
            while True:
                if isinstance(asked, Call):
                    calls = [asked]
                    try:
                        replies = self._ask(calls)
                    except MOVING:
                        replies = self._ask_again(calls)
                    seen.answered(calls, replies)
                    asked = plan.send(replies[0])
                elif isinstance(asked, Pause):
                    time.sleep(asked.seconds)
                    asked = next(plan)
                else:
                    calls, atomic = (asked.calls, True) if isinstance(asked, Atomic) else (asked, False)
                    try:
                        replies = self._ask(calls, atomic=atomic)
                    except MOVING:
                        replies = self._ask_again(calls, atomic=atomic)
                    seen.answered(calls, replies)
                    asked = plan.send(replies)
        except StopIteration as done:
            seen.ended()
            result: T = done.value
            return result
        except BaseException as error:
            seen.failed(error)
            raise

    def _ask(self, calls: list[Call], *, atomic: bool = False) -> list[Any]:
        if atomic or len(calls) != 1:
            return settle(calls, self._sender.send(calls, atomic=atomic))
        reply = self._combiner.ask(calls[0]) if grouped(calls) else self._sender.one(calls[0])
        return settle(calls, [reply]) if isinstance(reply, Exception) else [reply]

    def _ask_again(self, calls: list[Call], *, atomic: bool = False, breaths: int = 1) -> list[Any]:
        """Send calls once more that one node of a cluster is about to hand to another.

        Here, and not where calls are sent: others' calls travel with these.
        """
        time.sleep(BREATH)
        try:
            return self._ask(calls, atomic=atomic)
        except MOVING:
            if breaths == BREATHS:
                raise
        return self._ask_again(calls, atomic=atomic, breaths=breaths + 1)


class AsyncDriver:
    """Runs plans over async clients, one for each event loop.

    Args:
        client: Makes the client of the running loop; called once per loop.
        cluster: Whether they talk to a cluster.
        owned: Whether clients are ours to close. They then end with their loop.
        observer: Is told of what is done; one of its own unless given.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        *,
        cluster: bool = False,
        owned: bool,
        observer: Observer | None = None,
    ) -> None:
        self._client = client
        self.observer = observer or Observer(cluster=cluster)
        self._cluster = cluster
        self._owned = owned
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, Lane] = WeakKeyDictionary()

    async def run(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        """Run a plan to its end and return its result; arguments as those of `SyncDriver.run`."""
        lane = self._lane()
        if lane.guard is None:
            lane.guard = self._close_with_loop(lane)
            await anext(lane.guard)
        seen = self.observer.begin(name or getattr(plan, "__name__", ""), about)
        try:
            asked = next(plan)
            while True:
                if isinstance(asked, Call):
                    calls = [asked]
                    try:
                        replies = await lane.ask(calls)
                    except MOVING:
                        replies = await _ask_again(lane, calls)
                    seen.answered(calls, replies)
                    asked = plan.send(replies[0])
                elif isinstance(asked, Pause):
                    await asyncio.sleep(asked.seconds)
                    asked = next(plan)
                else:
                    calls, atomic = (asked.calls, True) if isinstance(asked, Atomic) else (asked, False)
                    try:
                        replies = await lane.ask(calls, atomic=atomic)
                    except MOVING:
                        replies = await _ask_again(lane, calls, atomic=atomic)
                    seen.answered(calls, replies)
                    asked = plan.send(replies)
        except StopIteration as done:
            seen.ended()
            result: T = done.value
            return result
        except BaseException as error:
            seen.failed(error)
            raise

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
            lane = self._lanes[loop] = Lane(
                self._client(), cluster=self._cluster, observer=self.observer, owned=self._owned
            )
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
            if lane.guard is None:  # Nothing was asked: at most, somebody has the client.
                if loop is here and self._owned:
                    await self._lanes.pop(loop).client.aclose()
            elif loop is here:
                await lane.guard.aclose()
            elif loop.is_running():
                asyncio.run_coroutine_threadsafe(lane.guard.aclose(), loop)


async def _ask_again(lane: Lane, calls: list[Call], *, atomic: bool = False, breaths: int = 1) -> list[Any]:
    """Send calls once more that one node of a cluster is about to hand to another."""
    await asyncio.sleep(BREATH)
    try:
        return await lane.ask(calls, atomic=atomic)
    except MOVING:
        if breaths == BREATHS:
            raise
    return await _ask_again(lane, calls, atomic=atomic, breaths=breaths + 1)

"""A driver whose client answers nothing until it is told to: what is asked meanwhile waits."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph._redis.drivers import AsyncDriver
from langgraph._redis.plan import Asked, Atomic, Call, Plan
from unit.recorders import AsyncRecorder, Recorder


class Lane:
    """A driver and its client, whose gate is closed: what is asked waits for `opened`."""

    def __init__(self, *replies: Any, cluster: bool = False) -> None:
        self.recorder = Recorder(*replies)
        self.client = AsyncRecorder(self.recorder)
        self.client.gate.clear()
        self.driver = AsyncDriver(lambda: self.client, cluster=cluster, owned=False)
        self.callers: list[asyncio.Task[Any]] = []

    async def ask(self, count: int, *, each: int = 1) -> None:
        """That many callers ask, in turn: each has sent its call or waits in the queue then."""
        for _ in range(count):
            await self.ask_for(*[Call("GET", [b"%d" % len(self.callers)])] * each)

    async def ask_for(self, *calls: Call) -> None:
        """One caller asks these."""
        await self._ask(calls[0] if len(calls) == 1 else list(calls))

    async def ask_atomic(self, count: int = 2) -> None:
        """One caller asks so many that nothing may come between."""
        await self._ask(Atomic([Call("GET", [b"%d" % len(self.callers)])] * count))

    async def _ask(self, asked: Asked) -> None:
        self.callers.append(asyncio.create_task(self.driver.run(asking(asked))))
        await turns()

    async def opened(self) -> list[Any]:
        """Answer all; what came back to each caller."""
        self.client.gate.set()
        return await asyncio.gather(*self.callers, return_exceptions=True)

    @property
    def round_trips(self) -> list[int]:
        """How many calls each round trip carried."""
        return [len(sent) if isinstance(sent[0], list) else 1 for sent in self.recorder.sent]

    @property
    def asked(self) -> list[int]:
        """The callers whose calls were sent, in order."""
        commands = (sent if isinstance(sent[0], list) else [sent] for sent in self.recorder.sent)
        return [int(command[1]) for some in commands for command in some]


def asking(asked: Asked) -> Plan[Any]:
    """A plan that asks once."""
    return (yield asked)


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)

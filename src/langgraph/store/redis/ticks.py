"""What an event loop asks for in one turn, as one batch; what is wrong with an operation is its caller's.

One batch of a loop is under way at a time, in the order they were asked for: what was put last stays. An
operation is checked when it is asked for. If the embedding provider fails, those that needed nothing of it
are done all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.store.redis.batches import Batch

if TYPE_CHECKING:
    from langgraph.store.base import Op, Result

    from langgraph._redis.plan import Plan
    from langgraph.store.redis.base import Parts


class _Asked(NamedTuple):
    op: Op
    waiting: asyncio.Future[Result]


class _Tick:
    """The operations of one turn."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.asked: list[_Asked] = []


class Ticks:
    """The operations of one event loop that wait, and the task that serves them while there are any.

    Args:
        parts: Checks operations, embeds and plans.
        run: Runs a plan.
    """

    def __init__(self, parts: Parts, run: Callable[[Plan[list[Result]]], Awaitable[list[Result]]]) -> None:
        self._parts = parts
        self._run = run
        self._next = _Tick()
        self._under_way = self._next
        self._task: asyncio.Task[None] | None = None

    async def ask(self, op: Op) -> Result:
        """The result of one operation.

        Raises:
            ValueError: If it cannot be done (`TypeError` if it has a wrong type).
        """
        self._parts.add(self._next.batch, op)
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._next.asked.append(_Asked(op, waiting))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())
        return await waiting

    async def drained(self) -> None:
        """Wait for what was asked for until now."""
        asked = [*self._under_way.asked, *self._next.asked]
        waiting = [each.waiting for each in asked if not each.waiting.done()]
        if waiting:
            await asyncio.wait(waiting)

    async def _serve(self) -> None:
        try:
            while self._next.asked:
                self._under_way, self._next = self._next, _Tick()
                await self._answer(self._under_way)
        except BaseException:
            # The loop ends: nobody shall wait for ever.
            for each in [*self._under_way.asked, *self._next.asked]:
                each.waiting.cancel()
            self._next = _Tick()
            raise
        finally:
            self._under_way, self._task = self._next, None

    async def _answer(self, tick: _Tick) -> None:
        try:
            vectors = await self._parts.aembed(tick.batch)
        except Exception as error:  # noqa: BLE001 - what the provider raised goes to those who needed it.
            await self._answer_others(tick, error)
            return
        try:
            results = await self._run(self._parts.run(tick.batch, vectors))
        except Exception as error:  # noqa: BLE001 - goes to all who asked.
            _fail(tick.asked, error)
        else:
            for (_, waiting), result in zip(tick.asked, results, strict=True):
                if not waiting.done():
                    waiting.set_result(result)

    async def _answer_others(self, tick: _Tick, error: Exception) -> None:
        """Do what was asked for without the provider; the rest fails."""
        needing, others = [], _Tick()
        for at, each in enumerate(tick.asked):
            if at in tick.batch.embedded:
                needing.append(each)
            else:
                self._parts.add(others.batch, each.op)
                others.asked.append(each)
        _fail(needing, error)
        if others.asked:
            await self._answer(others)


def _fail(asked: list[Any], error: Exception) -> None:
    for each in asked:
        if not each.waiting.done():
            each.waiting.set_exception(error)

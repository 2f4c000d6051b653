"""What an event loop asks for in one turn, as one batch; what is wrong with an operation is its caller's.

One batch of a loop is under way at a time, in the order they were asked for: what was put last stays. An
operation is checked when it is asked for. If the embedding provider fails, those that needed nothing of it
are done all the same. If the server refuses a batch, or one of its records cannot be read, each operation is
done by itself: what is wrong with one tenant's item is not told to another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.replies import REFUSED
from langgraph.store.redis.batches import Batch

if TYPE_CHECKING:
    from langgraph.store.base import Op, Result

    from langgraph._redis.plan import Plan
    from langgraph.store.redis.base import Parts
    from langgraph.store.redis.index import Vectors


class _Tick:
    """The operations of one turn."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.asked: list[asyncio.Future[Result]] = []

    def only(self, places: Sequence[int]) -> _Tick:
        """Some of them."""
        some = _Tick()
        some.batch, some.asked = self.batch.only(places), [self.asked[at] for at in places]
        return some


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
        self._next.asked.append(waiting)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())
        return await waiting

    async def drained(self) -> None:
        """Wait for what was asked for until now."""
        asked = [*self._under_way.asked, *self._next.asked]
        waiting = [each for each in asked if not each.done()]
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
                each.cancel()
            self._next = _Tick()
            raise
        finally:
            self._under_way, self._task = self._next, None

    async def _answer(self, tick: _Tick) -> None:
        try:
            vectors = await self._parts.aembed(tick.batch)
        except Exception as error:  # noqa: BLE001 - what the provider raised goes to those who needed it.
            _fail([tick.asked[at] for at in tick.batch.embedded], error)
            others = [at for at in range(len(tick.asked)) if at not in tick.batch.embedded]
            if others:
                await self._do(tick.only(others), None)
        else:
            await self._do(tick, vectors)

    async def _do(self, tick: _Tick, vectors: Vectors | None, *, apart: bool = True) -> None:
        try:
            results = await self._run(self._parts.run(tick.batch, vectors))
        except Exception as error:  # noqa: BLE001 - goes to who asked for it.
            if apart and len(tick.asked) > 1 and _is_of_some(error):
                await self._do_apart(tick, vectors)
            else:
                _fail(tick.asked, error)
        else:
            for waiting, result in zip(tick.asked, results, strict=True):
                if not waiting.done():
                    waiting.set_result(result)

    async def _do_apart(self, tick: _Tick, vectors: Vectors | None) -> None:
        """Do by itself what failed together, reads first as ever; a put that was done is done once more."""
        written, groups = tick.batch.written, dict[Any, list[int]]()
        for at in sorted(range(len(tick.asked)), key=written.__contains__):
            groups.setdefault(written[at].name if at in written else at, []).append(at)
        for places in groups.values():
            await self._do(tick.only(places), vectors, apart=False)


def _is_of_some(error: Exception) -> bool:
    """Whether other operations may well be done where these together failed so."""
    return isinstance(error, CorruptRecordError) or type(error) in REFUSED


def _fail(asked: list[asyncio.Future[Result]], error: Exception) -> None:
    for each in asked:
        if not each.done():
            each.set_exception(error)

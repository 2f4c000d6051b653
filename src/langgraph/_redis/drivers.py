"""The only I/O: run a plan over a sync or an async client. The only awareness of clusters, too.

Both drivers send one call as one EVALSHA (or command), several as one pipeline without a transaction,
and turn to EVAL where the server does not know a script. Replies are bytes, also from clients that
decode. On a cluster the calls of one round trip may belong to several nodes, so they go one by one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from redis.exceptions import NoScriptError, ResponseError

from langgraph._redis.combine import BATCH, Combiner
from langgraph._redis.direct import RAW, aexecute, execute
from langgraph._redis.plan import Call, Pause, Plan, Refusal, Script, merged, shares

T = TypeVar("T")
Client: TypeAlias = Any  # redis.Redis, RedisCluster, their asyncio twins: they share no useful base class.

LANES: Final = 4
"""Round trips under way at once, per event loop. More calls wait, and travel together."""


def _refused(call: Call, error: ResponseError) -> Refusal:
    """The server's no, as a reply where the plan can take one."""
    if call.tolerant:
        return Refusal(str(error))
    raise error


def _settle(calls: Sequence[Call], replies: Sequence[Any]) -> list[Any]:
    """The replies of a pipeline, its first error raised."""
    settled = []
    for call, reply in zip(calls, replies, strict=True):
        if isinstance(reply, ResponseError):
            settled.append(_refused(call, reply))
        elif isinstance(reply, Exception):
            raise reply
        else:
            settled.append(reply)
    return settled


def _unknown(replies: Sequence[Any]) -> list[int]:
    """Which calls of a pipeline must be sent again with their script's source."""
    return [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]


def _grouped(calls: Sequence[Call]) -> bool:
    """Whether this is a call that one run of its script can serve with others."""
    return len(calls) == 1 and isinstance(calls[0].verb, Script) and calls[0].verb.group > 0


class SyncDriver:
    """Runs plans over a sync client, in the caller's thread.

    Writes of many threads at once travel together (`combine`); all else goes out at once.
    """

    def __init__(self, client: Client, *, cluster: bool = False) -> None:
        self.client = client
        self._cluster = cluster
        self._combiner = Combiner(self._send)

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
                else:
                    asked = plan.send(self._ask(asked))
        except StopIteration as done:
            result: T = done.value
            return result

    def _ask(self, calls: list[Call]) -> list[Any]:
        if _grouped(calls):
            return _settle(calls, [self._combiner.ask(calls[0])])
        return _settle(calls, self._send(calls))

    def _send(self, calls: list[Call]) -> list[Any]:
        if self._cluster or len(calls) == 1:
            return [self._one(call) for call in calls]
        replies = self._pipeline([call.command() for call in calls])
        unknown = _unknown(replies)
        if unknown:
            again = self._pipeline([calls[at].command_with_source() for at in unknown])
            for at, reply in zip(unknown, again, strict=True):
                replies[at] = reply
        return replies

    def _one(self, call: Call) -> Any:
        try:
            try:
                return execute(self.client, call.command())
            except NoScriptError:
                return execute(self.client, call.command_with_source())
        except ResponseError as error:
            return error

    def _pipeline(self, commands: list[list[Any]]) -> list[Any]:
        with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command, **RAW)
            replies: list[Any] = pipe.execute(raise_on_error=False)
            return replies


def _width(client: Client) -> int:
    """How many round trips a client may have under way: its pool may allow fewer than `LANES`."""
    pool = getattr(client, "connection_pool", None)
    return max(1, min(LANES, getattr(pool, "max_connections", LANES)))


class _Lane:
    """One event loop's client, and the calls that wait for it.

    A call that finds a free slot goes straight out, in its caller's task. The others queue; whoever
    frees a slot sends up to `BATCH` of them as one pipeline, in which calls that one run of a script can
    serve are one. Those always queue until the loop's next turn, for the others of this turn. So
    concurrency costs neither connections nor round trips, and a call that fails or is cancelled leaves its
    neighbours alone.
    """

    def __init__(self, client: Client, *, cluster: bool) -> None:
        self.client = client
        self.guard: AsyncGenerator[None] | None = None
        self._cluster = cluster
        self._free = _width(client)
        self._starting = False
        self._queue: deque[tuple[list[Call], asyncio.Future[list[Any]]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, calls: list[Call]) -> list[Any]:
        """Send calls that belong together and return their replies."""
        if not self._free or (_grouped(calls) and await self._others_wait()):
            return await self._wait(calls)
        self._free -= 1
        try:
            return _settle(calls, await self._send(calls))
        finally:
            self._next()

    async def _others_wait(self) -> bool:
        """Whether others queue by the end of this turn of the loop, to travel with."""
        if self._starting:
            return True
        self._starting = True
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._starting = False
            self._begin()
            raise
        self._starting = False
        return bool(self._queue) or not self._free

    async def _wait(self, calls: list[Call]) -> list[Any]:
        waiting: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._queue.append((calls, waiting))
        self._begin()
        return await waiting

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
        self._starting = True
        task = asyncio.get_running_loop().create_task(self._drain())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        self._starting = False
        batch = self._batch()
        try:
            replies = iter(await self._send_merged([call for calls, _ in batch for call in calls]))
        except BaseException as error:
            for _, waiting in batch:
                _fail(waiting, error)
            if not isinstance(error, Exception):
                raise
        else:
            for calls, waiting in batch:
                _deliver(waiting, calls, [next(replies) for _ in calls])
        finally:
            self._next()

    def _batch(self) -> list[tuple[list[Call], asyncio.Future[list[Any]]]]:
        batch, size = [], 0
        while self._queue and size < BATCH:
            calls, waiting = self._queue.popleft()
            if not waiting.done():  # Else its caller was cancelled before anything was sent.
                batch.append((calls, waiting))
                size += len(calls)
        return batch

    async def _send_merged(self, calls: list[Call]) -> list[Any]:
        runs = merged(calls)
        replies = await self._send([call for call, _ in runs])
        return [
            share for (_, count), reply in zip(runs, replies, strict=True) for share in shares(reply, count)
        ]

    async def _send(self, calls: list[Call]) -> list[Any]:
        if self._cluster or len(calls) <= 1:
            return [await self._one(call) for call in calls]
        replies: list[Any] = await self._pipeline([call.command() for call in calls])
        unknown = _unknown(replies)
        if unknown:
            again = await self._pipeline([calls[at].command_with_source() for at in unknown])
            for at, reply in zip(unknown, again, strict=True):
                replies[at] = reply
        return replies

    async def _one(self, call: Call) -> Any:
        try:
            try:
                return await aexecute(self.client, call.command())
            except NoScriptError:
                return await aexecute(self.client, call.command_with_source())
        except ResponseError as error:
            return error

    async def _pipeline(self, commands: list[list[Any]]) -> list[Any]:
        async with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command, **RAW)
            replies: list[Any] = await pipe.execute(raise_on_error=False)
            return replies


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
        waiting.set_result(_settle(calls, replies))
    except Exception as error:  # noqa: BLE001 - whatever a call met goes to its caller.
        waiting.set_exception(error)


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
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lane] = WeakKeyDictionary()

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
                else:
                    asked = plan.send(await lane.ask(asked))
        except StopIteration as done:
            result: T = done.value
            return result

    @property
    def client(self) -> Client:
        """The running loop's client."""
        return self._lane().client

    def _lane(self) -> _Lane:
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(loop)
        if lane is None:
            # A loop that was closed without closing its generators left its lane behind.
            for closed in [other for other in self._lanes if other.is_closed()]:
                del self._lanes[closed]
            lane = self._lanes[loop] = _Lane(self._client(), cluster=self._cluster)
        return lane

    async def _close_with_loop(self, lane: _Lane) -> AsyncGenerator[None]:
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

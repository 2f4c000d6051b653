"""Calls over a client, sync or async: one, or several in a pipeline. The only awareness of clusters.

One call is one EVALSHA (or command), several are one pipeline without a transaction, and where the server
does not know a script EVAL brings it. Replies are bytes, also from clients that decode. On a cluster the
calls of one round trip may belong to several nodes, so they go one by one. So do those that were to be
`Atomic`, where a client of a single server turns out to talk to a cluster; the first that fails is then the
last. What replicas are to confirm is followed by WAIT, over the same connection (`nodes`, for clusters).
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any, TypeAlias

from redis.exceptions import NoScriptError, ResponseError

from langgraph._redis.direct import RAW, aexecute, execute
from langgraph._redis.kept import AKept, Kept
from langgraph._redis.nodes import BREATH, OUTAGES, Hop, Look, aexchange, exchange, routed
from langgraph._redis.observe import Observer
from langgraph._redis.plan import Call
from langgraph._redis.replies import MOVING, across, answers, foregone, known, parted, pipeline, unknown

Client: TypeAlias = Any  # redis.Redis, RedisCluster, their asyncio twins: they share no useful base class.


class SyncSender:
    """Sends calls over a sync client; an error that the server answered with is a reply."""

    def __init__(self, client: Client, *, cluster: bool, observer: Observer, owned: bool = False) -> None:
        self.client = client
        self._kept = Kept(client) if owned and not cluster else None
        self._execute = partial(execute, client) if self._kept is None else self._kept.execute
        self._cluster = cluster
        self._observer = observer

    def send(self, calls: list[Call], *, atomic: bool = False) -> list[Any]:
        """Send calls in one round trip where one server has all keys."""
        if len(calls) == 1 and calls[0].wait is None:
            return [self.one(calls[0])]
        if self._cluster:
            return self._in_turn(calls, atomic=atomic)
        replies = self._together(calls, atomic=atomic)
        if atomic and across(replies[0]):  # Several nodes' keys.
            return self._in_turn(calls, atomic=True)
        again = unknown(replies, atomic=atomic)
        if again:
            sent = self._together([calls[at] for at in again], atomic=atomic, sources=True)
            for at, reply in zip(again, sent, strict=True):
                replies[at] = reply
        return replies

    def _in_turn(self, calls: list[Call], *, atomic: bool) -> list[Any]:
        replies: list[Any] = []
        for call in calls:
            replies.append(foregone(calls, replies, atomic=atomic) or self.one(call))
        return replies

    def _together(self, calls: list[Call], *, atomic: bool, sources: bool = False) -> list[Any]:
        commands = pipeline(calls, atomic=atomic, sources=sources)
        return answers(calls, self._pipeline(commands), atomic=atomic)

    def one(self, call: Call) -> Any:
        """Send one call."""
        if self._cluster and (refused := parted(call)):
            return refused
        if call.wait is not None:
            return self._routed(call) if self._cluster else self.send([call])[0]
        self._observer.exchanged()
        try:
            try:
                return self._execute(call.command())
            except NoScriptError:
                self._observer.exchanged()
                return self._execute(call.command_with_source())
        except MOVING as error:
            return self._routed(call) if self._cluster else error
        except ResponseError as error:
            return error

    def _routed(self, call: Call) -> Any:
        way = routed(call)
        try:
            step = next(way)
            while True:
                if isinstance(step, Look):
                    time.sleep(BREATH)
                    step = way.send(self._look(step))
                else:
                    step = way.send(self._hop(step))
        except StopIteration as done:
            return done.value
        except ResponseError as error:
            return error

    def _look(self, look: Look) -> Any:
        self._observer.exchanged()
        try:
            return self._execute(look.command)
        except (MOVING, *OUTAGES) as error:  # The call itself may do all the same.
            return error

    def _hop(self, hop: Hop) -> list[Any]:
        self._observer.exchanged()
        try:
            return [known(reply) for reply in exchange(self.client, hop, RAW)]
        except OUTAGES as error:
            return [error, error]

    def _pipeline(self, commands: list[list[Any]]) -> list[Any]:
        self._observer.exchanged()
        if self._kept is not None:
            self._kept.give_back()
        with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command, **RAW)
            return [known(reply) for reply in pipe.execute(raise_on_error=False)]


class AsyncSender:
    """Its async twin."""

    def __init__(self, client: Client, *, cluster: bool, observer: Observer, owned: bool = False) -> None:
        self.client = client
        self._kept = AKept(client) if owned and not cluster else None
        self._execute = partial(aexecute, client) if self._kept is None else self._kept.execute
        self._cluster = cluster
        self._observer = observer

    async def send(self, calls: list[Call], *, atomic: bool = False) -> list[Any]:
        """Send calls in one round trip where one server has all keys."""
        if len(calls) == 1 and calls[0].wait is None:
            return [await self._one(calls[0])]
        if self._cluster or not calls:
            return await self._in_turn(calls, atomic=atomic)
        replies = await self._together(calls, atomic=atomic)
        if atomic and across(replies[0]):  # Several nodes' keys.
            return await self._in_turn(calls, atomic=True)
        again = unknown(replies, atomic=atomic)
        if again:
            sent = await self._together([calls[at] for at in again], atomic=atomic, sources=True)
            for at, reply in zip(again, sent, strict=True):
                replies[at] = reply
        return replies

    async def _in_turn(self, calls: list[Call], *, atomic: bool) -> list[Any]:
        replies: list[Any] = []
        for call in calls:
            replies.append(foregone(calls, replies, atomic=atomic) or await self._one(call))
        return replies

    async def _together(self, calls: list[Call], *, atomic: bool, sources: bool = False) -> list[Any]:
        commands = pipeline(calls, atomic=atomic, sources=sources)
        return answers(calls, await self._pipeline(commands), atomic=atomic)

    async def _one(self, call: Call) -> Any:
        if self._cluster and (refused := parted(call)):
            return refused
        if call.wait is not None:
            return await self._routed(call) if self._cluster else (await self.send([call]))[0]
        self._observer.exchanged()
        try:
            try:
                return await self._execute(call.command())
            except NoScriptError:
                self._observer.exchanged()
                return await self._execute(call.command_with_source())
        except MOVING as error:
            return await self._routed(call) if self._cluster else error
        except ResponseError as error:
            return error

    async def _routed(self, call: Call) -> Any:
        way = routed(call)
        try:
            step = next(way)
            while True:
                if isinstance(step, Look):
                    await asyncio.sleep(BREATH)
                    step = way.send(await self._look(step))
                else:
                    step = way.send(await self._hop(step))
        except StopIteration as done:
            return done.value
        except ResponseError as error:
            return error

    async def _look(self, look: Look) -> Any:
        self._observer.exchanged()
        try:
            return await self._execute(look.command)
        except (MOVING, *OUTAGES) as error:  # The call itself may do all the same.
            return error

    async def _hop(self, hop: Hop) -> list[Any]:
        self._observer.exchanged()
        try:
            return [known(reply) for reply in await aexchange(self.client, hop, RAW)]
        except OUTAGES as error:
            return [error, error]

    async def _pipeline(self, commands: list[list[Any]]) -> list[Any]:
        self._observer.exchanged()
        if self._kept is not None:
            await self._kept.give_back()
        async with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command, **RAW)
            return [known(reply) for reply in await pipe.execute(raise_on_error=False)]

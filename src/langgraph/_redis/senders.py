"""Calls over a client, sync or async: one, or several in a pipeline. The only awareness of clusters.

One call is one EVALSHA (or command), several are one pipeline without a transaction, and where the server
does not know a script EVAL brings it. Replies are bytes, also from clients that decode. On a cluster the
calls of one round trip may belong to several nodes, so they go one by one. So do those that were to be
`Atomic`, where a client of a single server turns out to talk to a cluster; the first that fails is then the
last.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from redis.exceptions import ClusterCrossSlotError, NoScriptError, ResponseError

from langgraph._redis.direct import RAW, aexecute, execute
from langgraph._redis.plan import Call
from langgraph._redis.replies import executed, known, parted, transaction, unknown

Client: TypeAlias = Any  # redis.Redis, RedisCluster, their asyncio twins: they share no useful base class.


class SyncSender:
    """Sends calls over a sync client; an error that the server answered with is a reply."""

    def __init__(self, client: Client, *, cluster: bool) -> None:
        self.client = client
        self._cluster = cluster

    def send(self, calls: list[Call], *, atomic: bool = False) -> list[Any]:
        """Send calls in one round trip where one server has all keys."""
        if self._cluster or len(calls) == 1:
            return self._in_turn(calls, atomic=atomic)
        replies = self._together([call.command() for call in calls], atomic=atomic)
        if atomic and isinstance(replies[0], ClusterCrossSlotError):  # Several nodes' keys.
            return self._in_turn(calls, atomic=True)
        again = unknown(replies, atomic=atomic)
        if again:
            sources = [calls[at].command_with_source() for at in again]
            for at, reply in zip(again, self._together(sources, atomic=atomic), strict=True):
                replies[at] = reply
        return replies

    def _in_turn(self, calls: list[Call], *, atomic: bool) -> list[Any]:
        replies: list[Any] = []
        for call in calls:
            failed = atomic and replies and isinstance(replies[-1], Exception)
            replies.append(replies[-1] if failed else self._one(call))
        return replies

    def _together(self, commands: list[list[Any]], *, atomic: bool) -> list[Any]:
        if not atomic:
            return self._pipeline(commands)
        return executed(self._pipeline(transaction(commands)), len(commands))

    def _one(self, call: Call) -> Any:
        if self._cluster and (refused := parted(call)):
            return refused
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
            return [known(reply) for reply in pipe.execute(raise_on_error=False)]


class AsyncSender:
    """Its async twin."""

    def __init__(self, client: Client, *, cluster: bool) -> None:
        self.client = client
        self._cluster = cluster

    async def send(self, calls: list[Call], *, atomic: bool = False) -> list[Any]:
        """Send calls in one round trip where one server has all keys."""
        if self._cluster or len(calls) <= 1:
            return await self._in_turn(calls, atomic=atomic)
        replies = await self._together([call.command() for call in calls], atomic=atomic)
        if atomic and isinstance(replies[0], ClusterCrossSlotError):  # Several nodes' keys.
            return await self._in_turn(calls, atomic=True)
        again = unknown(replies, atomic=atomic)
        if again:
            sources = [calls[at].command_with_source() for at in again]
            for at, reply in zip(again, await self._together(sources, atomic=atomic), strict=True):
                replies[at] = reply
        return replies

    async def _in_turn(self, calls: list[Call], *, atomic: bool) -> list[Any]:
        replies: list[Any] = []
        for call in calls:
            failed = atomic and replies and isinstance(replies[-1], Exception)
            replies.append(replies[-1] if failed else await self._one(call))
        return replies

    async def _together(self, commands: list[list[Any]], *, atomic: bool) -> list[Any]:
        if not atomic:
            return await self._pipeline(commands)
        return executed(await self._pipeline(transaction(commands)), len(commands))

    async def _one(self, call: Call) -> Any:
        if self._cluster and (refused := parted(call)):
            return refused
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
            return [known(reply) for reply in await pipe.execute(raise_on_error=False)]

"""Clients that answer what a test tells them to, and keep what they were sent: for tests of drivers."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from redis.client import NEVER_DECODE

from langgraph._redis.drivers import AsyncDriver, SyncDriver

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from langgraph._redis.plan import Plan
    from langgraph._redis.senders import Client

T = TypeVar("T")


class Recorder:
    """A sync client. Replies are used up one by one; an exception among them is raised, or piped back."""

    def __init__(self, *replies: Any) -> None:
        self.replies = deque(replies)
        self.sent: list[Any] = []
        self.open = True

    def execute_command(self, *words: Any, **options: Any) -> Any:
        assert options == {NEVER_DECODE: True}
        self.sent.append(list(words))
        reply = self.replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return Pipeline(self)

    def close(self) -> None:
        self.open = False


class Pipeline:
    """Its commands are kept as one list of lists."""

    def __init__(self, client: Recorder) -> None:
        self._client = client
        self._commands: list[list[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._commands = []

    def execute_command(self, *words: Any, **options: Any) -> None:
        assert options == {NEVER_DECODE: True}
        self._commands.append(list(words))

    def execute(self, *, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        self._client.sent.append(self._commands)
        return [self._client.replies.popleft() for _ in self._commands]


class AsyncRecorder:
    """The async client over a sync recorder. While `gate` is closed, nothing is answered."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self.most = 0
        self.connection_pool: Any = None
        self.closed = asyncio.Event()

    @property
    def open(self) -> bool:
        return not self.closed.is_set()

    async def execute_command(self, *words: Any, **options: Any) -> Any:
        await self.answered()
        return self.recorder.execute_command(*words, **options)

    def pipeline(self, *, transaction: bool) -> AsyncPipeline:
        return AsyncPipeline(self, self.recorder.pipeline(transaction=transaction))

    async def answered(self) -> None:
        """A round trip: it takes at least one turn of the loop."""
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await asyncio.sleep(0)
            await self.gate.wait()
        finally:
            self.waiting -= 1

    async def aclose(self) -> None:
        self.closed.set()


class AsyncPipeline:
    """The async twin of `Pipeline`."""

    def __init__(self, client: AsyncRecorder, commands: Pipeline) -> None:
        self._client = client
        self._commands = commands

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._commands.__exit__(kind, error, trace)

    def execute_command(self, *words: Any, **options: Any) -> None:
        self._commands.execute_command(*words, **options)

    async def execute(self, *, raise_on_error: bool) -> list[Any]:
        await self._client.answered()
        return self._commands.execute(raise_on_error=raise_on_error)


class Runner(Protocol):
    """Runs a plan over a recorder."""

    def __call__(self, recorder: Recorder, plan: Plan[T], *, cluster: bool = False) -> T: ...


def run_sync(recorder: Recorder, plan: Plan[T], *, cluster: bool = False) -> T:
    return SyncDriver(recorder, cluster=cluster).run(plan)


def run_async(recorder: Recorder, plan: Plan[T], *, cluster: bool = False) -> T:
    def client() -> Client:
        return AsyncRecorder(recorder)

    return asyncio.run(AsyncDriver(client, cluster=cluster, owned=False).run(plan))


def asking(*questions: Any) -> Plan[list[Any]]:
    """A plan that asks these, and returns the replies."""
    replies = []
    for question in questions:
        reply = yield question
        replies.append(reply)
    return replies


def executed(*replies: Any) -> list[Any]:
    """What a server answers between MULTI and EXEC, and to EXEC, if it takes all the commands."""
    return [b"OK", *[b"QUEUED"] * len(replies), list(replies)]


def transaction(*commands: Sequence[Any]) -> list[list[Any]]:
    """The pipeline in which these commands travel, nothing between them; verbs as `verbatim` has them."""
    return [["MULTI"], *([str(verb), *words] for verb, *words in commands), ["EXEC"]]


def verbatim(pipeline: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """A pipeline whose verbs are texts, whether they were sent as bytes or not."""
    return [[verb.decode() if isinstance(verb, bytes) else verb, *words] for verb, *words in pipeline]

"""Calls of many threads, sent by one of them: what a fan-out writes at once travels together.

Only for scripts that take several requests in one run (`Script.group`). One thread at a time sends; those
that come meanwhile queue, and it sends for them, too. After some rounds the first that waits takes over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.forked import renewed
from langgraph._redis.observe import Observer
from langgraph._redis.plan import Call, merged, shares

BATCH: Final = 128
"""Calls that one thread sends for all at most."""

ROUNDS: Final = 8
"""Batches that a thread sends for others before its own call returns."""

PATIENCE: Final = 0.0005
"""Seconds: about what a batch takes. Whoever is gone for good is waited for once."""


class _Waiting:
    """A call whose thread waits: for its reply, or to send for all."""

    __slots__ = ("call", "error", "leads", "reply", "woken")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.reply: Any = None
        self.error: Exception | None = None
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Combiner:
    """Sends calls one batch at a time.

    Args:
        send: Sends calls in one round trip and returns a reply, or an exception, for each.
        observer: Is told of those that share one; nobody unless given.
        patience: Seconds that a thread waits for those who were in the batch before.
    """

    def __init__(
        self,
        send: Callable[[list[Call]], list[Any]],
        observer: Observer | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._send = send
        self._observer = observer
        self._patience = patience
        renewed(self)

    def renew(self) -> None:
        """Begin with nobody who sends: after a fork, that thread is in the other process."""
        self._lock = threading.Lock()
        self._busy = False
        self._queue: deque[_Waiting] = deque()
        self._crowd = 1
        self._wanted = 0

    def ask(self, call: Call) -> Any:
        """Send a call, or have it sent, and return its reply.

        An exception that the server answered with is returned, not raised; a connection's is raised.
        """
        with self._lock:
            mine = _Waiting(call) if self._busy else None
            if mine is None:
                self._busy = True
            else:
                self._join(mine)
        if mine is not None:
            return self._shared(mine)
        if self._crowd > 1:
            return self._gathered(_Waiting(call))
        try:
            return self._send([call])[0]
        finally:
            self._lead()

    def _join(self, mine: _Waiting) -> None:
        self._queue.append(mine)
        if len(self._queue) == self._wanted:
            self._wanted = 0
            self._gathers.woken.release()

    def _gathered(self, mine: _Waiting) -> Any:
        """Send for those too who were here a moment ago: they come again as soon as they may run."""
        try:
            self._gather(mine)
        except BaseException:
            self._leave(mine)
            raise
        finally:
            self._lead()
        return _result(mine)

    def _gather(self, mine: _Waiting) -> None:
        with self._lock:
            self._queue.append(mine)
            self._wanted, self._gathers = self._crowd, mine
        complete = mine.woken.acquire(timeout=self._patience)
        with self._lock:
            if not complete and self._wanted == 0:
                mine.woken.acquire()  # They were complete just now.
            self._wanted = 0

    def _shared(self, mine: _Waiting) -> Any:
        try:
            mine.woken.acquire()
        except BaseException:  # Interrupted: the others must not wait for this thread.
            self._leave(mine)
            if mine.leads:
                self._lead()
            raise
        if mine.leads:
            self._lead()
        return _result(mine)

    def _leave(self, mine: _Waiting) -> None:
        with self._lock:
            if mine in self._queue:
                self._queue.remove(mine)

    def _lead(self) -> None:
        """Send for those who wait, then let the first who still waits go on."""
        try:
            rounds = 0
            while self._queue and rounds < ROUNDS:
                with self._lock:
                    batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                    self._crowd = len(batch)
                self._serve(batch)
                rounds += 1
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            self._busy = bool(self._queue)
            if self._queue:
                self._queue[0].leads = True
                self._queue[0].woken.release()

    def _serve(self, batch: list[_Waiting]) -> None:
        try:
            if self._observer is not None and len(batch) > 1:
                self._observer.together(len(batch))
            runs = merged([waiting.call for waiting in batch])
            replies = self._send([call for call, _ in runs])
            answers = (
                share
                for (_, count), reply in zip(runs, replies, strict=True)
                for share in shares(reply, count)
            )
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.reply = answer
        except Exception as error:  # noqa: BLE001 - each of its callers raises it.
            for waiting in batch:
                waiting.error = error
        except BaseException:
            for waiting in batch:
                waiting.error = RedisPersistenceError(
                    "the thread that sent this call was interrupted: try again"
                )
            raise
        finally:
            for waiting in batch:
                waiting.woken.release()


def _result(served: _Waiting) -> Any:
    if served.error is not None:
        raise served.error
    return served.reply

"""Calls of many threads, sent by one of them: what a fan-out writes at once travels together.

Only for scripts that take several requests in one run (`Script.group`). One thread at a time sends; those
that come meanwhile queue, and it sends for them, too. After some rounds the first that waits takes over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.forked import renewed
from langgraph._redis.observe import Observer
from langgraph._redis.plan import Call, merged, shares

BATCH: Final = 128
"""Calls that one thread sends for all at most."""

ROUNDS: Final = 8
"""Batches that a thread sends for others before its own call returns."""

PATIENCE: Final = (0.0005, 0.005)
"""Seconds: what threads take to come again, and what is worth waiting for at most."""


def patience(took: float) -> float:
    """How long to wait for those who were in a batch: not for long beside what one more would take."""
    least, most = PATIENCE
    return min(max(least, took / 4), most)


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
        patience: Seconds that a thread waits for those who were in a batch, by the seconds that it took.
    """

    def __init__(
        self,
        send: Callable[[list[Call]], list[Any]],
        observer: Observer | None = None,
        patience: Callable[[float], float] = patience,
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
        self._took = 0.0
        self._wanted = 0
        self._complete = threading.Lock()
        self._complete.acquire()

    def ask(self, call: Call) -> Any:
        """Send a call, or have it sent, and return its reply.

        An exception that the server answered with is returned, not raised; a connection's is raised.
        """
        with self._lock:
            leads, self._busy = not self._busy, True
            mine = None if leads and self._crowd == 1 else _Waiting(call)
            if mine is not None:
                self._join(mine)
        if mine is None:
            return self._alone(call)
        if leads:
            self._lead(mine)
            return _result(mine)
        return self._shared(mine)

    def _join(self, mine: _Waiting) -> None:
        self._queue.append(mine)
        if len(self._queue) == self._wanted:
            self._wanted = 0
            self._complete.release()

    def _alone(self, call: Call) -> Any:
        try:
            return self._send([call])[0]
        finally:
            if self._queue:
                self._lead()
            else:
                self._hand_over()

    def _shared(self, mine: _Waiting) -> Any:
        try:
            mine.woken.acquire()
        except BaseException:  # Interrupted: the others must not wait for this thread.
            self._leave(mine)
            if mine.leads:
                self._lead()
            raise
        if mine.leads:
            self._lead(mine)
        return _result(mine)

    def _leave(self, mine: _Waiting) -> None:
        with self._lock:
            if mine in self._queue:
                self._queue.remove(mine)

    def _lead(self, mine: _Waiting | None = None) -> None:
        """Send for those who wait, oneself among them, then let the first who still waits go on."""
        try:
            rounds = 0
            while self._queue and rounds < ROUNDS:
                self._gather()
                with self._lock:
                    batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                    self._crowd = len(batch) or 1
                if not batch:  # Who waited was interrupted meanwhile.
                    return
                began = monotonic()
                self._serve(batch)
                self._took = monotonic() - began
                rounds += 1
        except BaseException:
            self._crowd = 1
            if mine is not None:
                self._leave(mine)
            raise
        finally:
            self._hand_over()

    def _gather(self) -> None:
        """Wait for as many as were in the batch before: they come again as soon as they may run."""
        with self._lock:
            if len(self._queue) >= self._crowd:
                return
            self._wanted = self._crowd
        complete = False
        try:
            complete = self._complete.acquire(timeout=self._patience(self._took))
        finally:
            with self._lock:
                if not complete and self._wanted == 0:
                    self._complete.acquire(blocking=False)  # They were complete just now.
                self._wanted = 0

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

"""Processes that load a server with ready bytes, all beginning at one word."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from benchmarks.scale.line import Line, Packed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


@dataclass(frozen=True)
class Way:
    """How a process loads a server: over so many connections, with so many requests unanswered on each."""

    name: str
    lines: int
    window: int


WAITING = Way("waiting", 16, 1)
"""Clients that each wait for a reply before they ask again, as savers do."""

IN_FLIGHT = Way("in flight", 4, 16)
"""Requests that arrive in bundles: a server reads and answers several at once."""


@dataclass(frozen=True)
class Span:
    """What one process did between two moments of the machine's clock."""

    began: float
    ended: float
    cpu: float
    received: int
    errors: list[str]


def _load(lines: Sequence[Line], requests: Sequence[Sequence[Packed]]) -> Span:
    """Send everything, and return when everything is answered."""
    began, cpu = time.monotonic(), time.process_time()
    with selectors.DefaultSelector() as selector:
        for line, mine in zip(lines, requests, strict=True):
            line.begin(mine)
            if not line.done:
                selector.register(line, selectors.EVENT_READ, line)
        while selector.get_map():
            for key, _ in selector.select():
                key.data.read()
                if key.data.done:
                    selector.unregister(key.fileobj)
    received, errors = sum(line.received for line in lines), [each for line in lines for each in line.errors]
    return Span(began, time.monotonic(), time.process_time() - cpu, received, errors)


def _serve(orders: Connection) -> None:
    """A process's life: (port, window, requests) makes lines, any other word is to begin, None the end."""
    lines: list[Line] = []
    requests: Sequence[Sequence[Packed]] = ()
    while (order := orders.recv()) is not None:
        if isinstance(order, tuple):
            for line in lines:
                line.close()
            port, window, requests = order
            lines = [Line(port, window) for _ in requests]
            orders.send(len(lines))
        else:
            orders.send(_load(lines, requests))


class Loaders:
    """Some processes that load a server together."""

    def __init__(self, count: int) -> None:
        context = get_context("spawn")
        pipes = [context.Pipe() for _ in range(count)]
        self._orders = [ours for ours, _ in pipes]
        self._processes = [context.Process(target=_serve, args=(theirs,), daemon=True) for _, theirs in pipes]
        for process, (_, theirs) in zip(self._processes, pipes, strict=True):
            process.start()
            theirs.close()  # So that a process that dies is an end of file here.

    def prepare(self, port: int, scripts: Sequence[Sequence[Packed]], way: Way, repeats: int = 1) -> None:
        """Hand out requests. Those of one script stay in order, on one connection."""
        count = len(self._orders) * way.lines
        hands = [
            [each for script in scripts[hand::count] for each in script] * repeats for hand in range(count)
        ]
        for number, orders in enumerate(self._orders):
            orders.send((port, way.window, hands[number * way.lines : (number + 1) * way.lines]))
        self._replies()

    def go(self) -> list[Span]:
        """Send all that was handed out."""
        for orders in self._orders:
            orders.send("go")
        return self._replies()

    def _replies(self) -> list[Any]:
        return [orders.recv() for orders in self._orders]

    def stop(self) -> None:
        """End the processes."""
        for orders, process in zip(self._orders, self._processes, strict=True):
            if process.is_alive():
                orders.send(None)
            process.join()
            orders.close()


@contextmanager
def loaders(count: int) -> Iterator[Loaders]:
    """Loaders for the length of a block."""
    made = Loaders(count)
    try:
        yield made
    finally:
        made.stop()

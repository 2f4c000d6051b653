"""A TCP proxy in a process of its own, which counts what passes, or makes it late.

    python -m benchmarks.peers.wire <port of the server>

It answers each line on its standard input with one: first, unasked, the port that it listens on; then
`["counts"]` with round trips, bytes sent and bytes received so far, and `["delay", 10]` with that delay. It
ends with its input, so it never outlives who started it.

A round trip is a client's bytes after a server's, on one connection, and whatever follows until the server's
next. A delay is of the round trip: each direction holds bytes back for half of it. Bytes in flight do not
wait for one another, so what is sent in one go arrives in one go, however long it is. Connections are
accepted at once.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"


@dataclass
class Wire:
    """What all connections share: where they lead to, how late bytes are, and what passed."""

    port: int
    half: float = 0.0
    round_trips: int = 0
    sent: int = 0
    received: int = 0
    opening: set[asyncio.Task[None]] = field(default_factory=set)

    def answer(self, told: list[Any]) -> Any:
        """Do what a line says."""
        if told[0] == "delay":
            self.half = told[1] / 2000
        return [self.round_trips, self.sent, self.received]

    def accept(self) -> asyncio.Protocol:
        """A new connection."""
        return _Client(_Exchange(self))


class _Flow:
    """One direction of a connection: each piece is passed on when it is due, in order. b"" ends it."""

    def __init__(self, wire: Wire, passed: Callable[[int], None]) -> None:
        self._wire = wire
        self._passed = passed
        self._held: deque[tuple[float, bytes]] = deque()
        self.target: asyncio.Transport | None = None

    def push(self, piece: bytes) -> None:
        if not self._wire.half and not self._held:
            self._pass(piece)
            return
        loop = asyncio.get_running_loop()
        self._held.append((loop.time() + self._wire.half, piece))
        if len(self._held) == 1:
            loop.call_at(self._held[0][0], self._pass_due)

    def _pass_due(self) -> None:
        loop = asyncio.get_running_loop()
        while self._held and self._held[0][0] <= loop.time():
            self._pass(self._held.popleft()[1])
        if self._held:
            loop.call_at(self._held[0][0], self._pass_due)

    def _pass(self, piece: bytes) -> None:
        if self.target is None or self.target.is_closing():
            return
        if not piece:
            self.target.close()
            return
        self._passed(len(piece))
        self.target.write(piece)


class _Exchange:
    """One connection: who spoke last says whether a round trip begins.

    A client answers what has reached it: so the client's bytes count when they come, and the server's when
    they are passed on.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.onwards = _Flow(wire, lambda _: None)
        self.back = _Flow(wire, self._answered)
        self._clients_turn = True

    def ask(self, piece: bytes) -> None:
        if piece:
            self.wire.round_trips += self._clients_turn
            self.wire.sent += len(piece)
            self._clients_turn = False
        self.onwards.push(piece)

    def _answered(self, size: int) -> None:
        self.wire.received += size
        self._clients_turn = True

    async def lead_on(self, client: asyncio.Transport) -> None:
        """Connect to the server; what the client says meanwhile waits."""
        self.back.target = client
        try:
            server, _ = await asyncio.get_running_loop().create_connection(
                lambda: _Side(self.back.push), HOST, self.wire.port
            )
        except OSError:
            client.abort()
            return
        self.onwards.target = server
        client.resume_reading()


class _Side(asyncio.Protocol):
    """A socket, and who hears what comes from it."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard

    def data_received(self, data: bytes) -> None:
        self._heard(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # either way it is over
        self._heard(b"")


class _Client(_Side):
    """The side that connected; it is read once there is a server to read for."""

    def __init__(self, exchange: _Exchange) -> None:
        super().__init__(exchange.ask)
        self._exchange = exchange

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        opening = self._exchange.wire.opening
        task = asyncio.get_running_loop().create_task(self._exchange.lead_on(transport))
        opening.add(task)
        task.add_done_callback(opening.discard)


def _say(said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def serve(port: int) -> None:
    """Proxy the server on a port, until standard input ends."""
    wire, loop = Wire(port), asyncio.get_running_loop()
    server = await loop.create_server(wire.accept, HOST, 0)
    _say(server.sockets[0].getsockname()[1])
    told = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    while line := await told.readline():
        _say(wire.answer(json.loads(line)))


def main() -> None:
    """Serve, on a loop that keeps time to less than the millisecond that epoll knows."""
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()

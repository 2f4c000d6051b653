"""One raw connection that sends ready bytes in order, with a bounded number of requests unanswered.

This imports the standard library and hiredis alone: a process that loads a server does nothing else.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import hiredis

Packed = tuple[bytes, int]
"""Bytes as they were sent, and how many replies they are answered with."""

_CHUNK = 1 << 18


class Line:
    """Sends requests and counts what is answered; errors are kept, not raised.

    A line is one connection, and a server answers a connection in order: so what depends on one another is
    sent over one line.

    Args:
        window: Requests that may be unanswered.
    """

    def __init__(self, port: int, window: int) -> None:
        self._window = window
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader()
        self._requests: Sequence[Packed] = ()
        self._sent = self._answered = self._due = 0
        self.received = 0
        self.errors: list[str] = []

    def begin(self, requests: Sequence[Packed]) -> None:
        """Send as many as may be unanswered."""
        self._requests = requests
        self._sent = self._answered = self._due = self.received = 0
        self.errors = []
        self._send()

    @property
    def done(self) -> bool:
        """Whether all is answered."""
        return self._answered == len(self._requests)

    def fileno(self) -> int:
        """So that a selector can wait for it."""
        return self._socket.fileno()

    def read(self) -> None:
        """Take what came, and send what may go for it."""
        data = self._socket.recv(_CHUNK)
        if not data:
            raise ConnectionError(f"the server hung up after {self._answered} answers")
        self.received += len(data)
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self._take(reply)
        self._send()

    def _take(self, reply: object) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self.errors.append(str(reply))
        self._due += 1
        if self._due == self._requests[self._answered][1]:
            self._due = 0
            self._answered += 1

    def _send(self) -> None:
        """A server that is sent to always reads, so this never waits for long."""
        end = min(self._answered + self._window, len(self._requests))
        if self._sent < end:
            self._socket.sendall(b"".join(request for request, _ in self._requests[self._sent : end]))
            self._sent = end

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def replies_to(packed: bytes) -> int:
    """How many replies a server will give: requests are written as replies are, one array each."""
    reader = hiredis.Reader()
    reader.feed(packed)
    count = 0
    while reader.gets() is not False:
        count += 1
    return count

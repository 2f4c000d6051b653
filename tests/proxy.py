"""A TCP proxy between a saver and its server, which breaks connections or goes slow when a test says so.

with Proxy(server.port) as proxy:
    saver = RedisSaver(proxy.url)
    proxy.cut()
"""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from typing_extensions import Self

if TYPE_CHECKING:
    from types import TracebackType

_PIECE = 4096


class Proxy:
    """Passes bytes on in both directions.

    Attributes:
        connections: How many were made so far.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._chance = random.Random(1)
        self._odds = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._flows.set()
        self.cut()

    def cut(self) -> None:
        """Break all connections there are, without a word; new ones may be made."""
        with self._lock:
            broken, self._open = self._open, set()
        for end in broken:
            # Unlike `close`, this wakes the thread that reads.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut_now_and_then(self, odds: float) -> None:
        """Break connections at random: a request or a reply arrives in part, or not at all."""
        self._odds = odds

    def stall(self) -> None:
        """Pass nothing on, as if the server were busy; connections stay."""
        self._flows.clear()

    def flow(self) -> None:
        """Go on."""
        self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # The test is over.
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self._flows.wait()
                if self._chance.random() < self._odds:
                    target.sendall(piece[: len(piece) // 2])
                    break
                target.sendall(piece)
        with self._lock:
            self._open -= {source, target}
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

"""A counting, delaying proxy (`wire`), as the controller has it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.peers.lines import Lines

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0


class Wired:
    """A proxy in front of the server on a port, until `stop`.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, port: int) -> None:
        command = [sys.executable, "-m", "benchmarks.peers.wire", str(port)]
        self._process = subprocess.Popen(  # noqa: S603  # a program of this repository
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._lines = Lines(self._process.stdout, self._process.stdin)
        self.port = int(self._lines.hear(PATIENCE))

    def counts(self) -> tuple[int, int, int]:
        """Round trips, bytes sent to the server and bytes received from it, so far."""
        self._lines.tell(["counts"])
        round_trips, sent, received = self._lines.hear(PATIENCE)
        return round_trips, sent, received

    def delay(self, milliseconds: float) -> None:
        """From now on a round trip takes so much longer."""
        self._lines.tell(["delay", milliseconds])
        self._lines.hear(PATIENCE)

    def stop(self) -> None:
        """End the proxy; its connections break."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.terminate()
        self._process.wait(PATIENCE)

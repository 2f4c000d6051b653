"""JSON, a line each: how the controller talks with its workers and its proxies.

The end that answers waits as long as it takes; the end that asks has a deadline.
"""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import dataclass, field
from typing import IO, Any


class SilentError(RuntimeError):
    """The other end is gone, or did not answer in time."""


@dataclass
class Lines:
    """One end of a conversation, over a pipe in each direction."""

    source: IO[bytes]
    target: IO[bytes]
    _read: bytearray = field(default_factory=bytearray)

    def tell(self, said: Any) -> None:
        """Send one line.

        Raises:
            SilentError: If nobody listens any more.
        """
        try:
            self.target.write(json.dumps(said).encode() + b"\n")
            self.target.flush()
        except (BrokenPipeError, ValueError) as error:
            raise SilentError("it ended") from error

    def hear(self, seconds: float | None = None) -> Any:
        """The next line.

        Raises:
            SilentError: If the other end closed its own, or said nothing for so many seconds.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._read:
            self._await(deadline)
            piece = os.read(self.source.fileno(), 1 << 20)
            if not piece:
                raise SilentError("it ended")
            self._read += piece
        line, _, rest = self._read.partition(b"\n")
        self._read = rest
        return json.loads(line)

    def ask(self, *said: Any) -> Any:
        """Send one line, and wait for the next."""
        self.tell(said)
        return self.hear()

    def _await(self, deadline: float | None) -> None:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([self.source], [], [], left)[0]:
            raise SilentError("it did not answer in time")

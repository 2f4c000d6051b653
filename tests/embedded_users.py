"""Programs that use an embedded server, and what became of their processes.

Run as a program, this file is one such user: it waits for a line, joins the server of the folder
that it is given, prints the server's process id, and waits for another line, or to be killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from typing_extensions import Self

from langgraph._redis.embedded import acquire

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph._redis.embedded import EmbeddedServer

PATIENCE = 20.0


class User:
    """A program that uses a folder's server until it is told to leave, or killed."""

    def __init__(self, folder: Path | str, cwd: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._hear() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()

    def start_joining(self) -> None:
        """Let the program join; does not wait for it."""
        self._say("join")

    def server(self) -> int:
        """The process id of the server that the program joined."""
        return int(self._hear())

    def join(self) -> int:
        self.start_joining()
        return self.server()

    def leave(self) -> None:
        """Let the program release the server and end."""
        self._say("leave")
        assert self.process.wait(PATIENCE) == 0

    def kill(self) -> None:
        """End the program as `kill -9` does."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def _say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def _hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def connect(server: EmbeddedServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def pid_of(server: EmbeddedServer) -> int:
    with connect(server) as client:
        return int(client.info("server")["process_id"])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    return pid in _parents()


def kill(pid: int) -> None:
    """End a process as `kill -9` does, and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_alive(pid))


def parent_of(pid: int) -> int:
    return _parents()[pid]


def children_of(pid: int) -> set[int]:
    return {child for child, parent in _parents().items() if parent == pid}


def _parents() -> dict[int, int]:
    """Each running process's parent; from /proc, since a slim image has no ps."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,stat="], check=True, capture_output=True, text=True
        )
        rows = [line.split() for line in listed.stdout.splitlines()]
        return {int(pid): int(parent) for pid, parent, state in rows if "Z" not in state}
    found = {}
    for entry in Path("/proc").iterdir():
        # A process may end while it is looked at.
        with suppress(ValueError, OSError):
            pid = int(entry.name)
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[pid] = int(parent)
    return found


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def main() -> None:
    print("ready", flush=True)  # noqa: T201 - Its output is what the other side reads.
    sys.stdin.readline()
    server = acquire(sys.argv[1])
    print(pid_of(server), flush=True)  # noqa: T201
    sys.stdin.readline()
    server.release()


if __name__ == "__main__":
    main()

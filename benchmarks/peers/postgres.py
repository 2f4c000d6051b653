"""A PostgreSQL server of one's own, with the settings that `initdb` gives: what is committed is on disk.

It is asked through its own program `psql`, so that nothing but its package need be installed. It refuses to
run as root, and then runs as `postgres`, or as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.peers.place import Place, PlaceError
from servers import free_port
from waiting import eventually

PATIENCE = 30.0
_SHOWN = ("fsync", "synchronous_commit", "shared_buffers")


class Postgres(Place):
    """A server on a free port of the loopback, until `stop`."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
        self._identity = _identity(self._folder)
        self._number = 0
        self.port = free_port()
        try:
            self._process = self._start()
        except PlaceError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.empty()
        shown = ", ".join(f"{name} {self._ask(f'SHOW {name}')}" for name in _SHOWN)
        self.about = f"PostgreSQL {self._ask('SHOW server_version')}, {shown}"

    def url(self, port: int | None = None) -> str:
        """The database, another one after each `empty`."""
        return f"postgresql://bench@127.0.0.1:{port or self.port}/bench{self._number}?sslmode=disable"

    def empty(self) -> None:
        """Drop the database and begin another."""
        old, self._number = self._number, self._number + 1
        drop = f"DROP DATABASE IF EXISTS bench{old} WITH (FORCE)"
        self._ask(drop, f"CREATE DATABASE bench{self._number}")

    def bytes(self) -> int | None:
        """Tables and indexes of the database, all pages written; the write-ahead log is not part of it."""
        return int(self._ask("CHECKPOINT", f"SELECT pg_database_size('bench{self._number}')"))

    def stop(self) -> None:
        """End the server at once, connections and all, and remove its folder."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> subprocess.Popen[Any]:
        data = str(self._folder / "data")
        made = self._run("initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync")
        if made.returncode:
            raise PlaceError(_last(made.stderr))
        options = ("-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder))
        with (self._folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # the installed server
                [self._programs / "postgres", "-D", data, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                **self._identity,
            )
        if not eventually(self._answers, PATIENCE):
            process.kill()
            process.wait(PATIENCE)
            raise PlaceError(_last((self._folder / "log").read_text()))
        return process

    def _answers(self) -> bool:
        return self._run("psql", *self._address, "-c", "SELECT 1").returncode == 0

    @property
    def _address(self) -> tuple[str, ...]:
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", "-d", "postgres")
        return (*where, "--no-psqlrc", "-Atq", "-v", "ON_ERROR_STOP=1")

    def _ask(self, *statements: str) -> str:
        said = [part for statement in statements for part in ("-c", statement)]
        done = self._run("psql", *self._address, *said)
        if done.returncode:
            raise PlaceError(_last(done.stderr))
        return done.stdout.strip()

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._programs / program), *arguments]
        return subprocess.run(  # noqa: S603  # programs of the installed server
            command, capture_output=True, text=True, check=False, cwd=self._folder, **self._identity
        )


def _programs() -> Path:
    """The newest installation: the one on PATH, or Debian's."""
    for folder in _folders():
        if all((folder / name).exists() for name in ("postgres", "initdb", "psql")):
            return folder
    raise PlaceError("no postgres, initdb and psql here: install your system's postgresql")


def _folders() -> Iterator[Path]:
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent
    kept = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(kept, key=lambda path: path.parent.name.zfill(4), reverse=True)


def _identity(folder: Path) -> dict[str, Any]:
    """As whom its programs run, who then owns the folder; root may not."""
    if os.geteuid():
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "PostgreSQL did not start, and said nothing"

"""All kinds of places by name; each contender has one of its own, for the whole race."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import redis

from benchmarks.peers.keyspaces import Embedded, cluster, stack, valkey
from benchmarks.peers.place import Place, PlaceError
from benchmarks.peers.postgres import Postgres
from fetched import NotFetchedError
from servers import ServerNotStartedError

TROUBLE = (PlaceError, redis.RedisError, OSError)
"""What a place raises whose server is gone."""


class Nowhere(Place):
    """In the contender's own process."""

    about = "its process"
    weighs = False

    def url(self, port: int | None = None) -> str:  # noqa: ARG002  # there is no server
        """Nothing is needed."""
        return ""

    def empty(self) -> None:
        """A saver that is opened again is empty."""

    def stop(self) -> None:
        """Nothing is held."""


class File(Place):
    """A file of SQLite's."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._number = 0
        self.about = f"SQLite {sqlite3.sqlite_version}, a file, WAL as the saver sets it"

    def url(self, port: int | None = None) -> str:  # noqa: ARG002  # no server
        """The file's path, another one after each `empty`."""
        return str(self._folder / f"{self._number}.sqlite")

    def empty(self) -> None:
        """Begin another file."""
        for part in self._parts():
            part.unlink()
        self._number += 1

    def bytes(self) -> int | None:
        """Of the file, with what of the write-ahead log cannot be written back to it now."""
        with closing(sqlite3.connect(self.url())) as connection, suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return sum(part.stat().st_size for part in self._parts() if not part.name.endswith("-shm"))

    def stop(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _parts(self) -> list[Path]:
        return list(self._folder.glob(f"{self._number}.sqlite*"))


KINDS: dict[str, Callable[[], Place]] = {
    "nowhere": Nowhere,
    "valkey": valkey,
    "cluster": cluster,
    "stack": stack,
    "embedded": Embedded,
    "file": File,
    "postgres": Postgres,
}


def start(kind: str) -> Place:
    """A place of a kind, for one contender.

    Raises:
        PlaceError: If it cannot be had here.
    """
    try:
        return KINDS[kind]()
    except (NotFetchedError, ServerNotStartedError, OSError) as error:
        raise PlaceError(str(error)) from error

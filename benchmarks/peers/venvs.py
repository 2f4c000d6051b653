"""Virtual environments for contenders, made once: `.bench/<name>-<hash of what is installed>`.

Two contenders have the same import path, and each brings the versions that it wants. What is there is used
again; `rm -r .bench` makes all anew, with the newest versions of that day.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers.contenders import ROOT as ROOT_MARK
from benchmarks.peers.contenders import Contender

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"

COMMON = ("langgraph",)
"""What workloads import, in the newest version that a contender goes with."""

_READY = "ready"
"""A file in an environment that was made to its end."""


class NotInstalledError(RuntimeError):
    """A contender cannot be had here; the message says why."""


def python(contender: Contender) -> Path:
    """The interpreter of a contender's environment, which is made if it is missing.

    Raises:
        NotInstalledError: If it cannot be made.
    """
    home = _home(contender)
    interpreter = home / "bin" / "python"
    if not (home / _READY).exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        _install(interpreter, contender)
        (home / _READY).touch()
    return interpreter


def is_ready(contender: Contender) -> bool:
    """Whether its environment is there already."""
    return (_home(contender) / _READY).exists()


def _home(contender: Contender) -> Path:
    """Contenders that install the same share what the first of them made."""
    fingerprint = _fingerprint(contender)
    shared = sorted(FOLDER.glob(f"*-{fingerprint}"))
    return shared[0] if shared else FOLDER / f"{contender.name}-{fingerprint}"


def _fingerprint(contender: Contender) -> str:
    """Changes with whatever decides on what is installed; sources in this repository are not copied."""
    deciding = [*contender.requirements, *COMMON, sys.version]
    if any(ROOT_MARK in each for each in contender.requirements):
        deciding.append((ROOT / "pyproject.toml").read_text())
    return hashlib.sha256("\n".join(deciding).encode()).hexdigest()[:12]


def _install(interpreter: Path, contender: Contender) -> None:
    wanted = [each.replace(ROOT_MARK, str(ROOT)) for each in contender.requirements]
    install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(  # noqa: S603  # pip, in the environment
        [*install, *wanted, *COMMON], capture_output=True, text=True, check=False
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotInstalledError(errors[-1] if errors else f"pip ended with {done.returncode}")

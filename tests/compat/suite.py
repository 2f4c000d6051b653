"""LangGraph's own tests: those of the versions that are installed, beside none of their sources.

Only `tests/` and `pyproject.toml` leave an sdist. Were its `langgraph/` folder unpacked as well,
it would stand first on the path of the tests, and the installed package would not be tested.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".compat"


def prepare(project: str) -> Path:
    """A folder with the tests of a project; what they need is installed where this program runs."""
    _pip("install", "--quiet", "--requirement", str(HERE / "requirements.txt"))
    return _unpack(_download(project, version(project)))


def _download(project: str, release: str) -> Path:
    """The sdist, fetched once; pip leaves no half of a file under its name."""
    archive = CACHE / f"{project.replace('-', '_')}-{release}.tar.gz"
    if not archive.exists():
        source_only = ("--no-deps", "--no-binary", project)
        _pip("download", "--quiet", *source_only, "--dest", str(CACHE), f"{project}=={release}")
    return archive


def _unpack(archive: Path) -> Path:
    """Done at each run: it takes no time, and an interrupted run leaves nothing to trip over."""
    root = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as tar:
        wanted = [member for member in tar if _is_test(member.name.removeprefix(f"{root}/"))]
        tar.extractall(CACHE, wanted, filter="data")
    return CACHE / root


def _is_test(path: str) -> bool:
    return path == "pyproject.toml" or path.startswith("tests/")


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(
            f"{' '.join(command)} failed, so LangGraph's tests cannot run: "
            "pip must be installed there and reach a package index."
        )

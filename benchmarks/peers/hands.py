"""A worker as the controller has it: a process that is asked, and ended when it does not answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.peers.lines import Lines, SilentError

ROOT = Path(__file__).resolve().parents[2]
START = 60.0
"""Seconds that a worker has to import what it needs, and to open or close its saver."""

Answer: TypeAlias = Callable[..., Any]


def _environment() -> dict[str, str]:
    """Nothing of LangChain's settings is passed on: tracing would be measured too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANG", "PYTHON"))}
    return {**kept, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}


class Hand:
    """One worker, started at once; after its end another one takes its place when something is asked."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self._log = command, log
        self._process: subprocess.Popen[bytes] | None = None
        self._versions: dict[str, str] | None = None
        self._start()

    def versions(self) -> dict[str, str]:
        """What is installed where it runs; the first thing that a worker says.

        Raises:
            SilentError: If it ended.
        """
        if self._process is None:
            self._start()
        if self._versions is None:
            try:
                self._versions = dict(self._lines.hear(START))
            except SilentError as error:
                raise self._ended(error) from error
        return self._versions

    def begin(self, *request: Any) -> None:
        """Ask without waiting.

        Raises:
            SilentError: If it ended; then there is a new one.
        """
        self.versions()
        try:
            self._lines.tell(request)
        except SilentError as error:
            raise self._ended(error) from error

    def finish(self, seconds: float, answers: Mapping[str, Answer] | None = None) -> Any:
        """The answer to what was asked; its own questions are answered meanwhile.

        Raises:
            SilentError: If it ended, or said nothing for so long; it is ended then.
        """
        try:
            said = self._lines.hear(seconds)
            while said[0] != "answer":
                self._lines.tell((answers or {})[said[0]](*said[1:]))
                said = self._lines.hear(seconds)
        except SilentError as error:
            raise self._ended(error) from error
        return said[1]

    def ask(self, seconds: float, *request: Any) -> Any:
        """Ask, and wait."""
        self.begin(*request)
        return self.finish(seconds)

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.kill()
        self._process.wait()
        self._process, self._versions = None, None

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a program of this repository
                self._command,
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._lines = Lines(self._process.stdout, self._process.stdin)

    def _ended(self, why: SilentError) -> SilentError:
        self.stop()
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        said = f"; last in {self._log.name}: {lines[-1]}" if lines else ""
        return SilentError(f"its process: {why}{said}")

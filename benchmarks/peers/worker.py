"""Runs blocks of workloads on one contender in one style, in the contender's own environment.

    python -m benchmarks.peers.worker <contender> <sync|async> <registry>

A line in, on standard input, is a request; a line out is an answer to it, or, in the middle of a block, a
question: `["bytes"]`, `["counts"]`, `["delay", true]`. Whatever a library prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from importlib.metadata import distributions
from pkgutil import resolve_name
from typing import Any, BinaryIO

from benchmarks.peers.blocks import Block, Counts, Nothing, Outside
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.peers.contract import Workload
from benchmarks.peers.lines import Lines
from benchmarks.peers.subjects import AwaitedSubject, BlockingSubject
from benchmarks.peers.warmup import warm_up

PACKAGES = ("langgraph", "langchain-core", "redis", "hiredis", "valkey", "libvalkey", "psycopg", "aiosqlite")
SAVERS = "langgraph-checkpoint"
"""Savers, and their base, have names that begin so."""


class Counted(Nothing):
    """What passes the proxy during each act is counted, and what is kept is asked. Times mean nothing."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._before: Counts | None = None

    def before(self) -> None:
        """See what passed so far."""
        self._before = self._counts()

    def after(self) -> Counts | None:
        """See what is more."""
        before, now = self._before, self._counts()
        if before is None or now is None:
            return None
        return now[0] - before[0], now[1] - before[1], now[2] - before[2]

    def bytes(self) -> int | None:
        """Ask the server, or whoever knows."""
        found: int | None = self._lines.ask("bytes")
        return found

    def _counts(self) -> Counts | None:
        found = self._lines.ask("counts")
        return None if found is None else tuple(found)


class Late(Nothing):
    """The network is slow during each act, and only then: nobody need wait for what is not measured."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def before(self) -> None:
        """Slow from here."""
        self._lines.ask("delay", True)  # noqa: FBT003  # a message

    def after(self) -> Counts | None:
        """As before."""
        self._lines.ask("delay", False)  # noqa: FBT003  # a message
        return None


class Worker:
    """One saver, open or not, and the blocks that run on it."""

    def __init__(self, contender: str, style: str, workloads: Mapping[str, Workload], lines: Lines) -> None:
        self._opening = CONTENDERS[contender].openings[style]
        self._workloads = workloads
        self._lines = lines
        self._around: dict[str, Outside] = {"time": Nothing(), "count": Counted(lines), "late": Late(lines)}
        self._loop = asyncio.new_event_loop() if style == "async" else None
        self._held: AbstractContextManager[Any] | AbstractAsyncContextManager[Any] | None = None
        self._subject: BlockingSubject | AwaitedSubject | None = None

    def serve(self) -> None:
        """Answer until nobody asks."""
        self._lines.tell(versions())
        while True:
            what, *told = self._lines.hear()
            self._lines.tell(["answer", getattr(self, f"_do_{what}")(*told)])

    def _do_open(self, url: str) -> str | None:
        """Open the saver, and use it once; say what went wrong."""
        try:
            self._open(self._opening(url))
        except Exception as error:  # noqa: BLE001  # whatever a saver raises is its result
            return f"{type(error).__name__}: {error}"
        return None

    def _open(self, held: AbstractContextManager[Any] | AbstractAsyncContextManager[Any]) -> None:
        if self._loop is None:
            assert isinstance(held, AbstractContextManager)
            self._subject = BlockingSubject(held.__enter__())
        else:
            assert isinstance(held, AbstractAsyncContextManager)
            self._subject = AwaitedSubject(self._loop.run_until_complete(held.__aenter__()))
        self._held = held
        warming = Block(warm_up(self._subject), cost=60.0)
        self._run(warming)
        if warming.failed:
            raise RuntimeError(warming.failed)

    def _do_close(self) -> None:
        held, self._held = self._held, None
        if self._subject is not None:
            self._subject.close()
            self._subject = None
        if isinstance(held, AbstractContextManager):
            held.__exit__(None, None, None)
        elif held is not None and self._loop is not None:
            self._loop.run_until_complete(held.__aexit__(None, None, None))

    def _do_block(self, workload: str, size: int, thread: str, how: str) -> dict[str, Any]:
        assert self._subject is not None
        chosen = self._workloads[workload]
        course = chosen.block(self._subject, thread, size)
        block = Block(course, chosen.cost, self._around[how])
        gc.collect()
        self._run(block)
        return block.as_json()

    def _run(self, block: Block) -> None:
        if self._loop is None:
            block.call()
        else:
            self._loop.run_until_complete(block.wait())


def versions() -> dict[str, str]:
    """What figures depend on, of all that is installed."""
    found = {wheel.metadata["Name"]: wheel.version for wheel in distributions()}
    names = [name for name in sorted(found) if name in PACKAGES or name.startswith(SAVERS)]
    return {name: found[name] for name in names}


def _own_output() -> BinaryIO:
    """Standard output for answers alone; what others print there goes to standard error."""
    ours = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return ours


def main() -> None:
    """Serve whoever started this process, until it ends the conversation."""
    contender, style, registry = sys.argv[1:]
    lines = Lines(sys.stdin.buffer, _own_output())
    Worker(contender, style, resolve_name(registry), lines).serve()


if __name__ == "__main__":
    main()

"""Large documents in the state, as deep agents keep them: a dict of files, of which a step changes one.

The change is 10 KB, the dict is 1 MB: what is sent and kept a step says whether a saver tells them apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeAlias

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from benchmarks.peers.contract import Course, Do, Subject, Timed, Weigh, Workload
from benchmarks.peers.workloads.checks import expect_same
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import CHARACTERS, config, text

KILOBYTES, STEPS = 10, 10
"""The size of a file; steps of a block."""

Files: TypeAlias = dict[str, str]
Choose: TypeAlias = Callable[[int, int], int]
"""Which file a step writes, of how many there were at first."""


def _merged(files: Files, update: Files) -> Files:
    return {**files, **update}


class Desk(TypedDict):
    """The files, and which one is to be written with what."""

    files: Annotated[Files, _merged]
    file: int
    edition: int


def _path(number: int) -> str:
    return f"/notes/{number:04}.md"


def _document(seed: int) -> str:
    """Some 10 KB of words; the same for the same seed."""
    lines = KILOBYTES * 1000 // CHARACTERS + 1
    return "\n".join(text(lines * seed + line) for line in range(lines))[: KILOBYTES * 1000]


def _write(state: Desk) -> dict[str, Files]:
    return {"files": {_path(state["file"]): _document(state["edition"])}}


def builder() -> StateGraph[Desk, None, Desk, Desk]:
    """One node, which writes the file that it is told to."""
    made = StateGraph(Desk)
    made.add_node("write", Node(_write), input_schema=Desk)
    made.add_edge(START, "write")
    made.add_edge("write", END)
    return made


def _new(step: int, count: int) -> int:
    """Behind all others."""
    return count + step


def _early(step: int, count: int) -> int:
    """One near the front, so that all that follows it stands elsewhere."""
    return (step + 2) % min(5, count)


def _any(step: int, count: int) -> int:
    return random.Random(step).randrange(count)  # noqa: S311  # The same in each run.


def steps(choose: Choose, subject: Subject, thread: str, count: int) -> Course:
    """Store all files once, and time steps that each write one; weighed before and after."""
    invoke = subject.graph(builder())
    wanted = {_path(number): _document(number) for number in range(count)}
    yield Do(invoke({"files": wanted, "file": 0, "edition": 0}, config(thread)))
    yield Weigh(0)
    for step in range(1, STEPS + 1):
        told = {"file": choose(step, count), "edition": count + step}
        state = yield Timed(invoke(told, config(thread)), at=step)
        path = _path(told["file"])
        wanted = {**wanted, path: _document(told["edition"])}
        expect_same(state["files"].get(path), wanted[path], f"{path} after it was written")
        expect_same(len(state["files"]), len(wanted), "the files, how many")
    yield Weigh(STEPS)
    kept = yield Do(subject.state(builder(), config(thread)))
    expect_same(kept.values.get("files"), wanted, "the thread's files")
    yield Do(partial(subject.methods.delete_thread, thread))


def _variant(name: str, title: str, choose: Choose, quick: tuple[int, ...] = ()) -> Workload:
    return Workload(name, title, "step", (100,), partial(steps, choose), {100: (3, 1)}, quick)


WORKLOADS = (
    _variant("files-append", "1 MB of files, a new one a step", _new, (100,)),
    _variant("files-early", "1 MB of files, an early one changed a step", _early),
    _variant("files-any", "1 MB of files, any one changed a step", _any),
)

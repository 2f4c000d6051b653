"""Many conversations at once: a turn of all of them together."""

from __future__ import annotations

from functools import partial

from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.chat import builder, question, said
from benchmarks.peers.workloads.checks import contents, expect_all, expect_same
from benchmarks.workload import config

TURNS = 3


def turns(subject: Subject, thread: str, chats: int) -> Course:
    """Time a turn of all chats; each answers its own thread."""
    invoke, names = subject.graph(builder()), [f"{thread}-{number}" for number in range(chats)]
    for turn in range(1, TURNS + 1):
        acts = [invoke(question(turn), config(name)) for name in names]
        states = yield Timed(subject.together(acts), at=turn)
        found = [len(state["messages"]) for state in states]
        expect_same(found, [2 * turn] * chats, f"messages of each chat after turn {turn}")
    for name in (names[0], names[-1]):
        kept = yield Do(subject.state(builder(), config(name)))
        expect_all(contents(kept.values.get("messages", [])), said(TURNS), "the messages of a chat")
    yield Do(subject.together([partial(subject.methods.delete_thread, name) for name in names]))


WORKLOADS = (
    Workload(
        "many",
        "chats at once, a turn of all of them",
        "turn",
        (100,),
        turns,
        {100: (3, 1), 20: (3, 1)},
        (20,),
    ),
)

"""Workloads that show what a race makes of them: one that is right, and ones that are not."""

from __future__ import annotations

import os
from functools import partial

from benchmarks.peers.contract import Course, Do, Subject, Timed, Weigh, Workload, WrongResultError
from benchmarks.workload import config, steps


def puts(subject: Subject, thread: str, count: int) -> Course:
    yield Weigh(0)
    for number, step in enumerate(steps(subject.methods.get_next_version, [1] * count), 1):
        put = partial(subject.methods.put, step.config(thread))
        yield Timed(partial(put, step.checkpoint, step.metadata, step.new_versions), at=number)
        yield Weigh(number)
    found = yield Do(partial(subject.methods.get_tuple, config(thread)))
    if found is None:
        raise WrongResultError("what was put is not there")
    yield Do(partial(subject.methods.delete_thread, thread))


def lies(subject: Subject, thread: str, _: int) -> Course:
    found = yield Timed(partial(subject.methods.get_tuple, config(thread)))
    raise WrongResultError(f"{found} came back")


def _break() -> None:
    raise ValueError("broken")


def breaks(_: Subject, __: str, ___: int) -> Course:
    yield Timed(_break)


def dies(_: Subject, __: str, ___: int) -> Course:
    yield Timed(partial(os._exit, 3))


def lasts(subject: Subject, thread: str, _: int) -> Course:
    while True:
        yield Timed(partial(subject.methods.get_tuple, config(thread)))


ALL = {
    each.name: each
    for each in (
        Workload("puts", "put", "call", (3,), puts, {3: (2, 1)}, (3,), delayed=True),
        Workload("lies", "a wrong result", "call", (1,), lies, {1: (2, 1)}, (1,)),
        Workload("breaks", "an error", "call", (1,), breaks, {1: (2, 1)}, (1,)),
        Workload("dies", "the end of the process", "call", (1,), dies, {1: (2, 1)}, (1,)),
        Workload("lasts", "a block without an end", "call", (1,), lasts, {1: (2, 1)}, (1,), cost=0.05),
    )
}

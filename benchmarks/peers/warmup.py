"""Each of a saver's operations once, before anything is measured.

A connection is made, scripts are loaded, statements prepared, modules imported: that happens once in a
program's life, and is nobody's time for an operation.
"""

from __future__ import annotations

from functools import partial

from benchmarks.peers.contract import Course, Do, Subject
from benchmarks.workload import config, steps

THREAD = "warm-up"


def warm_up(subject: Subject) -> Course:
    """Store, read, list and delete a thread of two checkpoints."""
    methods = subject.methods
    for step in steps(methods.get_next_version, [1, 2]):
        yield Do(partial(methods.put, step.config(THREAD), step.checkpoint, step.metadata, step.new_versions))
        yield Do(partial(methods.put_writes, step.stored(THREAD), step.writes, step.task))
    yield Do(partial(methods.get_tuple, config(THREAD)))
    yield Do(partial(methods.list, config(THREAD), 10))
    yield Do(partial(methods.delete_thread, THREAD))

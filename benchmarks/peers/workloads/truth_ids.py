"""Whose data it is: a thread, a namespace, a filter gives what was stored under it, and nothing of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig

from benchmarks.measure import Act
from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import expect, expect_id, expect_same
from benchmarks.workload import Step, config, steps

KEY = "user_id"

TENANTS = (
    *("user:1", "user:10", "user:1:2", "user"),
    *("a*", "ab", "a?", "a[b]", "*"),
    *("a:b", "a/b", "a-b", "a_b", "a.b@c", "a{b}", "a b", "é"),
)
"""Ids that a saver which puts them into keys, patterns or queries may take for one another."""


def _at(thread: str, namespace: str) -> RunnableConfig:
    found = config(thread)
    return {**found, "configurable": {**found["configurable"], "checkpoint_ns": namespace}}


def _put(subject: Subject, where: RunnableConfig, step: Step, mark: str) -> Act:
    """The step, marked with whose it is."""
    metadata = {**step.metadata, KEY: mark}
    return partial(subject.methods.put, where, step.checkpoint, metadata, step.new_versions)


def _marks(found: Sequence[Any]) -> list[str]:
    """Whose the listed checkpoints are."""
    return sorted({each.metadata.get(KEY, "nobody's") for each in found})


def _steps(subject: Subject) -> Callable[[], Step]:
    """Steps of one checkpoint each, ids rising."""
    return lambda: steps(subject.methods.get_next_version, [1])[0]


def tenants(subject: Subject, thread: str, _: int) -> Course:
    """Threads with ids that look alike: each has its own, also when another one is deleted."""
    make, made = _steps(subject), dict[str, Step]()
    names = [f"{thread}-{each}" for each in TENANTS]
    for name in names:
        made[name] = make()
        yield Do(_put(subject, config(name), made[name], name))
    for name, step in made.items():
        found = yield Timed(partial(subject.methods.get_tuple, config(name)))
        expect_id(found, step.checkpoint["id"], f"the thread {name!r}")
        listed = yield Timed(partial(subject.methods.list, config(name), None))
        expect_same(_marks(listed), [name], f"the owners of what the thread {name!r} lists")
    yield from _deleted(subject, made)


def _deleted(subject: Subject, made: dict[str, Step]) -> Course:
    """One after the other, those that are left stay."""
    left = dict(made)
    for name in made:
        yield Do(partial(subject.methods.delete_thread, name))
        del left[name]
        found = yield Do(partial(subject.methods.get_tuple, config(name)))
        expect(found is None, f"the thread {name!r} was deleted, and is found")
        for other, step in left.items():
            found = yield Do(partial(subject.methods.get_tuple, config(other)))
            expect_id(found, step.checkpoint["id"], f"the thread {other!r}, after {name!r} was deleted")


def filters(subject: Subject, thread: str, _: int) -> Course:
    """Listing by metadata finds those with the very value, whatever is in it."""
    make = _steps(subject)
    for value in TENANTS:
        yield Do(_put(subject, config(thread), make(), value))
    for value in TENANTS:
        listed = yield Timed(partial(subject.methods.list, config(thread), None, filter={KEY: value}))
        expect_same(_marks(listed), [value], f"what the filter {KEY} = {value!r} finds")
    yield Do(partial(subject.methods.delete_thread, thread))


def namespaces(subject: Subject, thread: str, _: int) -> Course:
    """The same checkpoint id in several namespaces of a thread."""
    step, spaces = _steps(subject)(), ("", "child", "child:1", "child:10", "child|deep:1")
    for space in spaces:
        yield Do(_put(subject, _at(thread, space), step, space or "root"))
    for space in spaces:
        found = yield Timed(partial(subject.methods.get_tuple, _at(thread, space)))
        expect_id(found, step.checkpoint["id"], f"the namespace {space!r}")
        expect_same(found.metadata.get(KEY), space or "root", f"whose checkpoint the namespace {space!r} has")
        listed = yield Timed(partial(subject.methods.list, _at(thread, space), None))
        expect_same(_marks(listed), [space or "root"], f"whose checkpoints the namespace {space!r} lists")
    yield Do(partial(subject.methods.delete_thread, thread))


Block: TypeAlias = Callable[[Subject, str, int], Course]


def _truth(name: str, title: str, block: Block) -> Workload:
    return Workload(f"truth-{name}", title, "call", (1,), block, {1: (1, 1)}, (1,), counted=False)


WORKLOADS = (
    _truth("tenants", "threads whose ids look alike are kept apart", tenants),
    _truth("filters", "a filter finds the very value", filters),
    _truth("namespaces", "the same checkpoint id in several namespaces", namespaces),
)

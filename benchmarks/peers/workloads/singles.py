"""One call of the saver at a time, on a thread of an agent with so many messages.

A thread holds some earlier checkpoints with their writes. It is made for its block and deleted after it,
and the number of messages named is the one in the middle of what is timed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.measure import Act
from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import (
    contents,
    expect,
    expect_all,
    expect_ends,
    expect_id,
    expect_same,
)
from benchmarks.workload import Step, config, steps, task, text, writes

EARLIER = 8
"""Checkpoints that a thread holds before anything is timed."""

PAGE, LISTED = 10, 12
"""The limit that `list` is given; checkpoints of the thread that is listed."""

DELETED = 2
"""Threads that a block deletes."""

SIZES = (20, 100, 600, 2000)
ROUNDS = {20: (6, 2), 100: (5, 2), 600: (4, 1), 2000: (2, 1)}


def calls(messages: int) -> int:
    """Timed calls of a block: fewer of those that take longer."""
    return 10 if messages <= 100 else 6  # noqa: PLR2004  # One of `SIZES`.


def put(subject: Subject, step: Step, thread: str) -> Act:
    """Store a step's checkpoint."""
    where = step.config(thread)
    return partial(subject.methods.put, where, step.checkpoint, step.metadata, step.new_versions)


def put_writes(subject: Subject, step: Step, thread: str) -> Act:
    """Store what the step's task wrote."""
    return partial(subject.methods.put_writes, step.stored(thread), step.writes, step.task)


def _made(subject: Subject, messages: int, count: int) -> list[Step]:
    """Steps of an agent, one message more a step; `messages` amid those that are timed."""
    first = messages + calls(messages) // 2 - count + 1
    return steps(subject.methods.get_next_version, [max(1, first + number) for number in range(count)])


def _told(subject: Subject, made: list[Step], thread: str) -> Course:
    """The thread as it is before anything is timed."""
    for step in made:
        yield Do(put(subject, step, thread))
        yield Do(put_writes(subject, step, thread))


def _whole(found: Any, step: Step) -> None:
    """Every message that was given is there, in order."""
    expect_id(found, step.checkpoint["id"], "the latest checkpoint")
    wanted = step.checkpoint["channel_values"]["messages"]
    said = found.checkpoint["channel_values"].get("messages", [])
    expect_all(contents(said), contents(wanted), "the checkpoint's messages")
    expect_all([each.id for each in said], [each.id for each in wanted], "the messages' ids")


def _glance(found: Any, step: Step) -> None:
    """The right checkpoint, with its messages and its writes, by their ends and numbers."""
    expect_id(found, step.checkpoint["id"], "get_tuple")
    said = found.checkpoint["channel_values"].get("messages", [])
    wanted = step.checkpoint["channel_values"]["messages"]
    expect_ends(contents(said), contents(wanted), "the checkpoint's messages")
    pending = found.pending_writes or []
    expect_same(len(pending), len(step.writes), "the checkpoint's writes, how many")


def puts(subject: Subject, thread: str, messages: int) -> Course:
    """`put` of the checkpoints that come next."""
    made = _made(subject, messages, EARLIER + calls(messages))
    yield from _told(subject, made[:EARLIER], thread)
    for step in made[EARLIER:]:
        stored = yield Timed(put(subject, step, thread))
        expect_same(stored["configurable"]["checkpoint_id"], step.checkpoint["id"], "put, the id")
    found = yield Do(partial(subject.methods.get_tuple, config(thread)))
    _whole(found, made[-1])
    parent = found.parent_config or {"configurable": {}}
    expect_same(parent["configurable"].get("checkpoint_id"), made[-1].parent, "the parent's id")
    yield Do(partial(subject.methods.delete_thread, thread))


def writings(subject: Subject, thread: str, messages: int) -> Course:
    """`put_writes` of as many tasks, all on the latest checkpoint, one message each."""
    made = _made(subject, messages, EARLIER)
    yield from _told(subject, made[:-1], thread)
    latest = made[-1]
    yield Do(put(subject, latest, thread))
    for number in range(calls(messages)):
        yield Timed(partial(subject.methods.put_writes, latest.stored(thread), writes(number), task(number)))
    found = yield Do(partial(subject.methods.get_tuple, config(thread)))
    _answered(found, calls(messages))
    yield Do(partial(subject.methods.delete_thread, thread))


def _answered(found: Any, tasks: int) -> None:
    """Each task's message is among the pending writes, under its task."""
    expect(found is not None, "the thread's latest checkpoint was not found")
    written = found.pending_writes or []
    answers = {by: contents(value)[0] for by, channel, value in written if channel == "messages"}
    expect_same(answers, {task(number): text(number) for number in range(tasks)}, "the tasks' writes")
    expect_same(len(written), 2 * tasks, "pending writes, how many")


def latest_gets(subject: Subject, thread: str, messages: int) -> Course:
    """`get_tuple` of the latest, as every run of a graph begins."""
    made = _made(subject, messages, EARLIER)
    yield from _told(subject, made, thread)
    for _ in range(calls(messages)):
        found = yield Timed(partial(subject.methods.get_tuple, config(thread)))
        _glance(found, made[-1])
    _whole(found, made[-1])
    yield Do(partial(subject.methods.delete_thread, thread))


def gets_by_id(subject: Subject, thread: str, messages: int) -> Course:
    """`get_tuple` of one checkpoint after the other, by id."""
    made = _made(subject, messages, EARLIER)
    yield from _told(subject, made, thread)
    for number in range(calls(messages)):
        step = made[number % EARLIER]
        found = yield Timed(partial(subject.methods.get_tuple, step.stored(thread)))
        _glance(found, step)
    _whole(found, step)
    yield Do(partial(subject.methods.delete_thread, thread))


def misses(subject: Subject, thread: str, messages: int) -> Course:
    """`get_tuple` of threads that are not there, beside one that is."""
    yield from _told(subject, _made(subject, messages, EARLIER), thread)
    for number in range(calls(messages)):
        found = yield Timed(partial(subject.methods.get_tuple, config(f"{thread}-absent-{number}")))
        expect(found is None, "get_tuple found a thread that was never stored")
    yield Do(partial(subject.methods.delete_thread, thread))


def listings(subject: Subject, thread: str, messages: int) -> Course:
    """`list` with a limit, read to its end."""
    made = _made(subject, messages, LISTED)
    newest = made[: -PAGE - 1 : -1]
    yield from _told(subject, made, thread)
    for _ in range(calls(messages) // 3):
        found = yield Timed(partial(subject.methods.list, config(thread), PAGE))
        expect_all(
            [each.checkpoint["id"] for each in found],
            [step.checkpoint["id"] for step in newest],
            "list, ids newest first",
        )
        _glance(found[-1], newest[-1])
    _whole(found[0], made[-1])
    yield Do(partial(subject.methods.delete_thread, thread))


def deletions(subject: Subject, thread: str, messages: int) -> Course:
    """`delete_thread` of whole threads; nothing of them may be found then."""
    made = _made(subject, messages, EARLIER)
    names = [f"{thread}-{number}" for number in range(DELETED)]
    for name in names:
        yield from _told(subject, made, name)
    for name in names:
        yield Timed(partial(subject.methods.delete_thread, name))
        found = yield Do(partial(subject.methods.get_tuple, config(name)))
        expect(found is None, "get_tuple found a thread that was deleted")
        left = yield Do(partial(subject.methods.list, config(name), PAGE))
        expect_same(len(left), 0, "list of a deleted thread, how many")


def _single(name: str, title: str, block: Any, quick: tuple[int, ...], *, delayed: bool = False) -> Workload:
    return Workload(name, title, "call", SIZES, block, ROUNDS, quick, delayed)


WORKLOADS = (
    _single("put", "put, a checkpoint with one message more", puts, (600,), delayed=True),
    _single("put_writes", "put_writes, one message of one task", writings, (20,), delayed=True),
    _single("get_tuple", "get_tuple, the latest", latest_gets, (600,), delayed=True),
    _single("get_tuple-id", "get_tuple, by id", gets_by_id, (20,)),
    Workload("get_tuple-miss", "get_tuple, no such thread", "call", (20,), misses, {20: (6, 1)}, (20,)),
    _single("list", f"list, the newest {PAGE}", listings, (20,)),
    _single("delete_thread", f"delete_thread, {EARLIER} checkpoints", deletions, (20,)),
)

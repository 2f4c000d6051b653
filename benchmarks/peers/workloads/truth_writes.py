"""What tasks wrote before their step ended: is all of it there when the thread is taken up again?"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import expect, expect_id, expect_same
from benchmarks.peers.workloads.nodes import Node
from benchmarks.peers.workloads.singles import put
from benchmarks.workload import Step, config, steps, task, text

ERROR = "__error__"


def _stored(subject: Subject, thread: str) -> tuple[Step, Do]:
    (step,) = steps(subject.methods.get_next_version, [2])
    return step, Do(put(subject, step, thread))


def _written(found: Any, step: Step) -> list[tuple[str, str, Any]]:
    expect_id(found, step.checkpoint["id"], "the latest checkpoint")
    return [(by, channel, value) for by, channel, value in found.pending_writes or []]


def at_once(subject: Subject, thread: str, tasks: int) -> Course:
    """Many tasks of one step write at the same moment."""
    step, store = _stored(subject, thread)
    yield store
    at, write = step.stored(thread), subject.methods.put_writes
    acts = [partial(write, at, [("answers", text(number))], task(number)) for number in range(tasks)]
    yield Do(subject.together(acts))
    found = yield Timed(partial(subject.methods.get_tuple, config(thread)))
    wanted = {task(number): text(number) for number in range(tasks)}
    answers = {by: value for by, _, value in _written(found, step)}
    lost = len(wanted.keys() - answers.keys())
    expect(not lost, f"{lost} of {tasks} tasks' writes, made at once, were not found afterwards")
    expect_same(answers, wanted, "the tasks' writes")
    yield Do(partial(subject.methods.delete_thread, thread))


def repeated(subject: Subject, thread: str, _: int) -> Course:
    """A task that writes again: its results stay, but a newer error takes the older one's place."""
    step, store = _stored(subject, thread)
    yield store
    at, write = step.stored(thread), subject.methods.put_writes
    for value in ("first", "second"):
        yield Do(partial(write, at, [("answers", value)], task(0)))
        yield Do(partial(write, at, [(ERROR, value)], task(1)))
    found = yield Timed(partial(subject.methods.get_tuple, config(thread)))
    written = _written(found, step)
    kept = {channel: value for _, channel, value in written}
    expect_same(kept, {"answers": "first", ERROR: "second"}, "what is kept of tasks that each wrote twice")
    expect_same(len(written), len(kept), "writes of tasks that each wrote twice, how many")
    yield Do(partial(subject.methods.delete_thread, thread))


class Asked(TypedDict):
    """What was answered, and by whom."""

    name: str
    answers: Annotated[list[str], operator.add]


Builder: TypeAlias = "StateGraph[Asked, None, Asked, Asked]"


def _ask(state: Asked) -> dict[str, list[str]]:
    return {"answers": [f"{state['name']}: {interrupt(state['name'])}"]}


def _working(ran: Counter[str]) -> Callable[[Asked], dict[str, list[str]]]:
    def work(state: Asked) -> dict[str, list[str]]:
        ran[state["name"]] += 1
        return {"answers": [f"{state['name']} worked"]}

    return work


def _builder(ran: Counter[str]) -> Builder:
    """One node asks a person, while another does what must be done only once."""
    made = StateGraph(Asked)
    made.add_node("ask", Node(_ask), input_schema=Asked)
    made.add_node("work", Node(_working(ran)), input_schema=Asked)
    for name in ("ask", "work"):
        made.add_edge(START, name)
        made.add_edge(name, END)
    return made


def interrupts(subject: Subject, thread: str, threads: int) -> Course:
    """Many threads stop to ask at the same moment, are looked at, and go on with their answers."""
    ran = Counter[str]()
    built, names = _builder(ran), [f"{thread}-{number}" for number in range(threads)]
    invoke = subject.graph(built)
    yield Do(subject.together([invoke({"name": name, "answers": []}, config(name)) for name in names]))
    stopped = yield Timed(subject.together([subject.state(built, config(name)) for name in names]))
    _all_ask(stopped, names)
    resumed = [invoke(Command(resume=f"yes, {name}"), config(name)) for name in names]
    ended = yield Timed(subject.together(resumed))
    _all_answered(ended, names)
    expect_same(ran, Counter(names), "how often each thread did what was finished before the interrupt")
    yield Do(subject.together([partial(subject.methods.delete_thread, name) for name in names]))


def _all_ask(stopped: list[Any], names: list[str]) -> None:
    asked = [[each.value for each in _asking(state)] for state in stopped]
    silent = sum(found != [name] for found, name in zip(asked, names, strict=True))
    expect(not silent, f"{silent} of {len(names)} threads do not show the interrupt that they stopped at")


def _asking(state: Any) -> list[Any]:
    return [each for found in state.tasks for each in found.interrupts]


def _all_answered(ended: list[Any], names: list[str]) -> None:
    wanted = [[f"{name} worked", f"{name}: yes, {name}"] for name in names]
    wrong = [
        state for state, each in zip(ended, wanted, strict=True) if sorted(state["answers"]) != sorted(each)
    ]
    expect(
        not wrong, f"{len(wrong)} of {len(names)} threads went on wrongly from their interrupts: {wrong[:1]}"
    )


WORKLOADS = (
    Workload(
        "truth-writes-at-once",
        "writes of tasks that end at once are all kept",
        "call",
        (50,),
        at_once,
        {50: (2, 1)},
        (50,),
        counted=False,
    ),
    Workload(
        "truth-repeated-writes",
        "a write that is repeated is kept once",
        "call",
        (1,),
        repeated,
        {1: (1, 1)},
        (1,),
        counted=False,
    ),
    Workload(
        "truth-interrupts",
        "threads interrupted at once go on with their answers",
        "call",
        (20,),
        interrupts,
        {20: (2, 1)},
        (20,),
        counted=False,
    ),
)

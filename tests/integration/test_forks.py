"""Graphs go on in a fork of their thread, and in the thread: neither knows of the other."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from places import Place, unnamed
from steps import config_of, id_of

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

each_durability = pytest.mark.parametrize("durability", ["sync", "async", "exit"])


class State(TypedDict, total=False):
    done: Annotated[list[str], operator.add]


def approval(saver: BaseCheckpointSaver[str], ran: Counter[str]) -> Any:
    """Work, then a question, with another node beside it, then an end."""

    def node(name: str) -> Any:
        def work(_: State) -> State:
            ran[name] += 1
            return {"done": [name]}

        return work

    def ask(_: State) -> State:
        return {"done": [interrupt("may I?")]}

    builder: Any = StateGraph(State)
    for name in ("work", "beside", "end"):
        builder.add_node(name, node(name))
    builder.add_node("ask", ask)
    builder.add_edge(START, "work")
    builder.add_edge("work", "ask")
    builder.add_edge("work", "beside")
    builder.add_edge(["ask", "beside"], "end")
    return builder.compile(checkpointer=saver)


def at(graph: Any, thread: str = "thread") -> str:
    """The id of a thread's latest checkpoint."""
    return id_of(graph.get_state(config_of(thread)).config)


@each_durability
def test_an_interrupt_is_answered_in_the_fork_while_the_original_waits(place: Place, durability: Any) -> None:
    ran: Counter[str] = Counter()
    graph = approval(place.saver, ran)
    graph.invoke({"done": []}, config_of(), durability=durability)

    place.copy("thread", "fork", at(graph))
    forked = graph.invoke(Command(resume="yes"), config_of("fork"), durability=durability)

    assert sorted(forked["done"]) == ["beside", "end", "work", "yes"]
    assert ran == {"work": 1, "beside": 1, "end": 1}
    assert [it.value for it in graph.get_state(config_of()).interrupts] == ["may I?"]
    waiting = graph.invoke(Command(resume="no"), config_of(), durability=durability)
    assert sorted(waiting["done"]) == ["beside", "end", "no", "work"]
    assert ran == {"work": 1, "beside": 1, "end": 2}
    assert graph.get_state(config_of("fork")).values == forked


def test_a_fork_at_a_question_that_was_answered_goes_on_from_there(place: Place) -> None:
    """What tasks wrote at a checkpoint belongs to it, the answer included."""
    ran: Counter[str] = Counter()
    graph = approval(place.saver, ran)
    graph.invoke({"done": []}, config_of())
    asked = at(graph)
    finished = graph.invoke(Command(resume="yes"), config_of())

    place.copy("thread", "fork", asked)
    forked = graph.invoke(None, config_of("fork"))

    assert forked == finished
    assert ran == {"work": 1, "beside": 1, "end": 2}


def talk(saver: BaseCheckpointSaver[str]) -> Any:
    """Each turn calls a subgraph, which calls another; a third remembers on its own."""
    inner: Any = StateGraph(State)
    inner.add_node("say", lambda _: {"done": ["inner"]})
    inner.add_edge(START, "say")
    middle: Any = StateGraph(State)
    middle.add_node("inner", inner.compile())
    middle.add_edge(START, "inner")
    memory: Any = StateGraph(State)
    memory.add_node("note", lambda _: {"done": ["note"]})
    memory.add_edge(START, "note")
    outer: Any = StateGraph(State)
    outer.add_node("middle", middle.compile())
    outer.add_node("lasting", memory.compile(checkpointer=True))
    outer.add_edge(START, "middle")
    outer.add_edge("middle", "lasting")
    return outer.compile(checkpointer=saver)


def namespaces(place: Place, thread: str) -> Counter[str]:
    listed = place.saver.list({"configurable": {"thread_id": thread}})
    return Counter(it.config["configurable"]["checkpoint_ns"] for it in listed)


def test_a_fork_holds_the_calls_of_its_own_checkpoints(place: Place) -> None:
    graph = talk(place.saver)
    for turn in range(2):
        graph.invoke({"done": [f"turn {turn}"]}, config_of())
    until, before = at(graph), (place.data("thread"), namespaces(place, "thread"))
    for turn in range(2, 5):
        graph.invoke({"done": [f"turn {turn}"]}, config_of())

    place.copy("thread", "fork", until)

    assert namespaces(place, "fork") == before[1]
    assert place.data("fork") == before[0]
    assert place.data("fork").keys() < place.data("thread").keys()


def test_thread_and_fork_go_on_independently(place: Place) -> None:
    graph = talk(place.saver)
    for turn in range(2):
        graph.invoke({"done": [f"turn {turn}"]}, config_of())

    place.copy("thread", "fork", at(graph))
    for turn in range(2, 4):
        graph.invoke({"done": [f"thread {turn}"]}, config_of())
        graph.invoke({"done": [f"fork {turn}"]}, config_of("fork"))

    for thread in ("thread", "fork"):
        said = [text for text in graph.get_state(config_of(thread)).values["done"] if text[-1].isdigit()]
        assert list(dict.fromkeys(said)) == ["turn 0", "turn 1", f"{thread} 2", f"{thread} 3"]
        assert unnamed(place.data(thread)) == set()


def test_an_interrupt_inside_a_subgraph_is_answered_in_the_fork(place: Place) -> None:
    ran: Counter[str] = Counter()

    def first(_: State) -> State:
        ran["first"] += 1
        return {"done": ["first"]}

    inner: Any = StateGraph(State)
    inner.add_node("first", first)
    inner.add_node("ask", lambda _: {"done": [interrupt("deep question")]})
    inner.add_edge(START, "first")
    inner.add_edge("first", "ask")
    outer: Any = StateGraph(State)
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "inner")
    graph = outer.compile(checkpointer=place.saver)
    graph.invoke({"done": []}, config_of())

    place.copy("thread", "fork", at(graph))
    forked = graph.invoke(Command(resume="yes"), config_of("fork"))

    assert forked["done"] == ["first", "yes"]
    assert ran == {"first": 1}
    assert [it.value for it in graph.get_state(config_of()).interrupts] == ["deep question"]


def extended(old: list[str], new: Sequence[list[str]]) -> list[str]:
    return [*old, *(item for each in new for item in each)]


def delta_graph(saver: BaseCheckpointSaver[str], frequency: int) -> Any:
    channel: Any = DeltaChannel(extended, snapshot_frequency=frequency)
    # Not as a class: its annotations would be text, which knows no local names.
    growing = TypedDict("growing", {"items": Annotated[list[str], channel]})  # noqa: UP013 - as said.
    builder: Any = StateGraph(growing)
    builder.add_node("answer", lambda state: {"items": [f"answer {len(state['items'])}"]})
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("frequency", [10, 1000])
def test_a_delta_channel_is_rebuilt_in_copy_and_fork(place: Place, frequency: int) -> None:
    graph, expected, ids = delta_graph(place.saver, frequency), [], []
    for turn in range(30):
        graph.invoke({"items": [f"question {2 * turn}"]}, config_of())
        expected += [f"question {2 * turn}", f"answer {2 * turn + 1}"]
        ids.append(at(graph))

    place.copy("thread", "copy")
    place.copy("thread", "fork", ids[14])
    place.saver.delete_thread("thread")

    for thread, items in (("copy", expected), ("fork", expected[:30])):
        assert graph.get_state(config_of(thread)).values["items"] == items
        grown = graph.invoke({"items": ["more"]}, config_of(thread))["items"]
        assert grown == [*items, "more", f"answer {len(items) + 1}"]

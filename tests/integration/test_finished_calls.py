"""Namespaces of subgraph calls go with the checkpoint that they were made from, and no sooner."""

from __future__ import annotations

import operator
import random
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import pytest
import redis
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph.checkpoint.redis import RedisSaver, ShallowRedisSaver
from steps import Chain, config_of, id_of, metadata_of

MakeSaver = Callable[..., RedisSaver]
Fields = Callable[..., Counter[str]]


class State(TypedDict, total=False):
    said: Annotated[list[str], lambda old, new: (old + new)[-20:]]


class Heavy(State, total=False):
    blob: bytes


class Asked(TypedDict, total=False):
    done: Annotated[list[str], operator.add]


def calling() -> Any:
    """A graph that calls another."""
    inner = StateGraph(State)
    inner.add_node("work", lambda _: {"said": [f"inner {'x' * 300}"]})
    inner.add_edge(START, "work")
    middle = StateGraph(State)
    middle.add_node("inner", inner.compile())
    middle.add_edge(START, "inner")
    return middle


def nested(saver: Any, *, stateful: bool = False) -> Any:
    """A graph that calls a subgraph in each turn, which calls another."""
    outer = StateGraph(State)
    outer.add_node("middle", calling().compile(checkpointer=True) if stateful else calling().compile())
    outer.add_edge(START, "middle")
    return outer.compile(checkpointer=saver)


def namespaces(saver: RedisSaver) -> set[str]:
    listed = saver.list({"configurable": {"thread_id": "thread"}})
    return {it.config["configurable"]["checkpoint_ns"].partition(":")[0] for it in listed}


@pytest.mark.parametrize("keep_last", [1, 4])
def test_namespaces_of_calls_that_are_over_do_not_pile_up(
    make_saver: MakeSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    fields: Fields,
    keep_last: int,
) -> None:
    saver = make_saver(keep_last)
    graph = nested(saver)
    seen = []
    for turn in range(30):
        graph.invoke({"said": [f"turn {turn}"]}, config_of())
        members = redis_client.zcard(f"{key_prefix}:{{thread}}:index")
        seen.append((fields()["c/"], fields()["v/"], fields()["w/"], members))

    assert len(set(seen[20:])) == 1
    assert graph.get_state(config_of()).values["said"][-1].startswith("inner")


def test_nor_do_they_where_a_put_leaves_them_to_a_sweep(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str, fields: Fields
) -> None:
    """For what is written at a checkpoint that stays is too much to be looked through within a put."""
    dice, seen = random.Random(1), []
    outer = StateGraph(Heavy)
    outer.add_node("middle", calling().compile())
    outer.add_node("weigh", lambda _: {"blob": dice.randbytes(5_000_000)})
    outer.add_edge(START, "middle")
    outer.add_edge("middle", "weigh")
    saver = make_saver(2)
    graph = outer.compile(checkpointer=saver)
    for turn in range(8):
        graph.invoke({"said": [f"turn {turn}"]}, config_of())
        found, index = fields(), f"{key_prefix}:{{thread}}:index"
        calls = redis_client.zlexcount(index, "[u/", "(u0")
        seen.append((found["c/"], found["v/"], found["u/"], calls, redis_client.zcard(index)))

    assert len(set(seen[4:])) == 1
    assert found["u/"] == calls
    stats = saver.stats()
    assert stats.round_trips > sum(stats.operations.values()) + 8  # Sweeps take several.


def test_nor_do_they_where_their_values_are_too_many_for_a_put(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str, fields: Fields
) -> None:
    saver, dice = make_saver(1), random.Random(1)
    chain = Chain()
    for _ in range(3):
        made_from = chain.put(saver, step=0)
        parents = metadata_of(0, parents={"": id_of(made_from)})
        for call in range(20):
            texts = {f"text{number}": dice.randbytes(30_000) for number in range(8)}
            inner = Chain(config_of("thread", f"node:{call}-{id_of(made_from)}")).next(**texts)
            saver.put(inner.config, inner.checkpoint, parents, inner.new_versions)
    chain.put(saver, step=1)

    assert fields() == {"c/": 1}
    assert redis_client.zcard(f"{key_prefix}:{{thread}}:index") == 1
    stats = saver.stats()
    assert stats.round_trips > sum(stats.operations.values()) + 8


def test_a_subgraph_with_a_memory_of_its_own_keeps_it(make_saver: MakeSaver) -> None:
    saver = make_saver(1)
    graph = nested(saver, stateful=True)
    for turn in range(5):
        graph.invoke({"said": [f"turn {turn}"]}, config_of())

    assert {"", "middle"} <= namespaces(saver)
    assert len(graph.get_state(config_of()).values["said"]) == 20


def test_a_question_inside_a_subgraph_is_kept(make_saver: MakeSaver) -> None:
    inner = StateGraph(Asked)
    inner.add_node("ask", lambda _: {"done": [interrupt("deep")]})
    inner.add_edge(START, "ask")
    outer = StateGraph(Asked)
    outer.add_node("before", lambda _: {"done": ["before"]})
    outer.add_node("inner", inner.compile())
    outer.add_edge(START, "before")
    outer.add_edge("before", "inner")
    asked = outer.compile(checkpointer=make_saver(None, ShallowRedisSaver)).invoke({"done": []}, config_of())
    assert [it.value for it in asked["__interrupt__"]] == ["deep"]

    state = outer.compile(checkpointer=make_saver(None, ShallowRedisSaver)).invoke(
        Command(resume="yes"), config_of()
    )

    assert state["done"][0] == "before"
    assert state["done"][-1] == "yes"


def test_pruning_to_a_number_drops_calls_that_are_over(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str, fields: Fields
) -> None:
    saver = make_saver(None)
    graph = nested(saver)
    for turn in range(10):
        graph.invoke({"said": [f"turn {turn}"]}, config_of())
    assert len(namespaces(saver)) > 1

    saver.prune(["thread"], keep_last=1)

    assert namespaces(saver) == {""}
    assert fields()["c/"] == fields()["v/"] == 1
    assert redis_client.zcard(f"{key_prefix}:{{thread}}:index") == 1
    assert graph.get_state(config_of()).values["said"][-1].startswith("inner")

"""Two runs on one thread: with `on_conflict="error"` the one that is overtaken is told; forks go through."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph.checkpoint.redis import AsyncRedisSaver, ConcurrentUpdateError, RedisSaver
from steps import Chain, config_of, id_of, metadata_of, values_at
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig


class State(TypedDict):
    said: Annotated[list[str], operator.add]


@pytest.fixture
def careful(redis_url: str, key_prefix: str) -> Iterator[RedisSaver]:
    with RedisSaver(redis_url, key_prefix=key_prefix, on_conflict="error") as opened:
        yield opened


@pytest.fixture
def rival(redis_url: str, key_prefix: str) -> Iterator[RedisSaver]:
    """The same in another process."""
    with RedisSaver(redis_url, key_prefix=key_prefix, on_conflict="error") as opened:
        yield opened


def talk(saver: Any, between: Callable[[], Any] = lambda: None) -> Any:
    """Two steps; what is to happen between them."""

    def second() -> dict[str, list[str]]:
        between()
        return {"said": ["second"]}

    builder = StateGraph(State)
    builder.add_node("first", lambda _: {"said": ["first"]})
    builder.add_node("second", lambda _: second())
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    return builder.compile(checkpointer=saver)


def said_in(saver: RedisSaver) -> list[str]:
    found = values_at(saver, config_of("thread", "")) or {}
    return list(found.get("said", []))


def ids(saver: RedisSaver, thread: str = "thread") -> list[str]:
    return [id_of(found.config) for found in saver.list(config_of(thread, None))]


def test_a_put_whose_thread_moved_on_is_refused_and_writes_nothing(
    careful: RedisSaver, rival: RedisSaver
) -> None:
    chain = Chain()
    chain.put(careful, channel=1)
    other = Chain(chain.config, dict(chain.values), dict(chain.versions), chain.step)
    newer = id_of(other.put(rival, channel=2))
    before = ids(careful)
    put = chain.next(channel=3)

    with pytest.raises(ConcurrentUpdateError) as caught:
        careful.put(*put)

    for said in (
        "'thread'",
        repr(newer),
        repr(id_of(chain.config)),
        repr(put.checkpoint["id"]),
        "on_conflict",
    ):
        assert said in str(caught.value)
    assert ids(careful) == before
    assert values_at(careful, config_of()) == {"channel": 2}


def test_of_two_that_begin_a_thread_the_second_is_refused(careful: RedisSaver, rival: RedisSaver) -> None:
    Chain().put(careful, channel=1)

    with pytest.raises(ConcurrentUpdateError, match="would be the first"):
        Chain().put(rival, channel=2)


def test_a_put_that_is_made_again_is_no_conflict(careful: RedisSaver) -> None:
    chain = Chain()
    chain.put(careful, channel=1)
    again = chain.next(channel=2)
    chain.config = careful.put(*again)
    chain.put(careful, channel=3)

    careful.put(*again)

    assert len(ids(careful)) == 3


def test_namespaces_do_not_meet(careful: RedisSaver, rival: RedisSaver) -> None:
    for ns in ("", "child:1", "child:2"):
        chain = Chain(config_of("thread", ns))
        chain.put(careful, channel=1)
        chain.put(rival, channel=2)


def test_by_default_both_branches_are_stored_and_the_larger_id_is_the_latest(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    chain = Chain()
    chain.put(saver, channel=1)
    other = Chain(chain.config, dict(chain.values), dict(chain.versions), chain.step)
    other.put(other_saver, channel="other")
    chain.put(saver, channel="mine")

    assert len(ids(saver)) == 3
    assert values_at(saver, config_of()) == {"channel": "mine"}
    assert values_at(saver, other.config) == {"channel": "other"}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_graph_that_was_overtaken_raises_and_the_thread_is_the_others(
    careful: RedisSaver, rival: RedisSaver, durability: Any
) -> None:
    thread = config_of("thread", "")
    talk(careful).invoke({"said": ["hello"]}, thread)

    def overtake() -> None:
        if durability == "async":  # Else it may be stored while the other one runs, who is overtaken then.
            assert eventually(lambda: said_in(rival)[-1] == "first")
        talk(rival).invoke({"said": ["me first"]}, thread)

    graph = talk(careful, overtake)

    with pytest.raises(ConcurrentUpdateError, match="another run stored"):
        graph.invoke({"said": ["hello again"]}, thread, durability=durability)

    assert said_in(rival)[-3:] == ["me first", "first", "second"]


async def test_an_async_graph_that_was_overtaken_raises(
    redis_url: str, key_prefix: str, rival: RedisSaver
) -> None:
    thread = config_of("thread", "")
    async with AsyncRedisSaver(redis_url, key_prefix=key_prefix, on_conflict="error") as saver:

        def overtake() -> None:
            assert eventually(lambda: said_in(rival)[-1:] == ["first"])
            talk(rival).invoke({"said": ["me first"]}, thread)

        graph = talk(saver, overtake)
        with pytest.raises(ConcurrentUpdateError, match="another run stored"):
            await graph.ainvoke({"said": ["hello"]}, thread)
        assert said_in(rival)[-3:] == ["me first", "first", "second"]


# Forks on purpose.


def history(graph: Any, thread: RunnableConfig) -> list[Any]:
    return list(graph.get_state_history(thread))


def conversation(saver: RedisSaver) -> tuple[Any, RunnableConfig, list[Any]]:
    """A graph, a thread of two runs, and the states of that from the first to the last."""
    graph, thread = talk(saver), config_of("thread", "")
    for said in ("one", "two"):
        graph.invoke({"said": [said]}, thread)
    return graph, thread, history(graph, thread)[::-1]


def test_time_travel_replays_from_an_older_checkpoint(careful: RedisSaver) -> None:
    graph, thread, states = conversation(careful)
    older = next(state for state in states if state.next == ("second",))

    found = graph.invoke(None, older.config)

    assert found["said"] == ["one", "first", "second"]
    assert graph.get_state(thread).values == found
    graph.invoke({"said": ["three"]}, thread)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_new_input_goes_on_from_an_older_checkpoint(careful: RedisSaver, durability: Any) -> None:
    graph, thread, states = conversation(careful)
    older = next(state for state in states if not state.next)

    found = graph.invoke({"said": ["instead"]}, older.config, durability=durability)

    assert found["said"] == ["one", "first", "second", "instead", "first", "second"]
    assert graph.get_state(thread).values == found


def test_an_older_checkpoint_may_be_named_by_its_id_alone(careful: RedisSaver) -> None:
    graph, _, states = conversation(careful)
    older = next(state for state in states if not state.next)
    by_hand = {"configurable": {"thread_id": "thread", "checkpoint_id": id_of(older.config)}}

    assert graph.invoke({"said": ["instead"]}, by_hand)["said"][3] == "instead"


def test_the_state_of_an_older_checkpoint_is_updated_and_run(careful: RedisSaver) -> None:
    graph, thread, states = conversation(careful)
    older = next(state for state in states if state.next == ("second",))

    branch = graph.update_state(older.config, {"said": ["edited"]})
    found = graph.invoke(None, branch)

    assert found["said"] == ["one", "first", "edited", "second"]
    assert graph.get_state(thread).values == found


def test_an_interrupt_is_resumed_also_from_the_past(careful: RedisSaver) -> None:
    builder = StateGraph(State)
    builder.add_node("ask", lambda _: {"said": [interrupt("what?")]})
    builder.add_edge(START, "ask")
    graph, thread = builder.compile(checkpointer=careful), config_of("thread", "")
    graph.invoke({"said": []}, thread)
    asked = graph.get_state(thread)
    assert graph.invoke(Command(resume="this"), thread)["said"] == ["this"]

    graph.invoke(None, asked.config)  # It asks once more, in a branch.
    assert graph.invoke(Command(resume="that"), thread)["said"] == ["that"]


def test_a_subgraph_with_a_memory_of_its_own_is_replayed(careful: RedisSaver) -> None:
    inner = StateGraph(State)
    inner.add_node("think", lambda _: {"said": ["thought"]})
    inner.add_edge(START, "think")
    outer = StateGraph(State)
    outer.add_node("child", inner.compile(checkpointer=True))
    outer.add_node("after", lambda _: {"said": ["after"]})
    outer.add_edge(START, "child")
    outer.add_edge("child", "after")
    graph, thread = outer.compile(checkpointer=careful), config_of("thread", "")
    for said in ("one", "two"):
        graph.invoke({"said": [said]}, thread)
    older = next(state for state in history(graph, thread)[::-1] if state.next == ("child",))

    assert graph.invoke(None, older.config)["said"][-1] == "after"
    assert graph.invoke({"said": ["three"]}, thread)["said"][-1] == "after"


def test_a_branch_is_held_to_the_rule_once_it_has_begun(careful: RedisSaver, rival: RedisSaver) -> None:
    graph, thread, states = conversation(careful)
    overtaking = talk(rival)
    graph = talk(careful, lambda: overtaking.invoke({"said": ["me first"]}, thread))

    with pytest.raises(ConcurrentUpdateError):
        graph.invoke({"said": ["instead"]}, states[2].config)


def test_what_a_config_was_marked_with_is_no_metadata(careful: RedisSaver) -> None:
    chain = Chain()
    chain.put(careful, channel=1)
    found = careful.get_tuple(chain.config)
    assert found is not None
    put = chain.next(channel=2)
    config = careful.put(found.config, put.checkpoint, put.metadata, put.new_versions)

    stored = careful.get_tuple(config_of())

    assert stored is not None
    assert stored.metadata == metadata_of(1)
    assert stored.config == config

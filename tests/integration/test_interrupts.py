"""An interrupted graph goes on where it stopped: no interrupt is lost, no node runs twice."""

from __future__ import annotations

import operator
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import asks_in_async_runs, config_of

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver

Durability = Literal["sync", "async", "exit"]
Graph: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]
DURABILITIES: tuple[Durability, ...] = ("sync", "async", "exit")
QUESTIONS = 15

each_durability = pytest.mark.parametrize("durability", DURABILITIES)


class State(TypedDict, total=False):
    answers: Annotated[list[str], operator.add]
    worked: Annotated[list[str], operator.add]


def interviewer(saver: BaseCheckpointSaver[str], ran: Counter[str]) -> Graph:
    """A loop: work, then a question; another node works beside the question."""

    def work(state: State) -> State:
        ran[f"work {len(state.get('answers', []))}"] += 1
        return {"worked": ["work"]}

    def beside(state: State) -> State:
        ran[f"beside {len(state.get('answers', []))}"] += 1
        return {"worked": ["beside"]}

    def ask(state: State) -> State:
        number = len(state.get("answers", []))
        answer = interrupt(f"question {number}")
        ran[f"answered {number}"] += 1
        return {"answers": [answer]}

    def more(state: State) -> str:
        return END if len(state["answers"]) == QUESTIONS else "work"

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_node("ask", ask)
    builder.add_node("beside", beside)
    builder.add_edge(START, "work")
    builder.add_edge("work", "ask")
    builder.add_edge("work", "beside")
    builder.add_conditional_edges("ask", more)
    return builder.compile(checkpointer=saver)


def assert_every_question_was_answered_once(state: Any, ran: Counter[str]) -> None:
    assert state["answers"] == [f"answer {n}" for n in range(QUESTIONS)]
    assert Counter(state["worked"]) == {"work": QUESTIONS, "beside": QUESTIONS}
    assert set(ran.values()) == {1}
    assert len(ran) == 3 * QUESTIONS


@each_durability
@pytest.mark.every_server
def test_no_interrupt_of_a_loop_is_lost(saver: RedisSaver, durability: Durability) -> None:
    ran: Counter[str] = Counter()
    graph = interviewer(saver, ran)
    config = config_of()

    state = graph.invoke({"answers": []}, config, durability=durability)
    for number in range(QUESTIONS):
        assert [it.value for it in state["__interrupt__"]] == [f"question {number}"]
        state = graph.invoke(Command(resume=f"answer {number}"), config, durability=durability)

    assert "__interrupt__" not in state
    assert_every_question_was_answered_once(state, ran)


@asks_in_async_runs
@each_durability
@pytest.mark.every_server
async def test_no_interrupt_of_an_async_loop_is_lost(
    async_saver: AsyncRedisSaver, durability: Durability
) -> None:
    ran: Counter[str] = Counter()
    graph = interviewer(async_saver, ran)
    config = config_of()

    state = await graph.ainvoke({"answers": []}, config, durability=durability)
    for number in range(QUESTIONS):
        assert [it.value for it in state["__interrupt__"]] == [f"question {number}"]
        state = await graph.ainvoke(Command(resume=f"answer {number}"), config, durability=durability)

    assert_every_question_was_answered_once(state, ran)


@each_durability
def test_each_answer_may_come_to_another_process(
    redis_url: str, key_prefix: str, durability: Durability
) -> None:
    """A new saver for each question: nothing that matters is held in memory."""
    ran: Counter[str] = Counter()
    config = config_of()
    given: Any = {"answers": []}
    state: Any = {}
    for number in range(QUESTIONS + 1):
        with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as saver:
            graph = interviewer(saver, ran)
            state = graph.invoke(given, config, durability=durability)
            assert bool(graph.get_state(config).interrupts) == (number < QUESTIONS)
        given = Command(resume=f"answer {number}")

    assert_every_question_was_answered_once(state, ran)


@asks_in_async_runs
@each_durability
async def test_sync_and_async_savers_take_turns_on_a_thread(
    redis_url: str, key_prefix: str, durability: Durability
) -> None:
    ran: Counter[str] = Counter()
    config = config_of()
    given: Any = {"answers": []}
    state: Any = {}
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as saver:
        async with AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as twin:
            for number in range(QUESTIONS + 1):
                graph = interviewer(twin if number % 2 else saver, ran)
                state = await graph.ainvoke(given, config, durability=durability)
                given = Command(resume=f"answer {number}")

    assert_every_question_was_answered_once(state, ran)


@tool
def approve(what: str) -> str:
    """Ask a person."""
    return f"{what}: {interrupt(what)}"


def approvals(saver: BaseCheckpointSaver[str]) -> Graph:
    """One message calls a tool five times; each call asks a question of its own."""
    calls = [{"name": "approve", "args": {"what": w}, "id": f"call {w}"} for w in "abcde"]

    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda _: {"messages": [AIMessage("", tool_calls=calls)]})
    builder.add_node("tools", ToolNode([approve]))
    builder.add_edge(START, "model")
    # Each call is a task of its own, as in an agent.
    builder.add_conditional_edges("model", sends, ["tools"])
    return builder.compile(checkpointer=saver)


def sends(state: MessagesState) -> list[Send]:
    last = state["messages"][-1]
    assert isinstance(last, AIMessage)
    return [Send("tools", [call]) for call in last.tool_calls]


def answers(state: Any) -> list[str]:
    return [str(m.content) for m in state["messages"] if isinstance(m, ToolMessage)]


@each_durability
def test_interrupts_of_several_tools_are_answered_at_once(saver: RedisSaver, durability: Durability) -> None:
    graph = approvals(saver)
    config = config_of()
    state = graph.invoke({"messages": [("human", "go")]}, config, durability=durability)
    pending = {it.id: it.value for it in state["__interrupt__"]}
    assert sorted(pending.values()) == list("abcde")

    resume = {id_: f"yes {value}" for id_, value in pending.items()}
    state = graph.invoke(Command(resume=resume), config, durability=durability)

    assert answers(state) == [f"{w}: yes {w}" for w in "abcde"]


@each_durability
async def test_interrupts_of_several_tools_are_answered_one_by_one(
    async_saver: AsyncRedisSaver, durability: Durability
) -> None:
    graph = approvals(async_saver)
    config: RunnableConfig = config_of()
    await graph.ainvoke({"messages": [("human", "go")]}, config, durability=durability)

    state: Any = {}
    for left in range(5, 0, -1):
        pending = (await graph.aget_state(config)).interrupts
        assert len(pending) == left
        one = pending[-1]
        command: Command[Any] = Command(resume={one.id: f"yes {one.value}"})
        state = await graph.ainvoke(command, config, durability=durability)

    assert answers(state) == [f"{w}: yes {w}" for w in "abcde"]


@each_durability
def test_an_interrupt_inside_subgraphs_is_answered(saver: RedisSaver, durability: Durability) -> None:
    inner = StateGraph(State)
    inner.add_node("ask", lambda _: {"answers": [interrupt("deep question")]})
    inner.add_edge(START, "ask")
    middle = StateGraph(State)
    middle.add_node("inner", inner.compile())
    middle.add_edge(START, "inner")
    outer = StateGraph(State)
    outer.add_node("middle", middle.compile())
    outer.add_edge(START, "middle")
    graph = outer.compile(checkpointer=saver)

    asked = graph.invoke({"answers": []}, config_of(), durability=durability)
    state = graph.invoke(Command(resume="answer"), config_of(), durability=durability)

    assert [it.value for it in asked["__interrupt__"]] == ["deep question"]
    assert state["answers"][-1] == "answer"


@each_durability
def test_what_ran_beside_a_failing_node_does_not_run_again(saver: RedisSaver, durability: Durability) -> None:
    ran: Counter[str] = Counter()

    def steady() -> State:
        ran["steady"] += 1
        return {"worked": ["steady"]}

    def flaky() -> State:
        ran["flaky"] += 1
        if ran["flaky"] == 1:
            raise ConnectionError("the first time")
        return {"worked": ["flaky"]}

    builder = StateGraph(State)
    builder.add_node("steady", lambda _: steady())
    builder.add_node("flaky", lambda _: flaky())
    builder.add_edge(START, "steady")
    builder.add_edge(START, "flaky")
    graph = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError, match="the first time"):
        graph.invoke({"worked": []}, config_of(), durability=durability)

    state = graph.invoke(None, config_of(), durability=durability)

    assert ran["flaky"] == 2
    assert sorted(state["worked"]) == ["flaky", "steady"]

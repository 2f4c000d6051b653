"""The how-to page, cell by cell: its imports and calls as they stand, the model scripted.

The page shows what an early LangGraph printed. Asserted is the same, in the form of LangGraph 1.
"""
# ruff: noqa: N802, N803  # REDIS_URI is the page's name.

from __future__ import annotations

import getpass
import os
from importlib.metadata import requires, version
from typing import TYPE_CHECKING, Any, Literal

import pytest
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.types import Send
from packaging.requirements import Requirement
from redis import Redis

from langgraph.checkpoint.redis import RedisSaver, __lib_name__
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from scripted_model import ScriptedChatModel

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import Checkpoint, CheckpointTuple


@tool
def get_weather(city: Literal["nyc", "sf"]) -> str:
    """Use this to get weather information."""
    if city == "nyc":
        return "It might be cloudy in nyc"
    if city == "sf":
        return "It's always sunny in sf"
    raise AssertionError("Unknown city")


tools = [get_weather]
model = ScriptedChatModel()


@pytest.fixture
def REDIS_URI(redis_url: str) -> str:
    return redis_url


def test_a_checkpointer_is_added_to_any_graph_when_it_is_compiled(REDIS_URI: str) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("answer", lambda state: {"messages": [AIMessage(f"{len(state['messages'])}")]})
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)

    with RedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        checkpointer.setup()
        graph = builder.compile(checkpointer=checkpointer)
        config: RunnableConfig = {"configurable": {"thread_id": "custom"}}
        graph.invoke({"messages": [HumanMessage("one")]}, config)
        res = graph.invoke({"messages": [HumanMessage("two")]}, config)

    assert [each.text for each in res["messages"]][1::2] == ["1", "3"]


def test_the_library_names_itself_and_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    print(f"langgraph-checkpoint-redis: {__lib_name__}")  # noqa: T201  # The page prints it.

    name = f"langgraph-checkpoint-redis_v{version('langgraph-checkpoint-redis')}"
    assert capsys.readouterr().out == f"langgraph-checkpoint-redis: {name}\n"


def test_the_packages_that_the_page_installs_come_with_an_extra() -> None:
    wanted = [Requirement(line) for line in requires("langgraph-checkpoint-redis") or []]

    examples = {each.name for each in wanted if each.marker and 'extra == "examples"' in str(each.marker)}

    assert {"langgraph", "langchain-openai"} <= examples


def test_the_key_of_the_model_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "a key"

    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setattr(getpass, "getpass", answer)

    def _set_env(var: str) -> None:
        if not os.environ.get(var):
            os.environ[var] = getpass.getpass(f"{var}: ")

    _set_env("OPENAI_API_KEY")
    _set_env("OPENAI_API_KEY")

    assert asked == ["OPENAI_API_KEY: "]


def test_the_page_s_model_and_tools_make_an_agent(REDIS_URI: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    model = ChatOpenAI(model_name="gpt-4o-mini", temperature=0)  # type: ignore[call-arg]  # An alias.

    with RedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)

    assert set(graph.get_graph().nodes) == {"__start__", "agent", "tools", "__end__"}


def test_with_a_connection_string(REDIS_URI: str) -> None:
    with RedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        checkpointer.setup()

        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        config: RunnableConfig = {"configurable": {"thread_id": "1"}}
        res = graph.invoke({"messages": [("human", "what's the weather in sf")]}, config)
        checkpoint = checkpointer.get(config)

    assert_conversation(res["messages"], "sf", "It's always sunny in sf")
    assert_last_checkpoint(checkpoint, res["messages"])


def test_bring_your_own_client(REDIS_URI: str) -> None:
    client = Redis.from_url(REDIS_URI)

    with RedisSaver.from_conn_string(redis_client=client) as checkpointer:
        # The page leaves setup() out here, and so it is left out.
        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        config: RunnableConfig = {"configurable": {"thread_id": "2"}}
        res = graph.invoke({"messages": [("human", "what's the weather in sf")]}, config)

        checkpoint_tuple = checkpointer.get_tuple(config)

    # The page's next cell comes after the block, and lists with the same saver.
    checkpoint_tuples = list(checkpointer.list(config))

    assert client.ping()
    client.close()
    assert_conversation(res["messages"], "sf", "It's always sunny in sf")
    assert_last_tuple(checkpoint_tuple, "2", res["messages"])
    assert_history(checkpoint_tuples, "2", res["messages"])


async def test_use_async_connection(REDIS_URI: str) -> None:
    async with AsyncRedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        await checkpointer.asetup()

        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        config: RunnableConfig = {"configurable": {"thread_id": "4"}}
        res = await graph.ainvoke({"messages": [("human", "what's the weather in nyc")]}, config)

        checkpoint = await checkpointer.aget(config)
        checkpoint_tuple = await checkpointer.aget_tuple(config)
        checkpoint_tuples = [c async for c in checkpointer.alist(config)]

    assert_conversation(res["messages"], "nyc", "It might be cloudy in nyc")
    assert_last_checkpoint(checkpoint, res["messages"])
    assert_last_tuple(checkpoint_tuple, "4", res["messages"])
    assert_history(checkpoint_tuples, "4", res["messages"])


def assert_conversation(messages: list[AnyMessage], city: str, weather: str) -> None:
    """Question, call of the tool, its result, answer."""
    question, call, result, answer = messages
    assert isinstance(question, HumanMessage)
    assert question.content == f"what's the weather in {city}"
    assert isinstance(call, AIMessage)
    assert [(each["name"], each["args"]) for each in call.tool_calls] == [("get_weather", {"city": city})]
    assert isinstance(result, ToolMessage)
    assert (result.name, result.content) == ("get_weather", weather)
    assert result.tool_call_id == call.tool_calls[0]["id"]
    assert isinstance(answer, AIMessage)
    assert weather in answer.text


def assert_last_checkpoint(checkpoint: Checkpoint | None, messages: list[AnyMessage]) -> None:
    assert checkpoint is not None
    assert checkpoint["v"] == 4
    assert checkpoint["channel_values"]["messages"] == messages
    assert checkpoint["channel_versions"].keys() >= {"__start__", "messages", "branch:to:agent"}
    assert checkpoint["versions_seen"].keys() >= {"__input__", "__start__", "agent", "tools"}
    assert checkpoint["updated_channels"] == ["messages"]
    assert checkpoint["ts"].endswith("+00:00")


def assert_last_tuple(found: CheckpointTuple | None, thread_id: str, messages: list[AnyMessage]) -> None:
    assert found is not None
    assert_last_checkpoint(found.checkpoint, messages)
    assert found.config == config_of(thread_id, found.checkpoint)
    assert found.metadata["source"] == "loop"
    assert found.metadata["step"] == 3
    assert found.metadata["parents"] == {}
    assert found.parent_config is not None
    assert found.pending_writes == []


def assert_history(found: list[CheckpointTuple], thread_id: str, messages: list[AnyMessage]) -> None:
    """Newest first: three supersteps after the one that took the input, and the input itself."""
    assert_last_tuple(found[0], thread_id, messages)
    assert [each.metadata["step"] for each in found] == [3, 2, 1, 0, -1]
    assert [each.metadata["source"] for each in found] == [*["loop"] * 4, "input"]
    assert [each.config for each in found] == [config_of(thread_id, each.checkpoint) for each in found]
    assert [each.parent_config for each in found] == [*(each.config for each in found[1:]), None]
    assert [conversation(each) for each in found] == [messages[:n] for n in (4, 3, 2, 1, 0)]
    assert [written(each) for each in found] == [
        [],
        [("messages", [nameless(messages[3])])],
        [("messages", [nameless(messages[2])]), ("branch:to:agent", None)],
        [("messages", [nameless(messages[1])]), ("__pregel_tasks", "to tools")],
        [("messages", [["human", messages[0].content]]), ("branch:to:agent", None)],
    ]


def conversation(found: CheckpointTuple) -> list[AnyMessage]:
    messages: list[AnyMessage] = found.checkpoint["channel_values"].get("messages", [])
    return messages


def written(found: CheckpointTuple) -> list[tuple[str, Any]]:
    """What the tasks after this checkpoint wrote, as (channel, value)."""
    return [(channel, in_short(value)) for _, channel, value in found.pending_writes or []]


def in_short(value: Any) -> Any:
    """Messages without their ids, a `Send` by its destination: it repeats the whole state."""
    if isinstance(value, Send):
        return f"to {value.node}"
    if isinstance(value, list):
        return [nameless(each) if isinstance(each, BaseMessage) else each for each in value]
    return value


def nameless(message: BaseMessage) -> BaseMessage:
    """A message as its task wrote it: LangGraph may give it an id before it is stored, or after."""
    return message.model_copy(update={"id": None})


def config_of(thread_id: str, checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": "",
            "checkpoint_id": checkpoint["id"],
        }
    }

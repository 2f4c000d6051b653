"""An agent that calls a tool each turn: model, tool, model, with LangGraph's own node for tools.

The model answers at once, so what is timed is the graph and its saver.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import StructuredTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from benchmarks.peers.contract import Course, Do, Subject, Timed, Workload
from benchmarks.peers.workloads.checks import contents, expect_all, expect_ends
from benchmarks.peers.workloads.nodes import Node
from benchmarks.workload import config, text

MESSAGES = 4
"""Of a turn: the person's, the call, the tool's, the answer."""


class InstantModel(BaseChatModel):
    """Calls the tool when a person speaks, and answers when the tool has spoken."""

    @property
    def _llm_type(self) -> str:
        return "instant"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs
        return ChatResult(generations=[ChatGeneration(message=_reply(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        return self._generate(messages, stop, **kwargs)


def _reply(messages: list[BaseMessage]) -> AIMessage:
    number = len(messages)
    if isinstance(messages[-1], ToolMessage):
        return AIMessage(text(number))
    call = {"name": "look_up", "args": {"number": number}, "id": f"call-{number}"}
    return AIMessage("", tool_calls=[call])


def _look_up(number: int) -> str:
    """Look a text up."""
    return text(number + 1)


async def _alook_up(number: int) -> str:
    return _look_up(number)


class Agent(Runnable[Any, Any]):
    """The node that asks the model."""

    name = "agent"

    def __init__(self) -> None:
        self._model = InstantModel()

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The model's next message."""
        del kwargs
        return {"messages": [self._model.invoke(input["messages"], config)]}

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The same."""
        del kwargs
        return {"messages": [await self._model.ainvoke(input["messages"], config)]}


def _next(state: MessagesState) -> str:
    return "tools" if getattr(state["messages"][-1], "tool_calls", None) else END


def builder() -> StateGraph[MessagesState, None, MessagesState, MessagesState]:
    """The agent's loop."""
    tool = StructuredTool.from_function(_look_up, _alook_up, name="look_up")
    made = StateGraph(MessagesState)
    made.add_node("agent", Agent(), input_schema=MessagesState)
    made.add_node("tools", ToolNode([tool]), input_schema=MessagesState)
    made.add_edge(START, "agent")
    made.add_conditional_edges("agent", Node(_next), {"tools": "tools", END: END})
    made.add_edge("tools", "agent")
    return made


def _said(turns: int) -> list[str]:
    """What all messages of so many turns say."""
    said: list[str] = []
    for turn in range(1, turns + 1):
        asked = len(said) + 1
        said += [text(-turn), "", text(asked + 1), text(asked + 2)]
    return said


def turns(subject: Subject, thread: str, count: int) -> Course:
    """Time each turn: a question, a call, what the tool found, an answer."""
    invoke, wanted = subject.graph(builder()), _said(count)
    for turn in range(1, count + 1):
        asked = {"messages": [HumanMessage(text(-turn))]}
        state = yield Timed(invoke(asked, config(thread)), at=turn)
        so_far = wanted[: MESSAGES * turn]
        expect_ends(contents(state["messages"]), so_far, f"messages after turn {turn}")
    kept = yield Do(subject.state(builder(), config(thread)))
    expect_all(contents(kept.values.get("messages", [])), wanted, "the thread's messages")
    yield Do(partial(subject.methods.delete_thread, thread))


WORKLOADS = (
    Workload(
        "react",
        "an agent, one tool call a turn",
        "turn",
        (10,),
        turns,
        {10: (4, 1), 5: (4, 1)},
        (5,),
        delayed=True,
    ),
)

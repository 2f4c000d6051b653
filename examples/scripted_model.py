"""A chat model without a network: it decides by reading the messages, and nothing else.

It does not replay a list. Asked for something that a bound tool does, it calls the tool; given a
tool's result, it answers with it; asked what was said before, it looks in the conversation. So an
agent built on it shows whether its memory works: what it was not handed, it cannot repeat.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

RECALL = {"remember", "earlier", "before", "again", "first", "which", "far"}
"""Words that turn a question into one about the conversation."""


class ScriptedChatModel(BaseChatModel):
    """Answers from the messages it is given, at once and always alike."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model, told of these tools in the form that OpenAI's models read."""
        described = [convert_to_openai_tool(each) for each in tools]
        return self.bind(tools=described, tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager  # Nothing is streamed, and nothing is long enough to be stopped.
        reply = decide(messages, kwargs.get("tools") or [])
        return ChatResult(generations=[ChatGeneration(message=reply)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        return self._generate(messages, stop, **kwargs)


def decide(messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]) -> AIMessage:
    """The next message of the conversation."""
    if isinstance(messages[-1], ToolMessage):
        return AIMessage(_sentence(messages[-1].text))
    words = _words(messages[-1].text)
    if calls := [call for each in tools if (call := _call(each["function"], words))]:
        return AIMessage("", tool_calls=calls)
    if words & RECALL:
        return AIMessage(_recall(messages[:-1]))
    return AIMessage("Ask me about the weather in nyc or sf.")


def _call(function: dict[str, Any], words: set[str]) -> ToolCall | None:
    """A call of this tool, where the question names it and a value for each parameter."""
    if not words & set(function["name"].split("_")):
        return None
    parameters = function["parameters"]["properties"]
    args = {name: _named(schema, words) for name, schema in parameters.items()}
    if None in args.values():
        return None
    return ToolCall(name=function["name"], args=args, id=f"call_{uuid4().hex}")


def _named(schema: dict[str, Any], words: set[str]) -> str | None:
    return next((value for value in schema.get("enum", []) if value in words), None)


def _recall(earlier: Sequence[BaseMessage]) -> str:
    asked = [each.text for each in earlier if isinstance(each, HumanMessage)]
    told = [each.text for each in earlier if isinstance(each, ToolMessage)]
    if not told:
        return "We have not talked before."
    return f'You first asked "{asked[0]}", and I found: {"; ".join(told)}.'


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."

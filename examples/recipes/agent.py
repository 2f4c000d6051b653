"""The agent of all recipes, in your agent's place: it remembers what it is told, and asks before it books."""

import os
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379")


def answer(state: MessagesState) -> dict[str, Any]:
    """Say what was said so far; stop for a person where something is to be booked."""
    said = [message.text for message in state["messages"] if message.type == "human"]
    if not said[-1].startswith("book "):
        return {"messages": [AIMessage(f"So far you said: {', '.join(said)}")]}
    agreed = interrupt(f"May I {said[-1]}?")
    return {"messages": [AIMessage("It is booked." if agreed == "yes" else "Nothing was booked.")]}


def reply(state: dict[str, Any]) -> str:
    """Give what a run ended with: the question that it stopped at, or its answer."""
    if "__interrupt__" in state:
        return str(state["__interrupt__"][0].value)
    return str(state["messages"][-1].text)


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")

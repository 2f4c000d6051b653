"""A graph as the Agent Server is given it: without a checkpointer, which the server brings.

`langgraph.json` names this graph and the checkpointer; `LANGGRAPH_REDIS_URL` says where that one stores.
"""

from __future__ import annotations

from langgraph.graph import START, MessagesState, StateGraph


def answer(state: MessagesState) -> dict[str, list[tuple[str, str]]]:
    """Say what was said so far."""
    said = [str(message.content) for message in state["messages"] if message.type == "human"]
    return {"messages": [("ai", f"So far you said: {', '.join(said)}")]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
graph = builder.compile()

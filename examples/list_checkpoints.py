"""Every checkpoint of a thread, newest first: whole, filtered by metadata, or a page at a time."""

from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.prebuilt import create_react_agent
from rich import print as show
from rich.table import Table

from langgraph.checkpoint.redis import RedisSaver
from weather_agent import REDIS_URI, model, tools


def main() -> None:
    """List a thread's checkpoints, those that took an input, and those before one of them."""
    with RedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        checkpointer.setup()
        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        thread_id = f"example-{uuid4()}"
        config = RunnableConfig(configurable={"thread_id": thread_id})
        for city in ("sf", "nyc"):
            graph.invoke({"messages": [("human", f"what's the weather in {city}")]}, config)

        checkpoint_tuples = list(checkpointer.list(config))
        inputs = list(checkpointer.list(config, filter={"source": "input"}))
        page = list(checkpointer.list(config, before=inputs[0].config, limit=2))
        checkpointer.delete_thread(thread_id)

    show(table("Every checkpoint", checkpoint_tuples))
    show(table('filter={"source": "input"}', inputs))
    show(table("before the newest of these, limit=2", page))


def table(title: str, found: list[CheckpointTuple]) -> Table:
    """A line for each checkpoint."""
    lines = Table("id", "step", "source", "messages", title=title, title_justify="left")
    for each in found:
        messages = each.checkpoint["channel_values"].get("messages", [])
        step, source = each.metadata["step"], each.metadata["source"]
        lines.add_row(each.checkpoint["id"], str(step), source, str(len(messages)))
    return lines


if __name__ == "__main__":
    main()

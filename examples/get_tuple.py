"""One checkpoint and all that belongs to it: `get_tuple` gives the latest, or the one named."""

from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.prebuilt import create_react_agent
from rich import print as show

from langgraph.checkpoint.redis import RedisSaver
from weather_agent import REDIS_URI, model, tools


def main() -> None:
    """Show the latest checkpoint of a thread, then the one before it by its id."""
    with RedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        checkpointer.setup()
        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        thread_id = f"example-{uuid4()}"
        config = RunnableConfig(configurable={"thread_id": thread_id})
        graph.invoke({"messages": [("human", "what's the weather in sf")]}, config)

        latest = checkpointer.get_tuple(config)
        assert latest is not None
        assert latest.parent_config is not None
        parent = checkpointer.get_tuple(latest.parent_config)
        assert parent is not None
        checkpointer.delete_thread(thread_id)

    show("[bold]The latest checkpoint[/]")
    show("config", latest.config)
    show("metadata", latest.metadata)
    show("parent_config", latest.parent_config)
    show("messages", latest.checkpoint["channel_values"]["messages"])

    show("\n[bold]Its parent, and what was written after it[/]")
    show("config", parent.config)
    show("pending_writes", parent.pending_writes)


if __name__ == "__main__":
    main()

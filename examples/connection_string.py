"""A saver from a connection string: it makes a client of its own, and closes it with the block."""

from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.prebuilt import create_react_agent

from langgraph.checkpoint.redis import RedisSaver
from weather_agent import REDIS_URI, model, tools


def main() -> None:
    """Ask for the weather, then look at the answer and at the checkpoint it left."""
    with RedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        checkpointer.setup()

        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        thread_id = f"example-{uuid4()}"
        config = RunnableConfig(configurable={"thread_id": thread_id})
        res = graph.invoke({"messages": [("human", "what's the weather in sf")]}, config)
        checkpoint = checkpointer.get(config)
        checkpointer.delete_thread(thread_id)

    for message in res["messages"]:
        message.pretty_print()

    assert checkpoint is not None
    print("\nThe last checkpoint")
    print("id        ", checkpoint["id"])
    print("written   ", checkpoint["ts"])
    print("channels  ", ", ".join(checkpoint["channel_values"]))
    print("messages  ", len(checkpoint["channel_values"]["messages"]))


if __name__ == "__main__":
    main()

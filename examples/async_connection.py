"""The async saver: the same names with an `a` in front, for `ainvoke` and its kin."""

import asyncio
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.prebuilt import create_react_agent

from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from weather_agent import REDIS_URI, model, tools


async def main() -> None:
    """Ask for the weather, and read back what was stored in each of the three ways."""
    async with AsyncRedisSaver.from_conn_string(REDIS_URI) as checkpointer:
        await checkpointer.asetup()

        graph = create_react_agent(model, tools=tools, checkpointer=checkpointer)
        thread_id = f"example-{uuid4()}"
        config = RunnableConfig(configurable={"thread_id": thread_id})
        res = await graph.ainvoke({"messages": [("human", "what's the weather in nyc")]}, config)

        checkpoint = await checkpointer.aget(config)
        checkpoint_tuple = await checkpointer.aget_tuple(config)
        checkpoint_tuples = [c async for c in checkpointer.alist(config)]
        await checkpointer.adelete_thread(thread_id)

    for message in res["messages"]:
        message.pretty_print()

    assert checkpoint is not None
    assert checkpoint_tuple is not None
    print("\naget       ", checkpoint["id"])
    print("aget_tuple ", checkpoint_tuple.config["configurable"])
    print("alist      ", len(checkpoint_tuples), "checkpoints, newest first")


if __name__ == "__main__":
    asyncio.run(main())

"""Streamlit: a script that runs anew at each click, each time with a new event loop, and one saver for all.

In `examples/`: `python -m recipes.reruns`. It needs no Streamlit: `main` runs the page as that does.
"""

import asyncio
from functools import cache
from threading import Thread
from typing import Any

from langchain_core.runnables import RunnableConfig

from langgraph.checkpoint.redis import AsyncRedisSaver
from recipes.agent import REDIS_URL, builder, reply


@cache  # In Streamlit: @st.cache_resource
def agent() -> Any:
    """Make the saver once a process: a new one at each run would leave its connections behind."""
    return builder.compile(checkpointer=AsyncRedisSaver(REDIS_URL))


async def turn(thread_id: str, text: str) -> str:
    """Tell the agent something, and give its answer."""
    config = RunnableConfig(configurable={"thread_id": thread_id})
    return reply(await agent().ainvoke({"messages": [("human", text)]}, config))


def page(thread_id: str, text: str) -> None:
    """Run the script once: what a page does at each click."""
    print(asyncio.run(turn(thread_id, text)))


def main() -> None:
    """Click three times. As in Streamlit, each run of the script has a thread of its own."""
    for text in ("hello", "it is me", "once more"):
        run = Thread(target=page, args=("visitor-17", text))
        run.start()
        run.join()


if __name__ == "__main__":
    main()

"""What these tests show of the agent: it remembers, asks, and does not mix conversations up.

In `examples/`: `pytest recipes/agent_tests`
"""

import asyncio

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from recipes.agent import builder

HERE = RunnableConfig(configurable={"thread_id": "17"})
THERE = RunnableConfig(configurable={"thread_id": "18"})


def test_the_agent_remembers_its_own_conversation_only(checkpointer: RedisSaver) -> None:
    graph = builder.compile(checkpointer=checkpointer)

    graph.invoke({"messages": [HumanMessage("hello")]}, HERE)
    graph.invoke({"messages": [HumanMessage("good morning")]}, THERE)
    state = graph.invoke({"messages": [HumanMessage("it is me")]}, HERE)

    assert state["messages"][-1].text == "So far you said: hello, it is me"


def test_nothing_is_booked_until_a_person_agrees(checkpointer: RedisSaver) -> None:
    graph = builder.compile(checkpointer=checkpointer)

    graph.invoke({"messages": [HumanMessage("book a table")]}, HERE)
    waiting = graph.get_state(HERE)
    state = graph.invoke(Command(resume="no"), HERE)

    assert waiting.interrupts[0].value == "May I book a table?"
    assert state["messages"][-1].text == "Nothing was booked."


def test_an_async_app_goes_on_where_a_worker_left_off(
    checkpointer: RedisSaver, async_checkpointer: AsyncRedisSaver
) -> None:
    builder.compile(checkpointer=checkpointer).invoke({"messages": [HumanMessage("hello")]}, HERE)

    graph = builder.compile(checkpointer=async_checkpointer)
    state = asyncio.run(graph.ainvoke({"messages": [HumanMessage("it is me")]}, HERE))

    assert state["messages"][-1].text == "So far you said: hello, it is me"

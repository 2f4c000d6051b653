"""Celery: a saver made with the module, used in each of the worker's processes.

In `examples/`: `celery -A recipes.worker_tasks worker`
"""

import os

from celery import Celery, Task
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import MessagesState
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from langgraph.checkpoint.redis import RedisSaver
from recipes.agent import REDIS_URL, builder, reply

BROKER_URL = os.environ.get("BROKER_URL", "redis://localhost:6379/1")

app = Celery("agents", broker=BROKER_URL, backend=BROKER_URL)
# A worker that dies leaves its task to another one.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)

# It connects at its first call. A process that is forked from this one has its own connections.
graph = builder.compile(checkpointer=RedisSaver(REDIS_URL))


@app.task(bind=True, autoretry_for=(RedisConnectionError, RedisTimeoutError), retry_backoff=True)
def say(task: Task, thread_id: str, text: str) -> str:
    """Continue a conversation; gives the agent's answer, or what it asks."""
    config = RunnableConfig(configurable={"thread_id": thread_id})
    return reply(graph.invoke(left_to_do(config, HumanMessage(text, id=task.request.id)), config))


def left_to_do(config: RunnableConfig, message: HumanMessage) -> MessagesState | None:
    """Give the graph its input; None if an earlier try of this task did, so that the run goes on."""
    messages = graph.get_state(config).values.get("messages", [])
    return None if message.id in [each.id for each in messages] else {"messages": [message]}

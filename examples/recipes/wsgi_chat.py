"""Django, or any WSGI app: a saver made with the module, shared by all threads and forked workers.

In `examples/`: `gunicorn --preload --workers 2 --threads 4 recipes.wsgi_chat:app`
"""

import json
import logging
import os
from collections.abc import Callable

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from langgraph.checkpoint.redis import RedisSaver
from recipes.agent import REDIS_URL, builder, reply

# It connects at its first call, so the process that preloads the app has no connection. Each worker
# that is forked from it has its own.
checkpointer = RedisSaver(REDIS_URL, connection_args={"socket_timeout": 5, "client_name": "wsgi-chat"})
graph = builder.compile(checkpointer=checkpointer)

ADVICE = "The store of conversations does not answer. Look at the thread before you send this again."


def chat(request: HttpRequest, thread_id: str) -> JsonResponse:
    """Continue a conversation: `{"text": ...}`, or `{"answer": ...}` to what the agent asked."""
    config = RunnableConfig(configurable={"thread_id": thread_id})
    told = json.loads(request.body)
    if "answer" in told:
        state = graph.invoke(Command(resume=told["answer"]), config)
    else:
        state = graph.invoke({"messages": [HumanMessage(told["text"])]}, config)
    return JsonResponse({"reply": reply(state), "process": os.getpid()})


class Outages:
    """Middleware: an outage of Redis is a 503, which may pass, and no fault of the app."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request pass; Django calls `process_exception` where a view fails."""
        return self._respond(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> HttpResponse | None:
        """Give the answer to an outage, and None for any other exception."""
        if not isinstance(error, (RedisConnectionError, RedisTimeoutError)):
            return None
        logging.getLogger("django.request").error("Redis does not answer: %s", error)
        return JsonResponse({"detail": ADVICE}, status=503, headers={"Retry-After": "5"})


urlpatterns = [path("threads/<str:thread_id>/messages", require_POST(chat))]
settings.configure(
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[f"{__name__}.Outages"],
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
)
app = get_wsgi_application()

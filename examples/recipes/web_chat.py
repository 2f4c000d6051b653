"""FastAPI: one saver for the app, opened and closed by its lifespan; an outage is a 503.

In `examples/`: `uvicorn recipes.web_chat:app`
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command
from pydantic import BaseModel
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from langgraph.checkpoint.redis import AsyncRedisSaver
from recipes.agent import REDIS_URL, builder

TIMEOUTS = {"socket_timeout": 5, "socket_connect_timeout": 2}
OUTAGES = (RedisConnectionError, RedisTimeoutError)
ADVICE = "The store of conversations does not answer. Look at the thread before you send this again."

log = logging.getLogger("uvicorn.error")


class Said(BaseModel):
    """What a person says, or answers."""

    text: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the saver when the app starts, close it when the app ends."""
    async with AsyncRedisSaver.from_conn_string(REDIS_URL, connection_args=TIMEOUTS) as checkpointer:
        app.state.graph = builder.compile(checkpointer=checkpointer)
        yield


class Conversation:
    """The thread that a request's path names."""

    def __init__(self, thread_id: str, request: Request) -> None:
        self.graph = request.app.state.graph
        self.config = RunnableConfig(configurable={"thread_id": thread_id})

    async def now(self) -> dict[str, Any]:
        """All messages, and the question that waits for a person, if any."""
        state = await self.graph.aget_state(self.config)
        messages = [{"by": each.type, "text": each.text} for each in state.values.get("messages", [])]
        question = state.interrupts[0].value if state.interrupts else None
        return {"messages": messages, "question": question}

    async def expect(self, *, question: bool) -> None:
        """Refuse a request that came at the wrong time, as from a page that is out of date."""
        waits = (await self.now())["question"]
        if waits and not question:
            raise HTTPException(409, f"Answer first: {waits}")
        if question and not waits:
            raise HTTPException(409, "No question waits for an answer")


Named = Annotated[Conversation, Depends()]
threads = APIRouter(prefix="/threads/{thread_id}")


@threads.get("")
async def show(thread: Named) -> dict[str, Any]:
    """Tell what a page shows when it is opened again."""
    return await thread.now()


@threads.post("/messages")
async def chat(thread: Named, said: Said) -> dict[str, Any]:
    """Run the agent until it has answered, or asks something."""
    await thread.expect(question=False)
    await thread.graph.ainvoke({"messages": [HumanMessage(said.text)]}, thread.config)
    return await thread.now()


@threads.post("/answer")
async def resume(thread: Named, said: Said) -> dict[str, Any]:
    """Go on with the run that asked, wherever it was begun."""
    await thread.expect(question=True)
    await thread.graph.ainvoke(Command(resume=said.text), thread.config)
    return await thread.now()


@threads.post("/stream")
async def stream(thread: Named, said: Said) -> StreamingResponse:
    """Run the agent, and send what it says while it says it, as server-sent events."""
    await thread.expect(question=False)
    return StreamingResponse(events(thread, said.text), media_type="text/event-stream")


async def events(thread: Conversation, said: str) -> AsyncIterator[str]:
    """Run the agent; an outage comes too late for a status now, so it is an event, too."""
    inputs = {"messages": [HumanMessage(said)]}
    try:
        async for part, _ in thread.graph.astream(inputs, thread.config, stream_mode="messages"):
            yield event("text", part.text)
        if question := (await thread.now())["question"]:
            yield event("question", question)
    except OUTAGES as error:
        report(error)
        yield event("error", ADVICE)


def event(name: str, data: str) -> str:
    """Write one server-sent event, its data as JSON: text may have line breaks."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


app = FastAPI(lifespan=lifespan)
app.include_router(threads)


@app.exception_handler(RedisConnectionError)
@app.exception_handler(RedisTimeoutError)
async def outage(_: Request, error: Exception) -> JSONResponse:
    """Answer 503: it is none of the client's doing, and may pass."""
    report(error)
    return JSONResponse({"detail": ADVICE}, 503, {"Retry-After": "5"})


def report(error: Exception) -> None:
    """Tell the operator which server it is; a client of the app need not know its address."""
    log.error("Redis does not answer: %s", error)

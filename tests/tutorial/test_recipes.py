"""Each recipe runs as docs/recipes.md says: by the command it names, on a real server, asked as users ask."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from celery import Celery
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph

from langgraph.checkpoint.redis import RedisSaver
from recipes import reruns, web_chat
from recipes.agent import builder
from servers import free_port, start_valkey
from waiting import eventually

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
FILES = {path: path.read_text("utf-8") for path in sorted((EXAMPLES / "recipes").rglob("*.py"))}

HELLO = "So far you said: hello"
ADVICE = "The store of conversations does not answer. Look at the thread before you send this again."


def command(recipe: str) -> list[str]:
    """The command that a recipe's docstring gives, in this Python."""
    told = re.search(r"^In `examples/`: `([^`]+)`", FILES[EXAMPLES / "recipes" / recipe], re.MULTILINE)
    assert told is not None
    words = shlex.split(told[1])
    return [sys.executable, "-m", *(words[2:] if words[0] == "python" else words)]


@contextmanager
def running(recipe: str, *options: str, log: Path, **environment: str) -> Iterator[None]:
    """A recipe's program, asked to end with the block; it must have done so by itself, in peace."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command(recipe), *options],
            cwd=EXAMPLES,
            env={**os.environ, "HOME": str(log.parent), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield
            process.terminate()
            process.wait(20)
        finally:
            process.kill()
    assert "Traceback" not in log.read_text()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def client_of_the_app(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the FastAPI app, between its start and its end."""
    monkeypatch.setattr(web_chat, "REDIS_URL", url)
    transport = httpx.ASGITransport(web_chat.app)
    async with (
        web_chat.lifespan(web_chat.app),
        httpx.AsyncClient(transport=transport, base_url="http://app") as client,
    ):
        yield client


@pytest.fixture
async def chat(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of_the_app(redis_url, monkeypatch) as client:
        yield client


async def said(client: httpx.AsyncClient, path: str, text: str) -> httpx.Response:
    return await client.post(f"/threads/17/{path}", json={"text": text})


def events(response: httpx.Response) -> list[tuple[str, str]]:
    return re.findall(r'^event: (\w+)\ndata: "(.*)"\n\n', response.text, re.MULTILINE)


async def test_a_conversation_goes_on_from_request_to_request(chat: httpx.AsyncClient) -> None:
    await said(chat, "messages", "hello")

    answered = await said(chat, "messages", "it is me")

    assert answered.json()["messages"][-1] == {"by": "ai", "text": f"{HELLO}, it is me"}
    assert (await chat.get("/threads/17")).json() == answered.json()
    assert (await chat.get("/threads/18")).json() == {"messages": [], "question": None}


async def test_a_stream_has_the_answer_or_the_question(chat: httpx.AsyncClient) -> None:
    answer = await said(chat, "stream", "hello")
    question = await said(chat, "stream", "book a table")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert events(answer) == [("text", HELLO)]
    assert events(question) == [("question", "May I book a table?")]


async def test_an_app_that_was_started_since_goes_on_with_the_answer(
    redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(redis_client.client_list())
    async with client_of_the_app(redis_url, monkeypatch) as first:
        asked = await said(first, "messages", "book a table")
    assert eventually(lambda: len(redis_client.client_list()) <= before), "the app left connections open"

    async with client_of_the_app(redis_url, monkeypatch) as second:
        shown = await second.get("/threads/17")
        answered = await said(second, "answer", "yes")

    assert asked.json()["question"] == shown.json()["question"] == "May I book a table?"
    assert answered.json()["messages"][-1]["text"] == "It is booked."
    assert answered.json()["question"] is None


async def test_what_comes_at_the_wrong_time_is_refused(chat: httpx.AsyncClient) -> None:
    too_early = await said(chat, "answer", "yes")
    await said(chat, "messages", "book a table")
    too_late = [await said(chat, path, "hello") for path in ("messages", "stream")]

    assert (too_early.status_code, too_early.json()["detail"]) == (409, "No question waits for an answer")
    assert [each.status_code for each in too_late] == [409, 409]
    assert too_late[0].json()["detail"] == "Answer first: May I book a table?"


async def test_an_outage_is_a_503_until_it_is_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with start_valkey() as server:
        server.kill()
        async with client_of_the_app(server.url, monkeypatch) as client:
            refused = [
                await client.get("/threads/17"),
                *[await said(client, path, "hello") for path in ("messages", "stream", "answer")],
            ]
            server.restart()
            answered = await said(client, "messages", "hello")

    assert [each.status_code for each in refused] == [503] * 4
    assert {each.json()["detail"] for each in refused} == {ADVICE}
    assert {each.headers["retry-after"] for each in refused} == {"5"}
    assert str(server.port) in caplog.text
    assert answered.json()["messages"][-1]["text"] == HELLO


async def test_an_outage_during_a_stream_is_its_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    with start_valkey() as server:
        fatal: Any = StateGraph(MessagesState)
        fatal.add_node("answer", lambda _: server.kill())
        fatal.add_edge(START, "answer")
        monkeypatch.setattr(web_chat, "builder", fatal)
        async with client_of_the_app(server.url, monkeypatch) as client:
            answered = await said(client, "stream", "hello")

    assert answered.status_code == 200
    assert events(answered) == [("error", ADVICE)]


def test_uvicorn_serves_the_app(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    with (
        running("web_chat.py", "--port", str(port), log=tmp_path / "log", REDIS_URL=redis_url),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert eventually(lambda: listens(port), 20)
        client.post("/threads/17/messages", json={"text": "hello"})
        answered = client.post("/threads/17/stream", json={"text": "it is me"})

    assert events(answered) == [("text", f"{HELLO}, it is me")]
    assert "Application shutdown complete" in (tmp_path / "log").read_text()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Celery, str]]:
    """A client of Celery whose worker runs the recipe, and the URL of the worker's saver."""
    log = tmp_path_factory.mktemp("celery") / "log"
    options = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with start_valkey() as server:
        broker = f"{server.url.removesuffix('/0')}/1"
        with (
            running("worker_tasks.py", *options, log=log, REDIS_URL=server.url, BROKER_URL=broker),
            Celery(broker=broker, backend=broker) as client,
        ):
            yield client, server.url


def task(client: Celery, thread_id: str, text: str, task_id: str | None = None) -> Any:
    return client.send_task("recipes.worker_tasks.say", [thread_id, text], task_id=task_id)


def test_processes_of_a_worker_go_on_with_each_others_conversations(worker: tuple[Celery, str]) -> None:
    client, _ = worker

    answers = [task(client, "17", text).get(20) for text in ("hello", "it is me", "book a table")]
    at_once = [task(client, f"thread {n}", "hello") for n in range(8)]

    assert answers == [HELLO, f"{HELLO}, it is me", "May I book a table?"]
    assert [each.get(20) for each in at_once] == [HELLO] * 8


def test_a_task_that_was_cut_off_is_finished_and_not_done_twice(worker: tuple[Celery, str]) -> None:
    client, url = worker
    tried = str(uuid4())
    config = RunnableConfig(configurable={"thread_id": tried})
    with RedisSaver.from_conn_string(url) as saver:
        cut_off = builder.compile(checkpointer=saver, interrupt_before=["answer"])
        cut_off.invoke({"messages": [HumanMessage("hello", id=tried)]}, config)

        answers = [task(client, tried, "hello", tried).get(20) for _ in range(2)]

        messages = cut_off.get_state(config).values["messages"]
    assert answers == [HELLO, HELLO]
    assert [each.text for each in messages] == ["hello", HELLO]


def test_a_page_that_runs_again_and_again_has_one_saver(
    redis_url: str,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = len(redis_client.client_list())
    monkeypatch.setattr(reruns, "REDIS_URL", redis_url)
    reruns.agent.cache_clear()

    for _ in range(5):
        reruns.main()
    reruns.agent.cache_clear()

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 15
    assert lines[3] == f"{HELLO}, it is me, once more, hello"
    assert eventually(lambda: len(redis_client.client_list()) <= before), "each run left its connections"


def test_the_page_runs_without_a_server() -> None:
    ended = subprocess.run(
        command("reruns.py"),
        cwd=EXAMPLES,
        env={**os.environ, "REDIS_URL": "embedded://"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ended.stdout == f"{HELLO}\n{HELLO}, it is me\n{HELLO}, it is me, once more\n"
    assert ended.stderr == ""


@pytest.mark.parametrize("place", ["embedded", "a server"])
def test_the_fixtures_serve_tests_and_leave_nothing_behind(
    place: str, redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    if place == "a server":
        environment["REDIS_URL"] = redis_url

    ended = subprocess.run(
        [*command("agent_tests/test_agent.py"), "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "t")],
        cwd=EXAMPLES,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "3 passed" in ended.stdout, ended.stdout
    assert not redis_client.keys("*:data")


def test_a_preloaded_app_works_in_all_threads_of_all_workers(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/threads"

    def answer(thread: int, **told: str) -> dict[str, Any]:
        body = told or {"text": "hello"}
        answered = httpx.post(f"{address}/{thread}/messages", json=body, timeout=20)
        assert answered.status_code == 200, answered.text
        found: dict[str, Any] = answered.json()
        return found

    with start_valkey() as server, redis.Redis.from_url(server.url) as client:
        log = tmp_path / "log"
        with running("wsgi_chat.py", "--bind", f"127.0.0.1:{port}", log=log, REDIS_URL=server.url):
            assert eventually(lambda: listens(port), 20)
            before = names_of_connections(client)
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(answer, range(24)))
            first = answers[0]["process"]
            assert eventually(lambda: answer(0)["process"] != first), "one worker served every request"
            again = answer(23)["reply"]
            booked = [answer(24, text="book a table")["reply"], answer(24, answer="yes")["reply"]]
            with_requests = names_of_connections(client)
            server.kill()
            outage = httpx.post(f"{address}/17/messages", json={"text": "hello"}, timeout=20)

    assert {each["reply"] for each in answers} == {HELLO}
    assert again == f"{HELLO}, hello"
    assert booked == ["May I book a table?", "It is booked."]
    assert "wsgi-chat" not in before
    assert "wsgi-chat" in with_requests
    assert (outage.status_code, outage.json()["detail"]) == (503, ADVICE)
    assert outage.headers["retry-after"] == "5"


def names_of_connections(client: redis.Redis) -> list[str]:
    return [each["name"] for each in client.client_list()]


def test_what_the_page_shows_is_what_runs() -> None:
    shown = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

    assert len(shown) >= 5
    missing = [block for block in shown if not any(block in text for text in FILES.values())]
    assert not missing


def test_the_page_names_each_recipe_and_its_command() -> None:
    for path, text in FILES.items():
        told = re.search(r"^In `examples/`: `([^`]+)`", text, re.MULTILINE)
        if told is not None:
            assert f"(../{path.relative_to(ROOT)})" in PAGE
            assert told[1] in PAGE

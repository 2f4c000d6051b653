"""What the documents show runs as it stands, on a server of the tests, block after block."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from langgraph.graph import START, MessagesState, StateGraph

from langgraph.checkpoint.redis import AsyncShallowRedisSaver, RedisSaver, ShallowRedisSaver
from steps import Chain, config_of

ROOT = Path(__file__).parents[2]
SHOWN = "redis://localhost:6379"
THREADS = ("1", "17", "18", "guest-17", "contract-4")


def blocks(document: str) -> list[str]:
    """The Python that a document shows, or one section of it: `page.md#Its title`."""
    path, _, title = document.partition("#")
    text = (ROOT / path).read_text("utf-8")
    if title:
        text = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def answer(_: MessagesState) -> dict[str, Any]:
    return {"messages": [("ai", "yes")]}


@pytest.fixture
def shown(redis_url: str, redis_client: redis.Redis) -> Iterator[dict[str, Any]]:
    """What a reader has at hand: threads, a graph, a question; an empty database before."""
    redis_client.flushdb()
    builder: Any = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    with RedisSaver.from_conn_string(redis_url) as saver:
        for thread in THREADS:
            Chain(config_of(thread)).put(saver, a=1)
        yield {
            "RedisSaver": RedisSaver,
            "ShallowRedisSaver": ShallowRedisSaver,
            "AsyncShallowRedisSaver": AsyncShallowRedisSaver,
            "timedelta": timedelta,
            "builder": builder,
            "question": {"messages": [("human", "Is it?")]},
        }


def run(document: str, names: dict[str, Any], url: str) -> None:
    for block in blocks(document):
        exec(compile(block.replace(SHOWN, url), document, "exec"), names)
    for name in ("saver", "checkpointer"):
        if isinstance(names.get(name), RedisSaver):
            names[name].close()


def test_the_page_on_lifetimes_runs(
    shown: dict[str, Any], redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("docs/lifetime.md", shown, redis_url)

    assert re.search(r"^\d+ threads, \d+ bytes$", capsys.readouterr().out, re.MULTILINE)


def test_the_readme_runs(shown: dict[str, Any], redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("Crypto", reason="README's encryption needs pycryptodome")

    run("README.md", shown, redis_url)

    said = capsys.readouterr().out
    assert "So far you said: hello, it is me again" in said
    assert "3 checkpoints" in said


def test_the_page_on_the_store_runs(
    shown: dict[str, Any], redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("docs/store.md", shown, redis_url)

    assert "{'text': 'hello'}" in capsys.readouterr().out


def test_the_section_on_seeing_a_saver_runs(
    shown: dict[str, Any],
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(
        logging.WARNING, "langgraph.checkpoint.redis"
    )  # What the section sets ends with the test.
    caplog.set_level(logging.WARNING, "langgraph._redis")
    with RedisSaver.from_conn_string(redis_url) as saver:
        graph = shown["builder"].compile(checkpointer=saver)

        run("docs/production.md#Seeing it", {**shown, "saver": saver, "graph": graph}, redis_url)

    assert re.search(r"^\d+ round trips\n\d+ bytes$", capsys.readouterr().out, re.MULTILINE)

"""The checkpointer that an Agent Server is given: found by its path, told by environment variables."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from langgraph.checkpoint.redis import AsyncRedisSaver, CorruptRecordError, RedisSaver
from langgraph.checkpoint.redis.agent_server import options
from steps import Chain, config_of

PROJECT = Path(__file__).parents[2] / "examples" / "agent_server"
URL = {"LANGGRAPH_REDIS_URL": "redis://host"}


def told() -> Any:
    """What the example's `langgraph.json` names, loaded as the server loads it."""
    module, _, name = json.loads((PROJECT / "langgraph.json").read_text())["checkpointer"]["path"].partition(
        ":"
    )
    return getattr(importlib.import_module(module), name)


def graph() -> Any:
    """The example's graph."""
    spec = importlib.util.spec_from_file_location("agent", PROJECT / "agent.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.graph


async def test_the_example_remembers_from_one_server_to_the_next(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_REDIS_URL", redis_url)
    monkeypatch.setenv("LANGGRAPH_REDIS_KEY_PREFIX", key_prefix)
    state: Any = {}
    for said in ("hello", "again"):
        async with told()() as saver:
            compiled = graph()
            compiled.checkpointer = saver
            state = await compiled.ainvoke({"messages": [("human", said)]}, config_of())

    assert state["messages"][-1].content == "So far you said: hello, again"


async def test_every_option_reaches_the_saver(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {
        "URL": redis_url,
        "KEY_PREFIX": key_prefix,
        "TTL": "7.5",
        "REFRESH_ON_READ": "true",
        "KEEP_LAST": "2",
        "INDEX_METADATA": "user_id, tenant",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"LANGGRAPH_REDIS_{name}", value)

    async with told()() as saver:
        assert isinstance(saver, AsyncRedisSaver)
        chain = Chain()
        for step in range(5):
            await chain.aput(saver, a=step)
        left = await saver.aget_ttl("thread")
        kept = [found async for found in saver.alist(config_of())]

    assert left is not None
    assert 7.4 < left <= 7.5
    assert len(kept) == 2


async def test_with_a_key_state_is_encrypted(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_REDIS_URL", redis_url)
    monkeypatch.setenv("LANGGRAPH_REDIS_KEY_PREFIX", key_prefix)
    monkeypatch.setenv("LANGGRAPH_AES_KEY", "0123456789abcdef")
    async with told()() as saver:
        await Chain().aput(saver, a="secret " * 50)

    with (
        RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as plain,
        pytest.raises(CorruptRecordError, match="it is encrypted"),
    ):
        plain.get_tuple(config_of())


def test_spans_are_switched_on_by_variables() -> None:
    told = options({**URL, "LANGGRAPH_REDIS_TELEMETRY": "true", "LANGGRAPH_REDIS_TRACE_IDS": "yes"})

    assert (told["telemetry"], told["trace_ids"]) == (True, True)


def test_what_is_not_set_is_left_as_it_is() -> None:
    assert options({**URL, "LANGGRAPH_REDIS_TTL": "", "OTHER": "1"}) == {"redis_url": "redis://host"}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "LANGGRAPH_REDIS_URL is not set"),
        ({**URL, "LANGGRAPH_REDIS_TTL": "soon"}, "LANGGRAPH_REDIS_TTL is 'soon'"),
        ({**URL, "LANGGRAPH_REDIS_KEEP_LAST": "2.5"}, "LANGGRAPH_REDIS_KEEP_LAST is '2.5'"),
        ({**URL, "LANGGRAPH_REDIS_REFRESH_ON_READ": "maybe"}, "REFRESH_ON_READ is 'maybe'.*true or false"),
    ],
)
def test_a_variable_that_cannot_be_is_an_error_that_names_it(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        options(variables)

"""A checkpointer for LangGraph's Agent Server, told by environment variables.

In `langgraph.json`::

    "checkpointer": {"path": "langgraph.checkpoint.redis.agent_server:checkpointer"}

=====================================  ======================================================================
variable                               `AsyncRedisSaver`'s option
=====================================  ======================================================================
``LANGGRAPH_REDIS_URL``                `redis_url`; must be set
``LANGGRAPH_REDIS_KEY_PREFIX``         `key_prefix`
``LANGGRAPH_REDIS_TTL``                `ttl["default_ttl"]`, minutes
``LANGGRAPH_REDIS_REFRESH_ON_READ``    `ttl["refresh_on_read"]`: true or false
``LANGGRAPH_REDIS_KEEP_LAST``          `keep_last`
``LANGGRAPH_REDIS_INDEX_METADATA``     `index_metadata`: keys, separated by commas
``LANGGRAPH_REDIS_TELEMETRY``          `telemetry`: true or false; needs the extra `otel`
``LANGGRAPH_REDIS_TRACE_IDS``          `trace_ids`: true or false
``LANGGRAPH_AES_KEY``                  `serde`: LangGraph's `EncryptedSerializer` with this key (16, 24 or 32
                                       bytes; needs pycryptodome)
=====================================  ======================================================================

A variable that is not set, or empty, leaves its option as it is.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from langgraph.checkpoint.redis.aio import AsyncRedisSaver

T = TypeVar("T")

_PREFIX: Final = "LANGGRAPH_REDIS_"
_AES_KEY: Final = "LANGGRAPH_AES_KEY"
_TRUTH: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _boolean(text: str) -> bool:
    try:
        return _TRUTH[text.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def _keys(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _read(environment: Mapping[str, str], name: str, convert: Callable[[str], T]) -> T | None:
    """A variable's value, or None.

    Raises:
        ValueError: If it cannot be converted; the message names the variable.
    """
    text = environment.get(f"{_PREFIX}{name}", "").strip()
    if not text:
        return None
    try:
        return convert(text)
    except ValueError as error:
        raise ValueError(f"{_PREFIX}{name} is {text!r:.80}, which cannot be: {error}") from error


def options(environment: Mapping[str, str]) -> dict[str, Any]:
    """The options of `AsyncRedisSaver` that environment variables give.

    Raises:
        ValueError: If the URL is missing or a variable cannot be read; the message names the variable.
    """
    url = environment.get(f"{_PREFIX}URL", "").strip()
    if not url:
        raise ValueError(f"{_PREFIX}URL is not set: name the server, such as redis://localhost:6379")
    ttl = {
        "default_ttl": _read(environment, "TTL", float),
        "refresh_on_read": _read(environment, "REFRESH_ON_READ", _boolean),
    }
    found = {
        "redis_url": url,
        "key_prefix": _read(environment, "KEY_PREFIX", str),
        "ttl": {name: value for name, value in ttl.items() if value is not None} or None,
        "keep_last": _read(environment, "KEEP_LAST", int),
        "index_metadata": _read(environment, "INDEX_METADATA", _keys),
        "telemetry": _read(environment, "TELEMETRY", _boolean),
        "trace_ids": _read(environment, "TRACE_IDS", _boolean),
        "serde": _serde(environment),
    }
    return {name: value for name, value in found.items() if value is not None}


def _serde(environment: Mapping[str, str]) -> EncryptedSerializer | None:
    key = environment.get(_AES_KEY, "")
    return EncryptedSerializer.from_pycryptodome_aes(key=key.encode()) if key else None


@asynccontextmanager
async def checkpointer() -> AsyncIterator[AsyncRedisSaver]:
    """A saver for the life of the server, which opens and closes it.

    Raises:
        ValueError: If an environment variable is missing or cannot be read.
        UnsupportedServerError: If the Redis server cannot do what is needed.
    """
    async with AsyncRedisSaver.from_conn_string(**options(os.environ)) as saver:
        await saver.asetup()
        yield saver

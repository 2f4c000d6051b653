"""How each contender's saver is opened at a URL, as its own documentation does it.

Runs in the contender's environment. Savers are looked up by name when they are opened: each environment has
but one of them, and two of them have the same import path.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pkgutil import resolve_name
from typing import Any

CONNECTIONS = 2000
"""Connections that a client may have, where its own limit is less than the tasks that go on at once."""


@contextmanager
def _memory(_: str) -> Iterator[Any]:
    yield resolve_name("langgraph.checkpoint.memory:InMemorySaver")()


@asynccontextmanager
async def _amemory(_: str) -> AsyncIterator[Any]:
    yield resolve_name("langgraph.checkpoint.memory:InMemorySaver")()


def _ours(url: str) -> Any:
    return resolve_name("langgraph.checkpoint.redis:RedisSaver").from_conn_string(url)


def _aours(url: str) -> Any:
    return resolve_name("langgraph.checkpoint.redis.aio:AsyncRedisSaver").from_conn_string(url)


@contextmanager
def _redis(url: str) -> Iterator[Any]:
    """Its indexes are made by `setup`; the async twin makes them when it is entered."""
    with _ours(_roomy(url)) as saver:
        saver.setup()
        yield saver


def _aredis(url: str) -> Any:
    return _aours(_roomy(url))


@contextmanager
def _plain(url: str) -> Iterator[Any]:
    saver = resolve_name("langgraph_checkpoint_plainredis:RedisSaver")(url=_roomy(url))
    yield saver
    saver.close()


@asynccontextmanager
async def _aplain(url: str) -> AsyncIterator[Any]:
    saver = resolve_name("langgraph_checkpoint_plainredis:AsyncRedisSaver")(url=_roomy(url))
    yield saver
    await saver.aclose()


def _roomy(url: str) -> str:
    """With redis-py's own limit, a connection too many is an error."""
    return f"{url}?max_connections={CONNECTIONS}"


def _aws(url: str) -> Any:
    kind = resolve_name("langgraph_checkpoint_aws:ValkeySaver")
    return kind.from_conn_string(_valkey(url), pool_size=CONNECTIONS)


def _aaws(url: str) -> Any:
    kind = resolve_name("langgraph_checkpoint_aws:AsyncValkeySaver")
    return kind.from_conn_string(_valkey(url), pool_size=CONNECTIONS)


def _valkey(url: str) -> str:
    return url.replace("redis://", "valkey://")


def _sqlite(path: str) -> Any:
    return resolve_name("langgraph.checkpoint.sqlite:SqliteSaver").from_conn_string(path)


def _asqlite(path: str) -> Any:
    return resolve_name("langgraph.checkpoint.sqlite.aio:AsyncSqliteSaver").from_conn_string(path)


def _pooled() -> dict[str, Any]:
    """What LangGraph's documentation gives a pool, and each of its connections."""
    connection = {
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": resolve_name("psycopg.rows:dict_row"),
    }
    return {"max_size": 20, "kwargs": connection}


@contextmanager
def _postgres(url: str) -> Iterator[Any]:
    with resolve_name("psycopg_pool:ConnectionPool")(url, open=True, **_pooled()) as pool:
        saver = resolve_name("langgraph.checkpoint.postgres:PostgresSaver")(pool)
        saver.setup()
        yield saver


@asynccontextmanager
async def _apostgres(url: str) -> AsyncIterator[Any]:
    async with resolve_name("psycopg_pool:AsyncConnectionPool")(url, open=False, **_pooled()) as pool:
        saver = resolve_name("langgraph.checkpoint.postgres.aio:AsyncPostgresSaver")(pool)
        await saver.setup()
        yield saver


MEMORY = {"sync": _memory, "async": _amemory}
OURS = {"sync": _ours, "async": _aours}
REDIS = {"sync": _redis, "async": _aredis}
PLAIN = {"sync": _plain, "async": _aplain}
AWS = {"sync": _aws, "async": _aaws}
SQLITE = {"sync": _sqlite, "async": _asqlite}
POSTGRES = {"sync": _postgres, "async": _apostgres}

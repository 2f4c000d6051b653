"""What a type checker says of the public names. `mypy` judges the types stated here; pytest, that they hold.

An ignore below states that a wrong use is found: mypy complains of one that nothing needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

import pytest
import redis
import redis.asyncio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointTuple, DeltaChannelHistory
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.graph import END, START, StateGraph
from typing_extensions import assert_type

from langgraph.checkpoint.redis import (
    AsyncRedisSaver,
    CorruptRecordError,
    EvictionWarning,
    RedisPersistenceError,
    RedisSaver,
    SaverStats,
    UnsupportedServerError,
    __lib_name__,
    __version__,
)
from langgraph.checkpoint.redis.aio import AsyncRedisSaver as SameAsyncRedisSaver
from steps import Chain, config_of

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from langgraph.graph.state import CompiledStateGraph

NOWHERE = "redis://localhost:1"


class State(TypedDict):
    """What the graphs here hold."""

    count: int


class MySaver(RedisSaver):
    """A saver of somebody's own."""


class MyAsyncSaver(AsyncRedisSaver):
    """An async saver of somebody's own."""


def graph_with(
    saver: RedisSaver | AsyncRedisSaver,
) -> CompiledStateGraph[State, None, State, State]:
    builder = StateGraph(State)
    builder.add_node("add", lambda state: {"count": state["count"] + 1})
    builder.add_edge(START, "add")
    builder.add_edge("add", END)
    return builder.compile(checkpointer=saver)


def test_names_are_texts_and_errors_have_one_base() -> None:
    assert_type(__version__, str)
    assert_type(__lib_name__, str)
    assert SameAsyncRedisSaver is AsyncRedisSaver
    errors: list[type[RedisPersistenceError]] = [CorruptRecordError, UnsupportedServerError]
    warning: type[UserWarning] = EvictionWarning

    assert all(issubclass(error, Exception) for error in errors)
    assert issubclass(warning, Warning)


def test_a_saver_is_a_checkpointer_whose_versions_are_texts() -> None:
    savers: list[BaseCheckpointSaver[str]] = [RedisSaver(NOWHERE), AsyncRedisSaver(NOWHERE)]

    for saver in savers:
        version = saver.get_next_version(None, None)
        assert_type(version, str)
        assert version


def test_a_with_block_is_given_the_saver_also_of_a_class_of_ones_own() -> None:
    with RedisSaver.from_conn_string(NOWHERE) as saver:
        assert_type(saver, RedisSaver)
    with RedisSaver(NOWHERE) as built:
        assert_type(built, RedisSaver)
    with MySaver.from_conn_string(redis_client=redis.Redis.from_url(NOWHERE)) as mine:
        assert_type(mine, MySaver)

    assert type(mine) is MySaver


async def test_an_async_with_block_is_given_the_saver_also_of_a_class_of_ones_own() -> None:
    async with AsyncRedisSaver.from_conn_string(NOWHERE) as saver:
        assert_type(saver, AsyncRedisSaver)
    async with AsyncRedisSaver(NOWHERE) as built:
        assert_type(built, AsyncRedisSaver)
    client = redis.asyncio.Redis.from_url(NOWHERE)
    async with MyAsyncSaver.from_conn_string(redis_client=client) as mine:
        assert_type(mine, MyAsyncSaver)
    await client.aclose()

    assert type(mine) is MyAsyncSaver


def test_connection_strings_are_context_managers() -> None:
    opened: AbstractContextManager[RedisSaver] = RedisSaver.from_conn_string(NOWHERE)
    async_opened: AbstractAsyncContextManager[AsyncRedisSaver] = AsyncRedisSaver.from_conn_string(NOWHERE)

    assert hasattr(opened, "__enter__")
    assert hasattr(async_opened, "__aenter__")


def test_every_option_has_a_type() -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"a key of 16 byte")
    options: Mapping[str, Any] = {"socket_timeout": 5}

    for kind in (RedisSaver, AsyncRedisSaver):
        saver = kind(NOWHERE, connection_args=options, serde=serde, key_prefix="mine")
        assert saver.serde is serde


def test_a_wrong_option_is_found() -> None:
    with pytest.raises(TypeError):
        RedisSaver(7)  # type: ignore[arg-type]  # A URL is text.
    with pytest.raises(TypeError):
        RedisSaver(NOWHERE, "prefix")  # type: ignore[call-arg]  # Options have names.
    with pytest.raises(TypeError):
        AsyncRedisSaver(NOWHERE, prefix="mine")  # type: ignore[call-arg]  # No such option.
    with pytest.raises(ValueError, match="key_prefix"):
        AsyncRedisSaver(NOWHERE, key_prefix=None)  # type: ignore[arg-type]  # It always has one.


def test_graphs_are_compiled_with_both() -> None:
    for saver in (RedisSaver(NOWHERE), AsyncRedisSaver(NOWHERE)):
        assert graph_with(saver).checkpointer is saver


def test_what_a_saver_returns(saver: RedisSaver) -> None:
    config = Chain().put(saver, count=1)
    assert_type(config, RunnableConfig)

    found = saver.get_tuple(config)
    assert_type(found, CheckpointTuple | None)
    listed = saver.list(config, filter={"step": 0}, before=None, limit=1)
    assert_type(listed, Iterator[CheckpointTuple])
    history = saver.get_delta_channel_history(config=config, channels=["count"])
    assert_type(history, Mapping[str, DeltaChannelHistory])
    assert_type(saver.get(config), Checkpoint | None)

    assert found is not None
    assert [item.config for item in listed] == [config]
    assert dict(history) == {"count": {"writes": []}}


async def test_what_an_async_saver_returns(async_saver: AsyncRedisSaver) -> None:
    config = await Chain().aput(async_saver, count=1)
    assert_type(config, RunnableConfig)

    found = await async_saver.aget_tuple(config)
    assert_type(found, CheckpointTuple | None)
    listed = async_saver.alist(config, filter={"step": 0}, before=None, limit=1)
    assert_type(listed, AsyncIterator[CheckpointTuple])
    history = await async_saver.aget_delta_channel_history(config=config, channels=["count"])
    assert_type(history, Mapping[str, DeltaChannelHistory])
    assert_type(await async_saver.aget(config), Checkpoint | None)

    assert found is not None
    assert [item.config async for item in listed] == [config]
    assert dict(history) == {"count": {"writes": []}}


async def test_the_async_methods_of_a_sync_saver_return_the_same(saver: RedisSaver) -> None:
    found = await saver.aget_tuple(config_of())
    assert_type(found, CheckpointTuple | None)
    listed = saver.alist(config_of())
    assert_type(listed, AsyncIterator[CheckpointTuple])

    assert found is None
    assert [item async for item in listed] == []


def test_what_a_saver_counts(saver: RedisSaver) -> None:
    stats = saver.stats()
    assert_type(stats, SaverStats)
    assert_type(stats.operations, Mapping[str, int])
    assert_type(stats.round_trips, int)

    assert stats.round_trips == 0


async def test_setup_is_awaited_on_the_async_saver_only(
    saver: RedisSaver, async_saver: AsyncRedisSaver
) -> None:
    saver.setup()
    await saver.asetup()
    await async_saver.setup()
    await async_saver.asetup()
    with pytest.raises(TypeError, match="await"):
        await saver.setup()  # type: ignore[func-returns-value, misc]  # It was done when it returned.

"""What a thread costs as it grows, and that nothing ends at some thousands of anything."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
import redis
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import START, MessagesState, StateGraph

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import Chain, config_of
from texts import prose

SHORT, LONG = 50, 300
DOCUMENTS, DOCUMENT, STEPS = 60, 10_000, 30


def converse(saver: RedisSaver, thread: str, turns: int) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("answer", lambda state: {"messages": [("ai", prose(len(state["messages"])))]})
    builder.add_edge(START, "answer")
    graph = builder.compile(checkpointer=saver)
    for turn in range(turns):
        question: Any = {"messages": [("human", prose(-turn))]}
        graph.invoke(question, config_of(thread))


def bytes_of(client: redis.Redis, prefix: str, thread: str) -> int:
    keys = [f"{prefix}:{{{thread}}}:{part}" for part in ("data", "index")]
    return sum(int(cast("Any", client.memory_usage(key, samples=0))) for key in keys)


@pytest.mark.every_server
def test_a_conversation_is_stored_once_whatever_its_length(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    converse(saver, "short", SHORT)
    converse(saver, "long", LONG)

    short = bytes_of(redis_client, key_prefix, "short") / SHORT
    long = bytes_of(redis_client, key_prefix, "long") / LONG
    assert long <= 8 * 1024
    assert long <= 1.3 * short


def test_a_table_of_documents_costs_what_changes_in_it(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    """The first change in its midst cuts the table, once; earlier checkpoints read as they were put."""
    chain = Chain(config_of("table"))
    files = {f"{number:03}.md": prose(number, DOCUMENT) for number in range(DOCUMENTS)}
    tables, configs, sizes = [], [], []
    for step in range(STEPS):
        files = {**files, f"{step % 5:03}.md": prose(-step - 1, DOCUMENT)}
        tables.append(files)
        configs.append(chain.put(saver, files=files))
        sizes.append(bytes_of(redis_client, key_prefix, "table"))

    assert sizes[-1] - sizes[5] <= 2 * DOCUMENT * (STEPS - 6)
    for config, table in zip(configs, tables, strict=True):
        found = saver.get(config)
        assert found is not None
        assert found["channel_values"]["files"] == table


def test_a_write_names_no_segment_that_went_with_a_change(redis_url: str, key_prefix: str) -> None:
    """One saver writes what it knows, and another put the checkpoint anew meanwhile, changed in its midst."""
    kept: Any = {"key_prefix": key_prefix, "keep_last": 2}
    files = {f"{number:03}.md": prose(number, DOCUMENT) for number in range(DOCUMENTS)}
    with (
        RedisSaver.from_conn_string(redis_url, **kept) as writer,
        RedisSaver.from_conn_string(redis_url, **kept) as other,
    ):
        config: Any = {"configurable": {"thread_id": "anew", "checkpoint_ns": ""}}
        for version in "abc":
            files = {**files, "030.md": prose(ord(version), DOCUMENT)}
            checkpoint = empty_checkpoint() | {
                "channel_values": {"files": files},
                "channel_versions": {"files": version},
            }
            config = other.put(config, cast("Any", checkpoint), {}, {"files": version})
        assert writer.get(config) is not None
        changed = checkpoint | {"channel_values": {"files": {**files, "002.md": prose(-2, DOCUMENT)}}}
        other.put(config, cast("Any", changed), {}, {"files": "c"})
        other.prune(["anew"], strategy="keep_latest")

        writer.put_writes(config, [("seen", files)], "task")

        with RedisSaver.from_conn_string(redis_url, **kept) as reader:
            found = reader.get_tuple(config)
        assert found is not None
        assert found.pending_writes == [("task", "seen", files)]
        other.delete_thread("anew")


async def test_a_checkpoint_with_thousands_of_writes_is_read_at_once(async_saver: AsyncRedisSaver) -> None:
    """More than Lua's `unpack` takes."""
    config = await Chain(config_of("wide")).aput(async_saver, channel=1)
    await asyncio.gather(
        *(async_saver.aput_writes(config, [("a", n), ("b", n)], f"{n:05}") for n in range(9_000))
    )

    found = await async_saver.aget_tuple(config)

    assert found is not None
    assert found.pending_writes is not None
    assert len(found.pending_writes) == 18_000


async def test_thousands_of_channels_are_stored_and_read(async_saver: AsyncRedisSaver) -> None:
    values = {f"channel {n}": "x" * 100 for n in range(9_000)}
    chain = Chain(config_of("broad"))
    await chain.aput(async_saver, **values)
    await chain.aput(async_saver, one_more=1)

    found = await async_saver.aget(config_of("broad"))

    assert found is not None
    assert found["channel_values"] == {**values, "one_more": 1}


async def test_thousands_of_channels_with_segments_are_stored_and_read(
    async_saver: AsyncRedisSaver, key_prefix: str, redis_url: str
) -> None:
    values = {f"channel {n}": [prose(n, 600), prose(-n, 600)] for n in range(9_000)}
    chain = Chain(config_of("heavy"))
    await chain.aput(async_saver, **values)
    await chain.aput(async_saver, one_more=1)

    async with AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as other:
        found = await other.aget(config_of("heavy"))

    assert found is not None
    assert found["channel_values"] == {**values, "one_more": 1}


async def test_thousands_of_namespaces_are_listed_and_pruned(async_saver: AsyncRedisSaver) -> None:
    """Each call of a subgraph makes one."""
    await asyncio.gather(
        *(Chain(config_of("calls", f"sub:{n}")).aput(async_saver, channel=n) for n in range(5_000))
    )
    await async_saver.aprune(["calls"])

    listed = [it async for it in async_saver.alist({"configurable": {"thread_id": "calls"}})]

    assert len({it.config["configurable"]["checkpoint_ns"] for it in listed}) == 5_000


async def test_thousands_of_threads_are_listed(async_saver: AsyncRedisSaver) -> None:
    await asyncio.gather(*(Chain(config_of(n)).aput(async_saver, channel=n) for n in range(3_000)))

    threads = {it.config["configurable"]["thread_id"] async for it in async_saver.alist(None)}

    assert threads == {str(n) for n in range(3_000)}

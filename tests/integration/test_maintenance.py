"""Copies and pruning: what is dropped is gone, what is kept is whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import Chain, Put, config_of, id_of, long_list, metadata_of, values_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import redis

pytestmark = pytest.mark.every_server


def ids(saver: RedisSaver, thread: str, ns: str = "") -> list[str]:
    return [id_of(found.config) for found in saver.list(config_of(thread, ns))]


def fields(client: redis.Redis, prefix: str, thread: str = "thread") -> list[bytes]:
    """The fields of a thread's data, without those that tell of the thread itself."""
    found = cast("list[bytes]", client.hkeys(f"{prefix}:{{{thread}}}:data"))
    assert b"t/made" in found
    return [field for field in found if field != b"t/made"]


# Copies.


def test_a_copy_is_the_whole_thread_and_grows_apart(saver: RedisSaver) -> None:
    chain = Chain()
    for step in range(10):
        chain.put(saver, messages=long_list(10 * step))
        saver.put_writes(chain.config, [("c", step)], "task")
    Chain(config_of("thread", "child")).put(saver, c=1)

    saver.copy_thread("thread", "copy")
    chain.put(saver, messages=long_list(200, "original "))

    assert len(ids(saver, "copy")) == 10
    assert ids(saver, "copy", "child")
    assert values_at(saver, config_of("copy")) == {"messages": long_list(90)}
    found = saver.get_tuple(config_of("copy"))
    assert found is not None
    assert found.pending_writes == [("task", "c", 9)]
    assert found.parent_config is not None
    assert found.parent_config["configurable"]["thread_id"] == "copy"
    saver.delete_thread("thread")
    assert values_at(saver, config_of("copy")) == {"messages": long_list(90)}


def test_a_copy_replaces_what_its_target_held(saver: RedisSaver) -> None:
    Chain(config_of("target")).put(saver, old=1)
    Chain().put(saver, new=1)

    saver.copy_thread("thread", "target")

    assert [it.checkpoint["channel_values"] for it in saver.list(config_of("target"))] == [{"new": 1}]


def test_copying_nothing_or_onto_itself_changes_nothing(saver: RedisSaver) -> None:
    config = Chain().put(saver, channel=1)

    saver.copy_thread("nobody", "thread")
    saver.copy_thread("thread", "thread")

    assert values_at(saver, config) == {"channel": 1}


def test_a_copy_is_listed_with_all_threads(saver: RedisSaver) -> None:
    Chain().put(saver, channel=1)

    saver.copy_thread("thread", "copy")

    threads = {it.config["configurable"]["thread_id"] for it in saver.list(None)}
    assert threads == {"thread", "copy"}


# Pruning.


def test_pruning_keeps_the_latest_of_each_namespace_whole(saver: RedisSaver) -> None:
    for ns in ("", "child:1", "child:2"):
        chain = Chain(config_of("thread", ns))
        for step in range(20):
            chain.put(saver, messages=long_list(5 * step, ns), step=step)
            saver.put_writes(chain.config, [("c", step)], "task")

    saver.prune(["thread"])

    for ns in ("", "child:1", "child:2"):
        (found,) = saver.list(config_of("thread", ns))
        assert found.checkpoint["channel_values"] == {"messages": long_list(95, ns), "step": 19}
        assert found.pending_writes == [("task", "c", 19)]


def test_pruning_leaves_no_value_and_no_segment_that_nothing_names(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    chain = Chain()
    for step in range(30):
        chain.put(saver, messages=long_list(5 * step), blob=b"\x01" * (500 + step))
        saver.put_writes(chain.config, [("c", step)], f"task {step}")

    saver.prune(["thread"])

    kinds = [field[:2] for field in fields(redis_client, key_prefix)]
    assert (kinds.count(b"c/"), kinds.count(b"v/"), kinds.count(b"w/")) == (1, 2, 1)
    manifest = next(it for it in fields(redis_client, key_prefix) if it.startswith(b"v//messages"))
    held = cast("bytes", redis_client.hget(f"{key_prefix}:{{thread}}:data", manifest.decode()))
    assert kinds.count(b"s/") == len(held.partition(b"\n")[0][1:]) // 10
    assert set(kinds) <= {b"c/", b"v/", b"w/", b"s/", b"l/"}
    assert values_at(saver, config_of()) == chain.values


def test_a_conversation_goes_on_after_it_was_pruned_by_another_process(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    """What this process remembers of the pruned checkpoints is gone from the server."""
    chain = Chain()
    for step in range(20):
        chain.put(saver, messages=long_list(7 * step, str(step % 3)), step=step)
        if step % 3 == 2:
            other_saver.prune(["thread"])
        assert values_at(other_saver, config_of()) == chain.values


def test_pruning_keeps_what_a_delta_channel_is_rebuilt_from(saver: RedisSaver) -> None:
    chain = Chain()
    histories: dict[str, Any] = {}
    for step in range(30):
        put = chain.next(delta=_DeltaSnapshot([step]) if step % 10 == 4 else None, step=step)
        if step % 10 != 4:
            del put.checkpoint["channel_values"]["delta"]
        counters = {"delta": (step % 10, step % 10)}
        metadata = metadata_of(step, counters_since_delta_snapshot=counters)
        chain.config = saver.put(put.config, put.checkpoint, metadata, put.new_versions)
        del chain.values["delta"]
        saver.put_writes(chain.config, [("delta", [step])], "task")
    histories = dict(saver.get_delta_channel_history(config=config_of(), channels=["delta"]))

    saver.prune(["thread"])

    after = saver.get_delta_channel_history(config=config_of(), channels=["delta"])
    assert after == histories
    assert after["delta"]["seed"] == _DeltaSnapshot([24])
    assert len(after["delta"]["writes"]) == 5
    assert len(ids(saver, "thread")) == 6


def test_pruning_to_nothing_deletes_the_thread(saver: RedisSaver) -> None:
    Chain().put(saver, channel=1)
    Chain(config_of("other")).put(saver, channel=2)

    saver.prune(["thread"], strategy="delete")

    assert {it.config["configurable"]["thread_id"] for it in saver.list(None)} == {"other"}


def test_an_unknown_strategy_is_refused_by_name(saver: RedisSaver) -> None:
    with pytest.raises(ValueError, match="keep_everything"):
        saver.prune(["thread"], strategy="keep_everything")


async def test_a_thread_grows_whole_while_another_process_prunes_it(redis_url: str, key_prefix: str) -> None:
    async with (
        AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as writer,
        AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as other,
    ):
        chain = Chain()
        done = asyncio.Event()

        async def write() -> None:
            for step in range(150):
                await chain.aput(writer, messages=long_list(step), blob=b"\x01" * (400 + step // 9))
            done.set()

        async def prune() -> int:
            return await count(until_done=done, of=lambda: other.aprune(["thread"]))

        async def read() -> int:
            return await count(until_done=done, of=lambda: assert_whole(writer))

        _, *counts = await asyncio.gather(write(), prune(), read())
        await other.aprune(["thread"])

        assert all(counts)
        (found,) = [it async for it in other.alist(config_of())]
        assert found.checkpoint["channel_values"] == chain.values


async def count(*, until_done: asyncio.Event, of: Callable[[], Awaitable[None]]) -> int:
    times = 0
    while not until_done.is_set():
        await of()
        times += 1
    return times


async def assert_whole(saver: AsyncRedisSaver) -> None:
    checkpoint = await saver.aget(config_of())
    assert checkpoint is None or set(checkpoint["channel_values"]) == {"messages", "blob"}


async def test_a_thread_that_several_prune_at_once_is_pruned(redis_url: str, key_prefix: str) -> None:
    async with (
        AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as one,
        AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as two,
    ):
        chain = Chain()
        for step in range(50):
            await chain.aput(one, messages=long_list(step))

        await asyncio.gather(*(saver.aprune(["thread"]) for saver in (one, two, one, two)))

        (found,) = [it async for it in two.alist(config_of())]
        assert found.checkpoint["channel_values"] == chain.values


def test_a_put_again_replaces_a_checkpoint_and_keeps_its_writes(saver: RedisSaver) -> None:
    put = Chain().next(messages=long_list(30))
    config = saver.put(*put)
    saver.put_writes(config, [("c", 1)], "task")

    changed = put.checkpoint | {"channel_values": {"messages": long_list(40)}}
    changed["channel_versions"] = {"messages": "2"}
    saver.put(*Put(put.config, changed, metadata_of(9), {"messages": "2"}))

    (found,) = saver.list(config_of())
    assert found.checkpoint["channel_values"] == {"messages": long_list(40)}
    assert found.metadata["step"] == 9
    assert found.pending_writes == [("task", "c", 1)]

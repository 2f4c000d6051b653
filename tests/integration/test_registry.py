"""The registry of threads and the index of runs: each may name what is gone, none misses what exists."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of, id_of, long_list, metadata_of, values_at

if TYPE_CHECKING:
    import redis
    from langchain_core.runnables import RunnableConfig

pytestmark = pytest.mark.every_server


def put_in_run(saver: RedisSaver, chain: Chain, run: str, **changed: Any) -> RunnableConfig:
    put = chain.next(**changed)
    chain.config = saver.put(*put[:2], metadata_of(chain.step, run_id=run), put.new_versions)
    return chain.config


def test_the_checkpoints_of_runs_are_deleted_with_their_writes_in_all_threads(
    saver: RedisSaver,
) -> None:
    first, second = Chain(), Chain(config_of("second"))
    kept = put_in_run(saver, first, "kept", messages=long_list(50))
    gone = put_in_run(saver, first, "gone", messages=long_list(60))
    saver.put_writes(gone, [("c", 1)], "task")
    put_in_run(saver, second, "gone", messages=long_list(60))

    saver.delete_for_runs(["gone", "never"])

    assert [id_of(it.config) for it in saver.list(None)] == [id_of(kept)]
    assert values_at(saver, kept) == {"messages": long_list(50)}
    assert saver.get_tuple(gone) is None


def test_a_run_goes_on_in_a_thread_that_was_deleted_by_another_process(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    """The index of runs may name threads that are gone; it never misses one that exists."""
    put_in_run(saver, Chain(), "run", channel=1)
    other_saver.delete_thread("thread")
    config = put_in_run(saver, Chain(), "run", channel=2)

    saver.delete_for_runs(["run"])

    assert saver.get_tuple(config) is None


def test_a_run_goes_on_in_a_thread_whose_part_of_it_was_deleted_by_another_process(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    put_in_run(saver, Chain(), "run", channel=1)
    other_saver.delete_for_runs(["run"])
    config = put_in_run(saver, Chain(), "run", channel=2)

    saver.delete_for_runs(["run"])

    assert saver.get_tuple(config) is None


def test_no_index_of_runs_is_left_of_threads_that_are_gone(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    chain = Chain()
    for step in range(5):
        put_in_run(saver, chain, f"run {step}", step=step)
    saver.copy_thread("thread", "copy")

    saver.delete_for_runs(["run 0"])
    saver.prune(["copy"])
    saver.delete_thread("thread")
    assert run_keys(redis_client, key_prefix) == {b"run%204"}
    saver.delete_thread("copy")

    assert run_keys(redis_client, key_prefix) == set()


def run_keys(client: redis.Redis, prefix: str) -> set[bytes]:
    start = f"{prefix}:run:{{".encode()
    keys = cast("list[bytes]", client.keys(f"{prefix}:run:*"))
    return {key.removeprefix(start).removesuffix(b"}") for key in keys}


# The registry of threads.


def test_all_threads_are_listed_the_last_used_first(saver: RedisSaver) -> None:
    for thread in ("b", "a", "c"):
        Chain(config_of(thread)).put(saver, channel=1)

    threads = [it.config["configurable"]["thread_id"] for it in saver.list(None)]

    assert set(threads) == {"a", "b", "c"}


def test_a_thread_that_only_has_writes_is_registered_and_deleted(
    saver: RedisSaver, redis_client: redis.Redis
) -> None:
    saver.put_writes(config_of(checkpoint_id="never"), [("c", 1)], "task")
    assert list(saver.list(None)) == []

    saver.delete_thread("thread")

    assert [key for key in redis_client.scan_iter() if b":threads:" not in key] == []


def test_a_thread_that_was_deleted_and_made_again_is_listed(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    for deleter in (saver, other_saver):
        Chain().put(saver, channel=1)
        deleter.delete_thread("thread")
        assert list(other_saver.list(None)) == []
        config = Chain().put(saver, channel=2)
        assert [it.config for it in other_saver.list(None)] == [config]


def registered(client: redis.Redis, prefix: str) -> dict[bytes, str]:
    """Each thread of the registry, and the shard that names it."""
    shards = cast("list[bytes]", client.keys(f"{prefix}:threads:*"))
    return {name: shard.decode() for shard in shards for name in members(client, shard)}


def members(client: redis.Redis, shard: bytes) -> list[bytes]:
    return cast("list[bytes]", client.zrange(shard, 0, -1))


def test_a_listing_forgets_threads_that_are_long_gone_and_no_others(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    """One that is gone just now may be about to be written: it is registered before it is."""
    for thread in ("alive", "gone-long-ago", "gone-just-now"):
        Chain(config_of(thread)).put(saver, channel=1)
    saver.delete_thread("gone-long-ago")
    saver.delete_thread("gone-just-now")
    shards = registered(redis_client, key_prefix)
    for name in (b"alive", b"gone-long-ago"):
        redis_client.zadd(shards[name], {name: (time.time() - 3_600) * 1_000})

    assert len(list(saver.list(None))) == 1

    assert set(registered(redis_client, key_prefix)) == {b"alive", b"gone-just-now"}


def test_a_thread_is_found_among_many_that_were_used_in_the_same_millisecond(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    config = Chain().put(saver, channel=1)
    shard = registered(redis_client, key_prefix)[b"thread"]
    now = int(time.time() * 1_000)
    redis_client.zadd(shard, {f"gone {n}": now for n in range(1_000)} | {"thread": now})
    redis_client.zadd(shard, {f"earlier {n}": now - 1 for n in range(300)})

    assert [found.config for found in saver.list(None)] == [config]


def test_prefixes_keep_savers_apart(saver: RedisSaver, redis_url: str, key_prefix: str) -> None:
    config = put_in_run(saver, Chain(), "run", channel=1)
    with RedisSaver.from_conn_string(redis_url, key_prefix=f"{key_prefix}-other") as other:
        assert other.get_tuple(config) is None
        assert list(other.list(None)) == []
        put_in_run(other, Chain(), "run", channel=2)
        other.delete_for_runs(["run"])
        other.delete_thread("thread")

    assert values_at(saver, config) == {"channel": 1}

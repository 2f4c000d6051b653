"""The registry of threads and the index of runs: each may name what is gone, none misses what exists."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph._redis.drivers import SyncDriver
from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of, id_of, long_list, metadata_of, values_at

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from langchain_core.runnables import RunnableConfig

    from counters import RoundTrips

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


def test_a_listing_forgets_threads_that_are_gone_at_once_and_no_others(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    """However new the entry: a thread begins in a call that registers it."""
    for thread in ("alive", "gone-long-ago", "gone-just-now"):
        Chain(config_of(thread)).put(saver, channel=1)
    saver.delete_thread("gone-long-ago")
    saver.delete_thread("gone-just-now")
    shards = registered(redis_client, key_prefix)
    assert shards.keys() == {b"alive", b"gone-long-ago", b"gone-just-now"}
    for name in (b"alive", b"gone-long-ago"):
        redis_client.zadd(shards[name], {name: (time.time() - 3_600) * 1_000})

    assert len(list(saver.list(None))) == 1

    assert set(registered(redis_client, key_prefix)) == {b"alive"}


@pytest.mark.parametrize(("minutes", "left"), [(4, {b"alive", b"gone"}), (6, {b"alive"})])
def test_on_a_cluster_a_listing_forgets_threads_that_are_gone_after_five_minutes(
    redis_client: redis.Redis, key_prefix: str, minutes: int, left: set[bytes]
) -> None:
    """Calls go one by one there, so a thread may be registered and about to begin."""
    with RedisSaver(redis_client=redis_client, key_prefix=key_prefix) as saver:
        clustered(saver)
        for thread in ("alive", "gone"):
            Chain(config_of(thread)).put(saver, channel=1)
        saver.delete_thread("gone")
        for name, shard in registered(redis_client, key_prefix).items():
            redis_client.zadd(shard, {name: (time.time() - 60 * minutes) * 1_000})

        assert len(list(saver.list(None))) == 1

    assert set(registered(redis_client, key_prefix)) == left


def clustered(saver: RedisSaver) -> None:
    """Have a saver do as it does on a cluster."""
    saver._core = replace(saver._core, cluster=True)
    saver._latest_plans = replace(saver._plans, core=saver._core)
    saver._driver = SyncDriver(saver.client, cluster=True)


def test_a_thread_that_is_gone_leaves_the_indexes_of_its_runs_with_the_next_listing(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    """As one does that expired: nobody was told when it went."""
    put_in_run(saver, Chain(), "gone with it", channel=1)
    put_in_run(saver, Chain(config_of("alive")), "stays", channel=1)
    redis_client.delete(f"{key_prefix}:{{thread}}:data", f"{key_prefix}:{{thread}}:index")

    list(saver.list(None))

    assert run_keys(redis_client, key_prefix) == {b"stays"}
    assert linked(redis_client, key_prefix) == {b"alive\x00r/stays"}
    assert set(registered(redis_client, key_prefix)) == {b"alive"}


def linked(client: redis.Redis, prefix: str) -> set[bytes]:
    """What is known of where threads stand."""
    shards = cast("list[bytes]", client.keys(f"{prefix}:links:*"))
    return {link for shard in shards for link in members(client, shard)}


def test_each_thread_of_a_run_is_known_to_stand_in_its_index(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    for thread in ("a", "b"):
        put_in_run(saver, Chain(config_of(thread)), "run", channel=1)

    assert linked(redis_client, key_prefix) == {b"a\x00r/run", b"b\x00r/run"}
    assert set(members(redis_client, f"{key_prefix}:run:{{run}}".encode())) == {b"a", b"b"}


def test_threads_without_runs_stand_in_no_index(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    Chain().put(saver, channel=1)

    assert linked(redis_client, key_prefix) == run_keys(redis_client, key_prefix) == set()


def test_a_saver_that_keeps_the_newest_registers_a_thread_once_a_minute_like_any_other(
    redis_url: str, key_prefix: str, round_trips: Callable[[], RoundTrips]
) -> None:
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, keep_last=3) as saver:
        chain = Chain()
        put_in_run(saver, chain, "run", channel=0)
        with round_trips() as seen:
            for step in range(1, 10):
                put_in_run(saver, chain, "run", channel=step)

    assert seen.commands["multi"] == 0
    assert seen.round_trips == 9


def names_in(shard: str, saver: RedisSaver, mark: str, count: int) -> list[str]:
    """Names of threads that this shard lists."""
    of = saver._core.keys
    names = (f"{mark}-{number}" for number in itertools.count())
    own = (name for name in names if of.registry(of.thread(name)) == shard.encode())
    return list(itertools.islice(own, count))


def test_a_thread_is_found_among_many_that_were_used_in_the_same_millisecond(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    config = Chain().put(saver, channel=1)
    shard = registered(redis_client, key_prefix)[b"thread"]
    now = int(time.time() * 1_000)
    gone, earlier = names_in(shard, saver, "gone", 1_000), names_in(shard, saver, "earlier", 300)
    redis_client.zadd(shard, dict.fromkeys([*gone, "thread"], now) | dict.fromkeys(earlier, now - 1))

    assert [found.config for found in saver.list(None)] == [config]
    assert members(redis_client, shard.encode()) == [b"thread"]


def test_prefixes_keep_savers_apart(saver: RedisSaver, redis_url: str, key_prefix: str) -> None:
    config = put_in_run(saver, Chain(), "run", channel=1)
    with RedisSaver.from_conn_string(redis_url, key_prefix=f"{key_prefix}-other") as other:
        assert other.get_tuple(config) is None
        assert list(other.list(None)) == []
        put_in_run(other, Chain(), "run", channel=2)
        other.delete_for_runs(["run"])
        other.delete_thread("thread")

    assert values_at(saver, config) == {"channel": 1}

"""A server that evicted one of a thread's keys: the thread is gone, or its index is made anew."""

from __future__ import annotations

import os
from typing import Any

import pytest
import redis

from langgraph.checkpoint.redis import EvictionWarning, RedisSaver
from servers import start_valkey
from steps import Chain, config_of, id_of, long_list, metadata_of, values_at

WHOLE: Any = {"configurable": {"thread_id": "thread"}}


@pytest.fixture
def chain(saver: RedisSaver) -> Chain:
    """Three checkpoints with writes, and one of a subgraph."""
    made = Chain()
    for step in range(3):
        put = made.next(messages=long_list(10 + step))
        made.config = saver.put(put.config, put.checkpoint, metadata_of(step, run_id="run"), put.new_versions)
        saver.put_writes(made.config, [("messages", step)], f"task {step}")
    Chain(config_of(checkpoint_ns="child:1")).put(saver, a=1)
    return made


def everything(saver: RedisSaver) -> list[Any]:
    return [(it.config, it.checkpoint, it.metadata, it.pending_writes) for it in saver.list(WHOLE)]


def evict(client: redis.Redis, prefix: str, which: str) -> None:
    assert client.delete(f"{prefix}:{{thread}}:{which}") == 1


@pytest.mark.parametrize("read", ["get", "list", "history", "put", "prune", "get_ttl"])
def test_an_index_that_was_evicted_is_made_anew(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, chain: Chain, read: str
) -> None:
    before = everything(saver)
    index = f"{key_prefix}:{{thread}}:index"
    members = redis_client.zrange(index, 0, -1)
    saver.set_ttl("thread", 60)
    evict(redis_client, key_prefix, "index")

    if read == "get":
        assert saver.get_tuple(config_of()) is not None
    elif read == "history":
        saver.get_delta_channel_history(config=config_of(), channels=["messages"])
    elif read == "put":
        saver.put_writes(chain.config, [("messages", 2)], "task 2")
        Chain(config_of(checkpoint_ns="child:1", checkpoint_id=None)).put(saver, a=2)
    elif read == "prune":
        saver.prune(["thread"], keep_last=3)
    elif read == "get_ttl":
        assert saver.get_ttl("thread") is not None
    after = everything(saver)

    assert after[-len(before) :] == before
    assert len(after) == len(before) + (read == "put")
    assert set(members) <= set(redis_client.zrange(index, 0, -1))
    assert redis_client.pttl(index) > 0


def test_a_checkpoint_is_found_by_its_id_without_the_index(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, chain: Chain
) -> None:
    evict(redis_client, key_prefix, "index")

    found = saver.get_tuple(chain.config)

    assert found is not None
    assert found.checkpoint["id"] == id_of(chain.config)


def test_a_thread_whose_data_were_evicted_is_gone(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, chain: Chain
) -> None:
    evict(redis_client, key_prefix, "data")

    assert saver.get_tuple(config_of()) is None
    assert saver.get_tuple(chain.config) is None
    assert list(saver.list(config_of())) == []
    assert list(saver.list(None)) == []
    assert saver.get_delta_channel_history(config=chain.config, channels=["messages"]) == {
        "messages": {"writes": []}
    }


@pytest.mark.parametrize("writes_first", [False, True])
def test_a_thread_that_begins_after_its_data_were_evicted_holds_nothing_of_the_old(
    saver: RedisSaver,
    other_saver: RedisSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    chain: Chain,
    *,
    writes_first: bool,
) -> None:
    """By a process that still remembers the old one's segments, and by one that does not."""
    evict(redis_client, key_prefix, "data")
    if writes_first:
        other_saver.put_writes(chain.config, [("messages", "new")], "task")

    chain.put(saver, messages=long_list(20))

    assert [id_of(found.config) for found in saver.list(config_of())] == [id_of(chain.config)]
    assert values_at(other_saver, config_of()) == {"messages": long_list(20)}


@pytest.mark.parametrize(
    ("policy", "ttl", "warns"),
    [
        ("allkeys-lru", None, True),
        ("volatile-lru", None, False),
        ("volatile-ttl", {"default_ttl": 5}, True),
        ("noeviction", {"default_ttl": 5}, False),
    ],
)
def test_setup_warns_of_what_may_drop_live_threads(policy: str, ttl: Any, *, warns: bool) -> None:
    server = start_valkey()
    try:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory", "100mb")
            client.config_set("maxmemory-policy", policy)
        with RedisSaver.from_conn_string(server.url, ttl=ttl) as saver:
            if warns:
                with pytest.warns(EvictionWarning, match=f"maxmemory-policy is {policy}"):
                    saver.setup()
            else:
                saver.setup()
    finally:
        server.stop()


def test_under_real_eviction_a_read_is_whole_or_says_that_the_thread_is_gone() -> None:
    """A small server that evicts all the time, and threads that are checked after each round."""
    server = start_valkey()
    try:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory-policy", "allkeys-random")
            client.config_set("maxmemory", client.info("memory")["used_memory"] + 3_000_000)
        with RedisSaver.from_conn_string(server.url) as saver:
            gone = _rounds(saver)
        assert gone > 0
    finally:
        server.stop()


def _rounds(saver: RedisSaver) -> int:
    gone = 0
    chains = {name: Chain(config_of(name)) for name in map(str, range(60))}
    for step in range(12):
        for chain in chains.values():
            chain.put(saver, messages=[os.urandom(1000).hex() for _ in range(4)], step=step)
        for name, chain in chains.items():
            found = values_at(saver, config_of(name))
            assert found in (None, chain.values)
            gone += found is None
    return gone

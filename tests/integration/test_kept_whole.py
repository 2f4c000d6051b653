"""What is kept stays whole, and nothing stays that is not kept: where puts, drops and evictions meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from langgraph.checkpoint.redis import CheckpointNotFoundError, RedisSaver
from langgraph.checkpoint.redis.keys import SEGMENT_NAME_LENGTH
from steps import Chain, Put, config_of, id_of, long_list, metadata_of, values_at

MakeSaver = Callable[..., RedisSaver]


@pytest.fixture
def unnamed(redis_client: redis.Redis, key_prefix: str) -> Callable[[], set[bytes]]:
    """Segments of the thread that no value and no write names."""

    def look() -> set[bytes]:
        found: Any = redis_client.hgetall(f"{key_prefix}:{{thread}}:data")
        segments = {name[2:] for name in found if name.startswith(b"s/")}
        texts = [data for name, data in found.items() if name[:2] in {b"v/", b"w/"}]
        return {name for name in segments if not any(name in text for text in texts)}

    assert SEGMENT_NAME_LENGTH == 10
    return look


def put_by(saver: RedisSaver, chain: Chain, run: str, **changed: Any) -> Any:
    put = chain.next(**changed)
    metadata = metadata_of(chain.step, run_id=run)
    chain.config = saver.put(put.config, put.checkpoint, metadata, put.new_versions)
    return chain.config


def test_a_put_sent_again_whole_leaves_what_writes_name(
    make_saver: MakeSaver, unnamed: Callable[[], set[bytes]]
) -> None:
    """Something that it reuses was deleted behind its back; other values are there still."""
    bounded, other, chain = make_saver(3), make_saver(None), Chain()
    said = long_list(30)
    put_by(bounded, chain, "first", said=said)
    longer = said + long_list(3, "more")
    kept = put_by(bounded, chain, "first", said=longer)
    bounded.put_writes(kept, [("task", {"state": longer})], "task")
    put_by(bounded, chain, "second", beside=long_list(10, "beside"))
    other.delete_for_runs(["second"])

    for step in range(2):
        put_by(bounded, chain, "third", count=step)

    found = other.get_tuple(kept)
    assert found is not None
    assert found.pending_writes == [("task", "task", {"state": longer})]
    assert values_at(other, config_of()) == chain.values
    assert unnamed() == set()


def test_a_value_that_repeats_another_many_times_stays_readable(make_saver: MakeSaver) -> None:
    saver, chain = make_saver(2), Chain()
    said = long_list(12)
    chain.put(saver, said=said)
    chain.put(saver, trace=[said] * 1500)

    for step in range(3):
        chain.put(saver, said=[*said, f"more {step}" * 100])

    assert values_at(make_saver(None), config_of()) == chain.values


def subgraph_put(saver: RedisSaver, maker: Any, ns: str) -> None:
    chain = Chain(config_of(checkpoint_ns=ns))
    put = chain.next(a=ns)
    metadata = {**metadata_of(), "parents": {"": id_of(maker)}}
    saver.put(put.config, put.checkpoint, metadata, put.new_versions)  # type: ignore[arg-type]  # a wider dict


def test_an_index_made_anew_knows_which_calls_belong_to_what(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    saver, chain = make_saver(2), Chain()
    for step in range(2):
        subgraph_put(saver, chain.put(saver, a=step), f"node:{step}")
    redis_client.delete(f"{key_prefix}:{{thread}}:index")

    for step in range(2):
        chain.put(saver, a=step)

    listed = saver.list({"configurable": {"thread_id": "thread"}})
    assert {it.config["configurable"]["checkpoint_ns"] for it in listed} == {""}
    assert not [name for name in redis_client.hkeys(f"{key_prefix}:{{thread}}:data") if name[:2] == b"u/"]


def with_delta(put: Put) -> tuple[Any, ...]:
    """A put whose channel `grown` is rebuilt from its ancestors."""
    metadata = {**put.metadata, "counters_since_delta_snapshot": {"grown": (1, 1)}}
    versions = {**put.checkpoint["channel_versions"], "grown": "1"}
    return put.config, {**put.checkpoint, "channel_versions": versions}, metadata, put.new_versions


@pytest.mark.parametrize("written", [False, True])
def test_a_thread_that_is_gone_does_not_lose_a_delta_channel_in_silence(
    make_saver: MakeSaver, *, written: bool
) -> None:
    saver, chain = make_saver(None), Chain()
    chain.put(saver, a=1)
    put = chain.next(a=2)
    saver.delete_thread("thread")
    if written:  # The writes come first, and begin the thread anew.
        saver.put_writes(config_of(checkpoint_id=put.checkpoint["id"]), [("grown", [1])], "task")

    with pytest.raises(CheckpointNotFoundError, match="a ttl must be longer than the longest step"):
        saver.put(*with_delta(put))

    assert saver.get_tuple(config_of()) is None


def test_a_call_whose_maker_is_about_to_be_put_is_not_over(make_saver: MakeSaver) -> None:
    saver, chain = make_saver(None), Chain()
    maker = chain.next(a=1)
    subgraph_put(saver, config_of(checkpoint_id=maker.checkpoint["id"]), "node:1")

    saver.prune(["thread"], keep_last=1)

    assert values_at(saver, config_of(checkpoint_ns="node:1")) == {"a": "node:1"}


def test_a_put_that_leaves_the_dropping_to_a_sweep_is_kept_itself(make_saver: MakeSaver) -> None:
    saver, chain = make_saver(None), Chain()
    old = chain.next(a="old")
    for step in range(150):
        chain.put(saver, a=step)

    put = make_saver(10).put(*old)

    assert values_at(saver, put) == {"a": "old"}


def test_a_thread_that_began_anew_elsewhere_is_found_by_what_is_put_next(
    redis_url: str, key_prefix: str
) -> None:
    options: Any = {"key_prefix": key_prefix, "index_metadata": ["user"]}
    with RedisSaver(redis_url, **options) as one, RedisSaver(redis_url, **options) as other:
        for saver, user in ((one, "ann"), (other, "bob"), (one, "ann")):
            if saver is other:
                saver.delete_thread("thread")
            put = Chain().next(a=1)
            saver.put(put.config, put.checkpoint, metadata_of(user=user), put.new_versions)

        assert [found.thread_id for found in other.threads(filter={"user": "ann"})] == ["thread"]


def test_a_thread_that_lost_all_its_checkpoints_is_gone(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    saver, chain = make_saver(None), Chain()
    subgraph_put(saver, put_by(saver, chain, "run", a=1), "node:1")
    saver.delete_for_runs(["run"])
    assert values_at(saver, config_of(checkpoint_ns="node:1")) is not None
    saver.prune(["thread"], strategy="delete")
    put_by(saver, Chain(), "run", a=1)

    saver.delete_for_runs(["run"])

    assert redis_client.keys(f"{key_prefix}:{{thread}}:*") == []
    assert list(saver.threads()) == []


def test_one_put_does_not_drop_thousands_of_a_calls_checkpoints_at_once(
    make_saver: MakeSaver, redis_client: redis.Redis
) -> None:
    unbounded, bounded, chain = make_saver(None), make_saver(1), Chain()
    maker = chain.put(unbounded, a=1)
    below = Chain(config_of(checkpoint_ns="node:1"))
    for step in range(800):
        put = below.next(a=step)
        metadata: Any = {**metadata_of(step), "parents": {"": id_of(maker)}}
        below.config = unbounded.put(put.config, put.checkpoint, metadata, put.new_versions)
    redis_client.config_resetstat()

    chain.put(bounded, a=2)

    assert [
        it.config["configurable"]["checkpoint_ns"]
        for it in bounded.list({"configurable": {"thread_id": "thread"}})
    ] == [""]
    stats: Any = redis_client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] + stats.get("cmdstat_eval", {"calls": 0})["calls"] > 10

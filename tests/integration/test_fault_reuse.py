"""What a put counts on may be gone, or another's, by the time it is sent: nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

from damage import fields, thread_keys
from steps import Chain, checkpoint_of, config_of, long_list, metadata_of, next_version, values_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions

    from langgraph.checkpoint.redis import RedisSaver


def grown(saver: RedisSaver) -> Chain:
    """A thread whose `messages` have segments, whose `blob` is whole, and neither new at the end."""
    chain = Chain()
    for step in range(1, 31):
        chain.put(saver, messages=long_list(4 * step))
    chain.put(saver, blob=b"\x00" * 2_000)
    chain.put(saver, step=1)
    return chain


def all_but_own_facts(client: redis.Redis, prefix: str) -> list[bytes]:
    return [field for field in fields(client, prefix, b"") if not field.startswith(b"t/")]


def beside(savers: Iterator[RedisSaver], channel: str) -> RunnableConfig:
    """Two checkpoints: one with a value of a channel, one with its version, put by who never had it."""
    first = checkpoint_of({channel: long_list(20)}, {channel: "1"}, "1")
    config = next(savers).put(config_of(), first, metadata_of(), {channel: "1"})
    second = checkpoint_of({"messages": ["said"] * 300}, {"messages": "1", channel: "1"}, "2")
    return next(savers).put(config, second, metadata_of(), {"messages": "1"})


@pytest.mark.every_server
@pytest.mark.parametrize(
    ("start", "changed"),
    [
        pytest.param(b"c/", {"messages": long_list(130)}, id="records, and a value grows"),
        pytest.param(b"c/", {"step": 2}, id="records, and values stay"),
        pytest.param(b"s/", {"messages": long_list(130)}, id="segments, and a value grows"),
        pytest.param(b"s/", {"step": 2}, id="segments, and values stay"),
        pytest.param(b"v//messages/", {"messages": long_list(130)}, id="a value that grows"),
        pytest.param(b"", {"messages": long_list(130)}, id="all, and a value grows"),
        pytest.param(b"", {"step": 2}, id="all, and values stay"),
    ],
)
def test_a_put_loses_nothing_that_vanished_since_the_last_one(
    saver: RedisSaver,
    other_saver: RedisSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    *,
    start: bytes,
    changed: dict[str, Any],
) -> None:
    """Whoever drops a value drops all checkpoints that name it."""
    chain = grown(saver)
    vanished = [
        name for name in all_but_own_facts(redis_client, key_prefix) if name.startswith(start or name)
    ]
    assert vanished
    redis_client.hdel(thread_keys(key_prefix)[0], *vanished)

    chain.put(saver, **changed)

    assert values_at(other_saver, config_of()) == chain.values


@pytest.mark.every_server
@pytest.mark.parametrize("stays", [False, True], ids=["a value grows", "values stay"])
def test_a_put_loses_nothing_when_each_single_segment_vanished(
    saver: RedisSaver,
    make_saver: Callable[..., RedisSaver],
    redis_client: redis.Redis,
    key_prefix: str,
    *,
    stays: bool,
) -> None:
    chain = grown(saver)
    for segment in fields(redis_client, key_prefix, b"s/"):
        redis_client.hdel(thread_keys(key_prefix)[0], segment)
        more = [*chain.values["messages"], "more"]
        chain.put(saver, **({"step": chain.step} if stays else {"messages": more}))
        assert values_at(make_saver(None), config_of()) == chain.values


@pytest.mark.every_server
@pytest.mark.parametrize("alike", [0, 110], ids=["another value", "a value that begins alike"])
def test_a_put_loses_nothing_when_others_made_a_version_anew_and_dropped_its_segments(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, alike: int
) -> None:
    """The checkpoint is there, and a value at that version; but the segments that it had are not."""
    chain = grown(saver)
    before = fields(redis_client, key_prefix, b"s/")
    assert other_saver.get(config_of()) is not None
    fork = Chain(chain.config, chain.values, chain.versions)
    other = fork.next(messages=[*long_list(alike), *["of another process " * 20] * 50])
    version = chain.versions["messages"]  # As versions are that are whole numbers.
    other.checkpoint["channel_versions"]["messages"] = other.new_versions["messages"] = version
    other_saver.put(*other)
    other_saver.prune(["thread"], keep_last=2)
    assert set(before) - set(fields(redis_client, key_prefix, b"s/"))

    chain.put(saver, messages=long_list(130))

    assert values_at(other_saver, config_of()) == chain.values


@pytest.mark.every_server
def test_a_process_that_knows_nothing_looks_for_each_value_that_stays(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    chain = grown(saver)
    redis_client.hdel(thread_keys(key_prefix)[0], *fields(redis_client, key_prefix, b"v//blob/"))

    chain.put(other_saver, step=2)

    assert values_at(saver, config_of()) == chain.values
    assert other_saver.stats().sent_again == 1


def test_a_put_loses_nothing_when_others_put_its_checkpoint_anew_without_some_channel(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    """The checkpoint is there, under its id; but it is another one, and the values are gone."""
    chain = Chain()
    chain.put(saver, messages=long_list(20))
    step = chain.next(blob=b"\x00" * 2_000)
    chain.config = saver.put(*step)
    Chain().put(other_saver, newer=1)
    other_saver.prune(["thread"], keep_last=1)
    version = next_version(str(chain.versions["messages"]), None)
    edited = checkpoint_of({"messages": ["edited"] * 300}, {"messages": version}, step.checkpoint["id"])
    other_saver.put(step.config, edited, step.metadata, {"messages": version})

    chain.put(saver, step=2)

    assert values_at(other_saver, config_of()) == chain.values


@pytest.mark.parametrize("instead", [None, "another"], ids=["nothing", "another channel's"])
def test_a_put_loses_nothing_when_others_made_its_checkpoint_anew_and_a_value_was_not_found(
    saver: RedisSaver, make_saver: Callable[..., RedisSaver], instead: str | None
) -> None:
    """Of a version whose value it was not given, a put keeps what another checkpoint stored, if it is."""
    others = (make_saver(None) for _ in range(4))
    config = beside(others, "snapshot")
    known = values_at(saver, config)
    assert known == {"messages": ["said"] * 300, "snapshot": long_list(20)}
    make_saver(None).delete_thread("thread")
    if instead:
        beside(others, instead)
    else:
        again = checkpoint_of({"messages": ["said"] * 300}, {"messages": "1", "snapshot": "1"}, "2")
        next(others).put(config, again, metadata_of(), {"messages": "1"})

    versions: ChannelVersions = {"messages": "1", "snapshot": "1", "step": "1"}
    saver.put(config, checkpoint_of({**known, "step": 1}, versions, "3"), metadata_of(), {"step": "1"})

    assert values_at(make_saver(None), config_of()) == {**known, "step": 1}


def test_a_checkpoint_put_anew_without_any_value_keeps_what_its_writes_need_and_is_read(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    chain = Chain()
    step = chain.next(messages=long_list(20))
    config = saver.put(*step)
    saver.put_writes(config, [("messages", long_list(20))], "task")

    other_saver.put(step.config, checkpoint_of({}, {}, step.checkpoint["id"]), step.metadata, {})

    found = saver.get_tuple(config_of())
    assert found is not None
    assert found.checkpoint["channel_values"] == {}
    assert found.pending_writes == [("task", "messages", long_list(20))]


def test_a_put_loses_nothing_when_the_one_before_it_failed_under_an_id_that_is_stored(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis
) -> None:
    chain = Chain()
    chain.put(saver, messages=long_list(20), blob=b"\x00" * 2_000)
    step = chain.next(step=1)
    chain.config = saver.put(*step)
    again = chain.next(blob=b"\x01" * 2_000)
    again.checkpoint["id"] = step.checkpoint["id"]
    limit: Any = redis_client.config_get("maxmemory")
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            saver.put(*again)
    finally:
        redis_client.config_set("maxmemory", limit["maxmemory"])

    chain.put(saver, step=2)

    assert values_at(other_saver, config_of()) == chain.values


def test_a_put_loses_nothing_when_the_thread_vanished(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    chain = grown(saver)
    redis_client.delete(*thread_keys(key_prefix))

    chain.put(saver, messages=long_list(130))

    assert values_at(other_saver, config_of()) == chain.values


def test_a_put_loses_nothing_when_another_process_deleted_the_thread(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    chain = grown(saver)
    other_saver.delete_thread("thread")

    chain.put(saver, messages=long_list(130))

    assert values_at(other_saver, config_of()) == chain.values
    assert len(list(saver.list(None))) == 1


def test_a_put_loses_nothing_when_another_process_replaced_the_thread(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    chain = grown(saver)
    other_saver.delete_thread("thread")
    Chain().put(other_saver, messages=["something else " * 200] * 20)

    chain.put(saver, messages=long_list(130))

    assert values_at(other_saver, config_of()) == chain.values

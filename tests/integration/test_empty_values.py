"""Empty lists and dicts stand in the record: what a program does to its own objects does not reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from damage import fields, thread_keys
from steps import Chain, checkpoint_of, config_of, long_list, metadata_of, values_at

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph.checkpoint.redis import RedisSaver

    Change = Callable[[dict[str, Any]], object]


def changed_between(saver: BaseCheckpointSaver[str], change: Change) -> list[dict[str, Any] | None]:
    """The values of two checkpoints, between which the program changed an object and no version."""
    chain = Chain()
    first = chain.put(saver, empty=[], none={}, some=[1], more={"a": 1})
    change(chain.values)
    second = chain.put(saver, step=1)
    return [values_at(saver, first), values_at(saver, second)]


def filled(values: dict[str, Any]) -> None:
    values["empty"].append(1)
    values["none"]["a"] = 1


def emptied(values: dict[str, Any]) -> None:
    values["some"].clear()
    values["more"].clear()


@pytest.mark.parametrize("change", [filled, emptied])
def test_what_was_stored_at_a_version_stays(saver: RedisSaver, change: Change) -> None:
    assert changed_between(saver, change) == changed_between(InMemorySaver(), change)


def test_what_was_stored_stays_where_the_put_is_sent_again_whole(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    chain, large = Chain(), long_list(20)
    first = chain.put(saver, empty=[], emptied=[1], large=large, new=[1])
    chain.values["empty"].append(1)
    redis_client.hdel(thread_keys(key_prefix)[0], *fields(redis_client, key_prefix, b"s/"))

    second = chain.put(saver, new=[])

    assert values_at(saver, second) == {"empty": [], "emptied": [1], "large": large, "new": []}
    assert values_at(saver, first) == {"empty": [], "emptied": [1], "large": large, "new": [1]}


def test_what_is_new_counts_where_the_put_is_sent_again_whole_though_its_version_is_known(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    large, versions = long_list(20), {"small": "1", "large": "1"}
    before = {"small": 1, "large": large}
    config = saver.put(config_of(), checkpoint_of(before, dict(versions), "1"), metadata_of(), dict(versions))
    redis_client.hdel(thread_keys(key_prefix)[0], *fields(redis_client, key_prefix, b"s/"))

    after = {"small": 2, "large": large}
    config = saver.put(config, checkpoint_of(after, dict(versions), "2"), metadata_of(), {"small": "1"})

    assert values_at(saver, config) == after


def without_value(saver: BaseCheckpointSaver[str], config: RunnableConfig) -> dict[str, Any] | None:
    """The values of a checkpoint that has the version of `empty` and brings no value."""
    bare = checkpoint_of({}, {"empty": "1"}, "2")
    return values_at(saver, saver.put(config, bare, metadata_of(), {}))


@pytest.mark.parametrize("reads", [0, 1])
def test_what_is_known_of_a_thread_is_not_the_callers_object(saver: RedisSaver, reads: int) -> None:
    given: list[int] = []
    config = saver.put(
        config_of(), checkpoint_of({"empty": given}, {"empty": "1"}, "1"), metadata_of(), {"empty": "1"}
    )
    given.append(1)
    for _ in range(reads):
        found = values_at(saver, config)
        assert found is not None
        found["empty"].append(1)

    assert without_value(saver, config) == {"empty": []}
    assert values_at(saver, config) == {"empty": []}


@pytest.mark.every_server
def test_they_take_no_field(saver: RedisSaver, redis_client: redis.Redis, key_prefix: str) -> None:
    chain = Chain()
    for _ in range(3):
        chain.put(saver, tasks=[], table={})

    assert values_at(saver, chain.config) == {"tasks": [], "table": {}}
    assert fields(redis_client, key_prefix, b"v/") == []


def test_they_are_whole_where_nothing_is_known_of_the_thread(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    chain = Chain()
    first = chain.put(saver, tasks=[], table={}, some=[1])
    second = chain.put(other_saver, step=1)

    assert values_at(other_saver, first) == {"tasks": [], "table": {}, "some": [1]}
    assert values_at(other_saver, second) == {"tasks": [], "table": {}, "some": [1], "step": 1}

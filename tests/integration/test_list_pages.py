"""A page of checkpoints: how much it holds, what it says twice, where the next one begins, what it misses."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from counters import RoundTrips
from damage import thread_keys
from langgraph.checkpoint.redis import CorruptRecordError
from langgraph.checkpoint.redis.keys import BUDGET
from steps import Chain, config_of, id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from langchain_core.runnables import RunnableConfig

    from langgraph.checkpoint.redis import RedisSaver

LARGE = 1_500_000
A_PAGE = -(-BUDGET // LARGE)
"""Of the large ones: a page ends with the one that fills it."""

THREAD: RunnableConfig = {"configurable": {"thread_id": "thread"}}


def whole(seed: int) -> bytes:
    return Random(seed).randbytes(LARGE)


def in_segments(seed: int) -> list[bytes]:
    return [Random(seed + n).randbytes(LARGE // 100) for n in range(100)]


def put_all(saver: RedisSaver, *values: Any) -> list[str]:
    """One checkpoint for each value; their ids, the last first."""
    chain = Chain()
    return [id_of(chain.put(saver, a=value)) for value in values][::-1]


def ids(saver: RedisSaver, config: RunnableConfig, **query: Any) -> list[str]:
    return [id_of(found.config) for found in saver.list(config, **query)]


def scripts_of(client: redis.Redis, read: Callable[[], object]) -> int:
    """How many scripts a read takes; read once before, so that the server has them."""
    with RoundTrips(client) as seen:
        read()
    return seen.scripts


def received(saver: RedisSaver, read: Callable[[], object]) -> int:
    before = saver.stats().bytes_received
    read()
    return saver.stats().bytes_received - before


@pytest.mark.parametrize("config", [config_of(), THREAD], ids=["one namespace", "all namespaces"])
@pytest.mark.parametrize("value", [whole, in_segments])
def test_large_checkpoints_behind_small_ones_take_a_page_for_every_few(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis, value: Any, config: RunnableConfig
) -> None:
    stored = put_all(saver, *map(value, range(0, 900, 100)), *range(20))
    found = list(other_saver.list(config))

    assert [id_of(each.config) for each in found] == stored
    assert found[-1].checkpoint["channel_values"] == {"a": value(0)}
    assert scripts_of(redis_client, lambda: ids(other_saver, config)) == 9 / A_PAGE


def test_writes_count_as_what_a_page_holds(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis
) -> None:
    chain = Chain()
    for step in range(2 * A_PAGE):
        saver.put_writes(chain.put(saver, step=step), [("a", whole(step))], "task")

    assert len(ids(other_saver, config_of())) == 2 * A_PAGE
    assert scripts_of(redis_client, lambda: ids(other_saver, config_of())) == 2


def test_matches_that_are_large_come_in_several_pages(
    saver: RedisSaver, other_saver: RedisSaver, redis_client: redis.Redis
) -> None:
    stored = put_all(saver, *map(whole, range(2 * A_PAGE)))

    def read() -> list[str]:
        return ids(other_saver, config_of(), filter={"source": "loop"})

    assert read() == stored
    assert scripts_of(redis_client, read) == 1 + 2


def test_what_many_checkpoints_share_is_sent_once_in_a_page(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    chain = Chain()
    chain.put(saver, shared=in_segments(0), other=whole(1))
    for step in range(30):
        chain.put(saver, step=step)
    other_saver.stats()

    assert received(other_saver, lambda: list(other_saver.list(config_of()))) < 2.1 * LARGE


def test_what_does_not_match_is_not_sent(saver: RedisSaver, other_saver: RedisSaver) -> None:
    put_all(saver, *map(whole, range(3)))
    other_saver.stats()

    assert received(other_saver, lambda: ids(other_saver, config_of(), filter={"no": "such"})) < 2_000


@pytest.mark.parametrize("query", [{}, {"limit": 30}, {"filter": {"source": "loop"}}], ids=str)
@pytest.mark.parametrize("place", [0, 2, 11, 24])
def test_a_record_that_is_gone_is_named_wherever_it_stood(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, place: int, query: dict[str, Any]
) -> None:
    stored = put_all(saver, *range(30))
    for lost in (stored[place], stored[-1]):
        redis_client.hdel(thread_keys(key_prefix)[0], f"c//{lost}")

    for config in (config_of(), THREAD):
        with pytest.raises(CorruptRecordError, match=rf"'c//{stored[place]}'.*gone"):
            ids(saver, config, **query)


def test_an_empty_range_of_a_thread_is_empty(saver: RedisSaver) -> None:
    stored = put_all(saver, 1, 2)

    assert ids(saver, config_of(), before=config_of(checkpoint_id=stored[-1])) == []
    assert ids(saver, config_of(checkpoint_ns="none")) == []

"""A sweep that others write beside, or that ends midway: nothing needed goes, nothing is left for ever."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import redis

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.plan import Pause, Script
from langgraph.checkpoint.redis import RedisSaver, history
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.checkpoint.redis.sweep import Sweep, of_runs
from steps import Chain, checkpoint_of, config_of, id_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph._redis.plan import Plan

T = TypeVar("T")


def prose(seed: int) -> list[str]:
    return ["".join(random.Random(f"{seed} {n}").choices("abcdefgh ", k=300)) for n in range(20)]


def run_with(saver: RedisSaver, plan: Plan[T], before_slice: Callable[[int], None]) -> T:
    """Run a plan; before each slice of a sweep, do something else."""
    slices = count(1)
    try:
        asked = next(plan)
        while True:
            assert not isinstance(asked, list)
            if isinstance(asked, Pause):
                asked = next(plan)
                continue
            if isinstance(asked.verb, Script) and asked.verb.name == "sweep":
                before_slice(next(slices))
            asked = plan.send(saver._driver._ask([asked])[0])
    except StopIteration as done:
        result: T = done.value
        return result


def put_delta(saver: RedisSaver, parent: str | None, name: str, run: str) -> None:
    """A checkpoint whose channel is rebuilt from its ancestors' writes, and one write."""
    metadata: Any = metadata_of(0, run_id=run, counters_since_delta_snapshot={"d": (1, 1)})
    saver.put(config_of("thread", "", parent), checkpoint_of({}, {"d": 1}, name), metadata, {})
    saver.put_writes(config_of("thread", "", name), [("d", f"w{name}")], "task")


def test_a_run_that_goes_on_from_what_is_being_deleted_keeps_its_delta_channel(saver: RedisSaver) -> None:
    put_delta(saver, None, "1", "first")
    put_delta(saver, "1", "2", "second")

    def go_on(number: int) -> None:
        if number == 1:
            put_delta(saver, "2", "3", "third")

    sweep = Sweep(saver._plans, saver._core.keys.thread("thread"))
    run_with(saver, sweep.drop(of_runs({b"second"})), go_on)

    found = saver.get_delta_channel_history(config=config_of("thread", "", "3"), channels=["d"])
    assert [value for _, _, value in found["d"]["writes"]] == ["w1", "w2"]


class CutOffError(Exception):
    """The sweep ends here."""


def test_a_prune_that_was_cut_off_leaves_nothing_that_the_next_does_not_find(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    chain = Chain()
    for step in range(100):
        chain.put(saver, step=step, messages=prose(step))

    def cut_off(number: int) -> None:
        if number == 3:
            raise CutOffError

    with pytest.raises(CutOffError):
        run_with(saver, history.prune(saver._plans, ["thread"], "keep_latest"), cut_off)
    assert len(list(saver.list(config_of()))) == 60
    saver.prune(["thread"])

    left = redis_client.hkeys(f"{key_prefix}:{{thread}}:data")
    assert sorted(field[:2] for field in left) == [b"c/", b"s/", b"v/"]
    assert saver.get_tuple(config_of()) is not None


def test_names_of_segments_do_not_come_again_when_a_program_seeds_its_random_numbers(
    saver: RedisSaver, other_saver: RedisSaver
) -> None:
    random.seed(1)
    Chain().put(saver, messages=prose(1))
    other_saver.delete_thread("thread")
    random.seed(1)
    Chain().put(other_saver, messages=prose(2))

    found = saver.get(config_of())

    assert found is not None
    assert found["channel_values"]["messages"] == prose(2)


@pytest.mark.parametrize("by_id", [False, True])
def test_a_checkpoint_that_the_index_names_and_the_data_lack_is_an_error(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, *, by_id: bool
) -> None:
    chain = Chain()
    chain.put(saver, channel=1)
    redis_client.delete(f"{key_prefix}:{{thread}}:data")

    with pytest.raises(CorruptRecordError, match=rf"'c//{id_of(chain.config)}' of key '.*:data'.* evicted"):
        saver.get_tuple(chain.config if by_id else config_of())
    with pytest.raises(CorruptRecordError, match="evicted"):
        list(saver.list(config_of()))


def close_idle_connections(client: redis.Redis, name: str) -> None:
    listed: Any = client.client_list()
    for connection in listed:
        if connection["name"] == name:
            client.client_kill_filter(_id=connection["id"])


def test_a_connection_that_the_server_closed_is_made_again(
    redis_url: str, redis_client: redis.Redis, key_prefix: str
) -> None:
    args = {"client_name": key_prefix}
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, connection_args=args) as saver:
        for _ in range(5):
            assert saver.get_tuple(config_of()) is None
            close_idle_connections(redis_client, key_prefix)


async def test_an_async_connection_that_the_server_closed_is_made_again(
    redis_url: str, redis_client: redis.Redis, key_prefix: str
) -> None:
    args = {"client_name": key_prefix}
    async with AsyncRedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, connection_args=args
    ) as saver:
        for _ in range(5):
            assert await saver.aget_tuple(config_of()) is None
            close_idle_connections(redis_client, key_prefix)


@pytest.mark.parametrize("strategy", ["keep_latest", "delete"])
def test_one_id_is_not_taken_for_many_of_one_letter(saver: RedisSaver, strategy: str) -> None:
    with pytest.raises(TypeError, match="thread_ids must be a sequence of ids"):
        saver.prune("12", strategy=strategy)
    with pytest.raises(TypeError, match="run_ids must be a sequence of ids"):
        saver.delete_for_runs("12")


def test_a_checkpoint_that_is_its_own_parent_has_a_history(saver: RedisSaver) -> None:
    put_delta(saver, "1", "1", "run")

    found = saver.get_delta_channel_history(config=config_of("thread", "", "1"), channels=["d"])

    assert len(found["d"]["writes"]) <= 1

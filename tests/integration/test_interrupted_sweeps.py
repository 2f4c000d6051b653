"""A sweep that others write beside, or that ends midway: nothing needed goes, nothing is left for ever."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import redis

from langgraph._redis.errors import CorruptRecordError
from langgraph._redis.plan import Call, Script
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.checkpoint.redis.sweep import Sweep, newest_of_each_namespace, of_runs
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

    def watched() -> Plan[T]:
        reply = None
        try:
            while True:
                asked = plan.send(reply)
                if isinstance(asked, Call) and isinstance(asked.verb, Script) and asked.verb.name == "sweep":
                    before_slice(next(slices))
                reply = yield asked
        except StopIteration as done:
            result: T = done.value
            return result

    return saver._run(watched())


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

    sweep = Sweep(saver._core, saver._core.keys.thread("thread"))
    run_with(saver, sweep.drop(of_runs({b"second"})), go_on)

    found = saver.get_delta_channel_history(config=config_of("thread", "", "3"), channels=["d"])
    assert [value for _, _, value in found["d"]["writes"]] == ["w1", "w2"]


@pytest.mark.parametrize("surveyed", [False, True])
def test_a_subgraph_call_that_begins_beside_a_sweep_of_ended_calls_stays_and_goes_in_its_turn(
    make_saver: Callable[..., RedisSaver], redis_client: redis.Redis, key_prefix: str, *, surveyed: bool
) -> None:
    """Also where the checkpoint it is made from comes last: LangGraph does not wait for that."""
    saver = make_saver(1)
    chain = Chain()
    for step in range(3):
        chain.put(saver, step=step)
    made_from, call = chain.next(step=3), Chain(config_of("thread", "node:task")).next(inner=1)
    parents = metadata_of(0, parents={"": made_from.checkpoint["id"]})

    def begin() -> None:
        saver.put(call.config, call.checkpoint, parents, call.new_versions)

    def go_on() -> None:
        if not surveyed:
            begin()
        chain.config = saver.put(*made_from)

    if surveyed:
        begin()
    sweep = Sweep(saver._core, saver._core.keys.thread("thread"), finished=True)
    saver._run(before_calls(sweep.drop(newest_of_each_namespace(1)), go_on))

    index = f"{key_prefix}:{{thread}}:index"
    found = saver.get_tuple(config_of("thread", "node:task"))
    assert found is not None
    assert redis_client.zlexcount(index, "[u/", "(u0") == 1
    chain.put(saver, step=4)
    assert saver.get_tuple(config_of("thread", "node:task")) is None
    assert redis_client.zlexcount(index, "[u/", "(u0") == 0


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("ns", ["node:task", "node:task|deep:call"])
def test_a_call_of_an_older_checkpoint_that_begins_beside_a_sweep_is_found_by_the_next(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, ns: str, *, finished: bool
) -> None:
    chain = Chain()
    older = id_of(chain.put(saver, step=0))
    Chain(config_of("thread", "memory")).put(saver, step=0)
    for step in range(3):
        chain.put(saver, step=step)

    def begin() -> None:
        for name in dict.fromkeys(["node:task", ns]):
            call = Chain(config_of("thread", name)).next(inner=1)
            parents = metadata_of(0, parents={"": older, "node:task": older})
            saver.put(call.config, call.checkpoint, parents, call.new_versions)

    index = f"{key_prefix}:{{thread}}:index"
    sweep = Sweep(saver._core, saver._core.keys.thread("thread"), finished=finished)
    saver._run(before_calls(sweep.drop(newest_of_each_namespace(1)), begin))
    assert saver.get_tuple(config_of("thread", ns)) is not None
    assert redis_client.zlexcount(index, "[u/", "(u0") == len(ns.split("|"))

    again = Sweep(saver._core, saver._core.keys.thread("thread"), finished=True)
    saver._run(again.drop(newest_of_each_namespace(1)))
    assert saver.get_tuple(config_of("thread", "node:task")) is None
    assert saver.get_tuple(config_of("thread", ns)) is None
    assert redis_client.zlexcount(index, "[u/", "(u0") == 0


def before_calls(plan: Plan[T], act: Callable[[], None]) -> Plan[T]:
    """A sweep; when it has made its survey and is about to ask for subgraph calls, something else happens."""
    try:
        asked = next(plan)
        while not (isinstance(asked, Call) and asked.verb == "ZRANGEBYLEX"):
            asked = plan.send((yield asked))
        act()
        while True:
            asked = plan.send((yield asked))
    except StopIteration as done:
        result: T = done.value
        return result


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

    sweep = Sweep(saver._core, saver._core.keys.thread("thread"))
    with pytest.raises(CutOffError):
        run_with(saver, sweep.drop(newest_of_each_namespace(1)), cut_off)
    assert len(list(saver.list(config_of()))) == 60
    saver.prune(["thread"])

    left = redis_client.hkeys(f"{key_prefix}:{{thread}}:data")
    assert sorted(field[:2] for field in left if field != b"t/made") == [b"c/", b"s/", b"v/"]
    assert saver.get_tuple(config_of()) is not None


def test_a_history_is_bounded_again_when_a_sweep_ended_without_a_word(
    make_saver: Callable[..., RedisSaver], redis_client: redis.Redis, key_prefix: str
) -> None:
    """Its process died, say: two minutes later the next put takes its mark away."""
    saver, chain, data = make_saver(2), Chain(), f"{key_prefix}:{{thread}}:data"
    chain.put(saver, step=0)

    def die(_: int) -> None:
        raise CutOffError

    for step in range(1, 3):
        chain.put(make_saver(None), step=step)
    sweep = Sweep(saver._core, saver._core.keys.thread("thread"))
    with pytest.raises(CutOffError):
        run_with(saver, sweep.drop(newest_of_each_namespace(1)), die)
    for step in range(3, 6):
        chain.put(saver, step=step)
    assert len(list(saver.list(config_of()))) == 6

    began: Any = redis_client.hget(data, "t/swept")
    redis_client.hset(data, "t/swept", int(began) - 120_000)
    chain.put(saver, step=6)
    assert len(list(saver.list(config_of()))) == 2
    assert not redis_client.hexists(data, "t/sweep")
    assert not redis_client.hexists(data, "t/swept")


def test_a_put_is_not_held_up_by_another_sweep(
    make_saver: Callable[..., RedisSaver], redis_client: redis.Redis, key_prefix: str
) -> None:
    saver = make_saver(None)
    chain = Chain()
    for step in range(4):
        chain.put(saver, step=step)
    begun = []

    def another(number: int) -> None:
        begun.append(number)
        redis_client.hset(f"{key_prefix}:{{thread}}:data", "t/sweep", "another")

    sweep = Sweep(saver._core, saver._core.keys.thread("thread"))
    run_with(saver, sweep.tidy(newest_of_each_namespace(1)), another)

    assert begun == [1]
    assert len(list(saver.list(config_of()))) == 4


def test_a_put_is_stored_and_says_so_though_a_record_elsewhere_cannot_be_read(
    make_saver: Callable[..., RedisSaver],
    redis_client: redis.Redis,
    key_prefix: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain, data = Chain(), f"{key_prefix}:{{thread}}:data"
    for step in range(100):  # More than a put drops by itself.
        chain.put(make_saver(None), step=step)
    elsewhere = Chain(config_of("thread", "elsewhere")).put(make_saver(None), step=0)
    redis_client.hset(data, f"c/elsewhere/{id_of(elsewhere)}", "damaged")
    saver = make_saver(1)

    chain.put(saver, step=100)

    assert len(list(saver.list(config_of()))) == 101
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "a put is stored" in told
    assert f"'c/elsewhere/{id_of(elsewhere)}'" in told
    assert not redis_client.hexists(data, "t/sweep")
    with pytest.raises(CorruptRecordError, match=r"'c/elsewhere/.* nothing was changed"):
        saver.prune(["thread"])


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
    name = id_of(chain.config)
    assert redis_client.hdel(f"{key_prefix}:{{thread}}:data", f"c//{name}") == 1

    with pytest.raises(CorruptRecordError, match=rf"'c//{name}' of key '.*:data'.* evicted"):
        saver.get_tuple(chain.config if by_id else config_of())
    with pytest.raises(CorruptRecordError, match=rf"'c//{name}' of key '.*:data'.* evicted"):
        list(saver.list(config_of()))


@pytest.mark.parametrize("by_id", [False, True])
def test_a_thread_whose_data_are_gone_is_gone_though_its_index_is_left(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str, *, by_id: bool
) -> None:
    chain = Chain()
    chain.put(saver, channel=1)
    config = chain.config if by_id else config_of()
    assert redis_client.delete(f"{key_prefix}:{{thread}}:data") == 1

    assert saver.get_tuple(config) is None
    assert list(saver.list(config)) == []
    assert saver.get_delta_channel_history(config=config, channels=["channel"]) == {"channel": {"writes": []}}
    saver.prune(["thread"])


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

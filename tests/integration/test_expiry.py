"""Threads expire whole, at one instant; what prolongs them, what pins them, what they may be told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import redis
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from damage import thread_keys
from directories import Make, Twin
from langgraph.checkpoint.redis import CorruptRecordError, RedisSaver, ThreadNotFoundError
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from steps import Chain, config_of, id_of, long_list
from waiting import eventually

HOUR = 60


@pytest.fixture
def lives(redis_client: redis.Redis, key_prefix: str) -> Callable[[str], set[int]]:
    """When the keys of a thread expire (ms since 1970; -1: never), each instant once."""

    def ask(thread: str = "thread") -> set[int]:
        found: Any = redis_client.keys(f"{key_prefix}:{{{thread}}}:*")
        # Of all keys within one millisecond: the clock that PTTL looks at stands still in a script of newer
        # servers only.
        script = redis_client.register_script(
            "local function clock()\n"
            "  local now = redis.call('TIME')\n"
            "  return now[1] * 1000 + math.floor(now[2] / 1000)\n"
            "end\n"
            "local now, lives\n"
            "repeat\n"
            "  now, lives = clock(), {}\n"
            "  for at, key in ipairs(KEYS) do\n"
            "    local left = redis.call('PTTL', key)\n"
            "    lives[at] = left < 0 and left or left + now\n"
            "  end\n"
            "until clock() == now\n"
            "return lives"
        )
        return {int(each) for each in script(keys=found)}

    return ask


def minutes_left(twin: Twin) -> float:
    left = twin.do("get_ttl", "thread")
    assert isinstance(left, float)
    return left


def put(twin: Twin, chain: Chain, **changed: Any) -> None:
    chain.config = twin.put(chain.next(**changed))


def test_after_every_kind_of_call_all_keys_expire_at_one_instant(
    make: Make, lives: Callable[..., set[int]]
) -> None:
    twin, chain = make(ttl={"default_ttl": HOUR, "refresh_on_read": True}), Chain()
    put(twin, chain, messages=long_list(50))
    after = [lives()]

    def look(_: Any = None) -> None:
        after.append(lives())

    look(twin.put_writes(chain.config, [("a", 1)], "task", ""))
    look(twin.get_tuple(config_of()))
    look(twin.list(config_of(), limit=1))
    look(twin.history(chain.config, ["messages"]))
    put(twin, chain, messages=long_list(51))
    look(twin.copy_thread("thread", "copy"))
    assert len(lives("copy")) == 1
    assert lives("copy") != {-1}
    look(twin.prune("thread"))
    look(twin.delete_for_run("no such run"))

    assert {len(each) for each in after} == {1}
    assert all(min(each) > 0 for each in after)


def test_writes_that_come_before_their_checkpoint_expire_as_well(
    make: Make, lives: Callable[..., set[int]]
) -> None:
    twin, chain = make(ttl={"default_ttl": HOUR}), Chain()
    made = chain.next(a=1)
    twin.put_writes(config_of(checkpoint_id=made.checkpoint["id"]), [("a", 1)], "task", "")
    (first,) = lives()

    twin.put(made)

    (second,) = lives()
    assert 0 < first <= second


def test_a_call_that_fails_leaves_no_key_without_a_life(
    make: Make, lives: Callable[..., set[int]], redis_client: redis.Redis, key_prefix: str
) -> None:
    twin, chain = make(ttl={"default_ttl": HOUR}), Chain()
    put(twin, chain, messages=long_list(50))
    redis_client.hset(
        f"{key_prefix}:{{thread}}:data", f"w//task/{chain.config['configurable']['checkpoint_id']}", "?"
    )

    with pytest.raises(Exception, match="cannot read field"):
        twin.put_writes(chain.config, [("a", 1)], "task", "")

    assert len(lives()) == 1
    assert lives() != {-1}


async def test_a_cancelled_call_leaves_no_key_without_a_life(
    redis_url: str, key_prefix: str, lives: Callable[..., set[int]]
) -> None:
    async with AsyncRedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, ttl={"default_ttl": HOUR}
    ) as saver:
        for turns in range(12):
            chain = Chain(config_of(f"cancelled-{turns}"))
            call = asyncio.create_task(chain.aput(saver, messages=long_list(50)))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
            assert -1 not in lives(f"cancelled-{turns}")


READS: dict[str, Callable[[Twin], object]] = {
    "get": lambda twin: twin.get_tuple(config_of()),
    "list": lambda twin: twin.list(config_of()),
    "list with a filter": lambda twin: twin.list(config_of(), filter={"source": "loop"}),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_write_prolongs_and_a_read_only_where_it_is_asked_to(
    make: Make, read: Callable[[Twin], object]
) -> None:
    for refresh in (False, True):
        twin, chain = make(ttl={"default_ttl": HOUR, "refresh_on_read": refresh}), Chain()
        put(twin, chain, a=1)
        twin.do("set_ttl", "thread", 1)
        twin.do("set_ttl", "thread", None)
        short = config_of()
        short["configurable"]["ttl"] = 1
        twin.put_writes({"configurable": {**chain.config["configurable"], "ttl": 1}}, [("a", 1)], "t", "")
        assert minutes_left(twin) <= 1

        assert read(twin)

        assert (minutes_left(twin) > 1) == refresh


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_that_fails_prolongs_nothing(
    make: Make, redis_client: redis.Redis, key_prefix: str, read: Callable[[Twin], object]
) -> None:
    twin, chain = make(ttl={"default_ttl": HOUR, "refresh_on_read": True}), Chain()
    put(twin, chain, a=1)
    twin.put_writes({"configurable": {**chain.config["configurable"], "ttl": 1}}, [("a", 1)], "t", "")
    redis_client.hdel(thread_keys(key_prefix)[0], f"c//{id_of(chain.config)}")

    with pytest.raises(CorruptRecordError, match="gone"):
        read(twin)

    assert minutes_left(twin) <= 1


def test_a_thread_that_expired_is_gone_whole_with_its_question(redis_url: str, key_prefix: str) -> None:
    class State(TypedDict):
        answer: str

    builder = StateGraph(State)
    builder.add_node("ask", lambda _: {"answer": interrupt("sure?")})
    builder.add_edge(START, "ask")
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, ttl={"default_ttl": 0.01}) as saver:
        graph = builder.compile(checkpointer=saver)
        asked = graph.invoke({"answer": ""}, config_of())
        assert asked["__interrupt__"]

        eventually(lambda: saver.get_tuple(config_of()) is None)

        assert list(saver.list(config_of())) == []
        assert graph.get_state(config_of()).interrupts == ()
        again = graph.invoke({"answer": ""}, config_of())
        assert [it.value for it in again["__interrupt__"]] == ["sure?"]
        assert graph.invoke(Command(resume="yes"), config_of())["answer"] == "yes"


def test_a_thread_may_have_a_life_of_its_own(make: Make) -> None:
    for options in ({}, {"ttl": {"default_ttl": HOUR}}):
        twin, chain = make(**options), Chain()
        put(twin, chain, a=1)

        twin.do("set_ttl", "thread", 5)
        assert 4.9 < minutes_left(twin) <= 5
        put(twin, chain, a=2)
        assert 4.9 < minutes_left(twin) <= 5

        twin.do("set_ttl", "thread", None)
        assert (twin.do("get_ttl", "thread") is None) == (not options)
        twin.delete_thread("thread")


def test_a_pin_holds_through_later_writes_reads_and_calls(make: Make, lives: Callable[..., set[int]]) -> None:
    twin, chain = make(ttl={"default_ttl": HOUR, "refresh_on_read": True}), Chain()
    put(twin, chain, a=1)

    twin.do("persist", "thread")
    put(twin, chain, a=2)
    twin.put_writes({"configurable": {**chain.config["configurable"], "ttl": 1}}, [("a", 1)], "t", "")
    twin.get_tuple(config_of())

    assert twin.do("get_ttl", "thread") is None
    assert lives() == {-1}
    twin.do("set_ttl", "thread", 2)
    assert 1.9 < minutes_left(twin) <= 2


def test_a_call_may_give_its_own_life_and_no_trace_of_it_is_stored(make: Make) -> None:
    twin, chain = make(ttl={"default_ttl": HOUR}), Chain()
    chain.config = config_of()
    chain.config["configurable"]["ttl"] = 7.5

    put(twin, chain, a=1)

    assert 7.4 < minutes_left(twin) <= 7.5
    found = twin.get_tuple(config_of())
    assert found is not None
    assert "ttl" not in found.metadata
    chain.config["configurable"]["ttl"] = None
    put(twin, chain, a=2)
    assert twin.do("get_ttl", "thread") is None
    put(twin, chain, a=3)
    assert 59 < minutes_left(twin) <= 60


def test_a_saver_without_ttl_leaves_the_life_that_another_gave(
    make: Make, lives: Callable[..., set[int]]
) -> None:
    limited, unlimited, chain = make(ttl={"default_ttl": HOUR}), make(), Chain()
    made = chain.next(a=1)
    limited.put_writes(config_of(checkpoint_id=made.checkpoint["id"]), [("a", 1)], "task", "")

    chain.config = unlimited.put(made)
    put(unlimited, chain, a=2)

    assert len(lives()) == 1
    assert 59 < minutes_left(unlimited) <= 60


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf"), 1e12])
def test_a_life_must_be_above_nothing(make: Make, given: float) -> None:
    with pytest.raises(ValueError, match=r'ttl\["default_ttl"\] must be a number of minutes above 0'):
        make(ttl={"default_ttl": given})
    twin, chain = make(), Chain()
    put(twin, chain, a=1)
    with pytest.raises(ValueError, match="minutes must be a number of minutes above 0"):
        twin.do("set_ttl", "thread", given)
    chain.config["configurable"]["ttl"] = given
    with pytest.raises(ValueError, match=r'config\["configurable"\]\["ttl"\] must be'):
        twin.put(chain.next(a=2))


def test_the_life_of_a_thread_that_is_not_there_is_an_error_that_names_it(make: Make) -> None:
    twin = make()
    for call in (("get_ttl", "nobody"), ("set_ttl", "nobody", 5), ("persist", "nobody")):
        with pytest.raises(ThreadNotFoundError, match="there is no thread 'nobody'"):
            twin.do(*call)


def test_a_thread_made_anew_keeps_no_life_of_the_one_before(make: Make) -> None:
    twin, chain = make(), Chain()
    put(twin, chain, a=1)
    twin.do("set_ttl", "thread", 5)
    twin.delete_thread("thread")

    put(twin, Chain(), a=1)

    assert twin.do("get_ttl", "thread") is None

"""`keep_last` and the shallow savers: what is more than is kept goes with each put, and nothing else does."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import redis
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph.checkpoint.redis import (
    AsyncShallowRedisSaver,
    RedisSaver,
    ShallowRedisSaver,
)
from steps import Chain, asks_in_async_runs, config_of, long_list, metadata_of, values_at

if TYPE_CHECKING:
    from counters import RoundTrips

MakeSaver = Callable[..., RedisSaver]
Fields = Callable[..., Counter[str]]


def size(client: redis.Redis, prefix: str) -> int:
    keys = [f"{prefix}:{{thread}}:{which}" for which in ("data", "index")]
    return sum(int(client.memory_usage(key, samples=0) or 0) for key in keys)


class State(TypedDict, total=False):
    said: Annotated[list[str], lambda old, new: (old + new)[-20:]]


def chat(saver: RedisSaver) -> Any:
    """A conversation whose state is bounded, so that only history could grow."""
    builder = StateGraph(State)
    builder.add_node("answer", lambda state: {"said": [f"{len(state['said'])} {'words ' * 40}"]})
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("keep_last", [10, None])
def test_a_thread_is_as_small_after_a_thousand_turns_as_after_a_hundred(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str, fields: Fields, keep_last: int | None
) -> None:
    """With a saver that keeps ten, and with a shallow one."""
    saver = make_saver(keep_last, RedisSaver if keep_last else ShallowRedisSaver)
    graph = chat(saver)
    seen = {}
    for turn in range(1, 1001):
        graph.invoke({"said": [f"{turn} {'question ' * 30}"]}, config_of())
        if turn in (100, 1000):
            seen[turn] = sum(fields().values()), size(redis_client, key_prefix)

    for before, after in zip(seen[100], seen[1000], strict=True):
        assert abs(after - before) <= before / 10
    assert len(list(saver.list(config_of()))) == (keep_last or 1)


def test_forty_turns_of_a_shallow_saver_leave_one_checkpoint_and_its_writes(
    make_saver: MakeSaver, fields: Fields
) -> None:
    saver = make_saver(None, ShallowRedisSaver)
    graph = chat(saver)
    for turn in range(40):
        graph.invoke({"said": [f"{turn} {'question ' * 30}"]}, config_of())

    found = fields()

    assert found["c/"] == 1
    assert found["v/"] == 1
    assert found["w/"] == found["l/"] == found["m/"] == 0
    assert set(found) <= {"c/", "v/", "s/"}


def test_the_newest_are_kept_of_each_namespace_and_read_as_ever(make_saver: MakeSaver) -> None:
    saver = make_saver(3)
    chains = {ns: Chain(config_of(checkpoint_ns=ns)) for ns in ("", "stateful")}
    states: dict[str, list[Any]] = {ns: [] for ns in chains}
    for step in range(30):
        for ns, chain in chains.items():
            chain.put(saver, messages=long_list(step + 1, ns), step=step)
            saver.put_writes(chain.config, [("messages", [step])], "task")
            states[ns].append(chain.values)

    for ns, chain in chains.items():
        found = list(saver.list(config_of(checkpoint_ns=ns)))
        assert [it.checkpoint["channel_values"] for it in found] == states[ns][:-4:-1]
        assert found[0].config == chain.config
        assert [it.pending_writes for it in found] == [[("task", "messages", [n])] for n in (29, 28, 27)]


def test_a_put_that_drops_is_one_round_trip(
    make_saver: MakeSaver, round_trips: Callable[[], RoundTrips]
) -> None:
    saver, chain = make_saver(5), Chain()
    for step in range(10):
        chain.put(saver, messages=long_list(step + 1))

    with round_trips() as counted:
        chain.put(saver, messages=long_list(11))

    assert counted.round_trips == 1


def test_a_long_thread_is_cut_down_when_it_is_bounded(make_saver: MakeSaver, fields: Fields) -> None:
    unbounded, bounded, chain = make_saver(None), make_saver(5), Chain()
    for step in range(200):
        chain.put(unbounded, messages=long_list(step % 30 + 1))
        unbounded.put_writes(chain.config, [("messages", [step])], "task")

    chain.put(bounded, messages=long_list(40))

    assert len(list(bounded.list(config_of()))) == 5
    assert values_at(unbounded, config_of()) == chain.values
    assert fields()["c/"] == fields()["v/"] == 5
    assert fields()["w/"] == 4


def test_a_write_that_comes_when_its_checkpoint_was_dropped_leaves_nothing(
    make_saver: MakeSaver, fields: Fields
) -> None:
    saver, chain = make_saver(1), Chain()
    old = chain.put(saver, a=1)
    chain.put(saver, a=2)

    saver.put_writes(old, [("a", "late")], "task")
    early = chain.next(a=3)
    saver.put_writes(config_of(checkpoint_id=early.checkpoint["id"]), [("a", "early")], "task")
    saver.put(*early)

    assert fields() == {"c/": 1, "w/": 1, "l/": 1}
    found = saver.get_tuple(config_of())
    assert found is not None
    assert found.pending_writes == [("task", "a", "early")]


def test_the_checkpoint_that_is_put_stays_even_if_it_is_older(make_saver: MakeSaver) -> None:
    saver, chain = make_saver(2), Chain()
    old = chain.next(a="old")
    for step in range(5):
        chain.put(saver, a=step)

    saver.put(*old)

    assert values_at(saver, config_of(checkpoint_id=old.checkpoint["id"])) == {"a": "old"}


def test_writes_survive_their_checkpoint_being_put_anew_with_other_values(make_saver: MakeSaver) -> None:
    """They name segments of the values that it had: these stay as long as they do."""
    saver, other, chain = make_saver(2), make_saver(2), Chain()
    put = chain.next(messages=long_list(40))
    chain.config = saver.put(*put)
    saver.put_writes(chain.config, [("copy", {"messages": long_list(40)})], "task")
    again = chain.next(messages=["short"])
    again.checkpoint["id"] = put.checkpoint["id"]
    saver.put(put.config, again.checkpoint, again.metadata, again.new_versions)

    chain.put(saver, messages=["other"])
    found = other.get_tuple(config_of(checkpoint_id=put.checkpoint["id"]))
    assert found is not None
    assert found.pending_writes == [("task", "copy", {"messages": long_list(40)})]


def test_runs_do_not_pile_up_where_a_put_has_too_many_checkpoints_to_look_at(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    """They are of a namespace that nobody bounds; the runs of what is dropped end all the same."""
    index = f"{key_prefix}:{{thread}}:index"
    elsewhere, chain, bounded = Chain(config_of("thread", "memory")), Chain(), make_saver(2)
    for step in range(50):
        elsewhere.put(make_saver(None), step=step)
    redis_client.zadd(index, {f"c/memory/0-{number}": 0 for number in range(700)})
    redis_client.hset(
        f"{key_prefix}:{{thread}}:data",
        mapping={f"c/memory/0-{number}": b"1\n\n\n\n\n" for number in range(700)},
    )
    redis_client.zadd(index, {f"r/{number}": 0 for number in range(1600)})
    for step in range(4):
        put = chain.next(step=step)
        metadata = metadata_of(step, run_id=f"run {step}")
        chain.config = bounded.put(put.config, put.checkpoint, metadata, put.new_versions)

    assert redis_client.zlexcount(index, "[r/", "(r0") <= 4


def test_runs_end_with_the_checkpoints_that_they_made(
    make_saver: MakeSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    saver, chain = make_saver(2), Chain()
    for step in range(6):
        put = chain.next(a=step)
        chain.config = saver.put(
            put.config, put.checkpoint, metadata_of(step, run_id=f"run {step}"), put.new_versions
        )

    left: Any = redis_client.keys(f"{key_prefix}:run:*")
    assert sorted(key.rpartition(b":")[2] for key in left) == [b"{run%204}", b"{run%205}"]
    saver.delete_for_runs(["run 5"])
    assert [it.metadata["step"] for it in saver.list(config_of())] == [4]


class Asked(TypedDict, total=False):
    done: Annotated[list[str], operator.add]


def steps_with_questions(saver: Any, ran: Counter[str]) -> Any:
    """Three steps, each beside a question."""
    builder = StateGraph(Asked)

    def worker(name: str) -> Any:
        def work(_: Asked) -> Asked:
            ran[name] += 1
            return {"done": [name]}

        return work

    def asker(name: str) -> Any:
        def ask(_: Asked) -> Asked:
            answer = interrupt(name)
            ran[name] += 1
            return {"done": [f"{name} {answer}"]}

        return ask

    before = START
    for number in range(3):
        builder.add_node(f"work {number}", worker(f"work {number}"))
        builder.add_node(f"ask {number}", asker(f"ask {number}"))
        builder.add_edge(before, f"work {number}")
        builder.add_edge(before, f"ask {number}")
        before = f"ask {number}"
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_shallow_saver_keeps_every_question_and_runs_nothing_twice(
    make_saver: MakeSaver, durability: Any
) -> None:
    ran: Counter[str] = Counter()
    given: Any = {"done": []}
    state: Any = {}
    for number in range(4):
        # A new saver each time, as in another process.
        state = steps_with_questions(make_saver(None, ShallowRedisSaver), ran).invoke(
            given, config_of(), durability=durability
        )
        assert [it.value for it in state.get("__interrupt__", [])] == [f"ask {number}"][: number < 3]
        given = Command(resume="yes")

    assert set(ran.values()) == {1}
    assert len(ran) == 6
    assert len(state["done"]) == 6


@asks_in_async_runs
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_so_does_the_async_one(redis_url: str, key_prefix: str, durability: Any) -> None:
    ran: Counter[str] = Counter()
    given: Any = {"done": []}
    state: Any = {}
    for _ in range(4):
        async with AsyncShallowRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as saver:
            graph = steps_with_questions(saver, ran)
            state = await graph.ainvoke(given, config_of(), durability=durability)
            assert len([found async for found in saver.alist(config_of())]) == 1
        given = Command(resume="yes")

    assert set(ran.values()) == {1}
    assert len(state["done"]) == 6


def test_a_shallow_saver_keeps_one_and_no_other_number(redis_url: str) -> None:
    with pytest.raises(ValueError, match="keep_last of ShallowRedisSaver is 1, not 5"):
        ShallowRedisSaver(redis_url, keep_last=5)

"""Copies and forks as they are stored: all of it or nothing, and nothing that nothing names.

Each on a server, where a copy is COPY, and on a cluster, where it goes through the client.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import pytest

from langgraph.checkpoint.redis import CheckpointNotFoundError, RedisSaver, transfer
from langgraph.checkpoint.redis.keys import Keys
from places import Place, put_at, unnamed
from steps import Chain, config_of, id_of, long_list, metadata_of, values_at

pytestmark = pytest.mark.every_server


def step(saver: RedisSaver, chain: Chain, memory: Chain) -> str:
    """One step of a thread that has everything: its id."""
    memory.put(saver, notes=long_list(3 * chain.step + 6, "note "))
    put = chain.next(messages=long_list(10 * chain.step + 20), blob=b"\x01" * (500 + chain.step // 3))
    chain.config = saver.put(*put[:2], metadata_of(chain.step, run_id=f"run {chain.step}"), put.new_versions)
    saver.put_writes(chain.config, [("tool", {"input": chain.values["messages"]})], f"task {chain.step}")
    at, task = id_of(chain.config), f"child:{chain.step}"
    child = put_at(saver, "thread", task, None, {"a": long_list(30, task)}, parents={"": at})
    saver.put_writes(child, [("a", 1)], "task in the child")
    parents = {"": at, task: id_of(child)}
    put_at(saver, "thread", f"{task}|deep:1", None, {"b": "x" * 500}, parents=parents)
    return at


def grown(place: Place, steps: int, snapshot_at: int | None = None) -> list[str]:
    """A thread with everything; `then` is what it was after one of its steps."""
    chain, memory, ids = Chain(), Chain(config_of("thread", "memory")), []
    for number in range(steps):
        ids.append(step(place.saver, chain, memory))
        if number == snapshot_at:
            place.copy("thread", "then")
    return ids


# Whole.


def test_a_copy_is_the_whole_thread_and_grows_apart(place: Place) -> None:
    grown(place, 8)
    before = place.data("thread"), place.index("thread")

    place.copy("thread", "copy")

    assert (place.data("copy"), place.index("copy")) == before
    place.saver.delete_thread("thread")
    found = place.saver.get_tuple(config_of("copy"))
    assert found is not None
    assert found.checkpoint["channel_values"] == {"messages": long_list(80), "blob": b"\x01" * 502}
    assert found.pending_writes == [("task 7", "tool", {"input": long_list(80)})]
    assert len(list(place.saver.list(config_of("copy", "memory")))) == 8
    assert len(list(place.saver.list(config_of("copy", "child:3|deep:1")))) == 1
    assert "copy" in {it.config["configurable"]["thread_id"] for it in place.saver.list(None)}


def test_a_copy_goes_through_in_small_slices_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in {"SLICE": 400, "_SURVEYED": 3, "_CARRIED": 2, "_NAMED": 2, "_LISTED": 4}.items():
        monkeypatch.setattr(transfer, name, small)
    ids = grown(place, 6)

    place.copy("thread", "copy")
    place.copy("thread", "fork", ids[-1])

    for copy in ("copy", "fork"):
        assert place.data(copy) == place.data("thread")
        assert place.index(copy) == place.index("thread")


def test_what_the_target_held_is_gone(place: Place) -> None:
    (until,) = grown(place, 1)
    for target, at in (("copy", None), ("fork", until)):
        old = Chain(config_of(target))
        for _ in range(5):
            old.put(place.saver, messages=long_list(40, "old "))
        put_at(place.saver, target, "", None, {"a": 1}, run_id="old run")
        place.saver.set_ttl(target, 5)

        place.copy("thread", target, at)

        assert place.data(target) == place.data("thread")
        assert place.index(target) == place.index("thread")
    assert not place.client.exists(f"{place.prefix}:run:{{old%20run}}")


def test_a_source_that_is_not_there_changes_nothing(place: Place) -> None:
    config = Chain().put(place.saver, channel=1)

    place.copy("nobody", "thread")
    place.copy("nobody", "new")
    place.copy("thread", "thread")

    assert values_at(place.saver, config) == {"channel": 1}
    assert list(place.saver.list(config_of("new"))) == []


def test_a_source_whose_index_was_evicted_is_copied(place: Place) -> None:
    chain = Chain()
    ids = [id_of(chain.put(place.saver, n=n)) for n in range(3)]
    place.client.delete(place.key("thread", "index"))

    place.copy("thread", "copy")
    place.client.delete(place.key("thread", "index"))
    place.copy("thread", "fork", ids[1])

    assert [id_of(it.config) for it in place.saver.list(config_of("copy"))] == ids[::-1]
    assert [id_of(it.config) for it in place.saver.list(config_of("fork"))] == ids[1::-1]


def test_writes_whose_checkpoint_was_put_anew_are_copied_whole(place: Place) -> None:
    """They share segments with what it held before, which only they name now."""
    put = Chain().next(messages=long_list(50))
    config = place.saver.put(*put)
    place.saver.put_writes(config, [("c", {"input": long_list(50)})], "task")
    place.saver.put(*put._replace(checkpoint=put.checkpoint | {"channel_values": {"messages": ["other"]}}))

    place.copy("thread", "copy")
    place.copy("thread", "fork", id_of(config))

    for target in ("copy", "fork"):
        found = place.saver.get_tuple(config_of(target))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"messages": ["other"]}
        assert found.pending_writes == [("task", "c", {"input": long_list(50)})]


# How long a copy lives, and who knows of it.


def left(place: Place, thread: str) -> list[int]:
    keys = [place.key(thread), place.key(thread, "index")]
    return [place.client.pttl(key) for key in keys]


def test_a_copy_lives_as_long_as_its_source(place: Place) -> None:
    config: Any = {"configurable": {"thread_id": "thread", "checkpoint_ns": "", "ttl": 30}}
    until = id_of(Chain(config).put(place.saver, channel=1))

    for target, at in (("copy", None), ("fork", until)):
        place.copy("thread", target, at)

        assert all(
            abs(one - two) < 1000 for one, two in zip(left(place, target), left(place, "thread"), strict=True)
        )
        assert min(left(place, target)) > 29 * 60_000


def test_a_pin_and_a_life_of_its_own_are_copied(place: Place) -> None:
    until = id_of(Chain().put(place.saver, channel=1))
    with ExitStack() as stack:
        expiring = place.saver_with(stack, ttl={"default_ttl": 1})
        for life, lives in ((None, [-1, -1]), (60.0, [3_600_000, 3_600_000])):
            if life is None:
                place.saver.persist("thread")
            else:
                place.saver.set_ttl("thread", life)
            for target, at in (("copy", None), ("fork", until)):
                place.copy("thread", target, at)
                Chain(config_of(target)).put(expiring, channel=2)

                assert all(abs(one - two) < 2000 for one, two in zip(left(place, target), lives, strict=True))


def test_a_copy_begins_now(place: Place) -> None:
    until = id_of(Chain().put(place.saver, channel=1))
    place.client.hset(place.key("thread"), "t/made", "1")

    for target, at in (("copy", None), ("fork", until)):
        seconds, micros = place.client.time()
        place.copy("thread", target, at)

        made = int(cast("bytes", place.client.hget(place.key(target), "t/made")))
        assert seconds * 1000 + micros // 1000 <= made <= place.client.time()[0] * 1000 + 1000


def test_a_copy_is_found_as_its_source_is(place: Place) -> None:
    with ExitStack() as stack:
        saver = place.saver_with(stack, index_metadata=["user"])
        first = put_at(saver, "thread", "", None, {"a": 1}, user="ann", run_id="one")
        put_at(saver, "thread", "", id_of(first), {"a": 2}, user="ann", run_id="two")
        put_at(saver, "fork", "", None, {"a": 2}, run_id="gone")

    place.copy("thread", "copy")
    place.copy("thread", "fork", id_of(first))

    names = Keys(place.prefix)
    found = {
        key: {*cast("list[bytes]", place.client.zrange(key.decode(), 0, -1))}
        for key in (names.by("user", "'ann"), names.run("one"), names.run("two"), names.run("gone"))
    }
    assert list(found.values()) == [{b"thread", b"copy", b"fork"}] * 2 + [{b"thread", b"copy"}, set()]


def test_the_checkpoints_of_a_run_are_deleted_in_copies_too(place: Place) -> None:
    ids = grown(place, 3)
    place.copy("thread", "copy")
    place.copy("thread", "fork", ids[1])

    place.saver.delete_for_runs(["run 1"])

    for thread, kept in (("thread", [ids[2], ids[0]]), ("copy", [ids[2], ids[0]]), ("fork", [ids[0]])):
        assert [id_of(it.config) for it in place.saver.list(config_of(thread))] == kept
        assert unnamed(place.data(thread)) == set()


# Forks.


@pytest.mark.parametrize("at", [0, 4, 9])
def test_a_fork_is_what_the_thread_was(place: Place, at: int) -> None:
    ids = grown(place, 10, snapshot_at=at)

    place.copy("thread", "fork", ids[at])

    assert place.data("fork") == place.data("then")
    assert place.index("fork") == place.index("then")
    assert unnamed(place.data("fork")) == set()
    latest = place.saver.get_tuple(config_of("fork"))
    assert latest is not None
    assert id_of(latest.config) == ids[at]
    assert place.drafts() == []


def test_a_fork_holds_no_writes_of_what_it_does_not_hold(place: Place) -> None:
    config = Chain().put(place.saver, channel=1)
    place.saver.put_writes(config_of(checkpoint_id="not stored yet"), [("c", 1)], "task")

    place.copy("thread", "fork", id_of(config))

    assert {field[:2] for field in place.data("fork")} == {b"c/"}


def test_another_branch_is_not_in_a_fork(place: Place) -> None:
    root = put_at(place.saver, "thread", "", None, {"a": 0})
    one = put_at(place.saver, "thread", "", id_of(root), {"a": 1})
    two = put_at(place.saver, "thread", "", id_of(root), {"a": 2})

    place.copy("thread", "fork", id_of(two))

    found = [id_of(it.config) for it in place.saver.list(config_of("fork"))]
    assert found == [id_of(two), id_of(root)]
    assert id_of(one) not in found


@pytest.mark.parametrize("source", ["thread", "nobody"])
def test_a_checkpoint_that_is_not_there_is_an_error_that_names_it(place: Place, source: str) -> None:
    Chain().put(place.saver, channel=1)
    Chain(config_of("target")).put(place.saver, channel=2)
    before = sorted(cast("list[bytes]", place.client.keys("*"))), place.data("target")

    for target in ("target", "new"):
        with pytest.raises(CheckpointNotFoundError, match=f"'never'.*'{source}'.*nothing was copied"):
            place.copy(source, target, "never")

    assert (sorted(cast("list[bytes]", place.client.keys("*"))), place.data("target")) == before


def test_a_thread_goes_back_to_a_checkpoint(place: Place) -> None:
    ids = grown(place, 6, snapshot_at=2)
    made = place.client.hget(place.key("thread"), "t/made")

    place.copy("thread", "thread", ids[2])

    assert place.data("thread") == place.data("then")
    assert place.index("thread") == place.index("then")
    assert place.client.hget(place.key("thread"), "t/made") == made
    assert not place.client.exists(f"{place.prefix}:run:{{run%205}}")

"""Copies while others read and write; and transfers, which copy in slices, when something comes between.

A reader of the target sees what it was or all of the copy, and nothing stays of what does not end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import redis

from langgraph._redis.drivers import SyncDriver
from langgraph.checkpoint.redis import RedisSaver, transfer
from langgraph.checkpoint.redis.copies import copy_thread, everything
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from places import Place, put_at, unnamed
from steps import Chain, config_of, id_of, long_list, values_at
from unit.by_hand import verbs

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.base import CheckpointTuple

    from counters import RoundTrips
    from langgraph._redis.plan import Plan


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


# While others read and write.


@contextmanager
def in_background(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Work goes on in another thread for as long as the block; what it raises fails the test."""
    done, errors = threading.Event(), list[BaseException]()

    def loop() -> None:
        try:
            while not done.is_set():
                work(done)
        except BaseException as error:  # noqa: BLE001 - raised below.
            errors.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    assert errors == []


def test_readers_of_the_target_see_what_it_was_or_all_of_the_copy(place: Place, stack: ExitStack) -> None:
    last = {}
    for mark in "ab":
        chain = Chain(config_of(mark))
        for _ in range(10):
            chain.put(place.saver, mark=long_list(30, mark))
        last[mark] = id_of(chain.config)
    place.copy("a", "target")
    reader, seen = place.saver_with(stack), set()

    def read(_: threading.Event) -> None:
        marks = [it.checkpoint["channel_values"]["mark"][0][0] for it in reader.list(config_of("target"))]
        seen.add("".join(marks))

    with in_background(read):
        for number in range(6):
            for mark in "ba":
                place.copy(mark, "target", last[mark] if number % 2 else None)

    assert seen
    assert seen <= {"a" * 10, "b" * 10}


def assert_has_no_gap(found: list[CheckpointTuple]) -> None:
    """Checkpoints of a thread that grows by an item a step, newest first, each whole."""
    steps = [it.metadata["step"] for it in found]
    assert steps == list(range(steps[0], steps[0] - len(steps), -1))
    assert [it.checkpoint["channel_values"] for it in found] == [{"messages": long_list(n)} for n in steps]


def grow(saver: RedisSaver, chain: Chain) -> None:
    chain.put(saver, messages=long_list(chain.step + 1))
    saver.put_writes(chain.config, [("c", chain.values["messages"])], f"task {chain.step}")


def test_a_thread_that_grows_is_copied_without_a_gap(place: Place, stack: ExitStack) -> None:
    writer, chain = place.saver_with(stack), Chain()
    grow(writer, chain)

    with in_background(lambda _: grow(writer, chain)):
        for number in range(8):
            latest = place.saver.get_tuple(config_of())
            assert latest is not None
            until = id_of(latest.config) if number % 2 else None
            place.copy("thread", "copy", until)

            found = list(place.saver.list(config_of("copy")))
            assert_has_no_gap(found)
            assert found[-1].metadata["step"] == 0
            assert until in (None, id_of(found[0].config))
            if until or place.cluster:  # COPY takes writes, too, whose checkpoint is to follow.
                assert unnamed(place.data("copy")) == set()


def test_a_thread_that_drops_its_oldest_meanwhile_is_copied_without_a_gap(
    place: Place, stack: ExitStack
) -> None:
    writer, chain = place.saver_with(stack, keep_last=10), Chain()
    grow(writer, chain)

    def grow_as_fast_as_an_agent(done: threading.Event) -> None:
        grow(writer, chain)
        done.wait(0.05)

    with in_background(grow_as_fast_as_an_agent):
        for _ in range(8):
            place.copy("thread", "copy")

            assert_has_no_gap(list(place.saver.list(config_of("copy"))))


# What comes between the steps of a transfer.


class CrashError(Exception):
    """A process that ends."""


def meddled(plan: Plan[None], name: str, meddle: Callable[[], object]) -> Plan[None]:
    """A plan; something happens before it first asks a call of this name."""
    met = False
    try:
        asked = next(plan)
        while True:
            if not met and name in verbs_of(asked):
                met = True
                meddle()
            asked = plan.send((yield asked))
    except StopIteration:
        return


def verbs_of(asked: Any) -> list[str]:
    return verbs(asked) if asked.__class__.__name__ != "Pause" else []


@pytest.fixture
def meddle(redis_client: redis.Redis, key_prefix: str) -> Callable[..., None]:
    """Transfer `thread` to `target`, and do something before a call that it asks."""

    def run(name: str, do: Callable[[], object], until: str | None = None) -> None:
        core = Core(Keys(key_prefix))
        source, target = core.keys.thread("thread"), core.keys.thread("target")
        whole = transfer.transfer(core, source, target, everything)
        plan = whole if until is None else copy_thread(core, "thread", "target", until)
        SyncDriver(redis_client).run(meddled(plan, name, do))

    return run


def drafts(client: redis.Redis) -> list[bytes]:
    return cast("list[bytes]", client.keys("*:draft:*"))


def test_a_crash_leaves_the_target_as_it_was_and_nothing_that_stays(
    saver: RedisSaver, redis_client: redis.Redis, meddle: Callable[..., None]
) -> None:
    Chain().put(saver, messages=long_list(50))
    config = Chain(config_of("target")).put(saver, channel=1)

    def crash() -> None:
        raise CrashError

    with pytest.raises(CrashError):
        meddle("adopt", crash)

    assert values_at(saver, config) == {"channel": 1}
    assert len(drafts(redis_client)) == 2
    assert all(0 < redis_client.pttl(key) <= transfer.DRAFT_MS for key in drafts(redis_client))
    redis_client.delete(*drafts(redis_client))


@pytest.mark.parametrize("part", ["data", "index"])
@pytest.mark.parametrize("name", ["adopt", "PTTL"])
def test_a_draft_of_which_something_was_evicted_is_made_anew(
    saver: RedisSaver, redis_client: redis.Redis, meddle: Callable[..., None], name: str, part: str
) -> None:
    config = Chain().put(saver, messages=long_list(50))

    def evict() -> None:
        redis_client.delete(*(key for key in drafts(redis_client) if key.endswith(part.encode())))

    meddle(name, evict, id_of(config))

    assert values_at(saver, config_of("target")) == {"messages": long_list(50)}
    assert len(list(saver.list(config_of("target")))) == 1
    assert drafts(redis_client) == []


@pytest.mark.parametrize("name", ["carry", "fields", "draft", "PTTL"])
def test_what_is_dropped_meanwhile_is_not_in_the_copy(
    saver: RedisSaver, redis_client: redis.Redis, meddle: Callable[..., None], name: str
) -> None:
    chain = Chain()
    for number in range(5):
        chain.put(saver, messages=long_list(10 * number), n=number)

    meddle(name, lambda: saver.prune(["thread"]))

    found = [it.checkpoint["channel_values"]["n"] for it in saver.list(config_of("target"))]
    assert found in ([4], [4, 3, 2, 1, 0])
    assert (len(found) == 1) == (name != "PTTL")
    assert drafts(redis_client) == []


def test_a_source_that_is_deleted_meanwhile_changes_nothing(
    saver: RedisSaver, redis_client: redis.Redis, meddle: Callable[..., None]
) -> None:
    Chain().put(saver, messages=long_list(50))
    config = Chain(config_of("target")).put(saver, channel=1)

    meddle("PTTL", lambda: saver.delete_thread("thread"))

    assert values_at(saver, config) == {"channel": 1}
    assert drafts(redis_client) == []


# What it costs.


def test_a_copy_is_one_round_trip_or_two_if_it_is_found_by_something(
    saver: RedisSaver, round_trips: Callable[[], RoundTrips]
) -> None:
    put_at(saver, "plain", "", None, {"a": 1})
    put_at(saver, "with a run", "", None, {"a": 1}, run_id="run")
    saver.copy_thread("plain", "warm")

    for thread, expected in (("plain", 1), ("with a run", 2)):
        with round_trips() as seen:
            saver.copy_thread(thread, f"copy of {thread}")
        assert seen.round_trips == expected


def test_a_user_who_may_not_copy_is_told_so(
    saver: RedisSaver, redis_client: redis.Redis, redis_url: str, key_prefix: str
) -> None:
    Chain().put(saver, channel=1)
    redis_client.acl_setuser(
        "scribe", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@all"], commands=["-copy"]
    )
    url = redis_url.replace("redis://", "redis://scribe:secret@")

    with (
        RedisSaver.from_conn_string(url, key_prefix=key_prefix) as scribe,
        pytest.raises(redis.ResponseError, match=r"(?i)permission|NOPERM|ACL"),
    ):
        scribe.copy_thread("thread", "copy")

    redis_client.acl_deluser("scribe")

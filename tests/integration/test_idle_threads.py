"""Threads that nobody uses are deleted, those in use never are; and what is gone does not pile up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from directories import SOON, Books, Make, Twin, listed, meanwhile, names, put
from langgraph.checkpoint.redis import PruneReport, RedisSaver, idle
from langgraph.checkpoint.redis import core as core_module
from steps import config_of
from twins import Sync
from waiting import eventually

pytestmark = pytest.mark.every_server

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
HOUR_MS = 3_600_000


@pytest.fixture
def twin(make: Make) -> Twin:
    return make(index_metadata=["user_id"])


def ago(hours: float) -> float:
    """A moment in the past, in ms."""
    return time.time() * 1000 - hours * HOUR_MS


@pytest.fixture
def aged(twin: Twin, books: Books) -> dict[str, float]:
    """Ten threads of which the last use is 20, 21, ... hours ago; four are younger than a day."""
    ages = {f"{hours} hours": float(hours) for hours in range(20, 30)}
    for name, hours in ages.items():
        put(twin, name, user_id="ann", run_id="run")
        put(twin, name, user_id="ann", run_id="run")
        books.date(name, ms=ago(hours + 0.5))
    return ages


YOUNG = ["20 hours", "21 hours", "22 hours", "23 hours"]


def test_threads_that_were_used_longer_ago_are_deleted_with_all_that_names_them(
    twin: Twin, books: Books, aged: dict[str, float]
) -> None:
    old = [name for name in aged if name not in YOUNG]
    weight = sum(books.weight(name) for name in old)

    report = twin.do("prune_idle", DAY)

    assert report == PruneReport(threads=6, checkpoints=12, bytes=weight, dry_run=False)
    assert books.gone(*old)
    assert names(twin) == names(twin, filter={"user_id": "ann"})[::-1] == YOUNG
    assert books.registered() == set(YOUNG)
    for name in YOUNG:
        twin.do("delete_thread", name)
    assert books.others() == []


def test_a_dry_run_says_what_would_go_and_leaves_everything(
    twin: Twin, books: Books, redis_client: redis.Redis, aged: dict[str, float]
) -> None:
    def everything() -> list[Any]:
        found: Any = redis_client.keys("*")
        return sorted((key, redis_client.dump(key)) for key in found)

    before = everything()
    said = twin.do("prune_idle", DAY, dry_run=True)
    assert everything() == before

    done = twin.do("prune_idle", DAY)

    assert (said.dry_run, done.dry_run) == (True, False)
    assert said == PruneReport(done.threads, done.checkpoints, done.bytes, dry_run=True)
    assert len(books.registered()) == len(aged) - said.threads


def test_a_limit_takes_the_least_recently_used(twin: Twin, aged: dict[str, float]) -> None:
    assert twin.do("prune_idle", DAY, limit=2, dry_run=True).threads == 2
    assert twin.do("prune_idle", DAY, limit=2).threads == 2
    assert names(twin) == [name for name in aged if name not in ("28 hours", "29 hours")]

    assert twin.do("prune_idle", DAY, limit=0).threads == 0
    assert twin.do("prune_idle", DAY, limit=100).threads == 4
    assert names(twin) == YOUNG


def test_pinned_threads_stay_and_do_not_count(twin: Twin, aged: dict[str, float]) -> None:
    assert aged
    for name in ("29 hours", "27 hours"):
        twin.do("persist", name)

    report = twin.do("prune_idle", DAY, limit=3)

    assert report.threads == 3
    assert names(twin) == [*YOUNG, "24 hours", "27 hours", "29 hours"]


def test_very_many_threads_go_in_batches(twin: Twin, books: Books) -> None:
    threads = [str(n) for n in range(330)]
    for name in threads:
        put(twin, name)
    books.date(*threads, ms=ago(48))
    put(twin, "in use")

    assert twin.do("prune_idle", DAY, limit=120).threads == 120
    assert names(twin)[0] == "in use"
    assert twin.do("prune_idle", DAY).threads == 210
    assert names(twin) == ["in use"]


def test_nothing_to_delete_is_said(twin: Twin) -> None:
    assert twin.do("prune_idle", DAY) == PruneReport(0, 0, 0, dry_run=False)


def test_threads_that_only_have_writes_go_too(twin: Twin, books: Books) -> None:
    twin.put_writes(config_of("thread", checkpoint_id="never put"), [("channel", 1)], "task", "")
    books.date("thread", ms=ago(25))

    assert twin.do("prune_idle", DAY).threads == 1
    assert books.gone("thread")


def test_threads_that_expired_are_forgotten_on_the_way(twin: Twin, books: Books) -> None:
    put(twin, "thread", ttl=SOON, user_id="ann")
    books.date("thread", ms=ago(25))
    assert eventually(lambda: books.gone("thread"))

    assert twin.do("prune_idle", DAY).threads == 0

    assert books.registered() == set()
    assert books.others() == []


def test_a_user_who_may_not_weigh_keys_is_told_no_bytes(twin: Twin, books: Books) -> None:
    put(twin, "thread")
    books.date("thread", ms=ago(25))

    with books.user("memory") as client, RedisSaver(redis_client=client, key_prefix=books.prefix) as saver:
        report = saver.prune_idle(DAY)

    assert report == PruneReport(1, 1, None, dry_run=False)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"older_than": 5}, TypeError, "older_than must be a datetime.timedelta, not int"),
        ({"older_than": timedelta(0)}, ValueError, "older_than must be longer than 0"),
        ({"older_than": timedelta(days=-1)}, ValueError, "older_than must be longer than 0"),
        ({"older_than": DAY, "limit": "5"}, TypeError, "limit must be an int"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    twin: Twin, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    put(twin, "thread")

    with pytest.raises(error, match=message):
        twin.do("prune_idle", **arguments)

    assert names(twin) == ["thread"]


# Threads that are used meanwhile.


USES: dict[str, Callable[[Twin], Any]] = {
    "a checkpoint": lambda twin: put(twin, "thread", user_id="ann", run_id="run"),
    "a checkpoint of a subgraph": lambda twin: put(twin, "thread", ns="sub"),
    "a write": lambda twin: twin.put_writes(config_of("thread", checkpoint_id="1"), [("c", 1)], "task", ""),
    "a pin": lambda twin: twin.do("persist", "thread"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("before", ["MEMORY USAGE", "ZSCORE", "reap"])
def test_a_thread_that_is_used_meanwhile_stays(
    redis_url: str, key_prefix: str, books: Books, use: str, before: str
) -> None:
    """By a process that noted a use within the last minute, and so does not note this one."""
    twin, pruner = Sync(redis_url, key_prefix), Sync(redis_url, key_prefix)
    put(twin, "thread")
    books.date("thread", ms=ago(48))
    plan = idle.prune_idle(pruner.saver._core, DAY, None, dry_run=False)

    report = pruner.saver._run(meanwhile(plan, before, lambda: USES[use](twin)))

    assert report.threads == 0
    assert names(twin) == ["thread"]
    for each in (twin, pruner):
        each.close()


def test_a_thread_of_one_checkpoint_that_is_replaced_meanwhile_stays(
    redis_url: str, key_prefix: str, books: Books
) -> None:
    """It has as many fields as before."""
    twin = Sync(redis_url, key_prefix, keep_last=1)
    put(twin, "thread")
    books.date("thread", ms=ago(48))
    plan = idle.prune_idle(twin.saver._core, DAY, None, dry_run=False)

    report = twin.saver._run(meanwhile(plan, "reap", lambda: put(twin, "thread")))

    assert report.threads == 0
    assert [found.checkpoints for found in listed(twin)] == [1]
    twin.close()


def test_a_thread_that_another_process_uses_meanwhile_is_registered_with_its_indexes(
    redis_url: str, key_prefix: str, books: Books
) -> None:
    """It began anew after it was deleted and before the indexes forgot it."""
    twin = Sync(redis_url, key_prefix, index_metadata=["user_id"])
    pruner = Sync(redis_url, key_prefix)
    put(twin, "thread", user_id="ann", run_id="run")
    books.date("thread", ms=ago(48))
    plan = idle.prune_idle(pruner.saver._core, DAY, None, dry_run=False)

    report = pruner.saver._run(
        meanwhile(plan, "ZRANGEBYLEX", lambda: put(twin, "thread", user_id="ann", run_id="run"))
    )

    assert report.threads == 1
    assert names(twin) == names(twin, filter={"user_id": "ann"}) == ["thread"]
    for each in (twin, pruner):
        each.close()


def test_within_the_minute_in_which_no_use_is_noted_checkpoints_say_when_they_were_made(
    twin: Twin, books: Books
) -> None:
    for name in ("in use", "used in a subgraph", "idle"):
        put(twin, name)
    assert eventually(lambda: twin.do("prune_idle", SECOND, dry_run=True).threads == 3)
    put(twin, "in use")
    put(twin, "used in a subgraph", ns="sub")
    books.date("in use", "used in a subgraph", "idle", ms=ago(0.01))

    assert twin.do("prune_idle", SECOND).threads == 1

    assert set(names(twin)) == {"in use", "used in a subgraph"}


# A program that never lists.


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_module, "CHORE_EVERY", 4)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("how", ["put", "put_writes"])
def test_what_names_expired_threads_does_not_pile_up(make: Make, books: Books, how: str) -> None:
    """A look each four threads: with sixteen shards, some 64 entries wait to be found."""
    twin = make(ttl={"default_ttl": 0.001 / 60}, index_metadata=["user_id"])
    for n in range(400):
        if how == "put":
            put(twin, str(n), user_id="ann", run_id=str(n))
        else:
            twin.put_writes(config_of(str(n), checkpoint_id="1"), [("c", 1)], "task", "")

    assert len(books.registered()) < 200
    assert len(books.named(books.by("user_id", "'ann"))) < 200
    assert len(books.others()) < 200 + 16 + 1

    assert eventually(lambda: books.gone(*map(str, range(400))))
    assert names(twin) == []
    assert books.others() == []


@pytest.mark.usefixtures("often")
def test_threads_that_are_alive_stay_registered(make: Make, books: Books) -> None:
    twin = make(index_metadata=["user_id"])
    threads = {str(n) for n in range(200)}
    for name in threads:
        put(twin, name, user_id="ann")

    assert books.registered() == books.named(books.by("user_id", "'ann")) == threads


@pytest.mark.usefixtures("often")
def test_a_user_who_may_not_look_can_write(books: Books, twin: Twin) -> None:
    with (
        books.user("zrandmember") as client,
        RedisSaver(redis_client=client, key_prefix=books.prefix) as saver,
    ):
        for n in range(20):
            saver.put_writes(config_of(str(n), checkpoint_id="1"), [("c", 1)], "task")

    assert len(names(twin)) == 20

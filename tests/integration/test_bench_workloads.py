"""Each workload of the race runs in both styles, measures something, and tells wrong from right."""

from __future__ import annotations

import asyncio
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.peers.blocks import Block
from benchmarks.peers.subjects import AwaitedSubject, BlockingSubject
from benchmarks.peers.workloads import delta
from benchmarks.peers.workloads.registry import ALL
from benchmarks.peers.workloads.truth_values import VALUES, alike
from langgraph.checkpoint.redis.aio import AsyncRedisSaver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from benchmarks.peers.contract import Workload
    from langgraph.checkpoint.redis import RedisSaver

SMALL = {"fanout": 6, "fanout-subgraphs": 3, "wide": 5, "blob": 1, "travel": 40}
"""Sizes that show the same as the real ones, by the beginning of a workload's name; 4 where none is named."""


def small(workload: Workload) -> int:
    if min(workload.sizes) == 1:
        return 1
    if set(workload.sizes) >= {20, 2000}:
        return 20
    return SMALL.get(workload.name, SMALL.get(workload.name.partition("-")[0], 4))


def block(subject: Any, workload: Workload) -> Block:
    return Block(workload.block(subject, "thread", small(workload)), workload.cost)


def called(saver: Any, workload: Workload) -> Block:
    subject = BlockingSubject(saver)
    found = block(subject, workload)
    found.call()
    subject.close()
    return found


async def waited(saver: Any, workload: Workload) -> Block:
    found = block(AwaitedSubject(saver), workload)
    await found.wait()
    return found


def assert_right(found: Block) -> None:
    assert (found.wrong, found.failed) == (None, None)
    assert found.samples
    assert all(sample.nanoseconds > 0 for sample in found.samples)


@pytest.fixture(params=ALL)
def workload(request: pytest.FixtureRequest) -> Workload:
    return ALL[request.param]


def test_a_workload_finds_what_is_kept_in_memory_right_and_leaves_nothing(workload: Workload) -> None:
    saver = InMemorySaver()

    assert_right(called(saver, workload))
    assert_right(asyncio.run(waited(saver, workload)))

    assert list(saver.list(None)) == []


def test_a_workload_finds_this_saver_right_and_leaves_nothing(saver: RedisSaver, workload: Workload) -> None:
    found = called(saver, workload)

    assert_right(found)
    assert list(saver.list(None)) == []


async def test_a_workload_finds_this_async_saver_right_and_leaves_nothing(
    async_saver: AsyncRedisSaver, workload: Workload
) -> None:
    found = await waited(async_saver, workload)

    assert_right(found)
    assert [each async for each in async_saver.alist(None)] == []


class Changing(InMemorySaver):
    """What it gives back is not what it was given."""

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        found = super().get_tuple(config)
        return None if found is None else self.changed(found)

    def list(self, *args: Any, **query: Any) -> Iterator[CheckpointTuple]:
        yield from map(self.changed, super().list(*args, **query))

    @abstractmethod
    def changed(self, found: CheckpointTuple) -> CheckpointTuple:
        """What it gives back instead."""

    def values_changed(self, found: CheckpointTuple, change: Callable[[Any], Any]) -> CheckpointTuple:
        values = {name: change(value) for name, value in found.checkpoint["channel_values"].items()}
        return found._replace(checkpoint={**found.checkpoint, "channel_values": values})


class LosesWrites(Changing):
    def changed(self, found: CheckpointTuple) -> CheckpointTuple:
        return found._replace(pending_writes=[])


class LosesTheFirst(Changing):
    """Of each list, and of each dict."""

    def changed(self, found: CheckpointTuple) -> CheckpointTuple:
        return self.values_changed(found, self._without)

    def _without(self, value: Any) -> Any:
        if isinstance(value, dict):
            return dict(list(value.items())[1:])
        return value[1:] if isinstance(value, list | bytes) else value


class Stale(Changing):
    """Strings are those of another day."""

    def changed(self, found: CheckpointTuple) -> CheckpointTuple:
        return self.values_changed(found, lambda value: value.upper() if isinstance(value, str) else value)


class Anyones(InMemorySaver):
    """Forgets the id's end and the namespace, as a search for words may."""

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return next(self.list(config), None)

    def list(self, config: RunnableConfig | None, **query: Any) -> Iterator[CheckpointTuple]:
        del config
        yield from super().list(None, **{**query, "filter": None})


def assert_wrong(kind: type[InMemorySaver], name: str, said: str) -> None:
    for found in (called(kind(), ALL[name]), asyncio.run(waited(kind(), ALL[name]))):
        assert found.failed is None
        assert found.wrong is not None
        assert said in found.wrong


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("put_writes", "the tasks' writes"),
        ("get_tuple", "writes, how many: 0 came back, not 2"),
        ("get_tuple-id", "writes, how many: 0 came back, not 2"),
        ("list", "writes, how many: 0 came back, not 2"),
        ("truth-writes-at-once", "4 of 4 tasks' writes"),
        ("truth-repeated-writes", "what is kept of tasks that each wrote twice: {} came back"),
        ("truth-interrupts", "4 of 4 threads do not show the interrupt"),
    ],
)
def test_pending_writes_that_are_lost_are_wrong(name: str, said: str) -> None:
    assert_wrong(LosesWrites, name, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("put", "the checkpoint's messages, how many"),
        ("get_tuple", "the checkpoint's messages, how many"),
        ("list", "the checkpoint's messages, how many"),
        ("chat", "messages after turn 2, how many"),
        ("react", "messages after turn 2, how many"),
        ("many", "messages of each chat after turn 2"),
        ("fanout", "the answers of the thread, how many"),
        ("fanout-subgraphs", "how many"),
        ("files-append", "the files, how many"),
        ("files-early", "the files, how many"),
        ("blob-stored", "the bytes read back"),
        ("blob-carried", "bytes carried along, how many"),
        ("blob-read", "bytes read back, how many"),
        ("travel-page", "messages, how many"),
        ("travel-history", "messages, how many"),
        ("travel-state", "messages, how many"),
        ("travel-fork", "messages of a fork, how many"),
    ],
)
def test_a_value_that_lost_a_part_is_wrong(name: str, said: str) -> None:
    assert_wrong(LosesTheFirst, name, said)


def test_a_channel_that_holds_something_else_is_wrong() -> None:
    assert_wrong(Stale, "wide", "the thread's channels")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("get_tuple-miss", "a thread that was never stored"),
        ("delete_thread", "a thread that was deleted"),
        ("truth-tenants", "the owners of what the thread"),
        ("truth-filters", "finds"),
        ("truth-namespaces", "namespace"),
    ],
)
def test_what_belongs_to_others_is_wrong(name: str, said: str) -> None:
    assert_wrong(Anyones, name, said)


def test_every_kind_of_value_that_changed_is_named() -> None:
    found = called(Stale(), ALL["truth-values"])

    assert found.wrong is not None
    assert "'a\\x00b' as 'A\\x00B'" in found.wrong


def test_a_value_that_is_refused_does_not_hide_the_others() -> None:
    class Refusing(Stale):
        def put(self, config: RunnableConfig, checkpoint: Any, *args: Any) -> RunnableConfig:
            if isinstance(checkpoint["channel_values"].get("value"), bytes):
                raise TypeError("no bytes here")
            return super().put(config, checkpoint, *args)

    for found in (
        called(Refusing(), ALL["truth-values"]),
        asyncio.run(waited(Refusing(), ALL["truth-values"])),
    ):
        assert found.wrong is not None
        assert found.wrong.startswith(f"2 of {len(VALUES)} kinds")
        assert "as TypeError('no bytes here')" in found.wrong


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (True, 1),
        ([1], (1,)),
        ({1: 2}, {"1": 2}),
        ({"a": [b"x"]}, {"a": ["x"]}),
        ([1, 2], [1]),
        (float("nan"), None),
    ],
)
def test_values_of_other_types_are_not_alike(one: Any, other: Any) -> None:
    assert alike(one, one)
    assert not alike(other, one)


def test_a_langgraph_without_delta_channels_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langgraph.channels.delta", None)

    with pytest.raises(RuntimeError, match=r"LangGraph \d.*has no DeltaChannel"):
        delta.builder()


def test_every_size_of_a_run_has_its_rounds() -> None:
    for workload in ALL.values():
        assert {*workload.sizes, *workload.quick} <= workload.rounds.keys()
        assert all(full >= quick >= 1 for full, quick in workload.rounds.values())

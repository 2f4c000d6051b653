"""A server that is killed and started again while others write: with `appendfsync always` nothing is lost."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import redis

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from servers import Server, start_valkey
from steps import Chain, config_of
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = int(os.environ.get("CRASHES", "20"))
WRITERS = 4
BROKEN = (redis.ConnectionError, redis.TimeoutError)
ARGS: dict[str, Any] = {"socket_timeout": 5, "retry": None}


class Acknowledged(NamedTuple):
    """What a writer was told is stored."""

    checkpoint_id: str
    messages: list[str]
    written: bool


@pytest.fixture
def durable() -> Iterator[Server]:
    with start_valkey(appendonly="yes", appendfsync="always") as server:
        yield server


class Writer:
    """A conversation that goes on whatever happens, on top of what was acknowledged last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.chain = Chain(config_of(name))
        self.told: list[Acknowledged] = []
        self.failed = 0

    def more(self) -> list[str]:
        """The messages with one more, of which the last are kept: a thread that does not grow for ever."""
        step = self.chain.step + 1
        return [*self.chain.values.get("messages", [])[-30:], f"{self.name} {step} {'x' * 300}"]

    def step(self, saver: RedisSaver) -> None:
        before = self.chain.values, self.chain.versions
        put = self.chain.next(messages=self.more())
        try:
            self.chain.config = saver.put(*put)
        except BROKEN:
            self.chain.values, self.chain.versions = before
            self.failed += 1
            return
        told = Acknowledged(put.checkpoint["id"], list(self.chain.values["messages"]), written=False)
        self.told.append(told)
        try:
            saver.put_writes(self.chain.config, [("a", 1), ("b", self.chain.step)], "task")
        except BROKEN:
            return
        self.told[-1] = told._replace(written=True)


def assert_nothing_is_lost_or_torn(url: str, prefix: str, writers: list[Writer]) -> int:
    with RedisSaver(url, key_prefix=prefix) as saver:
        assert {thread.thread_id for thread in saver.threads()} == {writer.name for writer in writers}
        for writer in writers:
            found = {each.checkpoint["id"]: each for each in saver.list(config_of(writer.name))}
            for told in writer.told:
                assert found[told.checkpoint_id].checkpoint["channel_values"]["messages"] == told.messages
                writes = found[told.checkpoint_id].pending_writes or []
                assert len(writes) == 2 if told.written else len(writes) in (0, 2)
    return sum(len(writer.told) for writer in writers)


def test_a_server_that_is_killed_under_load_loses_nothing_that_was_acknowledged(
    durable: Server, key_prefix: str
) -> None:
    writers = [Writer(f"writer {n}") for n in range(WRITERS)]
    over = threading.Event()

    def work(writer: Writer) -> None:
        while not over.is_set():
            writer.step(saver)

    def told() -> int:
        return sum(len(writer.told) for writer in writers)

    def more_than(count: int) -> bool:
        return told() > count

    with (
        RedisSaver(durable.url, key_prefix=key_prefix, connection_args=ARGS) as saver,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        working = [pool.submit(work, writer) for writer in writers]
        try:
            for _ in range(ROUNDS):
                before = told()
                assert eventually(partial(more_than, before + 40), 20)
                durable.kill()
                durable.restart()
        finally:
            over.set()
        for each in working:
            each.result(20)

    assert assert_nothing_is_lost_or_torn(durable.url, key_prefix, writers) > 40 * ROUNDS
    assert sum(writer.failed for writer in writers) > 0


async def test_an_async_saver_goes_on_by_itself_when_the_server_is_back(
    durable: Server, key_prefix: str
) -> None:
    args = {"socket_timeout": 5}
    async with AsyncRedisSaver(durable.url, key_prefix=key_prefix, connection_args=args) as saver:
        chains = [Chain(config_of(f"thread {n}")) for n in range(20)]
        for turn in range(2):
            await asyncio.gather(*(chain.aput(saver, turn=turn) for chain in chains))
            await asyncio.to_thread(durable.kill)
            await asyncio.to_thread(durable.restart)
        found = await asyncio.gather(*(saver.aget_tuple(chain.config) for chain in chains))

        assert [each and each.checkpoint["channel_values"] for each in found] == [{"turn": 1}] * 20

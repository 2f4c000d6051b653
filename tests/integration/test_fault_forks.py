"""Processes that are forked from one that uses a saver: child and parent both go on."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from langgraph._redis.forked import _ALL
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from langgraph.checkpoint.redis.core import Touches
from langgraph.checkpoint.redis.shelves import Shelves
from steps import Chain, config_of, values_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    # Python warns of forks beside threads: that they work is what is shown here.
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def forked(work: Callable[[], Any]) -> BaseProcess:
    """A process that was forked from this one and does this."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def ended(process: BaseProcess) -> int | None:
    """Its exit code; None if it hung."""
    process.join(20)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    return code


def test_parent_and_children_go_on_with_a_saver_that_was_used(saver: RedisSaver) -> None:
    chain = Chain()
    chain.put(saver, messages=["before"])

    def child(name: str) -> None:
        mine = Chain(config_of(name))
        for step in range(20):
            mine.put(saver, step=step)
            saver.put_writes(mine.config, [("c", step)], "task")
        assert values_at(saver, config_of(name)) == {"step": 19}
        seen = values_at(saver, config_of())
        assert seen is not None
        assert seen["messages"] == ["before"]

    children = [forked(partial(child, f"child {n}")) for n in range(3)]
    for step in range(30):
        chain.put(saver, step=step)
    assert [ended(each) for each in children] == [0, 0, 0]

    assert values_at(saver, config_of()) == {"messages": ["before"], "step": 29}
    assert {thread.thread_id for thread in saver.threads()} == {"thread", "child 0", "child 1", "child 2"}


def test_a_child_works_that_was_forked_while_other_threads_write(saver: RedisSaver) -> None:
    """Whatever lock another thread held at the fork would be held for ever in the child."""
    over = threading.Event()

    def busy(n: int) -> None:
        chain = Chain(config_of(f"busy {n}"))
        while not over.is_set():
            chain.put(saver, messages=["x" * 2_000], step=chain.step)
            saver.put_writes(chain.config, [("c", 1)], "task")

    def child() -> None:
        chain = Chain(config_of("child"))
        chain.put(saver, channel=1)
        saver.put_writes(chain.config, [("c", 1)], "task")

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(busy, n) for n in range(4)]
        try:
            assert [ended(forked(child)) for _ in range(8)] == [0] * 8
        finally:
            over.set()
        for each in working:
            each.result(20)


@pytest.mark.parametrize("kind", [Touches, Shelves])
def test_a_lock_that_was_held_at_the_fork_is_free_in_the_child(kind: type[Any]) -> None:
    hints = kind()
    assert hints in _ALL

    def child() -> None:
        assert hints._lock.acquire(timeout=5)

    with hints._lock:
        assert ended(forked(child)) == 0


def test_an_async_saver_of_a_preloading_server_works_in_its_children(
    redis_url: str, key_prefix: str, other_saver: RedisSaver
) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)
    asyncio.run(used(saver, "parent"))

    def child(name: str) -> None:
        asyncio.run(used(saver, name))

    assert [ended(forked(partial(child, name))) for name in ("a", "b")] == [0, 0]

    asyncio.run(used(saver, "parent again"))
    assert {thread.thread_id for thread in other_saver.threads()} == {"parent", "a", "b", "parent again"}


async def used(saver: AsyncRedisSaver, name: str) -> None:
    chain = Chain(config_of(name))
    for step in range(5):
        await chain.aput(saver, step=step)
    found = await saver.aget(config_of(name))
    assert found is not None
    assert found["channel_values"] == {"step": 4}

"""Many at once, on a server and on a cluster, through clients that decode and others: all is stored, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeAlias

import pytest

from failovers import OnOneLoop
from steps import Chain, config_of, long_list
from topologies import Together
from twins import Sync

Twin: TypeAlias = "Sync | OnOneLoop"


@pytest.fixture(params=["server", "cluster"])
def url(request: pytest.FixtureRequest, redis_url: str, cluster_of_six: Together) -> str:
    return cluster_of_six.url if request.param == "cluster" else redis_url


@pytest.fixture(params=[{}, {"decode_responses": True}], ids=["bytes", "decode_responses"])
def args(request: pytest.FixtureRequest) -> dict[str, Any]:
    told: dict[str, Any] = request.param
    return told


@pytest.fixture(params=[Sync, OnOneLoop], ids=["sync", "async"])
def twin(request: pytest.FixtureRequest, url: str, args: dict[str, Any], key_prefix: str) -> Iterator[Twin]:
    with closing(request.param(url, key_prefix, connection_args=args)) as opened:
        yield opened


def at_once(work: Callable[[int], Any], count: int) -> list[Any]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(work, range(count)))


def test_writes_of_many_tasks_at_once_are_all_stored(twin: Twin) -> None:
    config = twin.put(Chain().next(channel="value"))

    at_once(lambda n: twin.put_writes(config, [("é", n), ("blob", b"\xff")], f"{n:03}", ""), 100)

    found = twin.get_tuple(config)
    assert found is not None
    written = [(f"{n:03}", *write) for n in range(100) for write in (("é", n), ("blob", b"\xff"))]
    assert found.pending_writes == written
    twin.delete_thread("thread")


def test_many_threads_grow_at_once_and_each_is_whole(twin: Twin) -> None:
    def grow(n: int) -> Chain:
        chain = Chain(config_of(f"thread {n}"))
        for step in range(6):
            chain.config = twin.put(chain.next(messages=long_list(10 + step, f"{n} "), step=step))
            twin.put_writes(chain.config, [("c", step)], "task", "")
        return chain

    chains = at_once(grow, 16)

    for n, chain in enumerate(chains):
        found = twin.list(config_of(f"thread {n}"))
        assert found[0].checkpoint["channel_values"] == chain.values
        assert [each.metadata["step"] for each in found] == [5, 4, 3, 2, 1, 0]
        assert [each.pending_writes for each in found] == [[("task", "c", step)] for step in range(5, -1, -1)]
        twin.delete_thread(f"thread {n}")

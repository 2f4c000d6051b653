"""A primary dies under load: calls succeed after retries or raise; nothing hangs or is torn; writers go on.

Replication is asynchronous: what only the dead primary had is lost, although it was acknowledged. Nothing is
lost where a saver waits for a replica.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from redis.crc import key_slot

from failovers import Load, OnOneLoop
from servers import Server
from topologies import SERVICE, Together, ask, is_primary, start_cluster_of_six, start_sentinels
from twins import Sync
from waiting import eventually

TIMEOUT = 1.0
LONGEST = 15.0
"""Seconds that a call may take with its client's retries, each of which may take `TIMEOUT`."""
RECOVERY = 30.0

ARGS = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
THREADS = [f"thread {n}" for n in range(8)]


@pytest.fixture(params=[start_sentinels, start_cluster_of_six], ids=["sentinels", "cluster"])
def together(request: pytest.FixtureRequest) -> Iterator[Together]:
    start: Callable[[], Together] = request.param
    with start() as started:
        yield started


def primary_of(together: Together, thread: str, prefix: str) -> Server:
    """The server that has a thread, and others."""
    if together.watchers:
        return together.servers[0]
    return together.servers[key_slot(f"{prefix}:{{{thread}}}:data".encode()) * 3 // 16384]


def has_failed_over(together: Together, dead: Server) -> bool:
    """Whether those that are left have a primary for everything, and everyone who is asked names it.

    A primary that comes back earlier is taken for one by clients whose sentinel has not heard yet: what they
    write there is lost.
    """
    left = [server for server in together.servers if server is not dead]
    named = {tuple(ask(each, "SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)) for each in together.watchers}
    if named:
        return len(named) == 1 and dead.port not in named.pop()
    return sum(is_primary(server) for server in left) == 3


ONE: dict[str, Any] = {"wait_replicas": 1, "wait_timeout_ms": 500}


@pytest.mark.parametrize("options", [{}, ONE], ids=["asynchronous", "one replica"])
def test_writers_go_on_when_their_primary_dies(
    together: Together, key_prefix: str, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"connection_args": ARGS, **options}
    with (
        closing(Sync(together.url, key_prefix, **told)) as sync,
        closing(OnOneLoop(together.url, key_prefix, **told)) as one_loop,
    ):
        with Load([sync] * 4 + [one_loop] * 4, THREADS) as load:
            began = time.monotonic()
            assert eventually(lambda: load.everyone_wrote(10, began))
            dead = primary_of(together, THREADS[0], key_prefix)
            dead.kill()
            died = time.monotonic()
            assert eventually(lambda: has_failed_over(together, dead), RECOVERY)
            dead.restart()
            assert eventually(lambda: load.everyone_wrote(10, time.monotonic() - TIMEOUT), RECOVERY)
        writers = load.writers
        lost = [len(writer.lost()) for writer in writers]
        with capsys.disabled():
            report(load, died, lost)

        assert load.hung == 0
        assert max(writer.longest for writer in writers) < LONGEST
        assert load.pause(died) < RECOVERY
        if options:
            assert lost == [0] * len(writers)


def report(load: Load, died: float, lost: list[int]) -> None:
    """The figures of a failover, for those who look."""
    writers = load.writers
    errors = sum((writer.errors for writer in writers), Counter[str]())
    figures = {
        "acknowledged": sum(len(writer.acknowledged) for writer in writers),
        "lost": sum(lost),
        "recovered after": f"{load.pause(died):.1f} s",
        "longest call": f"{max(writer.longest for writer in writers):.1f} s",
        "errors raised": dict(errors),
    }
    print(f"\n  {figures}")  # noqa: T201 - figures, shown in every run.

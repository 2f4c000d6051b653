"""One failover under load, from the first write to what is found afterwards."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import redis

from failovers import Load, OnOneLoop
from migrations import owner
from servers import Server
from topologies import SERVICE, Together, ask, is_primary, slot_of
from twins import Sync
from waiting import eventually

TIMEOUT = 1.0
RECOVERY = 60.0
"""Seconds until writers must be at work again, on a machine that is loaded besides."""

ARGS = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
THREADS = [f"thread {n}" for n in range(8)]
ONE: dict[str, Any] = {"wait_replicas": 1, "wait_timeout_ms": 500}


class Killed:
    """The primary is gone from one moment to the next; later it is started again, empty."""

    name = "killed"

    def begin(self, primary: Server) -> None:
        primary.kill()

    def end(self, primary: Server) -> None:
        primary.restart()


class Hung:
    """The primary answers nothing, with its connections open; later it goes on as if nothing had been."""

    name = "hung"

    def begin(self, primary: Server) -> None:
        primary.hang()

    def end(self, primary: Server) -> None:
        primary.resume()


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    `lost`: acknowledged, and not there; `torn`: there, and not whole; `hung`: writers that did not come back.
    Seconds: `recovery`, that a writer waited for an acknowledgement at most; `longest`, that a call took.
    """

    acknowledged: int
    lost: int
    torn: int
    hung: int
    recovery: float
    longest: float
    errors: dict[str, int]


def fail_over(together: Together, prefix: str, outage: Killed | Hung, options: dict[str, Any]) -> Outcome:
    """Eight writers at once, four through each saver; the primary of the first fails, and comes back.

    Raises:
        TimeoutError: If no replica was promoted, or a writer did not go on; the message says which.
    """
    told = {"connection_args": ARGS, **options}
    with (
        closing(Sync(together.url, prefix, **told)) as sync,
        closing(OnOneLoop(together.url, prefix, **told)) as one_loop,
    ):
        with Load([sync] * 4 + [one_loop] * 4, THREADS) as load:
            _all_write(load, "before the outage")
            primary = _primary(together, prefix)
            began = time.monotonic()
            outage.begin(primary)
            _wait(lambda: _has_failed_over(together, primary), "no replica was promoted")
            outage.end(primary)
            if isinstance(outage, Hung):  # It still takes itself for the primary; sentinels need some time.
                _wait(lambda: _is_replica(primary), "the old primary did not become a replica")
            _all_write(load, "after the outage")
        return _outcome(load, began)


def _outcome(load: Load, began: float) -> Outcome:
    writers = load.writers
    return Outcome(
        acknowledged=sum(len(writer.acknowledged) for writer in writers),
        lost=sum(len(writer.lost()) for writer in writers),
        torn=sum(len(writer.torn()) for writer in writers),
        hung=load.hung,
        recovery=load.pause(began),
        longest=max(writer.longest for writer in writers),
        errors=dict(sum((writer.errors for writer in writers), Counter[str]())),
    )


def _primary(together: Together, prefix: str) -> Server:
    """The server that has the first thread, whoever was promoted before."""
    if together.watchers:
        return next(server for server in together.servers if is_primary(server))
    found = owner(together, slot_of(prefix, THREADS[0]))
    if found is None:
        raise TimeoutError("nobody has the slot of the first thread")
    return found


def _has_failed_over(together: Together, primary: Server) -> bool:
    """Whether those that are left have a primary for everything, and everyone who is asked names it.

    A primary that comes back earlier is taken for one by clients whose sentinel has not heard yet: what they
    write there is lost.
    """
    if together.watchers:
        # What clients ask for, which comes after what GET-MASTER-ADDR-BY-NAME tells.
        told = [ask(each, "SENTINEL MASTER", SERVICE) for each in together.watchers]
        named = {(int(each["port"]), each["flags"]) for each in told}
        return len(named) == 1 and (primary.port, "master") not in named and named.pop()[1] == "master"
    left = [server for server in together.servers if server is not primary]
    return sum(is_primary(server) for server in left) == 3


def _is_replica(server: Server) -> bool:
    """Whether it has been told; it closes its connections then."""
    try:
        return not is_primary(server)
    except redis.ConnectionError:
        return False


def _all_write(load: Load, when: str) -> None:
    now = time.monotonic()
    _wait(lambda: load.everyone_wrote(3, now), f"{when}, some writer did not write")


def _wait(done: Any, otherwise: str) -> None:
    if not eventually(done, RECOVERY):
        raise TimeoutError(f"{otherwise} within {RECOVERY:.0f} s")

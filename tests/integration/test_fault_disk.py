"""A disk that is full: the server cannot write its append-only file, and says so; what was stored stays."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import redis

from servers import Server, start_valkey
from steps import Chain, config_of, long_list
from twins import Async, Sync
from waiting import eventually

SAID = "MISCONF Errors writing to the AOF file"


@contextmanager
def no_room(server: Server) -> Iterator[None]:
    """No file of the server's may grow: what a disk does that is full, for one process and without rights."""
    size = max(path.stat().st_size for path in server.folder.rglob("*") if path.is_file())
    _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, most))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))


def status(client: redis.Redis) -> str:
    return str(dict(client.info("persistence"))["aof_last_write_status"])


def grown(twin: Sync | Async) -> Chain:
    chain = Chain()
    for count in (100, 101, 102):
        chain.config = twin.put(chain.next(messages=long_list(count)))
    return chain


def state(twin: Sync | Async) -> Any:
    return twin.list(config_of())


@pytest.mark.parametrize("kind", [Sync, Async])
def test_a_full_disk_refuses_writes_and_loses_nothing(kind: type[Sync | Async]) -> None:
    with (
        start_valkey(appendonly="yes", appendfsync="everysec") as server,
        redis.Redis.from_url(server.url) as client,
        closing(kind(server.url, "disk")) as twin,
    ):
        chain = grown(twin)
        with no_room(server):
            client.set("the first that does not fit", 1)
            assert eventually(lambda: status(client) == "err")
            before = state(twin)

            with pytest.raises(redis.ResponseError, match=SAID):
                twin.put(chain.next(messages=long_list(200)))
            with pytest.raises(redis.ResponseError, match=SAID):
                twin.put_writes(chain.config, [("c", 1)], "task", "")
            with pytest.raises(redis.ResponseError, match=SAID):
                twin.delete_thread("thread")

            assert state(twin) == before
        assert eventually(lambda: status(client) == "ok")

        chain.config = twin.put(chain.next(messages=long_list(201)))
        twin.put_writes(chain.config, [("c", 1)], "task", "")
        after = state(twin)
        assert len(after) == 4
        server.restart()
        assert state(twin) == after

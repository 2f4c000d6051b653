"""A server that is full, cannot save, or is asked for too much: it says so, and the state is as before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import redis

from counters import RoundTrips
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.codec import LARGEST
from servers import start_valkey
from steps import Chain, config_of, long_list, values_at
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 1024 * 1024


def incompressible(size: int) -> bytes:
    """Repeats itself too far apart for a compressor to see."""
    block = os.urandom(8 * MB)
    return block * (size // len(block)) + block[: size % len(block)]


def refusing(client: redis.Redis, saver: RedisSaver, put: Callable[[], Any], match: str) -> None:
    """A write is refused with a server's words, and what is read afterwards is what was read before."""
    before = saver.get_tuple(config_of())
    fields = client.hlen("full:{thread}:data")
    with pytest.raises(redis.ResponseError, match=match):
        put()
    assert saver.get_tuple(config_of()) == before
    assert client.hlen("full:{thread}:data") == fields


def test_when_memory_is_full_threads_can_be_deleted_and_then_it_goes_on() -> None:
    with (
        start_valkey(maxmemory="6mb", maxmemory_policy="noeviction") as server,
        redis.Redis.from_url(server.url) as client,
        RedisSaver(server.url, key_prefix="full") as saver,
    ):
        kept = Chain()
        kept.put(saver, messages=long_list(20))
        other = Chain(config_of("other"))

        def fill() -> None:
            for _ in range(200):
                other.put(saver, blob=os.urandom(100_000))

        for write in (
            lambda: saver.put(*kept.next(blob=os.urandom(100_000))),
            lambda: saver.put_writes(kept.config, [("c", os.urandom(100_000))], "task"),
        ):
            with pytest.raises(redis.ResponseError, match="maxmemory"):
                fill()
            refusing(client, saver, write, "maxmemory")

        saver.delete_thread("other")

        # Values are freed in the background.
        assert eventually(lambda: client.info("memory")["used_memory"] < 4 * MB)
        kept.put(saver, messages=long_list(60))
        assert values_at(saver, config_of()) == kept.values
        assert [thread.thread_id for thread in saver.threads()] == ["thread"]


def test_a_server_that_cannot_save_says_so_and_the_state_is_as_before() -> None:
    """A full disk: the snapshot fails, and the server stops to take writes."""
    with (
        start_valkey(save="3600 1", stop_writes_on_bgsave_error="yes", rdbcompression="no") as server,
        redis.Redis.from_url(server.url) as client,
        RedisSaver(server.url, key_prefix="full") as saver,
    ):
        chain = Chain()
        chain.put(saver, messages=long_list(20))
        # Where its file should go there is a folder, which no file can replace: also for root.
        snapshot = server.folder / "dump.rdb"
        (snapshot / "in the way").mkdir(parents=True)
        client.bgsave()
        assert eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")

        refusing(client, saver, lambda: saver.put(*chain.next(messages=long_list(40))), "MISCONF")
        refusing(client, saver, lambda: saver.put_writes(chain.config, [("c", 1)], "task"), "MISCONF")
        (snapshot / "in the way").rmdir()
        snapshot.rmdir()
        client.bgsave()
        assert eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "ok")

        chain.config = saver.put(*chain.next(messages=long_list(60)))
        assert values_at(saver, config_of()) == chain.values


@pytest.fixture(scope="module")
def large() -> dict[str, bytes]:
    return {"blob": incompressible(100 * MB)}


def test_a_value_of_100_mb_comes_back(saver: RedisSaver, other_saver: RedisSaver, large: Any) -> None:
    chain = Chain()
    chain.put(saver, **large)
    chain.put(saver, step=1)
    saver.put_writes(chain.config, [("blob", large["blob"])], "task")

    found = other_saver.get_tuple(config_of())

    assert found is not None
    assert found.checkpoint["channel_values"] == chain.values
    assert found.pending_writes == [("task", "blob", large["blob"])]


def test_a_value_that_redis_does_not_take_is_refused_before_it_is_sent(
    saver: RedisSaver, redis_client: redis.Redis
) -> None:
    chain = Chain()
    chain.put(saver, channel="before")
    put = chain.next(blob=incompressible(600 * MB))
    refused: list[tuple[str, Callable[[], Any]]] = [
        ("channel 'blob'", lambda: saver.put(*put)),
        (
            "'blob'",
            lambda: saver.put_writes(chain.config, [("blob", put.checkpoint["channel_values"]["blob"])], "t"),
        ),
    ]
    with RoundTrips(redis_client) as seen:
        for said, write in refused:
            with pytest.raises(
                ValueError, match=rf"{said} takes 6\d+ bytes .* at most {LARGEST}.*proto-max-bulk-len"
            ):
                write()

    assert not seen.scripts
    assert values_at(saver, config_of()) == {"channel": "before"}

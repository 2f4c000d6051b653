"""The harness itself: servers that start, end and come back, and counters that count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import redis

from langgraph.checkpoint.redis import RedisSaver
from leftovers import Leftovers
from servers import STARTERS, Server, ServerNotStartedError, available, start_valkey
from steps import config_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counters import RoundTrips


@pytest.fixture(params=available())
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    with STARTERS[request.param]() as server:
        yield server


def test_a_server_answers_under_its_pid_and_keeps_nothing(started: Server) -> None:
    with redis.Redis.from_url(started.url) as client:
        assert client.info("server")["process_id"] == started.pid
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendonly") == {"appendonly": "no"}


def test_a_stopped_server_is_gone_with_its_folder(started: Server) -> None:
    started.stop()
    started.stop()

    assert not started.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)


def test_a_killed_server_comes_back_with_what_it_had_written() -> None:
    with start_valkey(appendonly="yes", appendfsync="always") as server:
        port, pid = server.port, server.pid
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")
        server.kill()
        server.restart()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("key") == b"value"
        assert (server.port, server.pid != pid) == (port, True)


def test_a_server_that_cannot_start_says_what_it_logged() -> None:
    with pytest.raises(ServerNotStartedError, match="no-such-policy"):
        start_valkey(maxmemory_policy="no-such-policy")


def test_folders_of_servers_that_could_not_start_are_removed(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path))
        with pytest.raises(ServerNotStartedError):
            start_valkey(maxmemory_policy="no-such-policy")

    assert list(tmp_path.iterdir()) == []


def test_what_no_registry_names_counts_as_left_behind() -> None:
    with start_valkey() as server, redis.Redis.from_url(server.url) as client:
        with RedisSaver.from_conn_string(server.url, key_prefix="p") as saver:
            saver.put_writes(config_of("known", checkpoint_id="1"), [("c", 1)], "task")
        client.hset("p:{unknown}:data", "field", "value")

        with Leftovers(server.url) as leftovers:
            leftovers.delete_threads()
            assert leftovers.keys() == [b"p:{unknown}:data"]
            leftovers.forget()
        assert client.dbsize() == 0


@pytest.mark.every_server
def test_each_command_is_a_round_trip(redis_url: str, round_trips: Callable[[], RoundTrips]) -> None:
    with redis.Redis.from_url(redis_url) as other:
        other.ping()
        with round_trips() as seen:
            other.get("absent")
            other.get("absent")

    assert (seen.round_trips, seen.commands) == (2, {"get": 2})


@pytest.mark.every_server
def test_a_pipeline_is_one_round_trip(redis_url: str, round_trips: Callable[[], RoundTrips]) -> None:
    with redis.Redis.from_url(redis_url) as other:
        other.ping()
        with round_trips() as seen:
            other.pipeline(transaction=False).get("absent").exists("absent").execute()

    assert (seen.round_trips, seen.commands) == (1, {"get": 1, "exists": 1})


@pytest.mark.every_server
def test_nothing_done_is_no_round_trip(round_trips: Callable[[], RoundTrips]) -> None:
    with round_trips() as seen:
        pass

    assert (seen.round_trips, dict(seen.commands)) == (0, {})

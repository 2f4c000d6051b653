"""What a saver logs: events that an operator wants to know of, and nothing of what users store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
import redis

from directories import Make, Twin, listed
from langgraph._redis.plan import Call
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver, ReplicationError
from langgraph.checkpoint.redis.sweep import Sweep, newest_of_each_namespace
from steps import Chain, Put, config_of, id_of, long_list, metadata_of
from waiting import eventually

if TYPE_CHECKING:
    from servers import Server

NAMES = ("langgraph.checkpoint.redis", "langgraph._redis")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that is logged, at the level that says most."""
    for name in NAMES:
        caplog.set_level(logging.DEBUG, name)
    return caplog


def said(logged: pytest.LogCaptureFixture, level: int) -> list[str]:
    """The messages of one level."""
    return [record.getMessage() for record in logged.records if record.levelno == level]


def test_a_program_that_says_nothing_of_logging_is_shown_nothing() -> None:
    for name in NAMES:
        handlers = logging.getLogger(name).handlers
        assert [handler for handler in handlers if isinstance(handler, logging.NullHandler)]


def test_a_client_is_told_with_its_place_and_without_its_password(
    server: Server, logged: pytest.LogCaptureFixture
) -> None:
    place = server.url.removeprefix("redis://")

    RedisSaver(f"redis://user:hidden@{place}").close()

    (message,) = said(logged, logging.INFO)
    assert f"redis://{place}" in message
    assert "hidden" not in logged.text
    assert "user" not in logged.text


async def test_each_loops_client_is_told(
    async_saver: AsyncRedisSaver, logged: pytest.LogCaptureFixture
) -> None:
    await async_saver.aget_tuple(config_of())
    await async_saver.aget_tuple(config_of())

    assert [message[:24] for message in said(logged, logging.INFO)] == ["an async client is made "]


def test_an_operation_that_goes_as_it_should_says_nothing(
    saver: RedisSaver, logged: pytest.LogCaptureFixture
) -> None:
    config = Chain().put(saver, a=1)
    saver.get_tuple(config)
    logged.clear()

    Chain(config).put(saver, a=2)
    saver.put_writes(config, [("c", 1)], "task")
    saver.get_tuple(config)

    assert not said(logged, logging.INFO) + said(logged, logging.WARNING)


def test_a_script_that_the_server_lost_is_told(
    saver: RedisSaver, redis_client: redis.Redis, logged: pytest.LogCaptureFixture
) -> None:
    saver.get_tuple(config_of())
    redis_client.script_flush()
    logged.clear()

    saver.get_tuple(config_of())

    (message,) = said(logged, logging.DEBUG)
    assert "script get" in message


def test_a_put_that_is_sent_again_whole_is_told(make: Make, logged: pytest.LogCaptureFixture) -> None:
    twin, other, chain, text = make(), make(), Chain(), long_list(30)
    chain.config = twin.put(chain.next(messages=text))
    other.delete_thread("thread")
    other.put(Chain().next(messages=["another thread of that name"]))
    logged.clear()

    twin.put(chain.next(messages=[*text, *long_list(10, "more")]))

    (message,) = said(logged, logging.INFO)
    assert "sent again whole" in message


def test_a_thread_that_is_registered_anew_is_told(make: Make, logged: pytest.LogCaptureFixture) -> None:
    twin, other = make(), make()
    config = twin.put(Chain().next(a=1))
    other.delete_thread("thread")
    logged.clear()

    twin.put_writes(config, [("c", 1)], "task", "")

    assert [message for message in said(logged, logging.DEBUG) if "registered anew" in message]


def test_a_sweep_that_another_one_overtakes_is_told(
    saver: RedisSaver, other_saver: RedisSaver, logged: pytest.LogCaptureFixture
) -> None:
    chain = Chain()
    for step in range(5):
        chain.put(saver, step=step)
    sweep = Sweep(saver._core, saver._core.keys.thread("thread"))
    plan, asked = sweep.drop(newest_of_each_namespace(1)), 0

    def overtaken() -> Any:
        """The plan, beside which another sweep runs after its first call."""
        nonlocal asked
        reply = None
        try:
            while True:
                question = plan.send(reply)
                if asked == 1:
                    other_saver.prune(["thread"], keep_last=2)
                asked += isinstance(question, Call)
                reply = yield question
        except StopIteration:
            return

    saver._run(overtaken())

    assert [message for message in said(logged, logging.INFO) if "begins anew" in message]


def test_a_write_that_too_few_replicas_have_is_a_warning(
    make: Make, logged: pytest.LogCaptureFixture
) -> None:
    twin = make(wait_replicas=1, wait_timeout_ms=10)

    with pytest.raises(ReplicationError):
        twin.put(Chain().next(a=1))

    assert said(logged, logging.WARNING) == ["a write was confirmed by 0 of 1 replicas within 10 ms"]


def busy(twin: Twin, other: Twin) -> None:
    """All operations, on things whose names and contents are secret."""
    chain, text = Chain(config_of("secret-thread", "")), long_list(30, "secret-value")
    for step in range(4):
        text = [*text, *long_list(5, f"secret-{step}")]
        put = chain.next(**{"secret-channel": text})
        metadata = metadata_of(step, run_id="secret-run", user="secret-user")
        chain.config = twin.put(Put(put.config, put.checkpoint, metadata, put.new_versions))
        twin.put_writes(chain.config, [("secret-channel", text)], "secret-task", "secret-path")
    twin.get_tuple(chain.config)
    twin.list(config_of("secret-thread"), filter={"user": "secret-user"})
    twin.list(None)
    twin.history(chain.config, ["secret-channel"])
    listed(twin, filter={"user": "secret-user"})
    twin.do("copy_thread", "secret-thread", "secret-copy")
    twin.do("copy_thread", "secret-thread", "secret-fork", until=id_of(chain.config))
    twin.do("set_ttl", "secret-thread", 5)
    twin.do("get_ttl", "secret-thread")
    twin.do("persist", "secret-thread")
    twin.do("prune", ["secret-copy"])
    other.delete_thread("secret-thread")
    twin.put_writes(chain.config, [("secret-channel", text)], "secret-late", "")
    twin.put(chain.next(**{"secret-channel": [*text, "secret-last"]}))
    twin.do("delete_for_runs", ["secret-run"])
    for thread in ("secret-thread", "secret-copy", "secret-fork"):
        twin.delete_thread(thread)


def test_nothing_of_what_is_stored_is_ever_logged(make: Make, logged: pytest.LogCaptureFixture) -> None:
    busy(make(index_metadata=["user"]), make())

    shown = logged.text + "".join(repr(vars(record)) for record in logged.records)
    assert "sent again whole" in shown
    assert "registered anew" in shown
    assert "secret" not in shown


@pytest.mark.every_server
def test_the_server_logs_an_index_that_is_made_anew(
    server: Server, saver: RedisSaver, redis_client: redis.Redis
) -> None:
    Chain().put(saver, a=1)
    redis_client.unlink(saver._core.keys.thread("thread").index)

    assert saver.get_tuple(config_of()) is not None

    log = server.folder / "server.log"
    assert eventually(lambda: "is gone and made anew" in log.read_text())

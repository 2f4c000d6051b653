"""What goes wrong is said, with key and field, and never looks like a checkpoint that is not there."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
import redis

from damage import fields, thread_keys
from langgraph.checkpoint.redis import CorruptRecordError, RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from servers import start_valkey
from steps import Chain, config_of, long_list

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.every_server
def test_scripts_that_the_server_forgot_are_sent_again(saver: RedisSaver, redis_client: redis.Redis) -> None:
    chain = Chain()
    for step in range(3):
        redis_client.script_flush()
        chain.put(saver, messages=long_list(10 * step))
        redis_client.script_flush()
        saver.put_writes(chain.config, [("c", step)], "task")
        redis_client.script_flush()
        assert saver.get_tuple(config_of()) is not None
        redis_client.script_flush()
        assert len(list(saver.list(config_of(), filter={"step": step}))) == 1


async def test_scripts_forgotten_in_the_middle_of_a_batch_are_sent_again(
    async_saver: AsyncRedisSaver, redis_client: redis.Redis
) -> None:
    config = await Chain().aput(async_saver, channel=1)

    async def forget() -> None:
        for _ in range(20):
            await asyncio.to_thread(redis_client.script_flush)

    writes = [async_saver.aput_writes(config, [("c", n)], f"{n:03}") for n in range(300)]
    await asyncio.gather(forget(), *writes)

    found = await async_saver.aget_tuple(config)
    assert found is not None
    assert found.pending_writes == [(f"{n:03}", "c", n) for n in range(300)]


# Records that cannot be read.


@pytest.mark.parametrize("damage", [b"", b"?", b"1", b"I", b"M", b"\xff" * 50, b"1\n\n\n\n\nmsgpack\n"])
@pytest.mark.parametrize("start", [b"c/", b"v/", b"s/", b"w/"])
def test_what_cannot_be_read_is_an_error_that_names_key_and_field(
    saver: RedisSaver,
    other_saver: RedisSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    *,
    start: bytes,
    damage: bytes,
) -> None:
    chain = Chain()
    chain.put(saver, messages=long_list(50))
    saver.put_writes(chain.config, [("c", 1)], "task")
    key = thread_keys(key_prefix)[0]
    field = fields(redis_client, key_prefix, start)[0]
    redis_client.hset(key, field.decode(), damage)

    reads: list[Callable[[], Any]] = [
        lambda: other_saver.get_tuple(config_of()),
        lambda: list(other_saver.list(config_of())),
    ]
    for read in reads:
        with pytest.raises(CorruptRecordError) as caught:
            read()
        assert key in str(caught.value)
        assert field.decode() in str(caught.value)


@pytest.mark.parametrize("start", [b"v/", b"s/", b"w/"])
def test_a_read_that_misses_something_is_an_error_that_names_key_and_field(
    saver: RedisSaver,
    other_saver: RedisSaver,
    redis_client: redis.Redis,
    key_prefix: str,
    start: bytes,
) -> None:
    config = Chain().put(saver, messages=long_list(50))
    saver.put_writes(config, [("c", 1)], "task")
    key = thread_keys(key_prefix)[0]
    field = fields(redis_client, key_prefix, start)[0]
    redis_client.hdel(key, field)

    with pytest.raises(CorruptRecordError) as caught:
        other_saver.get_tuple(config_of())
    assert key in str(caught.value)
    assert field.decode() in str(caught.value)


def test_a_damaged_thread_does_not_hinder_others(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    Chain().put(saver, messages=long_list(50))
    config = Chain(config_of("other")).put(saver, channel=1)
    field = fields(redis_client, key_prefix, b"c/")[0]
    redis_client.hset(thread_keys(key_prefix)[0], field.decode(), b"?")

    assert saver.get(config) is not None


def test_a_key_of_another_type_is_an_error(
    saver: RedisSaver, redis_client: redis.Redis, key_prefix: str
) -> None:
    Chain().put(saver, channel=1)
    for key in thread_keys(key_prefix):
        redis_client.delete(key)
        redis_client.set(key, "text")

    for operation in (
        lambda: saver.get_tuple(config_of()),
        lambda: list(saver.list(config_of())),
        lambda: saver.put(*Chain().next(channel=1)),
        lambda: saver.put_writes(config_of(checkpoint_id="1"), [("c", 1)], "task"),
    ):
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            operation()
    redis_client.delete(*thread_keys(key_prefix))


# Outages.

QUICK = {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": None}


def test_an_outage_raises_and_is_never_a_missing_checkpoint() -> None:
    with (
        start_valkey(appendonly="yes", appendfsync="always") as server,
        RedisSaver.from_conn_string(server.url, connection_args=QUICK) as saver,
    ):
        chain = Chain()
        chain.put(saver, messages=long_list(50))
        server.kill()
        for operation in (
            lambda: saver.get_tuple(config_of()),
            lambda: saver.get_tuple(config_of("never")),
            lambda: list(saver.list(config_of())),
            lambda: list(saver.list(None)),
            lambda: saver.put(*chain.next(channel=1)),
            lambda: saver.put_writes(chain.config, [("c", 1)], "task"),
            lambda: saver.delete_thread("thread"),
            lambda: saver.get_delta_channel_history(config=chain.config, channels=["c"]),
            saver.setup,
        ):
            with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
                operation()
        server.restart()

        found = saver.get(config_of())
        assert found is not None
        assert found["channel_values"] == {"messages": long_list(50)}


async def test_an_outage_reaches_every_waiting_caller_and_is_over_when_it_is_over() -> None:
    with start_valkey(appendonly="yes", appendfsync="always") as server:
        async with AsyncRedisSaver.from_conn_string(server.url, connection_args=QUICK) as saver:
            config = await Chain().aput(saver, channel=1)
            server.kill()
            results = await asyncio.gather(
                *(saver.aget_tuple(config) for _ in range(200)), return_exceptions=True
            )
            assert {type(it) for it in results} <= {redis.ConnectionError, redis.TimeoutError}
            server.restart()

            found = await asyncio.gather(*(saver.aget_tuple(config) for _ in range(200)))
            assert None not in found


def test_a_server_without_memory_is_an_error_and_leaves_the_old_state() -> None:
    with (
        start_valkey(maxmemory="3mb", maxmemory_policy="noeviction") as server,
        RedisSaver.from_conn_string(server.url) as saver,
    ):
        chain = Chain()
        chain.put(saver, channel="kept")

        def fill() -> None:
            for _ in range(100):
                chain.put(saver, blob=os.urandom(100_000))

        with pytest.raises(redis.ResponseError, match="maxmemory"):
            fill()
        found = saver.get_tuple(config_of())
        assert found is not None
        assert found.config == chain.config


def test_a_read_only_replica_refuses_writes_by_name() -> None:
    with (
        start_valkey() as primary,
        start_valkey(replicaof=f"127.0.0.1 {primary.port}") as replica,
        RedisSaver.from_conn_string(replica.url) as saver,
        pytest.raises(redis.exceptions.ReadOnlyError),
    ):
        Chain().put(saver, channel=1)

"""Clients, ours and brought: who closes them, how they decode, what their user may do."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
import redis
import redis.asyncio
from redis.exceptions import ResponseError

from directories import put
from langgraph.checkpoint.redis import EvictionWarning, RedisSaver, UnsupportedServerError
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from servers import Server, start_valkey
from steps import Chain, config_of, id_of, metadata_of, values_at
from users import NAME, PASSWORD, as_user, documented, make_user
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from directories import Make


def exercise(saver: RedisSaver) -> None:
    """Every operation, with values that are stored in each of the ways there are."""
    chain = Chain()
    for step in range(3):
        put = chain.next(small=step, blob=b"\xff" * 500, messages=[b"\xfe" * 300] * (10 + step))
        metadata = metadata_of(step, run_id="rün")
        chain.config = saver.put(put.config, put.checkpoint, metadata, put.new_versions)
        saver.put_writes(chain.config, [("é", b"\xfd"), ("__error__", "x")], "täsk", "päth")
    found = saver.get_tuple(config_of())
    assert found is not None
    assert found.checkpoint["channel_values"] == chain.values
    assert found.pending_writes == [("täsk", "__error__", "x"), ("täsk", "é", b"\xfd")]
    assert len(list(saver.list(None, filter={"step": 1}))) == 1
    history = saver.get_delta_channel_history(config=chain.config, channels=["é", "blob"])
    assert history["blob"]["seed"] == b"\xff" * 500
    saver.copy_thread("thread", "copy")
    saver.prune(["copy"])
    assert len(list(saver.list(config_of("copy")))) == 1
    saver.delete_for_runs(["rün"])
    saver.delete_thread("thread")
    saver.delete_thread("copy")
    assert list(saver.list(None)) == []


def maintain(saver: RedisSaver) -> None:
    """Every operation that is not LangGraph's, and what the options add to the others."""
    chain = Chain()
    for step in range(50):
        config = {"configurable": {**chain.config["configurable"], "ttl": 30}} if step == 1 else chain.config
        put = chain.next(messages=[b"\xfe" * 300] * step)
        metadata = metadata_of(step, run_id=f"rün {step}")
        chain.config = saver.put(cast("Any", config), put.checkpoint, metadata, put.new_versions)
        saver.put_writes(chain.config, [("é", step)], "täsk")
    Chain(config_of("thread", "node:task")).put(saver, channel=1)
    saver.set_ttl("thread", 5)
    assert saver.get_ttl("thread") == pytest.approx(5, abs=0.1)
    saver.persist("thread")
    assert saver.get_ttl("thread") is None
    saver.set_ttl("thread", None)
    for found in (saver.threads(limit=1), saver.threads(filter={"step": 49}), saver.threads()):
        assert [thread.thread_id for thread in found] == ["thread"]
    saver.copy_thread("thread", "fork", until=id_of(chain.config))
    saver.prune(["thread"], keep_last=1, older_than=timedelta(days=1))
    assert saver.prune_idle(timedelta(days=1)).threads == 0
    assert values_at(saver, config_of("fork")) == chain.values
    for thread in ("thread", "fork"):
        saver.delete_thread(thread)
    assert list(saver.threads()) == []


@pytest.mark.every_server
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
def test_replies_are_read_whether_a_client_decodes_them_or_not(
    redis_url: str, key_prefix: str, protocol: int, *, decode: bool
) -> None:
    with (
        redis.Redis.from_url(redis_url, decode_responses=decode, protocol=protocol) as client,
        RedisSaver.from_conn_string(redis_client=client, key_prefix=key_prefix) as saver,
    ):
        saver.setup()
        exercise(saver)
        maintain(saver)


@pytest.mark.every_server
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
async def test_replies_are_read_whether_an_async_client_decodes_them_or_not(
    redis_url: str, key_prefix: str, protocol: int, *, decode: bool
) -> None:
    client = redis.asyncio.Redis.from_url(redis_url, decode_responses=decode, protocol=protocol)
    async with client:
        saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix)
        await saver.setup()
        chain = Chain()
        for step in range(3):
            await chain.aput(saver, step=step, messages=[b"\xfe" * 300] * (10 + step))
        await saver.aput_writes(chain.config, [("é", b"\xfd")], "täsk")
        found = await saver.aget_tuple(config_of())
        assert found is not None
        assert found.checkpoint["channel_values"] == chain.values
        assert found.pending_writes == [("täsk", "é", b"\xfd")]
        assert len([it async for it in saver.alist(None, filter={"step": 1})]) == 1
        await saver.aclose()


@pytest.mark.every_server
def test_every_operation_works_on_connection_settings_of_ones_own(redis_url: str, key_prefix: str) -> None:
    with RedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, connection_args={"client_name": "mine", "db": 3}
    ) as saver:
        exercise(saver)


def test_a_client_that_was_brought_stays_open(redis_client: redis.Redis, key_prefix: str) -> None:
    with RedisSaver.from_conn_string(redis_client=redis_client, key_prefix=key_prefix) as saver:
        Chain().put(saver, channel=1)
        named = redis_client.client_id()

    assert redis_client.client_id() == named


async def test_an_async_client_that_was_brought_stays_open(redis_url: str, key_prefix: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        async with AsyncRedisSaver.from_conn_string(redis_client=client, key_prefix=key_prefix) as saver:
            await Chain().aput(saver, channel=1)
            named = await client.client_id()

        assert await client.client_id() == named


def test_closing_a_saver_ends_its_connections(
    redis_url: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    saver = RedisSaver(redis_url, key_prefix=key_prefix, connection_args={"client_name": key_prefix})
    Chain().put(saver, channel=1)
    assert connections(redis_client, key_prefix) == 1

    saver.close()
    saver.close()

    assert eventually(lambda: connections(redis_client, key_prefix) == 0)


async def test_closing_an_async_saver_ends_its_connections(
    redis_url: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix, connection_args={"client_name": key_prefix})
    await Chain().aput(saver, channel=1)
    await asyncio.to_thread(saver.get, config_of())
    assert connections(redis_client, key_prefix) == 2

    await saver.aclose()
    await saver.aclose()

    assert eventually(lambda: connections(redis_client, key_prefix) == 0)


def test_a_place_to_connect_to_is_needed_and_only_one(redis_client: redis.Redis) -> None:
    with pytest.raises(ValueError, match="redis_url or redis_client"):
        RedisSaver()
    with pytest.raises(ValueError, match="redis_url or redis_client"):
        RedisSaver("redis://127.0.0.1", redis_client=redis_client)
    with pytest.raises(ValueError, match="redis://"):
        RedisSaver("http://127.0.0.1")
    with pytest.raises(ValueError, match="connection_args"):
        RedisSaver(redis_client=redis_client, connection_args={"db": 1})


def test_a_client_of_the_other_kind_is_refused(redis_client: redis.Redis, redis_url: str) -> None:
    with pytest.raises(TypeError, match="AsyncRedisSaver"):
        RedisSaver(redis_client=redis.asyncio.Redis.from_url(redis_url))
    with pytest.raises(TypeError, match="RedisSaver"):
        AsyncRedisSaver(redis_client=redis_client)
    with pytest.raises(TypeError, match="redis_client"):
        RedisSaver(redis_client="redis://127.0.0.1")


def test_a_name_tells_where_a_saver_is_but_no_password() -> None:
    with closing(RedisSaver("redis://user:hunter2@127.0.0.1:1/0", key_prefix="mine")) as saver:
        assert "127.0.0.1:1" in repr(saver)
        assert "mine" in repr(saver)
        assert "hunter2" not in repr(saver)


# What setup looks at.


@pytest.mark.every_server
def test_setup_may_be_called_again_and_again_and_creates_nothing(
    saver: RedisSaver, redis_client: redis.Redis
) -> None:
    saver.setup()
    saver.setup()

    assert redis_client.dbsize() == 0


async def test_async_setup_has_both_names(async_saver: AsyncRedisSaver, redis_client: redis.Redis) -> None:
    await async_saver.asetup()
    await async_saver.setup()

    assert redis_client.dbsize() == 0


@pytest.mark.every_server
def test_forgetting_setup_breaks_nothing(saver: RedisSaver) -> None:
    exercise(saver)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_setup_warns_of_a_policy_that_drops_live_threads(policy: str) -> None:
    with (
        start_valkey(maxmemory="100mb", maxmemory_policy=policy) as server,
        RedisSaver.from_conn_string(server.url) as saver,
        pytest.warns(EvictionWarning, match=policy),
    ):
        saver.setup()


async def test_async_setup_warns_too() -> None:
    with start_valkey(maxmemory="100mb", maxmemory_policy="allkeys-lru") as server:
        async with AsyncRedisSaver.from_conn_string(server.url) as saver:
            with pytest.warns(EvictionWarning, match="allkeys-lru"):
                await saver.asetup()


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru", "volatile-ttl"])
def test_setup_is_silent_where_only_keys_with_a_ttl_can_go(policy: str) -> None:
    """No key of ours has a TTL."""
    with (
        start_valkey(maxmemory="100mb", maxmemory_policy=policy) as server,
        RedisSaver.from_conn_string(server.url) as saver,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        saver.setup()


@pytest.fixture
def restricted(server: Server, key_prefix: str) -> Iterator[str]:
    """The URL of a user who may run what is needed on our keys, and nothing else."""
    with redis.Redis.from_url(server.url) as admin:
        make_user(admin, key_prefix, documented())
        yield as_user(server.url)
        admin.acl_deluser(NAME)


@pytest.mark.every_server
def test_a_user_without_admin_commands_can_do_everything(restricted: str, key_prefix: str) -> None:
    """No CONFIG, no INFO, no KEYS, no SCAN; and no key of anybody else."""
    with RedisSaver.from_conn_string(restricted, key_prefix=key_prefix) as saver:
        saver.setup()
        exercise(saver)


@pytest.mark.every_server
def test_a_user_without_admin_commands_can_do_everything_with_every_option(
    restricted: str, key_prefix: str
) -> None:
    with RedisSaver.from_conn_string(
        restricted,
        key_prefix=key_prefix,
        ttl={"default_ttl": 60, "refresh_on_read": True},
        keep_last=2,
        index_metadata=["step"],
    ) as saver:
        saver.setup()
        maintain(saver)


@pytest.mark.parametrize("missing", ["multi", "exec"])
def test_a_user_who_may_make_no_transaction_is_told_which_command_is_missing(
    restricted: str, key_prefix: str, redis_client: redis.Redis, missing: str
) -> None:
    redis_client.acl_setuser(NAME, enabled=True, commands=[f"-{missing}"])

    with (
        RedisSaver.from_conn_string(restricted, key_prefix=key_prefix) as saver,
        pytest.raises(ResponseError, match=rf"no permissions to run the '{missing}' command"),
    ):
        Chain().put(saver, channel=1)


def test_setup_says_what_a_user_is_missing(
    restricted: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    redis_client.acl_setuser(NAME, enabled=True, commands=["-copy"])

    with (
        RedisSaver.from_conn_string(restricted, key_prefix=key_prefix) as saver,
        pytest.raises(UnsupportedServerError, match=r"(?i)permission"),
    ):
        saver.setup()


def connections(client: redis.Redis, name: str) -> int:
    listed: Any = client.client_list()
    return sum(connection["name"] == name for connection in listed)


def test_a_credential_provider_says_who_connects(
    make: Make, redis_client: redis.Redis, key_prefix: str
) -> None:
    make_user(redis_client, key_prefix, documented())
    provider = redis.UsernamePasswordCredentialProvider(NAME, PASSWORD)

    put(make(connection_args={"credential_provider": provider}), "thread")

    names = {each["user"] for each in redis_client.client_list()}
    redis_client.acl_deluser(NAME)
    assert NAME in names

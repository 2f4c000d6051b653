"""Over TLS: servers and clients show certificates, and a stranger's is refused with redis-py's error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import redis
import redis.asyncio

from certificates import OPENSSL, Authority
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from servers import STARTERS, Server, ServerNotStartedError, available, free_port
from steps import Chain, config_of, long_list, values_at
from topologies import ask
from twins import Async, Sync
from waiting import eventually

Arguments: TypeAlias = "dict[str, Any]"


class Tls(NamedTuple):
    """A server that speaks TLS beside plain text, and what its clients show."""

    url: str
    plain: str
    trusting: Arguments
    """Trusts the server's authority, and shows nothing."""
    shown: Arguments
    """Shows a certificate as well."""
    stranger: Arguments
    """Trusts another authority only."""


def start_with_tls(authority: Authority, clients: str, **config: Any) -> tuple[Server, int]:
    """The first kind of server found here that was built with TLS, and its port for it."""
    own = authority.sign("server")
    port = free_port()
    told: Arguments = {
        "tls_port": port,
        "tls_cert_file": own.certificate,
        "tls_key_file": own.key,
        "tls_ca_cert_file": authority.own.certificate,
        "tls_auth_clients": clients,
        **config,
    }
    for name in available():
        with suppress(ServerNotStartedError):  # Valkey's wheel, for one, was built without.
            return STARTERS[name](**told), port
    pytest.skip(f"none of the servers found here speaks TLS: {', '.join(available())}")


@pytest.fixture(scope="module", params=["yes", "no"], ids=["clients show certificates", "they need not"])
def tls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    if OPENSSL is None:
        pytest.skip("certificates are made by openssl, which is not on PATH")
    folder = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder, "authority"), Authority(folder, "another authority")
    client = authority.sign("client")
    shows = {"ssl_certfile": str(client.certificate), "ssl_keyfile": str(client.key)}
    trusting = {"ssl_ca_certs": str(authority.own.certificate)}
    server, port = start_with_tls(authority, request.param)
    with server:
        yield Tls(
            f"rediss://127.0.0.1:{port}/0",
            server.url,
            trusting if request.param == "no" else {**trusting, **shows},
            {**trusting, **shows},
            {"ssl_ca_certs": str(other.own.certificate)},
        )


@pytest.mark.parametrize("kind", [Sync, Async])
@pytest.mark.parametrize("args", ["trusting", "shown"])
def test_threads_are_stored_and_read_over_tls(
    tls: Tls, key_prefix: str, kind: type[Sync | Async], args: str
) -> None:
    twin = kind(tls.url, key_prefix, connection_args=getattr(tls, args))
    chain = Chain()

    for step in range(3):
        chain.config = twin.put(chain.next(messages=long_list(400 + step)))
    twin.put_writes(chain.config, [("é", b"\xfd")], "task", "")

    found = twin.get_tuple(config_of())
    assert found is not None
    assert found.checkpoint["channel_values"] == chain.values
    assert found.pending_writes == [("task", "é", b"\xfd")]
    twin.delete_thread("thread")
    twin.close()


def test_settings_may_stand_in_the_url(tls: Tls, key_prefix: str) -> None:
    told = "&".join(f"{name}={path}" for name, path in tls.shown.items())

    with RedisSaver.from_conn_string(f"{tls.url}?{told}", key_prefix=key_prefix) as saver:
        saver.setup()
        assert tls.shown["ssl_certfile"] not in repr(saver)


def test_sync_methods_over_an_async_client_show_what_it_shows(tls: Tls, key_prefix: str) -> None:
    client: Any = redis.asyncio.Redis.from_url(tls.url, **tls.shown)
    saver = AsyncRedisSaver(redis_client=client, key_prefix=key_prefix)

    chain = Chain()
    chain.put(saver, channel=1)

    assert values_at(saver, config_of()) == {"channel": 1}
    saver.delete_thread("thread")
    saver.close()


NOT_TRUSTED = re.compile("certificate verify failed|unable to get local issuer", re.IGNORECASE)


def test_a_server_of_another_authority_is_refused(tls: Tls) -> None:
    with (
        RedisSaver.from_conn_string(tls.url, connection_args=tls.stranger) as saver,
        pytest.raises(redis.ConnectionError, match=NOT_TRUSTED),
    ):
        saver.get_tuple(config_of())


async def test_a_server_of_another_authority_is_refused_async(tls: Tls) -> None:
    async with AsyncRedisSaver.from_conn_string(tls.url, connection_args=tls.stranger) as saver:
        with pytest.raises(redis.ConnectionError, match=NOT_TRUSTED):
            await saver.aget_tuple(config_of())


def test_a_client_that_shows_nothing_where_it_must_is_refused(tls: Tls) -> None:
    """Under TLS 1.3 the server says so after the handshake; what it says comes as a ConnectionError."""
    args = {"ssl_ca_certs": tls.shown["ssl_ca_certs"]}
    with RedisSaver.from_conn_string(tls.url, connection_args=args) as saver:
        if "ssl_certfile" not in tls.trusting:
            assert saver.get_tuple(config_of()) is None
            return
        with pytest.raises(redis.ConnectionError):
            saver.get_tuple(config_of())


def test_plain_text_to_a_port_for_tls_is_an_error(tls: Tls) -> None:
    url = tls.url.replace("rediss://", "redis://")
    with (
        RedisSaver.from_conn_string(url, connection_args={"socket_timeout": 0.5}) as saver,
        pytest.raises((redis.ConnectionError, redis.TimeoutError)),
    ):
        saver.get_tuple(config_of())


def test_tls_to_a_port_for_plain_text_is_an_error(tls: Tls) -> None:
    url = tls.plain.replace("redis://", "rediss://")
    with (
        RedisSaver.from_conn_string(url, connection_args={**tls.shown, "socket_timeout": 0.5}) as saver,
        pytest.raises((redis.ConnectionError, redis.TimeoutError)),
    ):
        saver.get_tuple(config_of())


@pytest.mark.parametrize("kind", [Sync, Async])
def test_a_cluster_is_reached_over_tls(tmp_path: Path, key_prefix: str, kind: type[Sync | Async]) -> None:
    authority = Authority(tmp_path, "authority")
    settings = {"cluster_enabled": "yes", "cluster_port": free_port(), "tls_cluster": "yes"}
    server, port = start_with_tls(authority, "no", **settings)
    with server, redis.Redis.from_url(server.url) as admin:
        admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        assert eventually(lambda: ask(server, "CLUSTER INFO")["cluster_state"] == "ok")
        twin = kind(
            f"rediss+cluster://127.0.0.1:{port}",
            key_prefix,
            connection_args={"ssl_ca_certs": str(authority.own.certificate)},
        )

        for thread in ("a", "b", "c"):
            twin.put(Chain(config_of(thread)).next(channel=thread))

        assert len(twin.list(None)) == 3
        twin.close()

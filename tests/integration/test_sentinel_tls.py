"""Sentinels and the servers that they watch, all over TLS; also after another one was made the primary."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from certificates import OPENSSL, Authority
from langgraph.checkpoint.redis import RedisSaver
from servers import ServerNotStartedError, free_port, start_redis, start_sentinel
from steps import Chain, config_of, long_list
from topologies import SERVICE, ask
from twins import Async, Sync
from waiting import eventually


class Watched(NamedTuple):
    """Where sentinels answer over TLS and in plain text, and what clients show."""

    url: str
    plain_port: int
    args: dict[str, Any]
    stranger: dict[str, Any]

    def primary(self) -> int:
        with redis.Redis(port=self.plain_port) as client:
            found: Any = client.sentinel_master(SERVICE)
        return int(found["port"]) if found["flags"] == "master" else 0

    def fail_over(self) -> None:
        with redis.Redis(port=self.plain_port) as client:
            client.execute_command("SENTINEL FAILOVER", SERVICE)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A primary, a replica and a sentinel, who talk to each other over TLS, too."""
    if OPENSSL is None or shutil.which("redis-server") is None:
        pytest.skip("needs openssl, and a redis-server that was built with TLS, on PATH")
    folder: Path = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder, "authority"), Authority(folder, "another authority")
    server, client = authority.sign("server"), authority.sign("client")
    settings = {
        "tls_cert_file": server.certificate,
        "tls_key_file": server.key,
        "tls_ca_cert_file": authority.own.certificate,
        "tls_auth_clients": "yes",
        "tls_replication": "yes",
    }
    first, second, third = free_port(), free_port(), free_port()
    try:
        primary = start_redis(tls_port=first, **settings)
    except ServerNotStartedError:
        pytest.skip("the redis-server on PATH was built without TLS")
    told = {name.replace("_", "-"): value for name, value in settings.items()}
    with (
        primary,
        start_redis(tls_port=second, replicaof=f"127.0.0.1 {first}", **settings) as replica,
        start_sentinel(SERVICE, first, quorum=1, binary="redis-server", tls_port=third, **told) as sentinel,
    ):
        assert eventually(lambda: ask(replica, "INFO", "replication")["master_link_status"] == "up")
        assert eventually(lambda: ask(sentinel, "SENTINEL MASTER", SERVICE)["num-slaves"] == 1, 20)
        yield Watched(
            f"rediss+sentinel://127.0.0.1:{third}/{SERVICE}",
            sentinel.port,
            {
                "ssl_ca_certs": str(authority.own.certificate),
                "ssl_certfile": str(client.certificate),
                "ssl_keyfile": str(client.key),
            },
            {"ssl_ca_certs": str(other.own.certificate)},
        )


@pytest.mark.parametrize("kind", [Sync, Async])
def test_threads_are_stored_and_read_over_tls_wherever_the_primary_is(
    watched: Watched, key_prefix: str, kind: type[Sync | Async]
) -> None:
    twin = kind(watched.url, key_prefix, connection_args=watched.args)
    chain = Chain()
    chain.config = twin.put(chain.next(messages=long_list(40)))
    before = watched.primary()

    watched.fail_over()
    assert eventually(lambda: watched.primary() not in (0, before), 20)

    made = chain.next(messages=long_list(41))

    def goes_on() -> bool:
        """The one that was the primary may still be asked."""
        try:
            chain.config = twin.put(made)
        except redis.RedisError:
            return False
        return True

    assert eventually(goes_on, 20)
    found = twin.get_tuple(config_of())
    assert found is not None
    assert found.checkpoint["channel_values"] == chain.values
    twin.delete_thread("thread")
    twin.close()


def test_sentinels_of_another_authority_are_refused(watched: Watched) -> None:
    with (
        RedisSaver.from_conn_string(watched.url, connection_args=watched.stranger) as saver,
        pytest.raises(redis.ConnectionError),
    ):
        saver.get_tuple(config_of())


def test_sentinels_may_speak_plain_text_where_their_servers_speak_tls(
    watched: Watched, key_prefix: str
) -> None:
    url = f"rediss+sentinel://127.0.0.1:{watched.plain_port}/{SERVICE}"
    args = {**watched.args, "sentinel_kwargs": {"ssl": False}}

    with RedisSaver.from_conn_string(url, connection_args=args, key_prefix=key_prefix) as saver:
        Chain().put(saver, channel=1)
        assert saver.get(config_of()) is not None
        saver.delete_thread("thread")

"""A user with the documented commands and no other can do everything, wherever it connects to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.exceptions import RedisClusterException

from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of, long_list
from topologies import Together, ask
from twins import Async, Sync
from users import NAME, ROOT, as_user, documented, make_user


def more_for(what: str) -> list[str]:
    """What the page for production adds to them."""
    text = (ROOT / "docs" / "production.md").read_text("utf-8")
    (cell,) = re.findall(rf"^\| {re.escape(what)} \| `(.*)` \|$", text, re.MULTILINE)
    return str(cell).replace("\\|", "|").split()


@pytest.fixture
def restrict(key_prefix: str) -> Iterator[Callable[[Together, list[str]], str]]:
    """Makes a user of these commands on every server, and gives the URL for it."""
    served: list[Together] = []

    def make_one(together: Together, commands: list[str]) -> str:
        served.append(together)
        for server in together.servers:
            with redis.Redis.from_url(server.url) as admin:
                make_user(admin, key_prefix, commands)
        return as_user(together.url)

    yield make_one
    for together in served:
        for server in together.servers:
            ask(server, "ACL DELUSER", NAME)


def exercise(twin: Sync | Async) -> None:
    """Operations of each kind, in several slots."""
    twin.do("setup")
    for thread in ("a", "b", "c"):
        chain = Chain(config_of(thread))
        for step in range(4):
            chain.config = twin.put(chain.next(messages=long_list(20 + step)))
        twin.put_writes(chain.config, [("é", 1)], "task", "")
        twin.do("set_ttl", thread, 5)
        twin.copy_thread(thread, f"{thread} again")
    assert len(twin.list(None)) == 24
    twin.do("prune", ["a", "b", "c"])
    assert len(twin.list(None)) == 15
    for thread in ("a", "b", "c"):
        twin.delete_thread(thread)
        twin.delete_thread(f"{thread} again")


@pytest.mark.parametrize("kind", [Sync, Async])
def test_everything_works_on_a_cluster(
    cluster_of_six: Together, key_prefix: str, restrict: Any, kind: type[Sync | Async]
) -> None:
    url = restrict(cluster_of_six, [*documented(), *more_for("the server is a cluster")])
    twin = kind(url, key_prefix)

    exercise(twin)

    twin.close()


@pytest.mark.parametrize("kind", [Sync, Async])
def test_everything_works_behind_sentinels(
    sentinels: Together, key_prefix: str, restrict: Any, kind: type[Sync | Async]
) -> None:
    for watcher in sentinels.watchers:
        ask(watcher, "ACL SETUSER", "watcher", "reset", "on", ">another", "-@all", "+sentinel|masters")
    args = {"sentinel_kwargs": {"username": "watcher", "password": "another"}}
    twin = kind(restrict(sentinels, documented()), key_prefix, connection_args=args)

    exercise(twin)

    twin.close()
    for watcher in sentinels.watchers:
        ask(watcher, "ACL DELUSER", "watcher")


def test_a_cluster_that_tells_nothing_of_itself_is_an_error(cluster_of_six: Together, restrict: Any) -> None:
    url = restrict(cluster_of_six, documented())

    with pytest.raises(RedisClusterException, match="cannot be connected"):
        RedisSaver(url)

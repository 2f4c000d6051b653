"""What every test may ask for: a real server, savers under a prefix of the test's own, counters.

A test that uses `server` (most do, through a saver) is also checked for what it leaves behind.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import redis
from hypothesis import HealthCheck, settings

from counters import RoundTrips
from directories import Books, Make, making
from engines import start_search
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from leftovers import Leftovers
from places import CLUSTER, SERVER, Place
from servers import STARTERS, Server, available, start_cluster
from stores import AsyncStore, MakeStore, SyncStore, Twin, making_stores
from topologies import Together, start_cluster_of_six, start_sentinels
from twins import Async, Sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# The same examples in every run, so that a red run means a change; DEEP_EXAMPLES=5000 searches.
_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
settings.register_profile(
    "steady", derandomize=True, deadline=None, max_examples=80, suppress_health_check=_QUIET
)
settings.register_profile(
    "deep",
    deadline=None,
    max_examples=int(os.environ.get("DEEP_EXAMPLES", "1000")),
    suppress_health_check=_QUIET,
)
settings.load_profile("deep" if "DEEP_EXAMPLES" in os.environ else "steady")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_server: run on each kind of server found here")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The whole suite runs on Valkey; what is marked `every_server` also on redis-server."""
    if "server" in metafunc.fixturenames:
        everywhere = metafunc.definition.get_closest_marker("every_server") is not None
        names = available() if everywhere else ["valkey"]
        metafunc.parametrize("server", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with STARTERS[request.param]() as started:
        yield started


@pytest.fixture
def redis_url(server: Server) -> str:
    return server.url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the test's own, replies as bytes."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def key_prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def saver(redis_url: str, key_prefix: str) -> Iterator[RedisSaver]:
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as opened:
        yield opened


@pytest.fixture
def other_saver(redis_url: str, key_prefix: str) -> Iterator[RedisSaver]:
    """Like `saver`, as another process has it: neither knows what the other one remembers."""
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as opened:
        yield opened


@pytest.fixture
async def async_saver(redis_url: str, key_prefix: str) -> AsyncIterator[AsyncRedisSaver]:
    async with AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as opened:
        yield opened


@pytest.fixture
def round_trips(redis_client: redis.Redis) -> Callable[[], RoundTrips]:
    """`with round_trips() as seen: ...; assert seen.round_trips == 1`; see `counters`."""
    return lambda: RoundTrips(redis_client)


@pytest.fixture(params=[Sync, Async])
def make(request: pytest.FixtureRequest, redis_url: str, key_prefix: str) -> Iterator[Make]:
    """Savers of either style, with options of the test."""
    with making(request.param, redis_url, key_prefix) as make:
        yield make


@pytest.fixture(params=[SyncStore, AsyncStore])
def make_store(request: pytest.FixtureRequest, redis_url: str, key_prefix: str) -> Iterator[MakeStore]:
    """Stores of either style, with options of the test."""
    with making_stores(request.param, redis_url, key_prefix) as make:
        yield make


@pytest.fixture(params=[1, 3], ids=lambda shards: f"shards-{shards}")
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Twin:
    """A store of either style, in one shard and in several."""
    return make_store(shards=request.param)


@pytest.fixture
def books(redis_client: redis.Redis, key_prefix: str) -> Books:
    """What the registry and the indexes hold."""
    return Books(redis_client, key_prefix)


@pytest.fixture
def make_saver(redis_url: str, key_prefix: str) -> Iterator[Callable[..., RedisSaver]]:
    """Savers that keep so many checkpoints, on the test's keys."""
    made: list[RedisSaver] = []

    def make_one(keep_last: int | None, kind: type[RedisSaver] = RedisSaver) -> RedisSaver:
        made.append(kind(redis_url, key_prefix=key_prefix, keep_last=keep_last))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


@pytest.fixture
def fields(redis_client: redis.Redis, key_prefix: str) -> Callable[..., Counter[str]]:
    """How many fields of each kind a thread's data hold."""

    def count(thread: str = "thread") -> Counter[str]:
        found: Any = redis_client.hkeys(f"{key_prefix}:{{{thread}}}:data")
        return Counter(field[:2].decode() for field in found if not field.startswith(b"t/"))

    return count


@pytest.fixture(scope="session")
def search_url() -> Iterator[str]:
    """A server with the Redis Query Engine; a test that asks for one is skipped where there is none."""
    found = start_search()
    if isinstance(found, str):
        pytest.skip(found)
    with found:
        yield found.url


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    with start_cluster() as started:
        yield started.url


@pytest.fixture(scope="session")
def cluster_of_six() -> Iterator[Together]:
    with start_cluster_of_six() as started:
        yield started


@pytest.fixture(scope="session")
def sentinels() -> Iterator[Together]:
    with start_sentinels() as started:
        yield started


@pytest.fixture(params=[*SERVER, *CLUSTER])
def place(
    request: pytest.FixtureRequest, redis_url: str, cluster_url: str, key_prefix: str
) -> Iterator[Place]:
    """Each kind of server, and each kind of client of a cluster; nothing may be left on that either."""
    url = cluster_url if request.param in CLUSTER else redis_url
    with redis.Redis.from_url(url) as client, RedisSaver(url, key_prefix=key_prefix) as opened:
        yield Place(request.param, url, key_prefix, client, opened)
    assert_nothing_is_left(url)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Once every thread and item of a test is deleted, no key of it may be left."""
    if "server" not in request.fixturenames:
        yield
        return
    url: str = request.getfixturevalue("redis_url")
    yield
    assert_nothing_is_left(url)


def assert_nothing_is_left(url: str) -> None:
    with Leftovers(url) as leftovers:
        leftovers.delete_threads()
        leftovers.delete_items()
        found = leftovers.keys()
        leftovers.forget()
    assert not found, f"deleting left {found}"

"""Calls that nothing may come between, on real servers: all or nothing of them, whatever else goes on."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from redis.exceptions import NoPermissionError, ResponseError

from langgraph._redis.drivers import AsyncDriver, SyncDriver
from langgraph._redis.plan import Atomic, Call, Refusal, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counters import RoundTrips
    from langgraph._redis.plan import Asked, Plan
    from servers import Server

pytestmark = pytest.mark.every_server

NO_TEXT = b"\xff\x00\xfe"


def script(source: str) -> Script:
    """A script that no server has seen: each has a source of its own."""
    unique = f"local unknown = '{uuid4().hex}'\n{source}".encode()
    return Script("a script", unique, sha1(unique).hexdigest(), 1)


def _asking(asked: Asked) -> Plan[Any]:
    return (yield asked)


def run_sync(url: str, *questions: Asked, cluster: bool = False, **options: Any) -> list[Any]:
    """What each question is answered, over one sync client."""
    with redis.Redis.from_url(url, **options) as client:
        driver = SyncDriver(client, cluster=cluster)
        return [driver.run(_asking(asked)) for asked in questions]


def run_async(url: str, *questions: Asked, cluster: bool = False, **options: Any) -> list[Any]:
    """Likewise, over one async client."""

    async def run() -> list[Any]:
        driver = AsyncDriver(
            lambda: redis.asyncio.Redis.from_url(url, **options), cluster=cluster, owned=True
        )
        return [await driver.run(_asking(asked)) for asked in questions]

    return asyncio.run(run())


Runner = Any


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    return request.param


@pytest.fixture
def key(key_prefix: str, redis_client: redis.Redis) -> Iterator[bytes]:
    """A key of the test's own, which is gone after it."""
    name = f"{key_prefix}:key".encode()
    yield name
    redis_client.delete(name)


# Nothing comes between.


LARGE = b"x" * 50_000
"""More than a server reads of one client before it turns to the next."""


def counting(key: bytes) -> Atomic:
    """Counts up some times; one of those who count at once sees no step of another's in between."""
    return Atomic([Call("HINCRBY", [key], [b"count", 1]), Call("HSET", [key], [b"large", LARGE])] * 10)


def assert_undisturbed(found: list[list[Any]]) -> None:
    """Each counted ten steps in a row, and all together counted all."""
    counts = [replies[::2] for replies in found]
    assert all(steps == list(range(steps[0], steps[0] + 10)) for steps in counts)
    assert sorted(steps[0] for steps in counts) == list(range(1, 10 * len(counts), 10))


def test_nothing_comes_between_the_calls_of_threads(redis_url: str, key: bytes) -> None:
    together = threading.Barrier(4)

    def count(_: int) -> list[Any]:
        together.wait(10)
        return run_sync(redis_url, *[counting(key)] * 25)

    with ThreadPoolExecutor(4) as threads:
        found = [replies for some in threads.map(count, range(4)) for replies in some]

    assert_undisturbed(found)


async def test_nothing_comes_between_the_calls_of_tasks(redis_url: str, key: bytes) -> None:
    """Four round trips are under way at once, over a connection each; other tasks' calls wait."""
    driver = AsyncDriver(lambda: redis.asyncio.Redis.from_url(redis_url), owned=True)

    found = await asyncio.gather(*(driver.run(_asking(counting(key))) for _ in range(100)))
    await driver.aclose()

    assert_undisturbed(found)


# Scripts that the server does not know.


def test_a_script_that_the_server_does_not_know_is_run_in_a_transaction_all_the_same(
    run: Runner, redis_url: str, redis_client: redis.Redis, key: bytes
) -> None:
    counted = script("return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)")
    calls = [Call("HSET", [key], [b"field", b"value"]), Call(counted, [key], [b"count"])]

    (found,) = run(redis_url, Atomic(calls))

    assert found == [0, 1]  # Of the second time, when the field was there.
    assert redis_client.hgetall(key.decode()) == {b"field": b"value", b"count": b"1"}


def test_of_known_and_unknown_scripts_all_run_together_in_the_end(
    run: Runner, redis_url: str, redis_client: redis.Redis, key: bytes
) -> None:
    """The known ones ran once before: what is asked atomically must bear to be asked twice."""
    known = script("return redis.call('HSET', KEYS[1], 'known', 'x')")
    unknown = script("return redis.call('HGETALL', KEYS[1])")
    redis_client.script_load(known.source.decode())

    (found,) = run(redis_url, Atomic([Call(known, [key]), Call(unknown, [key])]))

    assert found == [0, [b"known", b"x"]]


# What the server refuses.


@pytest.mark.parametrize("at", [0, 1])
def test_if_the_server_does_not_take_one_call_none_is_executed_and_the_cause_is_raised(
    run: Runner, redis_url: str, redis_client: redis.Redis, key: bytes, at: int
) -> None:
    calls = [Call("HSET", [key], [b"field", b"value"])]
    calls.insert(at, Call("HSET", [key], [b"a field without a value"]))

    with pytest.raises(ResponseError, match="wrong number of arguments"):
        run(redis_url, Atomic(calls))

    assert not redis_client.exists(key.decode())


@pytest.fixture
def modest(server: Server, key_prefix: str) -> Iterator[Callable[[str], str]]:
    """Makes the URL of a user who may run some commands only."""
    with redis.Redis.from_url(server.url) as admin:

        def allowed(commands: str) -> str:
            admin.acl_setuser(
                key_prefix, enabled=True, nopass=True, keys=[f"{key_prefix}:*"], commands=commands.split()
            )
            return server.url.replace("redis://", f"redis://{key_prefix}:any@")

        yield allowed
        admin.acl_deluser(key_prefix)


def test_a_call_that_the_user_may_not_make_is_named_and_nothing_is_executed(
    run: Runner, modest: Callable[[str], str], redis_client: redis.Redis, key: bytes
) -> None:
    url = modest("+multi +exec +hset")

    with pytest.raises(NoPermissionError, match="zadd"):
        run(url, Atomic([Call("HSET", [key], [b"field", b"value"]), Call("ZADD", [key], [1, b"member"])]))

    assert not redis_client.exists(key.decode())


def test_a_refusal_is_the_reply_to_tolerant_calls(
    run: Runner, modest: Callable[[str], str], redis_client: redis.Redis, key: bytes
) -> None:
    url = modest("+multi +exec +hset")
    calls = [Call("HSET", [key], [b"field", b"value"]), Call("ZADD", [key], [1, b"member"])]

    (found,) = run(url, Atomic([call._replace(tolerant=True) for call in calls]))

    assert [type(reply) for reply in found] == [Refusal, Refusal]
    assert "zadd" in found[0].message
    assert not redis_client.exists(key.decode())


def test_a_user_who_may_begin_no_transaction_is_told_so(
    run: Runner, modest: Callable[[str], str], key: bytes
) -> None:
    url = modest("+hset +hget")

    with pytest.raises(NoPermissionError, match="multi"):
        run(url, Atomic([Call("HGET", [key], [b"a"]), Call("HGET", [key], [b"b"])]))


def test_a_call_that_fails_when_it_is_executed_is_raised_and_the_others_stay_done(
    run: Runner, redis_url: str, redis_client: redis.Redis, key: bytes
) -> None:
    calls = [Call("HSET", [key], [b"field", b"value"]), Call("ZADD", [key], [1, b"member"])]

    with pytest.raises(ResponseError, match="wrong kind of value"):
        run(redis_url, Atomic(calls))

    assert redis_client.hgetall(key.decode()) == {b"field": b"value"}


def test_a_connection_is_as_good_as_new_after_a_transaction_that_failed(
    run: Runner, redis_url: str, key: bytes
) -> None:
    refused = Atomic([call._replace(tolerant=True) for call in (Call("HSET", [key]), Call("HGET", [key]))])
    read = Call("HGET", [key], [b"field"])

    found = run(redis_url, refused, read, Atomic([read, read]), max_connections=1)

    assert [type(reply) for reply in found[0]] == [Refusal, Refusal]
    assert found[1:] == [None, [None, None]]


# How replies are read.


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
def test_replies_of_a_transaction_are_bytes_whatever_the_client(
    run: Runner, redis_url: str, key: bytes, protocol: int, *, decode: bool
) -> None:
    """The same ones as outside of it, for commands too whose replies the client would take apart."""
    nested = script("return {redis.call('HGET', KEYS[1], 'field'), {ARGV[1], 7}, false}")
    reads = [
        Call("HGET", [key], [b"field"]),
        Call("HMGET", [key], [b"field", b"absent"]),
        Call("HEXISTS", [key], [b"field"]),
        Call("ZSCORE", [key + b":none"], [b"member"]),
        Call("ZRANGEBYLEX", [key + b":none"], [b"-", b"+"]),
        Call(nested, [key], [NO_TEXT]),
    ]
    written = Call("HSET", [key], [b"field", NO_TEXT])

    _, found, alone = run(
        redis_url,
        written,
        Atomic(reads),
        [*reads],
        protocol=protocol,
        decode_responses=decode,
    )

    assert found == [NO_TEXT, [NO_TEXT, None], 1, None, [], [NO_TEXT, [NO_TEXT, 7], None]]
    assert alone == found


@pytest.mark.parametrize("protocol", [2, 3])
def test_scores_of_a_transaction_are_scores(run: Runner, redis_url: str, key: bytes, protocol: int) -> None:
    calls = [
        Call("ZADD", [key], [1, b"a", 2, b"b"]),
        Call("ZSCORE", [key], [b"b"]),
        Call("ZRANGEBYLEX", [key], [b"-", b"+"]),
    ]

    (found,) = run(redis_url, Atomic(calls), protocol=protocol)

    assert [found[0], float(found[1]), found[2]] == [2, 2.0, [b"a", b"b"]]


# How they travel.


def test_a_transaction_is_one_round_trip(
    redis_url: str, key: bytes, round_trips: Callable[[], RoundTrips]
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        driver = SyncDriver(client)
        client.ping()
        with round_trips() as seen:
            driver.run(_asking(Atomic([Call("HGET", [key], [b"a"])] * 5)))

    assert seen.round_trips == 1
    assert (seen.commands["multi"], seen.commands["hget"], seen.commands["exec"]) == (1, 5, 1)


def test_on_a_cluster_there_is_no_transaction(
    run: Runner, redis_url: str, key: bytes, round_trips: Callable[[], RoundTrips]
) -> None:
    calls = [Call("HSET", [key], [b"field", b"value"]), Call("HGET", [key], [b"field"])]

    with round_trips() as seen:
        (found,) = run(redis_url, Atomic(calls), cluster=True)

    assert found == [1, b"value"]
    assert seen.commands["multi"] == seen.commands["exec"] == 0

"""Many at once on the same items: nobody misses one that is there, or sees it twice; the last write stays."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import pytest
import redis
from langgraph.store.base import GetOp, PutOp, SearchItem, SearchOp

from langgraph._redis.plan import Plan
from langgraph.store.redis import AsyncRedisStore, RedisStore
from servers import Server, start_valkey
from stores import EVERYTHING, SyncStore, member_keys, seen
from waiting import eventually

ROUNDS = int(os.environ.get("CRASHES", "3"))
BROKEN = (redis.ConnectionError, redis.TimeoutError)


async def test_a_thousand_readers_and_writers_of_one_item_in_a_loop(redis_url: str, key_prefix: str) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        await store.aput(("a",), "k", {"n": -1})

        async def act(n: int) -> Any:
            if n % 3 == 0:
                await store.aput(("a",), "k", {"n": n})
                return {"n": n}
            if n % 3 == 1:
                found = await store.aget(("a",), "k")
                return found and found.value
            (item,) = await store.asearch(("a",), filter={"n": {"$gte": -1}})
            return item.value

        seen = await asyncio.gather(*(act(n) for n in range(1000)))

        assert None not in seen
        last = await store.aget(("a",), "k")
        assert last is not None
        assert last.value == {"n": 999}
        assert len(await store.asearch(())) == 1


def test_a_thousand_readers_and_writers_of_one_item_in_threads(redis_url: str, key_prefix: str) -> None:
    with RedisStore(redis_url, store_prefix=key_prefix) as store:
        store.put(("a",), "k", {"n": -1})

        def act(n: int) -> Any:
            if n % 3 == 0:
                store.put(("a",), "k", {"n": n})
                return {"n": n}
            if n % 3 == 1:
                found = store.get(("a",), "k")
                return found and found.value
            (item,) = store.search((), filter={"n": {"$gte": -1}})
            return item.value

        with ThreadPoolExecutor(16) as pool:
            seen = list(pool.map(act, range(1000)))
        store.put(("a",), "k", {"n": 1000})

        assert None not in seen
        assert [item.value for item in store.search(())] == [{"n": 1000}]


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("wanted", [None, {"n": {"$gte": 0}}, {"kind": "fact"}])
def test_a_search_in_pages_meets_each_item_once_while_all_are_updated(
    redis_url: str, key_prefix: str, shards: int, wanted: Any
) -> None:
    count = 2200
    with RedisStore(redis_url, store_prefix=key_prefix, shards=shards) as store:
        names = [(f"{n % 5}", f"{n}") for n in range(count)]
        value = {"kind": "fact", "n": 1}
        store.batch([PutOp((label,), key, value) for label, key in names])
        over = threading.Event()

        def write() -> None:
            at = 0
            while not over.is_set():
                label, key = names[at * 7 % count]
                store.put((label,), key, value)
                at += 1

        with ThreadPoolExecutor(2) as pool:
            writing = [pool.submit(write) for _ in range(2)]
            try:
                found = [store.search((), filter=wanted, limit=EVERYTHING) for _ in range(8)]
            finally:
                over.set()
        for each in writing:
            each.result()

    for items in found:
        assert sorted((item.namespace[0], item.key) for item in items) == sorted(names)
        instants = [item.updated_at for item in items]
        assert instants == sorted(instants, reverse=True)


def between(plan: Plan[Any], act: Callable[[], Any]) -> Plan[Any]:
    """A plan ahead of whose every further round trip others act."""
    asked = next(plan)
    while True:
        reply = yield asked
        act()
        try:
            asked = plan.send(reply)
        except StopIteration as done:
            return done.value


def test_what_others_do_between_two_pages_is_met_as_it_is_then(redis_url: str, key_prefix: str) -> None:
    with RedisStore(redis_url, store_prefix=key_prefix) as store:
        store.batch([PutOp(("a",), f"{n}", {"n": n, "odd": n % 2}) for n in range(1200)])
        acts: Iterator[Callable[[], Any]] = iter(
            [
                # Not read yet: it goes up. Read already: it does not match any more, or it has another value.
                lambda: store.put(("a",), "3", {"n": 3, "odd": 1, "new": True}),
                lambda: store.batch(
                    [PutOp(("a",), "1199", {"odd": 0}), PutOp(("a",), "1197", {"n": -1, "odd": 1})]
                ),
                *[lambda: store.put(("a",), "begins", {"odd": 1})] * 9,
            ]
        )
        batch = store._parts.batch([SearchOp(("a",), {"odd": {"$gt": 0}}, EVERYTHING)])
        plan = store._parts.run(batch, None)

        (items,) = store._driver.run(
            between(
                plan,
                lambda: next(acts)(),  # noqa: PLW0108 - another one each time.
            )
        )

    found = {item.key: item.value for item in cast("list[SearchItem]", items)}
    assert len(items) == len(found)
    assert found["3"] == {"n": 3, "odd": 1, "new": True}
    assert "1199" not in found
    assert found["1197"] == {"n": -1, "odd": 1}
    assert len(found) in (599, 600)
    assert all(value["odd"] == 1 for value in found.values())


def test_ten_thousand_puts_are_one_batch(redis_url: str, key_prefix: str) -> None:
    with RedisStore(redis_url, store_prefix=key_prefix) as store:
        store.batch([PutOp(("a", f"{n % 100}"), f"{n}", {"n": n}) for n in range(10_000)])

        found = store.search((), limit=EVERYTHING)
        assert [item.value["n"] for item in found] == list(range(9_999, -1, -1))
        got = store.batch([GetOp(item.namespace, item.key) for item in found])
        assert seen(got) == [(*seen(item)[:3], None) for item in found]
        assert len(store.list_namespaces(limit=EVERYTHING)) == 100


# What fails, and who is told.


async def test_what_is_wrong_with_one_operation_of_a_turn_is_told_to_its_caller_alone(
    redis_url: str, key_prefix: str
) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        results = await asyncio.gather(
            store.aput(("a",), "good", {"x": 1}),
            store.aput(("a",), "bad", {"x": (1,)}),
            store.asearch((), filter={"x": {"$like": 1}}),
            store.aget(("a",), "never"),
            return_exceptions=True,
        )

        assert [type(result) for result in results] == [type(None), TypeError, ValueError, type(None)]
        assert [item.key for item in await store.asearch(())] == ["good"]


class ProviderError(Exception):
    """What an embedding provider raises."""


async def test_a_failing_provider_fails_those_who_need_it_alone(redis_url: str, key_prefix: str) -> None:
    async def embed(texts: list[str]) -> list[list[float]]:
        if any("bad" in text for text in texts):
            raise ProviderError(texts)
        return [[1.0, 0.0] for _ in texts]

    index: Any = {"dims": 2, "embed": embed, "fields": ["text"], "vector": "exact"}
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix, index=index) as store:
        results = await asyncio.gather(
            store.aput(("a",), "plain", {"x": 1}),
            store.aput(("a",), "bad", {"text": "bad"}),
            store.aget(("a",), "never"),
            return_exceptions=True,
        )

        assert [type(result) for result in results] == [type(None), ProviderError, type(None)]
        assert [item.key for item in await store.asearch(())] == ["plain"]


async def test_a_cancelled_call_leaves_the_others_alone(redis_url: str, key_prefix: str) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        calls = [asyncio.create_task(store.aput(("a",), f"{n}", {"n": n})) for n in range(50)]
        batches = [
            asyncio.create_task(store.abatch([GetOp(("a",), "1"), PutOp(("b",), f"{n}", {})]))
            for n in range(50)
        ]
        await asyncio.sleep(0)
        for each in [*calls[::2], *batches[::2]]:
            each.cancel()

        done = await asyncio.gather(*calls, *batches, return_exceptions=True)

        assert sum(isinstance(each, asyncio.CancelledError) for each in done) == 50
        assert not any(isinstance(each, Exception) for each in done)
        found = {item.key for item in await store.asearch(("a",), limit=100)}
        assert {f"{n}" for n in range(1, 50, 2)} <= found


async def test_closing_waits_for_what_was_asked_for(redis_url: str, key_prefix: str) -> None:
    store = AsyncRedisStore(redis_url, store_prefix=key_prefix)
    calls = [asyncio.create_task(store.aput(("a",), f"{n}", {})) for n in range(20)]
    await asyncio.sleep(0)

    await store.aclose()

    assert await asyncio.wait_for(asyncio.gather(*calls), 10) == [None] * 20
    with RedisStore(redis_url, store_prefix=key_prefix) as other:
        assert len(other.search((), limit=100)) == 20


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_connection_that_is_cut_between_two_calls_is_made_anew(
    redis_url: str, key_prefix: str, redis_client: redis.Redis, *, asynchronous: bool
) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        for n in range(3):
            if asynchronous:
                await store.aput(("a",), f"{n}", {})
            else:
                await asyncio.to_thread(store.put, ("a",), f"{n}", {})
            redis_client.client_kill_filter(_type="normal", skipme=True)

        assert len(await store.asearch(())) == 3


# A server that is killed while others write.


@pytest.fixture
def durable() -> Iterator[Server]:
    with start_valkey(appendonly="yes", appendfsync="always") as server:
        yield server


class Writer:
    """Puts, updates and deletes items of its own, whatever happens, and knows what was acknowledged."""

    def __init__(self, store: RedisStore, name: str) -> None:
        self.store = store
        self.ns = ("w", name)
        self.told: dict[str, int | None] = {}
        self.unsure: set[str] = set()
        self.count = 0

    def step(self) -> None:
        self.count += 1
        ops = [self._one(f"{(self.count * 3 + n) % 40}") for n in range(self.count % 5 + 1)]
        try:
            self.store.batch(ops)
        except BROKEN:
            self.unsure |= {op.key for op in ops}
            return
        for op in ops:
            self.told[op.key] = op.value["n"] if op.value else None
            self.unsure.discard(op.key)

    def _one(self, key: str) -> PutOp:
        gone = self.count % 7 == 0
        return PutOp(self.ns, key, None if gone else {"n": self.count}, ttl=None if int(key) % 2 else 1000)


def assert_indexes_agree(client: redis.Redis, prefix: str, store: RedisStore) -> None:
    """What the data hold, and each index names, is the same; nothing is left when all is deleted."""
    searched = {(item.namespace, item.key) for item in store.search((), limit=EVERYTHING)}
    data = {
        (tuple(key.decode().split(":d:", 1)[1].split("\x00")), field.decode())
        for key in cast("list[bytes]", client.keys(f"{prefix}:*:d:*"))
        for field in cast("list[bytes]", client.hkeys(key.decode()))
    }
    assert searched == data
    assert set(store.list_namespaces(limit=EVERYTHING)) == {ns for ns, _ in data}
    store.batch([PutOp(ns, key, None) for ns, key in data])
    assert member_keys(prefix, cast("list[bytes]", client.keys(f"{prefix}:*"))) == []


@pytest.mark.parametrize("shards", [1, 3])
def test_a_server_that_is_killed_under_load_keeps_what_was_acknowledged(
    durable: Server, key_prefix: str, shards: int
) -> None:
    args: dict[str, Any] = {"socket_timeout": 5, "retry": None}
    over = threading.Event()
    with RedisStore(durable.url, store_prefix=key_prefix, shards=shards, connection_args=args) as store:
        writers = [Writer(store, f"{n}") for n in range(4)]

        def work(writer: Writer) -> None:
            while not over.is_set():
                writer.step()

        def more_than(count: int) -> bool:
            return sum(writer.count for writer in writers) > count

        with ThreadPoolExecutor(4) as pool:
            working = [pool.submit(work, writer) for writer in writers]
            try:
                for _ in range(ROUNDS):
                    assert eventually(partial(more_than, sum(w.count for w in writers) + 60), 20)
                    durable.kill()
                    durable.restart()
            finally:
                over.set()
        for each in working:
            each.result(20)

        for writer in writers:
            for key, told in writer.told.items():
                found = store.get(writer.ns, key)
                assert key in writer.unsure or (found.value["n"] if found else None) == told
        assert any(writer.unsure for writer in writers) or ROUNDS < 3
        with redis.Redis.from_url(durable.url) as client:
            assert_indexes_agree(client, key_prefix, store)


def test_two_stores_that_begin_at_once_agree_on_the_shards(redis_url: str, key_prefix: str) -> None:
    for round_ in range(10):
        stores = [SyncStore(redis_url, f"{key_prefix}:{round_}") for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda at: stores[at].put(("a",), f"{at}", {}), range(4)))  # noqa: B023 - all at once.

        assert {tuple(sorted(store.keys_of())) for store in stores} == {("0", "1", "2", "3")}
        for store in stores:
            store.close()

"""Stores wherever they are: clusters, clients of all kinds, embedded servers, loops, threads and graphs."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import GetOp, PutOp

from conftest import assert_nothing_is_left
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.store.redis import AsyncRedisStore, RedisStore, UnsupportedServerError
from servers import start_valkey
from stores import AsyncStore, MakeStore, SyncStore, Twin
from users import as_user, documented, make_user


def exercise(store: Twin) -> None:
    """Operations of each kind, in several shards where there are any."""
    store.do("setup")
    names = [(f"{n}", "x") for n in range(20)]
    store.batch(
        [PutOp(ns, "k", {"n": n, "b": b"\xff"}, ttl=5 if n % 2 else None) for n, ns in enumerate(names)]
    )
    store.put(names[3], "k", {"n": 3, "b": b"\xff"})
    found = store.get(names[3], "k")
    assert found is not None
    assert found.value == {"n": 3, "b": b"\xff"}
    assert [item and item.value["n"] for item in store.batch([GetOp(ns, "k") for ns in names])] == [
        *range(20)
    ]
    found_first = store.search((), limit=17, filter={"n": {"$gt": 2}})
    assert found_first[0].value["n"] == 3
    assert sorted(item.value["n"] for item in found_first) == [*range(3, 20)]
    assert len(store.search((), limit=100)) == 20
    assert len(store.search(("3",), limit=100)) == 1
    assert store.list_namespaces(limit=100) == sorted(names)
    assert store.list_namespaces(max_depth=1, limit=3, suffix=("x",)) == [("0",), ("1",), ("10",)]
    assert store.list_namespaces(max_depth=1, limit=3) == [("0",), ("1",), ("10",)]
    assert store.do("sweep_ttl") == 0
    for ns in names:
        store.delete(ns, "k")
    assert store.search(()) == store.list_namespaces() == []


@pytest.fixture(params=[SyncStore, AsyncStore])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def with_client(kind: Any, prefix: str, client: Any, **options: Any) -> Twin:
    made: Twin = kind(None, prefix, client=client, **options)
    return made


CLIENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "decoding": {"decode_responses": True},
    "RESP2": {"protocol": 2},
    "RESP3": {"protocol": 3},
    "RESP3, decoding": {"protocol": 3, "decode_responses": True},
}


@pytest.mark.parametrize("args", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("made_by", ["redis", "valkey"])
def test_any_client_may_be_brought_and_stays_open(
    redis_url: str, key_prefix: str, args: dict[str, Any], made_by: str, kind: Any
) -> None:
    module: Any = {"redis": redis, "valkey": valkey}[made_by]
    name = made_by.capitalize()
    if kind is SyncStore:
        client = getattr(module, name).from_url(redis_url, **args)
        store = with_client(kind, key_prefix, client, shards=3)
        exercise(store)
        store.close()
        assert client.ping()
        client.close()
        return
    client = getattr(module.asyncio, name).from_url(redis_url, **args)
    twin = AsyncStore(None, key_prefix, client=client, shards=3)
    exercise(twin)
    twin.loop.run_until_complete(twin.store.aclose())
    assert twin.loop.run_until_complete(client.ping())
    twin.loop.run_until_complete(client.aclose())
    twin.close()


@pytest.fixture
def clean_cluster(cluster_url: str) -> Iterator[str]:
    yield cluster_url
    assert_nothing_is_left(cluster_url)


def test_a_cluster_has_sixteen_shards_unless_told(clean_cluster: str, key_prefix: str, kind: Any) -> None:
    url = clean_cluster.replace("redis://", "redis+cluster://")
    store = kind(url, key_prefix)

    exercise(store)

    assert store.store._parts.plans.spread.count == 16
    store.close()


def test_a_client_of_a_cluster_may_be_brought(clean_cluster: str, key_prefix: str) -> None:
    with redis.RedisCluster.from_url(clean_cluster) as client:
        exercise(SyncStore(None, key_prefix, client=client, shards=5))
        assert client.ping()


def test_one_server_of_a_cluster_is_spoken_to_by_a_plain_client(clean_cluster: str, key_prefix: str) -> None:
    with redis.Redis.from_url(clean_cluster) as client:
        exercise(SyncStore(None, key_prefix, client=client, shards=3))


def test_a_socket_is_a_place(tmp_path: Path, key_prefix: str, kind: Any) -> None:
    with start_valkey(unixsocket=str(tmp_path / "s")):
        store = kind(f"unix://{tmp_path / 's'}", key_prefix)
        exercise(store)
        store.close()


def test_an_embedded_server_keeps_items_in_its_folder(tmp_path: Path, kind: Any) -> None:
    url = f"embedded://{tmp_path / 'memory'}"
    first = kind(url, "p")
    first.put(("a",), "k", {"x": 1})
    first.close()

    second = kind(url, "p")

    found = second.get(("a",), "k")
    assert found is not None
    assert found.value == {"x": 1}
    second.store.close()
    second.close()


def test_the_documented_user_can_do_everything(
    redis_url: str, redis_client: redis.Redis, key_prefix: str, kind: Any
) -> None:
    make_user(redis_client, key_prefix, documented())
    store = kind(as_user(redis_url), key_prefix, shards=3, ttl={"default_ttl": 5})

    exercise(store)

    store.close()


def test_setup_says_what_a_user_may_not_do(
    redis_url: str, redis_client: redis.Redis, key_prefix: str
) -> None:
    make_user(redis_client, key_prefix, [each for each in documented() if each != "+evalsha"])
    with (
        RedisStore(as_user(redis_url), store_prefix=key_prefix) as store,
        pytest.raises(UnsupportedServerError, match="EVALSHA"),
    ):
        store.setup()


def test_later_stores_adopt_the_shards_or_are_told(make_store: MakeStore) -> None:
    make_store(shards=3).put(("a",), "k", {})

    assert make_store().keys_of() == make_store(shards=3).keys_of() == ["k"]
    acts: list[Callable[[Twin], Any]] = [
        lambda it: it.put(("b",), "k", {}),
        lambda it: it.do("setup"),
        lambda it: it.search(()),
    ]
    for act in acts:
        with pytest.raises(ValueError, match=r"shards is 5, and the store below .* has 3: leave it out"):
            act(make_store(shards=5))


def test_a_saver_and_a_store_share_a_client(redis_url: str, key_prefix: str) -> None:
    with RedisSaver(redis_url, key_prefix=key_prefix) as saver:
        with RedisStore(client=saver.client, store_prefix=f"{key_prefix}:store") as store:
            store.put(("a",), "k", {})
        assert list(saver.list(None)) == []
        assert saver.client.ping()


async def test_an_async_saver_and_a_store_share_a_client(redis_url: str, key_prefix: str) -> None:
    async with AsyncRedisSaver(redis_url, key_prefix=key_prefix) as saver:
        client = saver.client
        async with AsyncRedisStore(client=client, store_prefix=f"{key_prefix}:store") as store:
            await store.aput(("a",), "k", {})
            assert await asyncio.to_thread(store.get, ("a",), "k") is not None
        assert await client.ping()
        assert [found async for found in saver.alist(None)] == []


# Loops and threads.


def test_loops_one_after_the_other_and_side_by_side(redis_url: str, key_prefix: str) -> None:
    store = AsyncRedisStore(redis_url, store_prefix=key_prefix)

    async def use(name: str) -> int:
        await asyncio.gather(*(store.aput((name,), f"{n}", {}) for n in range(20)))
        return len(await store.asearch((name,), limit=100))

    assert [asyncio.run(use(f"{n}")) for n in range(3)] == [20] * 3

    async def beside() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(asyncio.run, use(f"{n}")) for n in range(3, 6)))

    assert asyncio.run(beside()) == [20] * 3
    assert len(store.search((), limit=1000)) == 120
    store.close()


async def test_sync_calls_are_refused_in_a_running_loop(redis_url: str, key_prefix: str) -> None:
    async with AsyncRedisStore(redis_url, store_prefix=key_prefix) as store:
        calls: list[Any] = [
            lambda: store.get(("a",), "k"),
            lambda: store.put(("a",), "k", {}),
            lambda: store.search(("a",)),
            lambda: store.delete(("a",), "k"),
            store.list_namespaces,
            lambda: store.batch([]),
        ]

        for call in calls:
            with pytest.raises(RuntimeError, match="await the async"):
                call()
            await asyncio.to_thread(call)


def test_an_async_store_is_built_and_forgotten_without_a_loop(redis_url: str, key_prefix: str) -> None:
    store = AsyncRedisStore(redis_url, store_prefix=key_prefix)
    store.put(("a",), "k", {"x": 1})

    assert asyncio.run(store.aget(("a",), "k")) == store.get(("a",), "k")
    store.close()


async def test_the_async_methods_of_a_sync_store_work(redis_url: str, key_prefix: str) -> None:
    with RedisStore(redis_url, store_prefix=key_prefix) as store:
        await store.aput(("a",), "k", {"x": 1})
        found = await store.aget(("a",), "k")
        assert found is not None
        assert await store.alist_namespaces() == [("a",)]
        assert len(await store.asearch(())) == 1
        await store.adelete(("a",), "k")


# Graphs.


class State(TypedDict):
    """What a thread holds."""

    seen: Annotated[list[str], operator.add]


def graph_of(*nodes: Any) -> StateGraph[State]:
    builder = StateGraph(State)
    (node,) = nodes
    builder.add_node("remember", node)
    builder.add_edge(START, "remember")
    builder.add_edge("remember", END)
    return builder


def remember(state: State, runtime: Runtime[None]) -> dict[str, Any]:
    assert runtime.store is not None
    known = runtime.store.search(("users", "42"), filter={"kind": "word"}, limit=100)
    runtime.store.put(("users", "42"), state["seen"][-1], {"kind": "word"})
    return {"seen": [item.key for item in known]}


async def aremember(state: State, runtime: Runtime[None]) -> dict[str, Any]:
    assert runtime.store is not None
    known = await runtime.store.asearch(("users", "42"), filter={"kind": "word"}, limit=100)
    await runtime.store.aput(("users", "42"), state["seen"][-1], {"kind": "word"})
    return {"seen": [item.key for item in known]}


def test_a_graph_remembers_in_a_new_thread(redis_url: str, key_prefix: str) -> None:
    with ExitStack() as stack:
        saver = stack.enter_context(RedisSaver(redis_url, key_prefix=key_prefix))
        store = stack.enter_context(RedisStore(redis_url, store_prefix=f"{key_prefix}:store"))
        graph = graph_of(remember).compile(checkpointer=saver, store=store)

        graph.invoke({"seen": ["pizza"]}, {"configurable": {"thread_id": "1"}})
        after = graph.invoke({"seen": ["pasta"]}, {"configurable": {"thread_id": "2"}})

        assert after["seen"] == ["pasta", "pizza"]


async def test_an_async_graph_remembers_in_a_new_thread(redis_url: str, key_prefix: str) -> None:
    async with (
        AsyncRedisSaver(redis_url, key_prefix=key_prefix) as saver,
        AsyncRedisStore(redis_url, store_prefix=f"{key_prefix}:store") as store,
    ):
        graph = graph_of(aremember).compile(checkpointer=saver, store=store)

        await graph.ainvoke({"seen": ["pizza"]}, {"configurable": {"thread_id": "1"}})
        after = await graph.ainvoke({"seen": ["pasta"]}, {"configurable": {"thread_id": "2"}})

        assert after["seen"] == ["pasta", "pizza"]


@pytest.mark.parametrize("store_prefix", ["langgraph", "a:b", "é", "a b*[x]?"])
def test_prefixes_keep_stores_and_savers_apart(redis_url: str, store_prefix: str, key_prefix: str) -> None:
    """Also a saver's and a store's that are the same."""
    prefix = f"{key_prefix}{store_prefix}"
    with (
        RedisStore(redis_url, store_prefix=prefix) as one,
        RedisStore(redis_url, store_prefix=f"{prefix}:x") as other,
        RedisSaver(redis_url, key_prefix=prefix) as saver,
    ):
        one.put(("a",), "k", {"x": 1})
        other.put(("a",), "k", {"x": 2})
        saver.put_writes(
            {"configurable": {"thread_id": "0", "checkpoint_ns": "", "checkpoint_id": "1"}}, [], ""
        )

        assert [item.value for item in one.search(())] == [{"x": 1}]
        assert [item.value for item in other.search(())] == [{"x": 2}]

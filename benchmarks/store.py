"""The store against InMemoryStore and one empty EVALSHA; small and very large; and what an item takes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import redis
from langgraph.store.base import BaseStore, GetOp, PutOp
from langgraph.store.memory import InMemoryStore

from benchmarks.figures import Effort, Figure, Section, microseconds
from benchmarks.measure import Act, Samples, between, race, ratio, run, spread
from langgraph.store.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FEW, FILTERED, BATCH = 1_000, 10_000, 100
OWN = 10
"""Items of one user, in a namespace of its own."""

SINGLE, BATCH_US, FLAT, RARE = 1.3, 3_000, 1.3, 1.2

SINGLE_NOTE = (
    "Sync. Floor: one empty EVALSHA through the same client, and JSON there and back. Values of 250 bytes,"
    " namespaces of two labels. `put` writes over an item that is there."
)
FLAT_NOTE = "Sync, ours in both: the time with very many items by that with few. Pages of 10 and of 100."
FILTER_NOTE = f"Sync. {FILTERED:,} items of one namespace, limit 10; ours by InMemoryStore."
MEMORY_NOTE = (
    "Growth of the server's `used_memory` by the items; values of 250 bytes, two labels, no vectors."
)


def value(number: int) -> dict[str, Any]:
    """Some 250 bytes, of which a hundredth and a half are alike."""
    return {"text": f"{number:08} " + "x" * 180, "kind": f"k{number % 100}", "half": number % 2, "n": number}


def namespace(number: int) -> tuple[str, str]:
    """The user that an item is of."""
    return ("users", str(number // OWN))


def _fill(store: BaseStore, count: int) -> None:
    for start in range(0, count, 1_000):
        numbers = range(start, min(start + 1_000, count))
        store.batch([PutOp(namespace(number), str(number), value(number)) for number in numbers])


def _singles(store: RedisStore, rounds: int) -> Section:
    client = store.client
    sha = client.script_load("return 1")
    item = value(7)
    puts = [PutOp(namespace(number), str(number), value(number)) for number in range(BATCH)]
    gets = [GetOp(namespace(number), str(number)) for number in range(BATCH)]
    acts: dict[str, Act] = {
        "empty EVALSHA": partial(client.evalsha, sha, 0),
        "JSON": lambda: orjson.loads(orjson.dumps(item)),
        "put": partial(store.put, namespace(7), "7", item),
        "get": partial(store.get, namespace(7), "7"),
        f"{BATCH} puts": partial(store.batch, puts),
        f"{BATCH} gets": partial(store.batch, gets),
    }
    samples = _raced(acts, rounds)
    figures = [_times(name, samples) for name in acts]
    for name in ("put", "get"):
        times = ratio(samples, name, ["empty EVALSHA", "JSON"])
        figures.append(Figure(f"{name} / floor", ("", f"{times:.2f} x", ""), times, SINGLE))
    return Section(
        "The store: single items", ("operation", "", "median, us", "quartiles"), tuple(figures), SINGLE_NOTE
    )


def _raced(acts: Mapping[str, Act], rounds: int) -> Samples:
    contenders = {name: _always(act) for name, act in acts.items()}
    run(race(contenders, 10))
    return run(race(contenders, rounds))


def _always(act: Act) -> Callable[[int], Act]:
    return lambda _: act


def _times(name: str, samples: Samples) -> Figure:
    found = spread(samples[name])
    cells = ("", microseconds(found.median), between(found, microseconds))
    target = BATCH_US if name == f"{BATCH} puts" else None
    return Figure(name, cells, found.median / 1000, target, {"nanoseconds": found.as_json()})


def _uses(store: RedisStore) -> Iterator[tuple[str, Act]]:
    yield "put", partial(store.put, namespace(7), "7", value(7))
    yield "get", partial(store.get, namespace(7), "7")
    yield "search of one user", partial(store.search, namespace(7))
    yield "search of all", partial(store.search, ())
    yield "100 namespaces", partial(store.list_namespaces, prefix=("users",))


def _flat(few: RedisStore, many: RedisStore, count: int, rounds: int) -> Section:
    figures = []
    for (name, small), (_, large) in zip(_uses(few), _uses(many), strict=True):
        samples = _raced({"few": small, "many": large}, rounds)
        times = ratio(samples, "many", ["few"])
        cells = tuple(microseconds(spread(samples[which]).median) for which in ("few", "many"))
        figures.append(Figure(name, (*cells, f"{times:.2f} x"), times, FLAT))
    columns = ("operation", f"{FEW:,} items, us", f"{count:,} items, us", "times")
    return Section("The store: small and large", columns, tuple(figures), FLAT_NOTE)


def _filters(store: RedisStore, rounds: int) -> Section:
    memory = InMemoryStore()
    for each in (store, memory):
        each.batch([PutOp(("all",), str(number), value(number)) for number in range(FILTERED)])
    asked: dict[str, tuple[dict[str, Any], float | None]] = {
        "passes 1 %": ({"kind": "k7"}, RARE),
        "passes half": ({"half": 1}, None),
        "passes half, by $gt": ({"n": {"$gt": FILTERED // 2}}, None),
        "passes none": ({"kind": "none"}, None),
    }
    figures = []
    for name, (wanted, target) in asked.items():
        acts = {
            "ours": partial(store.search, ("all",), filter=wanted),
            "memory": partial(memory.search, ("all",), filter=wanted),
        }
        samples = _raced(acts, rounds)
        times = ratio(samples, "ours", ["memory"])
        cells = tuple(microseconds(spread(samples[which]).median) for which in acts)
        figures.append(Figure(name, (*cells, f"{times:.2f} x"), times, target))
    columns = ("filter", "ours, us", "InMemoryStore, us", "times")
    return Section("The store: filters", columns, tuple(figures), FILTER_NOTE)


def _used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


def measure(url: str, effort: Effort) -> list[Section]:
    """Fill a small store and a very large one; time both, and weigh the large one."""
    count, rounds = effort.threads * 10, effort.thread_pages
    with redis.Redis.from_url(url) as client:
        few, many, filtered = (
            RedisStore(url, store_prefix=f"store-{name}") for name in ("few", "many", "filtered")
        )
        _fill(few, FEW)
        before = _used(client)
        _fill(many, count)
        weight = (_used(client) - before) / count
        weighed = Figure(f"bytes an item, of {count:,}", (f"{weight:,.0f}",), weight)
        sections = [
            _singles(few, rounds),
            _flat(few, many, count, rounds),
            _filters(filtered, max(20, rounds // 10)),
            Section("The store: memory", ("figure", "value"), (weighed,), MEMORY_NOTE),
        ]
        for store in (few, many, filtered):
            store.close()
        return sections

"""Semantic search over 50,000 vectors of 384 numbers: times, and how many of the true ten nearest are found.

    python benchmarks/vectors.py redis://localhost:6379 exact      in this process
    python benchmarks/vectors.py redis://localhost:6379 search     by the server's Query Engine

Vectors are random ones around 500 centres, as texts on a number of subjects are; every hundred items have a
namespace of their own. Uses a prefix of its own and deletes what it stored.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import redis
from langgraph.store.base import PutOp

from langgraph.store.redis import RedisStore

ITEMS, DIMS, USER, CENTRES, NEAREST = 50_000, 384, 100, 500, 10
PREFIX = "benchmark-vectors"


class Meanings:
    """Vectors by text: `"17"` is the 17th item, `"q17"` the 17th query."""

    def __init__(self) -> None:
        source = np.random.default_rng(7)
        centres = source.standard_normal((CENTRES, DIMS)).astype(np.float32)
        self.items = self._around(centres, ITEMS, source)
        self.queries = self._around(centres, 200, source)

    @staticmethod
    def _around(centres: Any, count: int, source: np.random.Generator) -> Any:
        chosen = centres[source.integers(len(centres), size=count)]
        found = chosen + 0.7 * source.standard_normal((count, DIMS))
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """What an embedding model would answer."""
        return [self.queries[int(text[1:])] if text[0] == "q" else self.items[int(text)] for text in texts]

    def nearest(self, query: int, among: slice) -> set[int]:
        """The items that are most alike."""
        scores = self.items[among] @ self.queries[query]
        return {int(at) + (among.start or 0) for at in np.argsort(-scores)[:NEAREST]}


def user(item: int) -> tuple[str, ...]:
    """The namespace of an item."""
    return "users", str(item // USER)


def fill(store: RedisStore) -> float:
    """Store all items; milliseconds for 100 of them."""
    began = time.perf_counter()
    for first in range(0, ITEMS, 500):
        items = range(first, first + 500)
        store.batch([PutOp(user(item), str(item), {"text": str(item), "even": item % 2}) for item in items])
    return (time.perf_counter() - began) * 1000 / (ITEMS / 100)


def timed(work: Callable[[int], Any], times: int) -> list[float]:
    """Milliseconds of each call."""
    found = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - began) * 1000)
    return found


def told(what: str, took: list[float], recall: float | None = None) -> None:
    """Print one line."""
    middle, high = statistics.median(took), sorted(took)[int(0.95 * (len(took) - 1))]
    share = "" if recall is None else f"   recall@{NEAREST} {recall:.4f}"
    print(f"{what:46} {middle:9.2f} ms median {high:9.2f} ms p95{share}", flush=True)


def measure(make: Callable[[], Any], meanings: Meanings) -> None:
    """Searches of all kinds."""
    with make() as store:
        everything = slice(0, ITEMS)

        def recall(query: int, prefix: tuple[str, ...], among: slice) -> float:
            found = store.search(prefix, query=f"q{query}", limit=NEAREST)
            return len({int(item.key) for item in found} & meanings.nearest(query, among)) / NEAREST

        told(
            "one user's 100, first search of the process",
            timed(lambda _: recall(0, user(700), slice(700, 800)), 1),
        )
        told("all 50,000, first search of the process", timed(lambda n: recall(n, (), everything), 1))
        shares = [recall(query, (), everything) for query in range(200)]
        took = timed(lambda n: store.search((), query=f"q{n}", limit=NEAREST), 50)
        told("all 50,000", took, statistics.mean(shares))
        took = timed(lambda n: store.search((), query=f"q{n}", limit=NEAREST, filter={"even": 1}), 30)
        told("all 50,000, filter that half pass", took)
        shares = [recall(query, user(700), slice(700, 800)) for query in range(50)]
        took = timed(lambda n: store.search(user(700), query=f"q{n}", limit=NEAREST), 200)
        told("one user's 100", took, statistics.mean(shares))
        took = timed(lambda n: store.put(user(0), "0", {"text": str(n), "even": 0}), 100)
        told("an update", took)
        took = timed(lambda n: updated_and_searched(store, n), 50)
        told("an update and a search in all", took)
        told("a delete", timed(lambda n: store.delete(user(n), str(n)), 100))


def updated_and_searched(store: RedisStore, number: int) -> None:
    """What an agent does that learns something and then looks for it."""
    store.put(user(0), "0", {"text": str(number), "even": 0})
    store.search((), query=f"q{number}", limit=NEAREST)


@contextmanager
def cleaned(client: Any) -> Iterator[None]:
    """Nothing below the prefix, before and after."""
    for moment in ("before", "after"):
        for key in client.scan_iter(f"{PREFIX}:*", count=1000):
            client.unlink(key)
        if moment == "before":
            yield


def main(url: str, mode: str) -> None:
    """Run all, against one server, in one mode."""
    meanings = Meanings()
    index: Any = {"dims": DIMS, "embed": meanings.embed, "fields": ["text"], "vector": mode}
    with redis.Redis.from_url(url) as client, cleaned(client):
        info: Any = client.info()
        name = "Valkey" if "valkey_version" in info else "Redis"
        print(f"{name} {info.get('valkey_version', info['redis_version'])}, {mode}, {ITEMS} x {DIMS}")
        with RedisStore.from_conn_string(url, index=index, store_prefix=PREFIX) as store:
            before: Any = client.info("memory")["used_memory"]
            print(f"{'100 puts in a batch':46} {fill(store):9.2f} ms")
            after: Any = client.info("memory")["used_memory"]
            print(f"{'memory of an item':46} {(after - before) / ITEMS:9.0f} bytes")
        measure(
            lambda: RedisStore.from_conn_string(url, index=index, store_prefix=PREFIX, shards=None), meanings
        )


if __name__ == "__main__":
    main(*sys.argv[1:])

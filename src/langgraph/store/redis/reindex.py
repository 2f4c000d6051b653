"""Embedding all items anew: for another model, other dimensions, another distance, or another who ranks.

New vectors are written beside the old ones, to the other of their two places, and searches go on with the old
ones; when every item has its new ones, one key is switched, and the old ones are taken away. Values and times
of items stay as they are. What is broken off goes on where it was, if the next one is to make the same
vectors: what is asked for is compared, and how one sentence is embedded.

Items rise in the order of their updates, so that one which is updated meanwhile is met again further on.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from langgraph._redis.plan import Call
from langgraph.store.redis import records
from langgraph.store.redis.choice import About
from langgraph.store.redis.keys import FIELD
from langgraph.store.redis.progress import progress
from langgraph.store.redis.schema import dropped
from langgraph.store.redis.spread import Ask

if TYPE_CHECKING:
    from langgraph._redis.plan import Plan
    from langgraph.store.redis.choice import Chosen
    from langgraph.store.redis.index import Vector
    from langgraph.store.redis.jobs import Job
    from langgraph.store.redis.progress import Told

_SAMPLE: Final = "What is alike is found, in whatever words it was said."
_ALIKE: Final = 0.999  # Providers answer the same text not quite the same each time.
_ROUNDS: Final = 5
_PAGE: Final = 1000
_MOST: Final = 1000


def reindexed(chosen: Chosen, batch_size: int, *, shown: bool) -> Job:
    """All of the work.

    Args:
        chosen: Knows what is stored, and what is asked for.
        batch_size: How many items to embed at once.
        shown: Whether to show how far it is.
    """
    if not isinstance(batch_size, int) or not 1 <= batch_size <= _MOST:
        raise ValueError(f"batch_size must be an int from 1 to {_MOST}, not {batch_size!r:.80}")
    yield chosen.spread.known()
    sample = (yield [_SAMPLE])[_SAMPLE]
    before: About | None = yield chosen.stored()
    place = "2" if before is not None and before.place == "" else ""
    about: About = yield _begun(chosen, place, sample)
    with progress("embedding items", shown=shown) as told:
        embedding = _Embedding(chosen, about, batch_size, told)
        yield from embedding.caught_up()
        yield _switched(chosen, about)
        # What others wrote as the old vectors wanted it, until the key was switched.
        yield from embedding.caught_up()
    chosen.adopt(about)
    if before is not None:
        yield _cleared(chosen, before.place)
        if before.mode == "search":
            yield dropped(chosen.spread, before.place)
    return embedding.count


def _begun(chosen: Chosen, place: str, sample: Vector) -> Plan[About]:
    """Go on with what was begun to make the same vectors, or begin with a place that is empty."""
    key = chosen.spread.keys.draft
    found = yield Call("HGET", [key], [FIELD])
    draft = orjson.loads(found) if found is not None else None
    config = chosen.index.config
    if draft is not None and draft["about"][:2] == [chosen.index.dims, config["distance_type"]]:
        about = yield from chosen.wished(place)
        if draft["about"] == list(about) and _alike(np.array(draft["sample"], np.float32), sample):
            return about
    yield from _cleared(chosen, place)
    yield from dropped(chosen.spread, place)
    about = yield from chosen.wished(place)
    yield Call("HSET", [key], [FIELD, orjson.dumps({"about": list(about), "sample": sample.tolist()})])
    return about


def _alike(one: Vector, other: Vector) -> bool:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return bool(one @ other >= _ALIKE * lengths)


def _switched(chosen: Chosen, about: About) -> Plan[None]:
    keys = chosen.spread.keys
    yield [Call("HSET", [keys.vectors], [FIELD, about.dumped()]), Call("UNLINK", [keys.draft])]


def _cleared(chosen: Chosen, place: str) -> Plan[None]:
    """Take away the vectors of a place."""
    none = (0, b"x" + place.encode(), b"")
    for shard in range(chosen.spread.count):
        after, more = b"-inf", True
        while more:
            page = _Page((yield from chosen.spread.ask([_since(shard, after, _PAGE, place, whole=False)])))
            after, more = page.last or after, page.more
            asked = [Ask(shard, (b"r", ns, key, b"", *none)) for ns, key, _, data in page.items if not data]
            if asked:
                yield from chosen.spread.ask(asked)


def _since(shard: int, after: bytes, count: int, place: str, *, whole: bool) -> Ask:
    return Ask(shard, (b"i", after, count, place.encode(), b"1" if whole else b"0"))


class _Page:
    """Items as the script tells of them."""

    def __init__(self, replies: Sequence[Any]) -> None:
        count, more, *flat = replies[0]
        self.total = int(count)
        self.more = bool(more)
        self.items = [tuple(flat[at : at + 4]) for at in range(0, len(flat), 4)]
        self.last = b"(" + self.items[-1][2] if self.items else b""


class _Embedding:
    """Items that get their new vectors.

    Attributes:
        count: How many got some.
    """

    def __init__(self, chosen: Chosen, about: About, batch_size: int, told: Told) -> None:
        self.count = 0
        self._chosen, self._about, self._batch, self._told = chosen, about, batch_size, told
        self._after = dict.fromkeys(range(chosen.spread.count), b"-inf")
        self._totals = dict.fromkeys(self._after, 0)
        self._seen = 0

    def caught_up(self) -> Generator[Plan[Any] | list[str], Any, None]:
        """Embed what has no new vectors, until nothing more comes, or others write as quickly."""
        for _ in range(_ROUNDS):
            seen = self._seen
            for shard in self._after:
                yield from self._shard(shard)
            if seen == self._seen:
                return

    def _shard(self, shard: int) -> Generator[Plan[Any] | list[str], Any, None]:
        spread, more = self._chosen.spread, True
        while more:
            ask = _since(shard, self._after[shard], self._batch, self._about.place, whole=True)
            page = _Page((yield spread.ask([ask])))
            more, self._totals[shard] = page.more, page.total
            self._after[shard] = page.last or self._after[shard]
            yield from self._embed(shard, page)
            self._seen += len(page.items)
            self._told(self._seen, max(self._seen, sum(self._totals.values())))

    def _embed(self, shard: int, page: _Page) -> Generator[Plan[Any] | list[str], Any, None]:
        index = self._chosen.index
        items = [records.read(ns, key, data) for ns, key, _, data in page.items if len(data) > 1]
        texts = {item: index.texts(item.value, None) for item in items if item.vectors >= 0}
        distinct = list(dict.fromkeys(text for each in texts.values() for text in each))
        vectors: dict[str, Vector] = (yield distinct) if distinct else {}
        kind = self._about.kind
        asked = []
        for item, each in texts.items():
            if each:
                data = b"".join([vectors[text].tobytes() for text in each])
                words = (b"r", item.ns, item.key, b"%d" % item.updated, len(each), kind, data)
                asked.append(Ask(shard, words))
        if asked:
            self.count += sum((yield self._chosen.spread.ask(asked)))

"""Every operation of the store, once: reads, then writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis.together import together
from langgraph.store.redis import records
from langgraph.store.redis.listings import listed
from langgraph.store.redis.searches import searched
from langgraph.store.redis.spread import Ask

if TYPE_CHECKING:
    from langgraph.store.base import Item, Result, SearchItem

    from langgraph._redis.plan import Argument, Plan
    from langgraph.store.redis.batches import Batch, Put
    from langgraph.store.redis.index import Vectors
    from langgraph.store.redis.ranking import Ranker
    from langgraph.store.redis.searches import Search
    from langgraph.store.redis.spread import Spread

_NO_VECTORS: Final[tuple[Argument, ...]] = (0, b"", b"")
_SWEEP: Final = 200


class Plans:
    """The operations of one store.

    Args:
        spread: Its shards.
        ranker: How vectors are kept and ranked, if there are any.
    """

    def __init__(self, spread: Spread, ranker: Ranker | None) -> None:
        self.spread = spread
        self._ranker = ranker
        self._known = False

    def ready(self) -> Plan[None]:
        """Learn, once, what is stored below the prefix."""
        yield from self.spread.known()
        if self._ranker is not None:
            yield from self._ranker.ready()
        self._known = True

    def batch(self, batch: Batch, vectors: Vectors | None) -> Plan[list[Result]]:
        """All operations of a batch: gets and puts in one round trip; with searches, these go before puts."""
        if not self._known:
            yield from self.ready()
        if batch.size == 1 and batch.gets:  # The most frequent, by a way that is shorter.
            ((_, ns, words),) = batch.gets
            (record,) = yield self.spread.call(self.spread.of(ns), words)
            return [_item(ns, words, record)]
        if batch.searches or batch.listings:
            return (yield from self._searching(batch, vectors))
        replies = yield from self.spread.ask([*self._gets(batch), *self._puts(batch, vectors)])
        return self._results(batch, replies, [])

    def _searching(self, batch: Batch, vectors: Vectors | None) -> Plan[list[Result]]:
        reads: list[Plan[Any]] = [self.spread.ask(self._gets(batch))]
        reads += [self._searched(search, query, vectors) for _, search, query in batch.searches]
        reads += [listed(self.spread, listing) for _, listing in batch.listings]
        replies, *found = yield from together(reads)
        yield from self.spread.ask(self._puts(batch, vectors))
        return self._results(batch, replies, found)

    def _gets(self, batch: Batch) -> list[Ask]:
        return [Ask(self.spread.of(ns), words) for _, ns, words in batch.gets]

    def _puts(self, batch: Batch, vectors: Vectors | None) -> list[Ask]:
        return [Ask(self.spread.of(put.ns), self._words(put, vectors)) for put in batch.puts]

    def _words(self, put: Put, vectors: Vectors | None) -> list[Argument]:
        if put.texts is None:
            return put.words
        if not put.texts or vectors is None or self._ranker is None:
            return [*put.words, *_NO_VECTORS]
        data = b"".join([vectors.texts[text].tobytes() for text in put.texts])
        return [*put.words, len(put.texts), self._ranker.kind, data]

    def _searched(self, search: Search, query: str | None, vectors: Vectors | None) -> Plan[list[SearchItem]]:
        if query is None or vectors is None or self._ranker is None:
            return searched(self.spread, search)
        return self._ranker.searched(search, vectors.queries[query])

    def _results(self, batch: Batch, replies: Sequence[Any], found: Sequence[Any]) -> list[Result]:
        results: list[Any] = [None] * batch.size
        for (at, ns, words), record in zip(batch.gets, replies, strict=False):
            results[at] = _item(ns, words, record)
        places = [at for at, *_ in batch.searches] + [at for at, _ in batch.listings]
        for at, answer in zip(places, found, strict=True):
            results[at] = answer
        return results

    def sweep(self) -> Plan[int]:
        """Take away all that expired, some of each shard in a round trip; how many these were."""
        yield from self.spread.known()
        taken, late = 0, list(range(self.spread.count))
        while late:
            replies = yield from self.spread.ask([Ask(shard, (b"e", _SWEEP)) for shard in late])
            taken += sum(count for count, _ in replies)
            late = [shard for shard, (_, more) in zip(late, replies, strict=True) if more]
        return taken


def _item(ns: bytes, words: Sequence[Argument], record: bytes | None) -> Item | None:
    """The item that a get of these words was answered with."""
    return None if record is None else records.read(ns, words[2], record).item()  # type: ignore[arg-type] # bytes.

"""What the sync and the async store have in common: how they are built, and all that needs no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from langgraph._redis.connect import Endpoint
from langgraph._redis.observe import Observer
from langgraph._redis.probe import check
from langgraph.store.redis.batches import Batch, add, batch_of
from langgraph.store.redis.config import checked_ttl
from langgraph.store.redis.keys import Keys
from langgraph.store.redis.plans import Plans
from langgraph.store.redis.spread import Spread

if TYPE_CHECKING:
    from langgraph.store.base import Op, Result, TTLConfig

    from langgraph._redis.plan import Plan
    from langgraph.store.redis.config import RedisIndexConfig
    from langgraph.store.redis.index import Index, Vectors
    from langgraph.store.redis.jobs import Job


class Parts:
    """What a store is made of, checked before any server is asked or started.

    Raises:
        ImportError: If an index is asked for and numpy is missing.
        TypeError: If an argument is of a wrong type.
        ValueError: If an argument is missing, unknown or out of range.
    """

    def __init__(
        self,
        *,
        redis_url: Any,
        redis_client: Any,
        client: Any,
        connection_args: Mapping[str, Any] | None,
        index: RedisIndexConfig | None,
        ttl: TTLConfig | None,
        store_prefix: str,
        shards: int | None,
        wants_async: bool,
    ) -> None:
        if client is not None and redis_client is not None:
            raise ValueError("client and redis_client are two names of one argument: give one of them")
        keys = Keys(store_prefix)
        self.ttl = checked_ttl(ttl)
        self.index = None if index is None else _index(index)
        Spread(keys, shards, cluster=False)
        brought = redis_client if client is None else client
        self.place = Endpoint(redis_url, brought, connection_args, wants_async=wants_async)
        self.prefix = store_prefix
        self.observer = Observer(cluster=self.place.cluster)
        spread = Spread(keys, shards, cluster=self.place.cluster)
        self._ranker = None if self.index is None else _ranker(self.index, spread)
        self.plans = Plans(spread, self._ranker)

    def check(self) -> Plan[list[str]]:
        """What `setup` asks of the server."""
        warnings = yield from check(self.prefix, expiring=self.ttl is not None)
        yield from self.plans.ready()
        return warnings

    def batch(self, ops: Iterable[Op]) -> Batch:
        """Operations, checked."""
        return batch_of(ops, self.index)

    def add(self, batch: Batch, op: Op) -> None:
        """Add an operation, checked, to a batch."""
        add(batch, op, self.index)

    def embed(self, batch: Batch) -> Vectors | None:
        """The vectors of a batch."""
        if self.index is None:
            return None
        return self.index.embed(batch.texts, batch.queries)

    async def aembed(self, batch: Batch) -> Vectors | None:
        """Likewise, waiting for the provider."""
        if self.index is None:
            return None
        return await self.index.aembed(batch.texts, batch.queries)

    def run(self, batch: Batch, vectors: Vectors | None) -> Plan[list[Result]]:
        """The plan of a batch."""
        return self.plans.batch(batch, vectors)

    def reindexing(self, batch_size: int, *, progress: bool) -> tuple[Job, Index]:
        """The work of embedding all items anew, and who embeds.

        Raises:
            ValueError: If there is no index.
        """
        if self.index is None or self._ranker is None:
            raise ValueError("reindex() embeds items as the store's index says: give the store an index")
        from langgraph.store.redis.reindex import reindexed  # noqa: PLC0415 - likewise.

        return reindexed(self._ranker, batch_size, shown=progress), self.index


def _index(given: Any) -> Index:
    try:
        from langgraph.store.redis.index import Index  # noqa: PLC0415 - numpy, for those who need it.
    except ImportError as error:
        raise ImportError(
            "a store with an index needs numpy: pip install 'langgraph-checkpoint-redis[vectors]'"
        ) from error
    return Index(given)


def _ranker(index: Index, spread: Spread) -> Any:
    from langgraph.store.redis.choice import Chosen  # noqa: PLC0415 - likewise.

    return Chosen(index, spread)

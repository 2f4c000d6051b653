"""The sync store: its client, and how it runs plans."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langgraph.store.base import BaseStore

from langgraph._redis.drivers import SyncDriver
from langgraph._redis.probe import EvictionWarning
from langgraph.store.redis.base import Parts
from langgraph.store.redis.jobs import done
from langgraph.store.redis.sweeper import Sweeper

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from langgraph.store.base import Op, Result, TTLConfig
    from typing_extensions import Self

    from langgraph.store.redis.config import RedisIndexConfig


class RedisStore(BaseStore):
    """Keeps what agents are to remember across threads, in Redis or Valkey, through a sync client.

    Thread-safe; one store may serve many graphs. Its async methods run the sync ones in threads: in an async
    program, `AsyncRedisStore` does better.

    Items are found by namespace and key, by filter, and, with an `index`, by meaning. Search without a query
    is in the order of the last update, newest first.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads them;
            ``redis+sentinel://host1,host2/service/db`` or ``redis+cluster://host1,host2``; or
            ``embedded://<folder>`` for a Valkey server of its own that keeps its data in that folder,
            ``embedded://`` for a temporary one.
        redis_client: A client of your own to use instead, that of a saver for instance
            (`saver.client`). It is never closed here.
        client: Another name of `redis_client`.
        connection_args: Further arguments for the connections to `redis_url`.
        index: What to embed, and how: see `RedisIndexConfig`. Not given: no search by meaning. Needs the
            extra `vectors`.
        ttl: ``{"default_ttl": 60}``: items live an hour (minutes) after they were last written or, unless
            ``"refresh_on_read": False``, read. An item's own `ttl` goes before it. Not given: for ever.
        store_prefix: Stands before every key.
        shards: Over how many slots of a cluster items are spread, by the first label of their namespace. The
            first store on a prefix decides; leave it out to use what is there, or one (16 on a cluster).

    Raises:
        ImportError: If an index is asked for and numpy is missing.
        ValueError: If both or neither of `redis_url` and `redis_client` are given, or an option is unusable.
        TypeError: If `redis_client` is an async client, or an option is of a wrong type.

    Example:
        ```python
        with RedisStore.from_conn_string("redis://localhost:6379") as store:
            store.put(("users", "42"), "food", {"likes": "pizza"})
            graph = builder.compile(checkpointer=checkpointer, store=store)
        ```
    """

    supports_ttl = True

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        redis_client: Any = None,
        client: Any = None,
        connection_args: Mapping[str, Any] | None = None,
        index: RedisIndexConfig | None = None,
        ttl: TTLConfig | None = None,
        store_prefix: str = "langgraph:store",
        shards: int | None = None,
    ) -> None:
        self._parts = Parts(
            redis_url=redis_url,
            redis_client=redis_client,
            client=client,
            connection_args=connection_args,
            index=index,
            ttl=ttl,
            store_prefix=store_prefix,
            shards=shards,
            wants_async=False,
        )
        self.ttl_config = self._parts.ttl
        self.index_config = index
        made, self._owned = self._parts.place.sync_client()
        place, observer = self._parts.place, self._parts.observer
        self._driver = SyncDriver(made, cluster=place.cluster, owned=self._owned, observer=observer)
        # Not `self.sweep_ttl`: a store that nobody closed would keep its connections until a collection.
        driver, plans = self._driver, self._parts.plans
        self._sweeper = Sweeper(lambda: driver.run(plans.sweep(), "sweep"), self.ttl_config)

    @classmethod
    @contextmanager
    def from_conn_string(
        cls,
        redis_url: str | None = None,
        *,
        redis_client: Any = None,
        client: Any = None,
        connection_args: Mapping[str, Any] | None = None,
        index: RedisIndexConfig | None = None,
        ttl: TTLConfig | None = None,
        store_prefix: str = "langgraph:store",
        shards: int | None = None,
    ) -> Iterator[Self]:
        """A store for the length of a `with` block; takes what the constructor takes."""
        store = cls(
            redis_url,
            redis_client=redis_client,
            client=client,
            connection_args=connection_args,
            index=index,
            ttl=ttl,
            store_prefix=store_prefix,
            shards=shards,
        )
        with store:
            yield store

    @property
    def client(self) -> Any:
        """The client in use: the one that was brought, or this store's own, to share but not to close."""
        return self._driver.client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the sweeper and the connections that are this store's own. A client that was brought stays."""
        self._sweeper.stop()
        if self._owned:
            self._driver.client.close()
        self._parts.place.release()

    def setup(self) -> None:
        """Check that the server can do what is needed, and what is stored already; as often as you like.

        A store works without this call. It uses no admin command, and warns with `EvictionWarning` if it is
        allowed to see that the server may drop items.

        Raises:
            UnsupportedServerError: If the server is too old, or the user may not run scripts.
            ValueError: If there is a store below the prefix with another number of shards, or with vectors
                of other dimensions.
        """
        for warning in self._driver.run(self._parts.check(), "setup"):
            warnings.warn(warning, EvictionWarning, stacklevel=2)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations, reads before writes: gets and puts in one round trip.

        Reads see what was there before; of several puts of one item the last counts. The operations on one
        shard are one atomic step for each 250 of them, or each megabyte.

        Args:
            ops: What to do.

        Returns:
            For each a result: an item or None, items, namespaces, or None for a put.

        Raises:
            ValueError: If an operation cannot be done (`TypeError` if it has a wrong type); nothing is
                written then.
        """
        batch = self._parts.batch(ops)
        return self._driver.run(self._parts.run(batch, self._parts.embed(batch)), "batch")

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """`batch`, in a thread."""
        return await asyncio.to_thread(self.batch, ops)

    def reindex(self, *, progress: bool = True, batch_size: int = 100) -> int:
        """Embed all items anew: for an index of another model, other dimensions, fields, distance or mode.

        Searches go on with the old vectors until all new ones are there, and then the store is switched.
        Values and times of items stay as they are. Work that was broken off goes on where it was. Items that
        were stored with `index=False` stay without vectors; those stored with fields of their own get the
        index's. Restart the programs that use the old index when this is done: they search the old vectors,
        and what they store is not found by meaning.

        Args:
            progress: Show a bar, with `rich` if it is installed, else lines of the log.
            batch_size: How many items to embed at once.

        Returns:
            How many items were embedded.

        Raises:
            ValueError: If the store has no index, or `batch_size` is not from 1 to 1000. What the provider
                raises comes through as it is.
        """
        job, index = self._parts.reindexing(batch_size, progress=progress)
        return done(job, lambda plan: self._driver.run(plan, "reindex"), index.embed)

    def sweep_ttl(self) -> int:
        """Take away what has expired, all of it. It is not seen anyway, and goes by and by as others call.

        Returns:
            How many items were taken away.
        """
        return self._driver.run(self._parts.plans.sweep(), "sweep")

    def start_ttl_sweeper(self, sweep_interval_minutes: int | None = None) -> Future[None]:
        """Sweep now and again, in a thread of its own, until `stop_ttl_sweeper` or `close`.

        Args:
            sweep_interval_minutes: Minutes between sweeps; else what `ttl` says, else 5.

        Returns:
            Is done when the sweeper has ended; to cancel it ends the sweeper.
        """
        return self._sweeper.start(sweep_interval_minutes)

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the sweeper.

        Args:
            timeout: Seconds to wait for it.

        Returns:
            Whether it ended, or none ran.
        """
        return self._sweeper.stop(timeout)

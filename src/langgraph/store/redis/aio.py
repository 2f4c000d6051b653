"""The async store: its clients, and how it runs plans."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from langgraph.store.base import BaseStore

from langgraph._redis.drivers import AsyncDriver
from langgraph._redis.offloop import OffLoop
from langgraph._redis.probe import EvictionWarning
from langgraph.store.redis.base import Parts
from langgraph.store.redis.jobs import adone
from langgraph.store.redis.sweeper import AsyncSweeper
from langgraph.store.redis.ticks import Ticks

if TYPE_CHECKING:
    from types import TracebackType

    from langgraph.store.base import Op, Result, TTLConfig
    from typing_extensions import Self

    from langgraph._redis.plan import Plan
    from langgraph.store.redis.config import RedisIndexConfig

_ADVICE: Final = (
    "AsyncRedisStore's sync methods would block the event loop that runs in this thread: await the async "
    "twin (get -> aget, put -> aput, search -> asearch), call from another thread (asyncio.to_thread), or "
    "use RedisStore"
)


class AsyncRedisStore(BaseStore):
    """Keeps what agents are to remember across threads, in Redis or Valkey, through an async client.

    May be built with no event loop running; it connects at first use. It serves event loops one after the
    other or side by side, each with a client of its own (a client that you bring stays with the loop that it
    was used in). Operations that are asked for in one turn of the loop travel, and are embedded, together.

    Its sync methods work in threads without a running event loop, through a sync client of their own.

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
        TypeError: If `redis_client` is a sync client, or an option is of a wrong type.

    Example:
        ```python
        async with AsyncRedisStore.from_conn_string("redis://localhost:6379") as store:
            await store.aput(("users", "42"), "food", {"likes": "pizza"})
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
            wants_async=True,
        )
        place, observer = self._parts.place, self._parts.observer
        self.ttl_config = self._parts.ttl
        self.index_config = index
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Ticks] = WeakKeyDictionary()
        self._driver = AsyncDriver(
            place.async_client, cluster=place.cluster, owned=place.ours, observer=observer
        )
        self._sync = OffLoop(place, observer, _ADVICE)
        # Not `self.sweep_ttl`, which would be a cycle.
        driver, plans = self._driver, self._parts.plans
        self._sweeper = AsyncSweeper(lambda: driver.run(plans.sweep(), "sweep"), self.ttl_config)

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
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
    ) -> AsyncIterator[Self]:
        """A store for the length of an `async with` block; takes what the constructor takes."""
        # In a thread: an embedded server takes a moment to start.
        store = await asyncio.to_thread(
            cls,
            redis_url,
            redis_client=redis_client,
            client=client,
            connection_args=connection_args,
            index=index,
            ttl=ttl,
            store_prefix=store_prefix,
            shards=shards,
        )
        async with store:
            yield store

    @property
    def _ticks(self) -> Ticks:
        loop = asyncio.get_running_loop()
        found = self._loops.get(loop)
        if found is None:
            found = self._loops[loop] = Ticks(self._parts, self._run)
        return found

    async def _run(self, plan: Plan[list[Result]]) -> list[Result]:
        return await self._driver.run(plan, "batch")

    @property
    def client(self) -> Any:
        """The running loop's client, brought or this store's own: to share, not to close.

        Raises:
            RuntimeError: If no event loop runs here.
        """
        return self._driver.client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the sweeper and the connections that are this store's own. A client that was brought stays.

        Waits for the operations that this loop asked for before.
        """
        await self._sweeper.stop()
        await self._ticks.drained()
        await self._driver.aclose()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Close what the sync methods opened, and leave the embedded server.

        The clients of event loops are closed by `aclose`, or with their loop.
        """
        self._sync.close()
        self._parts.place.release()

    async def setup(self) -> None:
        """Check that the server can do what is needed, and what is stored already; as often as you like.

        A store works without this call. It uses no admin command, and warns with `EvictionWarning` if it is
        allowed to see that the server may drop items.

        Raises:
            UnsupportedServerError: If the server is too old, or the user may not run scripts.
            ValueError: If there is a store below the prefix with another number of shards, or with vectors
                of other dimensions.
        """
        for warning in await self._driver.run(self._parts.check(), "setup"):
            warnings.warn(warning, EvictionWarning, stacklevel=2)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations, reads before writes: gets and puts in one round trip.

        Reads see what was there before; of several puts of one item the last counts. The operations on one
        shard are one atomic step for each 250 of them, or each megabyte. An operation that comes alone, as
        those of `aget` and `aput` do, travels with the others of its turn of the loop.

        Args:
            ops: What to do.

        Returns:
            For each a result: an item or None, items, namespaces, or None for a put.

        Raises:
            ValueError: If an operation cannot be done (`TypeError` if it has a wrong type); nothing is
                written then.
        """
        asked = list(ops)
        if len(asked) == 1:
            return [await self._ticks.ask(asked[0])]
        batch = self._parts.batch(asked)
        return await self._run(self._parts.run(batch, await self._parts.aembed(batch)))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """`abatch`, for threads in which no event loop runs.

        Raises:
            RuntimeError: If one does: it would stand still meanwhile.
        """
        self._sync.check()
        batch = self._parts.batch(ops)
        return self._sync.run(self._parts.run(batch, self._parts.embed(batch)), "batch")

    async def reindex(self, *, progress: bool = True, batch_size: int = 100) -> int:
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
        return await adone(job, lambda plan: self._driver.run(plan, "reindex"), index.aembed)

    async def sweep_ttl(self) -> int:
        """Take away what has expired, all of it. It is not seen anyway, and goes by and by as others call.

        Returns:
            How many items were taken away.
        """
        return await self._driver.run(self._parts.plans.sweep(), "sweep")

    async def start_ttl_sweeper(self, sweep_interval_minutes: int | None = None) -> asyncio.Task[None]:
        """Sweep now and again, in a task of this loop, until `stop_ttl_sweeper` or `aclose`.

        Args:
            sweep_interval_minutes: Minutes between sweeps; else what `ttl` says, else 5.

        Returns:
            The task; to cancel it ends the sweeper.
        """
        return self._sweeper.start(sweep_interval_minutes)

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the sweeper.

        Args:
            timeout: Seconds to wait for it.

        Returns:
            Whether it ended, or none ran.
        """
        return await self._sweeper.stop(timeout)

"""The async saver: its clients, and how it runs plans."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from langgraph._redis.drivers import AsyncDriver
from langgraph._redis.offloop import OffLoop
from langgraph._redis.probe import EvictionWarning
from langgraph.checkpoint.redis.base import endpoint
from langgraph.checkpoint.redis.directory import Directory
from langgraph.checkpoint.redis.policy import TTLConfig, policy
from langgraph.checkpoint.redis.telemetry import tracing

if TYPE_CHECKING:
    from types import TracebackType

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from opentelemetry.trace import TracerProvider
    from typing_extensions import Self

    from langgraph._redis.plan import Plan

T = TypeVar("T")

_ADVICE: Final = (
    "AsyncRedisSaver's sync methods would block the event loop that runs in this thread: await the async "
    "twin (get_tuple -> aget_tuple, graph.invoke -> graph.ainvoke), call from another thread "
    "(asyncio.to_thread), or use RedisSaver"
)


class AsyncRedisSaver(Directory):
    """Keeps LangGraph checkpoints in Redis or Valkey, through an async client.

    May be built with no event loop running; it connects at first use. It serves event loops one after
    the other or side by side, each with a client of its own (a client that you bring stays with the
    loop that it was used in). One saver may serve many graphs. Concurrent calls travel together: some
    four round trips are under way at once, whatever the fan-out.

    Its sync methods work in threads without a running event loop, through a sync client of their own.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads them;
            ``redis+sentinel://host1,host2/service/db`` or ``redis+cluster://host1,host2``; or
            ``embedded://<folder>`` for a Valkey server of its own that keeps its data in that folder,
            ``embedded://`` for a temporary one.
        redis_client: A client of your own to use instead: `redis.asyncio.Redis` or `RedisCluster`, of
            sentinels, or their twins of valkey-py. It is never closed here.
        connection_args: Further arguments for the connections to `redis_url`, such as
            ``{"socket_timeout": 5}``.
        serde: LangGraph's serializer, `JsonPlusSerializer()` unless given. With an
            `EncryptedSerializer`, values, writes, metadata and the rest of each checkpoint are
            encrypted; ids, channel names, versions and run ids stay readable.
        key_prefix: Stands before every key.
        ttl: How long threads live after they were last used: ``{"default_ttl": 60}`` is an hour (minutes),
            with ``"refresh_on_read": True`` after the last read, too. A thread's own `set_ttl` and `persist`
            go before it. Not given: for ever.
        keep_last: How many checkpoints of each namespace are kept; a put drops what is older. A few more may
            be there (a twentieth), and ancestors that a DeltaChannel needs. Not given: all.
        index_metadata: Metadata keys, such as ``["user_id"]``, by which `threads` finds threads without
            looking at all of them. Their values then stand in keys, in the clear.
        wait_replicas: How many replicas must have a put or a put_writes when it returns (`WAIT`, in the same
            round trip). With fewer it raises `ReplicationError`; the write is on the primary then. Not
            given: it returns when the primary has it.
        wait_timeout_ms: Milliseconds to wait for them; less than the connection's `socket_timeout`.
        on_conflict: What a put does whose thread moved on since the checkpoint that it continues:
            ``"allow"`` stores both, and the larger id is the latest; ``"error"`` raises
            `ConcurrentUpdateError` and writes nothing. Forks that name a checkpoint go through.
        telemetry: Whether each operation is a span of OpenTelemetry, of the program's tracer provider; or a
            `TracerProvider`. A span tells sizes and round trips, no values, no metadata and no ids. Needs
            the extra `otel`.
        trace_ids: Whether spans also tell the ids in the config that an operation is given.

    Raises:
        ImportError: If `telemetry` is asked for and OpenTelemetry is not installed.
        ValueError: If both or neither of `redis_url` and `redis_client` are given, or one is unusable; or
            if an option is out of range.
        TypeError: If `redis_client` is a sync client.

    Example:
        ```python
        async with AsyncRedisSaver.from_conn_string("redis://localhost:6379") as checkpointer:
            await checkpointer.asetup()
            graph = builder.compile(checkpointer=checkpointer)
            await graph.ainvoke(inputs, {"configurable": {"thread_id": "1"}})
        ```
    """

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        redis_client: Any = None,
        connection_args: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        key_prefix: str = "langgraph",
        ttl: TTLConfig | None = None,
        keep_last: int | None = None,
        index_metadata: Sequence[str] | None = None,
        wait_replicas: int | None = None,
        wait_timeout_ms: int = 1000,
        on_conflict: Literal["allow", "error"] = "allow",
        telemetry: bool | TracerProvider = False,
        trace_ids: bool = False,
    ) -> None:
        kept = policy(
            ttl,
            self._kept(keep_last),
            index_metadata,
            wait_replicas=wait_replicas,
            wait_timeout_ms=wait_timeout_ms,
            on_conflict=on_conflict,
        )
        spans = tracing(telemetry=telemetry, trace_ids=trace_ids)
        place = endpoint(redis_url, redis_client, connection_args, key_prefix, wants_async=True)
        super().__init__(place, serde, key_prefix, kept, spans)
        self._driver = AsyncDriver(
            place.async_client, cluster=place.cluster, owned=place.ours, observer=self._observer
        )
        self._sync = OffLoop(place, self._observer, _ADVICE)

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls,
        redis_url: str | None = None,
        *,
        redis_client: Any = None,
        connection_args: Mapping[str, Any] | None = None,
        serde: SerializerProtocol | None = None,
        key_prefix: str = "langgraph",
        ttl: TTLConfig | None = None,
        keep_last: int | None = None,
        index_metadata: Sequence[str] | None = None,
        wait_replicas: int | None = None,
        wait_timeout_ms: int = 1000,
        on_conflict: Literal["allow", "error"] = "allow",
        telemetry: bool | TracerProvider = False,
        trace_ids: bool = False,
    ) -> AsyncIterator[Self]:
        """A saver for the length of an `async with` block; takes what the constructor takes."""
        # In a thread: an embedded server takes a moment to start.
        saver = await asyncio.to_thread(
            cls,
            redis_url,
            redis_client=redis_client,
            connection_args=connection_args,
            serde=serde,
            key_prefix=key_prefix,
            ttl=ttl,
            keep_last=keep_last,
            index_metadata=index_metadata,
            wait_replicas=wait_replicas,
            wait_timeout_ms=wait_timeout_ms,
            on_conflict=on_conflict,
            telemetry=telemetry,
            trace_ids=trace_ids,
        )
        async with saver:
            yield saver

    @property
    def client(self) -> Any:
        """The running loop's client, brought or this saver's own: to share, not to close.

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
        """Close the connections that are this saver's own. A client that was brought stays open."""
        await self._driver.aclose()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Close what the sync methods opened, and leave the embedded server.

        The clients of event loops are closed by `aclose`, or with their loop.
        """
        self._sync.close()
        self._endpoint.release()

    async def asetup(self) -> None:
        """Check that the server can do what is needed; two round trips, as often as you like.

        Nothing is created: a saver works without this call. It uses no admin command, and warns with
        `EvictionWarning` if it is allowed to see that the server may drop live threads.

        Raises:
            UnsupportedServerError: If the server is too old, or the user may not run scripts.
        """
        for warning in await self._driver.run(self._check(), "setup"):
            warnings.warn(warning, EvictionWarning, stacklevel=2)

    async def setup(self) -> None:
        """`asetup`, by the name that the sync saver gives it."""
        await self.asetup()

    def _run(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        return self._sync.run(plan, name, about)

    def _arun(self, plan: Plan[T], name: str = "", about: Any = None) -> Coroutine[Any, Any, T]:
        return self._driver.run(plan, name, about)

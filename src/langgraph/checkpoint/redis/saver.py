"""The sync saver: its client, and how it runs plans."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langgraph._redis.drivers import SyncDriver
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


class RedisSaver(Directory):
    """Keeps LangGraph checkpoints in Redis or Valkey, through a sync client.

    Thread-safe; one saver may serve many graphs. Its async methods run the sync ones in threads: in an
    async program, `AsyncRedisSaver` does better.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads them;
            ``redis+sentinel://host1,host2/service/db`` or ``redis+cluster://host1,host2``; or
            ``embedded://<folder>`` for a Valkey server of its own that keeps its data in that folder,
            ``embedded://`` for a temporary one.
        redis_client: A client of your own to use instead: `redis.Redis`, `RedisCluster`, of sentinels, or
            their twins of valkey-py. It is never closed here.
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
        TypeError: If `redis_client` is an async client.

    Example:
        ```python
        with RedisSaver.from_conn_string("redis://localhost:6379") as checkpointer:
            checkpointer.setup()
            graph = builder.compile(checkpointer=checkpointer)
            graph.invoke(inputs, {"configurable": {"thread_id": "1"}})
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
        place = endpoint(redis_url, redis_client, connection_args, key_prefix, wants_async=False)
        super().__init__(place, serde, key_prefix, kept, spans)
        client, self._owned = place.sync_client()
        self._driver = SyncDriver(client, cluster=place.cluster, owned=self._owned, observer=self._observer)

    @classmethod
    @contextmanager
    def from_conn_string(
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
    ) -> Iterator[Self]:
        """A saver for the length of a `with` block; takes what the constructor takes."""
        saver = cls(
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
        with saver:
            yield saver

    @property
    def client(self) -> Any:
        """The client in use: the one that was brought, or this saver's own, to share but not to close."""
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
        """Close the connections that are this saver's own. A client that was brought stays open."""
        if self._owned:
            self._driver.client.close()
        self._endpoint.release()

    async def aclose(self) -> None:
        """`close`, in a thread."""
        await asyncio.to_thread(self.close)

    def setup(self) -> None:
        """Check that the server can do what is needed; two round trips, as often as you like.

        Nothing is created: a saver works without this call. It uses no admin command, and warns with
        `EvictionWarning` if it is allowed to see that the server may drop live threads.

        Raises:
            UnsupportedServerError: If the server is too old, or the user may not run scripts.
        """
        for warning in self._driver.run(self._check(), "setup"):
            warnings.warn(warning, EvictionWarning, stacklevel=2)

    async def asetup(self) -> None:
        """`setup`, in a thread."""
        await asyncio.to_thread(self.setup)

    def _run(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        return self._driver.run(plan, name, about)

    async def _arun(self, plan: Plan[T], name: str = "", about: Any = None) -> T:
        return await asyncio.to_thread(self._driver.run, plan, name, about)

"""What the sync and the async saver have in common: how they are built, and all that needs no server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from langgraph.checkpoint.base import BaseCheckpointSaver

from langgraph._redis.connect import Endpoint
from langgraph._redis.observe import Observer
from langgraph._redis.probe import check
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.stats import SaverStats, stats

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph._redis.observe import Tracing
    from langgraph._redis.plan import Plan
    from langgraph.checkpoint.redis.policy import Policy


class BaseRedisSaver(BaseCheckpointSaver[str]):
    """The part of a saver that does no I/O.

    `with_allowlist` makes a shallow copy with another `serde`, so everything here is shared by
    reference, and `serde` is read at each call.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        serde: SerializerProtocol | None,
        key_prefix: str,
        policy: Policy,
        tracing: Tracing | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self._endpoint = endpoint
        self._observer = Observer(cluster=endpoint.cluster, tracing=tracing)
        self._core = Core(Keys(key_prefix), policy, endpoint.cluster)
        self._latest_plans = Plans(self._core, Codec(self.serde))

    _KEPT: ClassVar[int | None] = None

    @classmethod
    def _kept(cls, keep_last: int | None) -> int | None:
        """How many checkpoints to keep: what was asked, or what is in the nature of the class."""
        if cls._KEPT is not None and keep_last not in (None, cls._KEPT):
            raise ValueError(
                f"keep_last of {cls.__name__} is {cls._KEPT}, not {keep_last!r}: use its base class"
            )
        return cls._KEPT if keep_last is None else keep_last

    @property
    def _plans(self) -> Plans:
        """The operations under the current serializer."""
        plans = self._latest_plans
        if plans.codec.serde is not self.serde:
            plans = self._latest_plans = Plans(self._core, Codec(self.serde))
        return plans

    def _check(self) -> Plan[list[str]]:
        """What `setup` asks of the server."""
        return check(self._core.keys.prefix, expiring=self._core.policy.expires)

    def stats(self) -> SaverStats:
        """What this saver did so far in this process: operations, round trips, bytes, what was reused.

        No I/O. The numbers are of one moment; to know what some time took, subtract two. Bytes are counted
        from the first call on: call it once at the start to have them all.
        """
        return stats(self._observer.seen())

    def get_next_version(self, current: str | float | None, channel: None) -> str:  # noqa: ARG002 - the contract's.
        """The version after `current`: ``"<32 digits>.<random>"``, so that forks never share one.

        Args:
            current: The channel's version, a number if another saver began the thread; or None.
            channel: Not used; LangGraph keeps it for compatibility.
        """
        number = int(current.partition(".")[0] if isinstance(current, str) else current or 0)
        return f"{number + 1:032}.{os.urandom(5).hex()}"

    def __repr__(self) -> str:
        """Name the class and where it stores."""
        return f"<{type(self).__name__} {self._endpoint!r} prefix={self._core.keys.prefix!r}>"


def endpoint(
    redis_url: str | None,
    redis_client: Any,
    connection_args: Mapping[str, Any] | None,
    key_prefix: str,
    *,
    wants_async: bool,
) -> Endpoint:
    """Check what a saver is built with, the cheap things before a server is started."""
    Keys(key_prefix)
    return Endpoint(redis_url, redis_client, connection_args, wants_async=wants_async)

"""What the sync and the async saver have in common: how they are built, and all that needs no server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from langgraph._redis.connect import Endpoint
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol


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
    ) -> None:
        super().__init__(serde=serde)
        self._endpoint = endpoint
        self._core = Core(Keys(key_prefix))
        self._latest_plans = Plans(self._core, Codec(self.serde))

    @property
    def _plans(self) -> Plans:
        """The operations under the current serializer."""
        plans = self._latest_plans
        if plans.codec.serde is not self.serde:
            plans = self._latest_plans = Plans(self._core, Codec(self.serde))
        return plans

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

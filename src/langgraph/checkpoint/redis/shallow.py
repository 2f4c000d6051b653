"""The sync saver that keeps the latest checkpoint of each namespace only."""

from __future__ import annotations

from typing import ClassVar

from langgraph.checkpoint.redis.saver import RedisSaver


class ShallowRedisSaver(RedisSaver):
    """A `RedisSaver` with ``keep_last=1``: memory and human in the loop, without a history.

    It takes what `RedisSaver` takes. Each put drops the checkpoint before, with its writes and the
    namespaces of the subgraph calls made from it; what a DeltaChannel is rebuilt from stays.
    """

    _KEPT: ClassVar[int | None] = 1

"""LangGraph checkpoints on any Redis or Valkey server.

`RedisSaver` and `AsyncRedisSaver` keep a thread's state at every superstep: memory, resume after a
crash, human in the loop, time travel. They need core Redis (6.2 or later), no modules.
"""

import logging

from langgraph._redis.errors import (
    CheckpointNotFoundError,
    ConcurrentUpdateError,
    CorruptRecordError,
    RedisPersistenceError,
    ReplicationError,
    ThreadNotFoundError,
    UnsupportedServerError,
)
from langgraph._redis.probe import EvictionWarning
from langgraph._redis.version import __version__
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.checkpoint.redis.ashallow import AsyncShallowRedisSaver
from langgraph.checkpoint.redis.idle import PruneReport
from langgraph.checkpoint.redis.policy import TTLConfig
from langgraph.checkpoint.redis.saver import RedisSaver
from langgraph.checkpoint.redis.shallow import ShallowRedisSaver
from langgraph.checkpoint.redis.stats import SaverStats
from langgraph.checkpoint.redis.threads import ThreadInfo

# What a library logs is the program's to show or not.
logging.getLogger(__name__).addHandler(logging.NullHandler())

__lib_name__ = f"langgraph-checkpoint-redis_v{__version__}"

__all__ = [
    "AsyncRedisSaver",
    "AsyncShallowRedisSaver",
    "CheckpointNotFoundError",
    "ConcurrentUpdateError",
    "CorruptRecordError",
    "EvictionWarning",
    "PruneReport",
    "RedisPersistenceError",
    "RedisSaver",
    "ReplicationError",
    "SaverStats",
    "ShallowRedisSaver",
    "TTLConfig",
    "ThreadInfo",
    "ThreadNotFoundError",
    "UnsupportedServerError",
    "__lib_name__",
    "__version__",
]

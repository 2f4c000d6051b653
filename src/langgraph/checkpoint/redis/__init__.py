"""LangGraph checkpoints on any Redis or Valkey server.

`RedisSaver` and `AsyncRedisSaver` keep a thread's state at every superstep: memory, resume after a
crash, human in the loop, time travel. They need core Redis (6.2 or later), no modules.
"""

from langgraph._redis.errors import (
    CorruptRecordError,
    RedisPersistenceError,
    UnsupportedServerError,
)
from langgraph._redis.probe import EvictionWarning
from langgraph._redis.version import __version__
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.checkpoint.redis.saver import RedisSaver

__lib_name__ = f"langgraph-checkpoint-redis_v{__version__}"

__all__ = [
    "AsyncRedisSaver",
    "CorruptRecordError",
    "EvictionWarning",
    "RedisPersistenceError",
    "RedisSaver",
    "UnsupportedServerError",
    "__lib_name__",
    "__version__",
]

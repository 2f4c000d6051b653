"""LangGraph's store on Redis and Valkey: memory that agents keep across threads.

`RedisStore` for sync graphs, `AsyncRedisStore` for async ones. They need core Redis (6.2 or later) and no
modules.
"""

import logging

from langgraph._redis.errors import CorruptRecordError, RedisPersistenceError, UnsupportedServerError
from langgraph._redis.probe import EvictionWarning
from langgraph._redis.version import __version__
from langgraph.store.redis.aio import AsyncRedisStore
from langgraph.store.redis.config import RedisIndexConfig
from langgraph.store.redis.store import RedisStore

# What a library logs is the program's to show or not.
logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "AsyncRedisStore",
    "CorruptRecordError",
    "EvictionWarning",
    "RedisIndexConfig",
    "RedisPersistenceError",
    "RedisStore",
    "UnsupportedServerError",
    "__version__",
]

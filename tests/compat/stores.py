"""A pytest plugin that puts our store in the place of InMemoryStore, in tests that make one themselves.

It must be in place before they are imported. Stores are closed when all is over: the tests do not.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

from langgraph.store import memory
from langgraph.store.redis import RedisStore

if TYPE_CHECKING:
    import pytest

_numbers = itertools.count()
_made: list[RedisStore] = []


def pytest_configure(config: pytest.Config) -> None:
    url = config.getoption("redis_url")
    if url is None:
        return

    class Ours(RedisStore):
        """Made as InMemoryStore is; each is empty."""

        def __init__(self, *, index: Any = None) -> None:
            super().__init__(url, index=index, store_prefix=f"compat-{os.getpid()}-store-{next(_numbers)}")
            _made.append(self)

    memory.InMemoryStore = Ours  # type: ignore[assignment, misc] # that is what this is for.


def pytest_unconfigure() -> None:
    for store in _made:
        store.close()

"""A pytest plugin that gives LangGraph's tests these savers and stores, and leaves their files as they are.

Their conftest has four fixtures, `sync_checkpointer`, `async_checkpointer`, `sync_store` and `async_store`,
each over several savers or stores. All are replaced in the conftest module when it is loaded, before pytest
reads fixtures from it; tests that use none of those asked for are deselected.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from langgraph.store.redis import AsyncRedisStore, RedisStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from _pytest.terminal import TerminalReporter
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.store.base import BaseStore

# Some of the tests make `uuid.uuid4` a sequence that they then count on.
_prefixes = (f"compat-{os.getpid()}-{number}" for number in itertools.count())


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("compat", "LangGraph's tests on other savers and stores")
    group.addoption("--persistence", nargs="*", default=[], help="fixtures to test")
    group.addoption("--redis-url", help="server of savers and stores; those in memory without it")
    group.addoption("--failures", type=Path, help="file for the ids of what failed, one a line")


# Filed under this parameter, since it is part of the names in the tests' stored snapshots.
@pytest.fixture(params=["memory"])
def sync_checkpointer(pytestconfig: pytest.Config) -> Iterator[BaseCheckpointSaver[Any]]:
    url = pytestconfig.getoption("redis_url")
    if url is None:
        yield InMemorySaver()
        return
    with RedisSaver.from_conn_string(url, key_prefix=next(_prefixes)) as saver:
        yield saver


@pytest.fixture(params=["memory"])
async def async_checkpointer(
    pytestconfig: pytest.Config,
) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    url = pytestconfig.getoption("redis_url")
    if url is None:
        yield InMemorySaver()
        return
    async with AsyncRedisSaver.from_conn_string(url, key_prefix=next(_prefixes)) as saver:
        yield saver


@pytest.fixture(params=["in_memory"])
def sync_store(pytestconfig: pytest.Config) -> Iterator[BaseStore]:
    url = pytestconfig.getoption("redis_url")
    if url is None:
        yield InMemoryStore()
        return
    with RedisStore.from_conn_string(url, store_prefix=next(_prefixes)) as store:
        yield store


@pytest.fixture(params=["in_memory"])
async def async_store(pytestconfig: pytest.Config) -> AsyncIterator[BaseStore]:
    url = pytestconfig.getoption("redis_url")
    if url is None:
        yield InMemoryStore()
        return
    async with AsyncRedisStore.from_conn_string(url, store_prefix=next(_prefixes)) as store:
        yield store


@pytest.hookimpl(tryfirst=True)
def pytest_plugin_registered(plugin: object) -> None:
    if getattr(plugin, "__name__", None) == "tests.conftest":
        for fixture in (sync_checkpointer, async_checkpointer, sync_store, async_store):
            _replace(plugin, fixture.__name__, fixture)


def _replace(module: Any, name: str, fixture: object) -> None:
    """A fixture that is no longer there under its name would otherwise go unnoticed."""
    if not hasattr(module, name):
        raise pytest.UsageError(f"{module.__file__} has no fixture {name!r} to be replaced")
    setattr(module, name, fixture)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    fixtures = set(config.getoption("persistence"))
    if not fixtures:
        return
    chosen = [item for item in items if fixtures & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Runs once, where the reports of all workers meet."""
    stats = terminalreporter.stats
    failed = {report.nodeid for kind in ("failed", "error") for report in stats.get(kind, [])}
    if (path := config.getoption("failures")) is not None:
        path.write_text("".join(f"{nodeid}\n" for nodeid in sorted(failed)))

"""A pytest plugin that gives LangGraph's tests these savers, and leaves their files as they are.

Their conftest has two fixtures, `sync_checkpointer` and `async_checkpointer`, each over several
savers. Both are replaced in the conftest module when it is loaded, before pytest reads fixtures
from it; tests that use neither are deselected.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from _pytest.terminal import TerminalReporter
    from langgraph.checkpoint.base import BaseCheckpointSaver

# Some of the tests make `uuid.uuid4` a sequence that they then count on.
_prefixes = (f"compat-{os.getpid()}-{number}" for number in itertools.count())


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("compat", "LangGraph's tests on other savers")
    group.addoption("--checkpointers", nargs="+", default=[], help="fixtures to test")
    group.addoption("--redis-url", help="server of the savers; InMemorySaver without it")
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


@pytest.hookimpl(tryfirst=True)
def pytest_plugin_registered(plugin: object) -> None:
    if getattr(plugin, "__name__", None) == "tests.conftest":
        for fixture in (sync_checkpointer, async_checkpointer):
            _replace(plugin, fixture.__name__, fixture)


def _replace(module: Any, name: str, fixture: object) -> None:
    """A fixture that is no longer there under its name would otherwise go unnoticed."""
    if not hasattr(module, name):
        raise pytest.UsageError(f"{module.__file__} has no fixture {name!r} to be replaced")
    setattr(module, name, fixture)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    fixtures = set(config.getoption("checkpointers"))
    chosen = [item for item in items if fixtures & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Runs once, where the reports of all workers meet."""
    stats = terminalreporter.stats
    failed = {report.nodeid for kind in ("failed", "error") for report in stats.get(kind, [])}
    if (path := config.getoption("failures")) is not None:
        path.write_text("".join(f"{nodeid}\n" for nodeid in sorted(failed)))

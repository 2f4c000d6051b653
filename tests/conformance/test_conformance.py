"""The public conformance suite for checkpointers passes whole, on both savers.

It calls async methods only: those of the sync saver run its sync ones in threads. One saver serves
all capabilities, so that each is tried on a database which holds what the others left.
"""

from __future__ import annotations

import pytest

from conformance.suite import assert_passes_whole
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from topologies import Together
from twins import EVERY_OPTION


@pytest.mark.every_server
async def test_the_suite_passes_on_the_sync_saver_in_threads(saver: RedisSaver) -> None:
    await assert_passes_whole(saver)


@pytest.mark.every_server
async def test_the_suite_passes_on_the_async_saver(async_saver: AsyncRedisSaver) -> None:
    await assert_passes_whole(async_saver)


async def test_the_suite_passes_with_every_option_on(redis_url: str, key_prefix: str) -> None:
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, **EVERY_OPTION) as saver:
        await assert_passes_whole(saver)


async def test_the_suite_passes_with_every_option_on_the_async_saver(redis_url: str, key_prefix: str) -> None:
    async with AsyncRedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, **EVERY_OPTION) as saver:
        await assert_passes_whole(saver)


@pytest.fixture(params=["cluster_of_six", "sentinels"])
def together(request: pytest.FixtureRequest) -> Together:
    """Several servers, behind one URL."""
    started: Together = request.getfixturevalue(request.param)
    return started


async def test_the_suite_passes_on_several_servers(together: Together, key_prefix: str) -> None:
    with RedisSaver.from_conn_string(together.url, key_prefix=key_prefix, **EVERY_OPTION) as saver:
        await assert_passes_whole(saver)


async def test_the_suite_passes_on_several_servers_on_the_async_saver(
    together: Together, key_prefix: str
) -> None:
    async with AsyncRedisSaver.from_conn_string(together.url, key_prefix=key_prefix, **EVERY_OPTION) as saver:
        await assert_passes_whole(saver)

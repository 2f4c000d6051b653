"""Cancellation at any point: nothing half done stays, and every connection comes back."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.redis import AsyncRedisSaver
from steps import Chain, config_of, long_list
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

STORM = int(os.environ.get("STORM", "2000"))
AT_ONCE = 20


def open_connections(client: redis.Redis) -> int:
    return int(client.info("clients")["connected_clients"])


async def test_a_storm_of_cancelled_calls_leaves_no_half_state_and_no_connection_behind(
    async_saver: AsyncRedisSaver, redis_client: redis.Redis
) -> None:
    chance = random.Random(3)
    chains = [Chain(config_of(f"thread {n}")) for n in range(AT_ONCE)]
    for chain in chains:
        await chain.aput(async_saver, messages=long_list(3))

    outcomes: Counter[bool] = Counter()
    for at in range(0, STORM, AT_ONCE):
        calls = [a_call(async_saver, chance, at + n, chain) for n, chain in enumerate(chains)]
        outcomes += Counter(await cancelled(calls, chance))
        if at % 400 == 0:
            await assert_whole(async_saver, chains)

    assert outcomes.total() == STORM
    assert outcomes[True] > STORM / 4
    await assert_whole(async_saver, chains)
    pool = async_saver.client.connection_pool
    # Some are kept at hand. One whose call was cut off is closed: the server hears of it a moment later.
    held = len(pool._available_connections) + len(pool._in_use_connections)
    assert held <= 4
    assert await asyncio.to_thread(eventually, lambda: open_connections(redis_client) <= held + 1)
    await asyncio.gather(*(chain.aput(async_saver, done=True) for chain in chains))


def a_call(saver: AsyncRedisSaver, chance: random.Random, n: int, chain: Chain) -> Any:
    """One call of some kind. A put goes on from the chain's checkpoint, which stays what it is."""
    kind = chance.randrange(4)
    if kind == 0:
        return saver.aget_tuple(chain.config)
    if kind == 1:
        return saver.aput_writes(chain.config, [("a", n), ("b", "x" * 400)], f"{n}")
    if kind == 2:
        return listed(saver, chain)
    messages = [*chain.values["messages"], f"{n} {'x' * 300}"]
    branch = Chain(chain.config, dict(chain.values), dict(chain.versions), chain.step)
    return saver.aput(*branch.next(messages=messages))


async def cancelled(calls: Sequence[Any], chance: random.Random) -> list[bool]:
    """Start calls, cancel each after some turns of the loop; whether that was in time."""
    tasks = [asyncio.create_task(call) for call in calls]
    for task in tasks:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert not [result for result in results if isinstance(result, Exception)]
    return [isinstance(result, asyncio.CancelledError) for result in results]


async def listed(saver: AsyncRedisSaver, chain: Chain) -> int:
    return len([found async for found in saver.alist(chain.config, limit=3)])


async def assert_whole(saver: AsyncRedisSaver, chains: list[Chain]) -> None:
    """Every checkpoint that is listed loads, with all of its values; writes are there in pairs."""
    for chain in chains:
        async for found in saver.alist(config_of(chain.config["configurable"]["thread_id"])):
            messages = found.checkpoint["channel_values"]["messages"]
            assert messages[:3] == long_list(3)
            assert len(found.pending_writes or []) % 2 == 0


async def test_five_hundred_operations_share_a_pool_of_three_connections(
    redis_url: str, key_prefix: str, redis_client: redis.Redis
) -> None:
    before = open_connections(redis_client)
    args = {"max_connections": 3}
    async with AsyncRedisSaver(redis_url, key_prefix=key_prefix, connection_args=args) as saver:
        chains = [Chain(config_of(f"thread {n}")) for n in range(125)]
        await asyncio.gather(*(chain.aput(saver, channel=n) for n, chain in enumerate(chains)))
        await asyncio.gather(
            *(chain.aput(saver, channel=-n) for n, chain in enumerate(chains)),
            *(saver.aput_writes(chain.config, [("c", 1)], "task") for chain in chains),
            *(saver.aget_tuple(chain.config) for chain in chains),
            *(listed(saver, chain) for chain in chains),
        )
        assert open_connections(redis_client) <= before + 3

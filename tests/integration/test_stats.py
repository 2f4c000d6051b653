"""What `stats` says of a saver that works: checked against the server's own counters where it has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from langchain_core.runnables import RunnableConfig

from counters import RoundTrips
from directories import Make, Twin
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver, SaverStats
from steps import Chain, config_of, long_list

NO_SERVER = "redis://127.0.0.1:1"


def worked(twin: Twin) -> RunnableConfig:
    """One of each of the small operations."""
    config = twin.put(Chain().next(messages=long_list(20)))
    twin.put_writes(config, [("c", 1)], "task", "")
    twin.get_tuple(config)
    twin.list(config_of())
    twin.history(config, ["messages"])
    return config


def test_a_saver_that_did_nothing_counts_nothing(make: Make) -> None:
    assert make().saver.stats() == SaverStats({}, {}, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_operations_are_counted_by_the_names_of_the_methods(make: Make) -> None:
    twin = make()
    worked(twin)
    for method, arguments in {
        "set_ttl": ("thread", 5),
        "get_ttl": ("thread",),
        "persist": ("thread",),
        "copy_thread": ("thread", "copy"),
        "prune": (["copy"],),
        "delete_for_runs": (["run"],),
        "delete_thread": ("copy",),
        "setup": (),
    }.items():
        twin.do(method, *arguments)

    assert twin.saver.stats().operations == dict.fromkeys(
        [
            *("put", "put_writes", "get_tuple", "list", "get_delta_channel_history"),
            *("set_ttl", "get_ttl", "persist", "copy_thread", "prune", "delete_for_runs"),
            *("delete_thread", "setup"),
        ],
        1,
    )


def test_round_trips_are_those_that_the_server_saw(make: Make, round_trips: Callable[[], RoundTrips]) -> None:
    twin = make()
    config = worked(twin)
    before = twin.saver.stats()

    with round_trips() as seen:
        twin.get_tuple(config)
        twin.put_writes(config, [("c", 1)], "other", "")
        twin.list(config_of())

    after = twin.saver.stats()
    assert after.round_trips - before.round_trips == seen.round_trips == 3
    assert after.scripts - before.scripts == seen.scripts == 3


def test_bytes_are_those_of_what_travels(make: Make, redis_client: redis.Redis) -> None:
    twin = make()
    config = worked(twin)
    before, traffic = twin.saver.stats(), net(redis_client)

    twin.put_writes(config, [("c", "x" * 50_000)], "large", "")
    twin.list(config_of())

    after, now = twin.saver.stats(), net(redis_client)
    sent, received = after.bytes_sent - before.bytes_sent, after.bytes_received - before.bytes_received
    # The protocol adds a little, and so does what the counting client asks and is told.
    assert 0 < sent < now[0] - traffic[0] < sent + 2_000
    assert 0 < received < now[1] - traffic[1] < received + 20_000


def net(client: redis.Redis) -> tuple[int, int]:
    """Bytes that the server read and wrote."""
    info: dict[str, Any] = client.info("stats")
    return int(info["total_net_input_bytes"]), int(info["total_net_output_bytes"])


def test_segments_that_are_named_and_not_sent_are_counted(make: Make) -> None:
    twin, chain, said = make(), Chain(), long_list(100)
    chain.config = twin.put(chain.next(messages=said))
    first = twin.saver.stats()

    chain.config = twin.put(chain.next(messages=[*said, *long_list(10, "more")]))

    second = twin.saver.stats()
    assert (first.segments_new, first.segments_reused) == (1, 0)
    assert (second.segments_new, second.segments_reused) == (2, 1)


def test_a_put_that_must_be_sent_again_whole_is_counted_once(make: Make) -> None:
    twin, other, chain, said = make(), make(), Chain(), long_list(30)
    chain.config = twin.put(chain.next(messages=said))
    other.delete_thread("thread")
    other.put(Chain().next(messages=["another thread of that name"]))

    chain.config = twin.put(chain.next(messages=[*said, *long_list(10, "more")]))

    stats = twin.saver.stats()
    assert stats.sent_again == 1
    assert stats.operations["put"] == 2


def test_a_write_to_a_thread_that_others_deleted_registers_it_anew(make: Make) -> None:
    twin, other = make(), make()
    config = twin.put(Chain().next(a=1))
    other.delete_thread("thread")

    twin.put_writes(config, [("c", 1)], "task", "")

    assert twin.saver.stats().registered_anew == 1


def test_errors_are_counted_by_their_class() -> None:
    with RedisSaver(NO_SERVER) as saver:
        with pytest.raises(redis.ConnectionError):
            saver.get_tuple(config_of())
        with pytest.raises(ValueError, match="checkpoint_id"):
            saver.put_writes(config_of(), [("c", 1)], "task")

        assert saver.stats().errors == {"ConnectionError": 1, "ValueError": 1}


async def test_calls_of_many_tasks_travel_together(async_saver: AsyncRedisSaver) -> None:
    config = await Chain().aput(async_saver, channel="value")
    before = async_saver.stats()

    await asyncio.gather(*(async_saver.aput_writes(config, [("c", n)], str(n)) for n in range(100)))

    after = async_saver.stats()
    assert after.operations["put_writes"] == 100
    assert after.travelled_together > 80
    assert after.round_trips - before.round_trips < 20


def test_numbers_of_threads_add_up(saver: RedisSaver) -> None:
    chain = Chain()
    config = chain.put(saver, channel="value")
    before = saver.stats()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: saver.put_writes(config, [("c", n)], str(n)), range(200)))

    after = saver.stats()
    assert after.operations["put_writes"] == after.scripts - before.scripts == 200
    # Those that travelled together saved a round trip each, but for one of each journey.
    assert after.round_trips - before.round_trips >= 200 - after.travelled_together
    assert after.bytes_received == before.bytes_received


async def test_the_async_saver_counts_what_its_sync_methods_do(async_saver: AsyncRedisSaver) -> None:
    await Chain().aput(async_saver, channel="value")

    await asyncio.to_thread(async_saver.get_tuple, config_of())

    assert async_saver.stats().operations == {"put": 1, "get_tuple": 1}


def test_a_clone_counts_together_with_its_saver(saver: RedisSaver) -> None:
    clone = saver.with_allowlist([("builtins", "complex")])

    Chain().put(clone, channel="value")

    assert saver.stats().operations == {"put": 1}

"""A span for each operation, where that is asked for: whose child it is, and what it tells."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from opentelemetry.trace import SpanKind, StatusCode

from directories import Make
from langgraph.checkpoint.redis import (
    AsyncRedisSaver,
    AsyncShallowRedisSaver,
    RedisSaver,
    ShallowRedisSaver,
    ThreadNotFoundError,
)
from spans import Kept, facts, parent_of
from steps import Chain, config_of, long_list

NO_SERVER = "redis://127.0.0.1:1"
OURS = "langgraph.redis."


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def traced(redis_url: str, key_prefix: str, kept: Kept) -> Iterator[RedisSaver]:
    with RedisSaver.from_conn_string(redis_url, key_prefix=key_prefix, telemetry=kept.provider) as saver:
        yield saver


def test_an_operation_is_a_span_that_tells_what_it_cost(make: Make, kept: Kept) -> None:
    twin, chain, said = make(telemetry=kept.provider), Chain(), long_list(30)
    chain.config = twin.put(chain.next(messages=said))

    chain.config = twin.put(chain.next(messages=[*said, *long_list(10, "more")]))

    span = kept.named("put")[-1]
    told = facts(span)
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert told.pop(f"{OURS}bytes_sent") > 100
    assert told.pop(f"{OURS}bytes_received") >= 0
    assert told == {
        "db.system.name": "redis",
        "db.operation.name": "put",
        f"{OURS}round_trips": 1,
        f"{OURS}segments_new": 1,
        f"{OURS}segments_reused": 1,
    }


def test_ids_are_told_where_that_is_asked_for(make: Make, kept: Kept) -> None:
    twin = make(telemetry=kept.provider, trace_ids=True)
    config = twin.put(Chain(config_of("a thread", "inner")).next(a=1))
    twin.get_tuple(config)
    twin.delete_thread("a thread")

    told, deleted = facts(kept.one("get_tuple")), facts(kept.one("delete_thread"))
    assert told["langgraph.thread_id"] == deleted["langgraph.thread_id"] == "a thread"
    assert told["langgraph.checkpoint_ns"] == "inner"
    assert told["langgraph.checkpoint_id"] == config["configurable"]["checkpoint_id"]


def test_neither_ids_nor_state_are_told_unasked(make: Make, kept: Kept) -> None:
    twin = make(telemetry=kept.provider)
    config = twin.put(Chain(config_of("secret-thread", "secret-ns")).next(secret="secret-value"))
    twin.put_writes(config, [("secret", "secret-write")], "secret-task", "secret-path")
    twin.list(config_of("secret-thread"), filter={"secret-key": "secret-metadata"})
    with pytest.raises(ThreadNotFoundError):
        twin.do("set_ttl", "secret-gone", 5)

    assert len(kept.spans) == 4
    assert not [span for span in kept.spans if "secret" in span.to_json()]


def test_a_span_is_the_child_of_the_callers(traced: RedisSaver, kept: Kept) -> None:
    with kept.tracer.start_as_current_span("node") as node:
        Chain().put(traced, a=1)

    assert parent_of(kept.one("put")) == node.get_span_context().span_id


async def test_a_span_of_the_async_saver_is_the_child_of_the_callers(
    redis_url: str, key_prefix: str, kept: Kept
) -> None:
    async with AsyncRedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, telemetry=kept.provider
    ) as saver:
        with kept.tracer.start_as_current_span("node") as node:
            await Chain().aput(saver, a=1)

    assert parent_of(kept.one("put")) == node.get_span_context().span_id


async def test_a_span_of_the_sync_savers_async_methods_is_the_child_of_the_callers(
    traced: RedisSaver, kept: Kept
) -> None:
    with kept.tracer.start_as_current_span("node") as node:
        await Chain().aput(traced, a=1)

    assert parent_of(kept.one("put")) == node.get_span_context().span_id


def test_what_follows_an_operation_is_no_child_of_it(traced: RedisSaver, kept: Kept) -> None:
    Chain().put(traced, a=1)
    with pytest.raises(ThreadNotFoundError):
        traced.set_ttl("nobody", 5)
    traced.get_tuple(config_of())

    assert [parent_of(span) for span in kept.spans] == [None, None, None]


def test_an_error_is_told_by_its_class(traced: RedisSaver, kept: Kept) -> None:
    with pytest.raises(ThreadNotFoundError):
        traced.set_ttl("nobody", 5)

    span = kept.one("set_ttl")
    name = "langgraph._redis.errors.ThreadNotFoundError"
    assert span.status.status_code is StatusCode.ERROR
    assert facts(span)["error.type"] == name
    assert [dict(event.attributes or {}) for event in span.events] == [{"exception.type": name}]


def test_an_outage_is_told(kept: Kept) -> None:
    saver = RedisSaver(NO_SERVER, telemetry=kept.provider)

    with pytest.raises(redis.ConnectionError):
        saver.get_tuple(config_of())

    assert facts(kept.one("get_tuple"))["error.type"] == "redis.exceptions.ConnectionError"


async def test_a_call_that_is_cancelled_ends_its_span(
    redis_url: str, key_prefix: str, redis_client: redis.Redis, kept: Kept
) -> None:
    async with AsyncRedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, telemetry=kept.provider
    ) as saver:
        await saver.aget_tuple(config_of())
        redis_client.client_pause(300, all=True)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(saver.aget_tuple(config_of()), 0.05)

    assert facts(kept.spans[-1])["error.type"] == "asyncio.exceptions.CancelledError"
    assert saver.stats().errors == {"CancelledError": 1}


PLACES = [(place, number) for place in ("alone", "crowd") for number in range(30)]


def writing(place: str, number: int, task: str = "task") -> tuple[Any, ...]:
    """The arguments of a `put_writes` to a thread of its own, larger from one to the next."""
    data = random.Random(number).randbytes(100 + 7 * number)
    return config_of(f"{place}-{number:02}", "", "checkpoint"), [("c", data)], task


def sizes_of(kept: Kept, place: str) -> list[tuple[Any, ...]]:
    """What the span of each write to a place tells of sizes, in the order of the threads."""
    names = (f"{OURS}bytes_sent", f"{OURS}bytes_received", f"{OURS}round_trips")
    told = [facts(span) for span in kept.named("put_writes")]
    found = {str(each["langgraph.thread_id"]): tuple(each[name] for name in names) for each in told}
    return [found[thread] for thread in sorted(found) if thread.startswith(place)]


def test_numbers_of_threads_never_mix(make: Make, kept: Kept) -> None:
    saver = make(telemetry=kept.provider, trace_ids=True).saver
    for place in PLACES:
        saver.put_writes(*writing(*place, "that registers it"))
    kept.clear()
    for number in range(30):
        saver.put_writes(*writing("alone", number))

    with ThreadPoolExecutor(15) as threads:
        list(threads.map(lambda number: saver.put_writes(*writing("crowd", number)), range(30)))

    assert len(set(sizes_of(kept, "alone"))) == 30
    assert sizes_of(kept, "crowd") == sizes_of(kept, "alone")


async def test_numbers_of_tasks_never_mix(redis_url: str, key_prefix: str, kept: Kept) -> None:
    async with AsyncRedisSaver.from_conn_string(
        redis_url, key_prefix=key_prefix, telemetry=kept.provider, trace_ids=True
    ) as saver:
        for place in PLACES:
            await saver.aput_writes(*writing(*place, "that registers it"))
        kept.clear()
        for number in range(30):
            await saver.aput_writes(*writing("alone", number))

        await asyncio.gather(*(saver.aput_writes(*writing("crowd", number)) for number in range(30)))

    assert len(set(sizes_of(kept, "alone"))) == 30
    assert sizes_of(kept, "crowd") == sizes_of(kept, "alone")


@pytest.mark.parametrize("kind", [RedisSaver, ShallowRedisSaver, AsyncRedisSaver, AsyncShallowRedisSaver])
def test_ids_alone_are_refused(kind: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="telemetry=True"):
        kind(NO_SERVER, trace_ids=True)


def test_what_is_no_provider_is_refused() -> None:
    with pytest.raises(TypeError, match="TracerProvider, not str"):
        RedisSaver(NO_SERVER, telemetry="yes")  # type: ignore[arg-type]  # It is on, off, or a provider.


WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
from langgraph.checkpoint.redis import RedisSaver
RedisSaver("redis://127.0.0.1:1").stats()
try:
    RedisSaver("redis://127.0.0.1:1", telemetry=True)
except ImportError as error:
    assert "pip install 'langgraph-checkpoint-redis[otel]'" in str(error), error
else:
    raise SystemExit("no error")
"""


def test_without_the_extra_the_error_has_the_command() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_program_without_a_provider_is_not_disturbed(make: Make) -> None:
    twin = make(telemetry=True)

    config = twin.put(Chain().next(a=1))

    assert twin.get_tuple(config) is not None

"""A directory of very many threads: one user's are found as in a small one, and idle ones go unnoticed."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.figures import Effort, Figure, Section, microseconds
from benchmarks.measure import Act, Samples, between, race, ratio, run, spread
from benchmarks.workload import config, steps
from counters import RoundTrips
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys, Thread
from langgraph.checkpoint.redis.policy import index_text, policy
from langgraph.checkpoint.redis.registry import links_of, registration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langgraph._redis.plan import Call

FEW = 1_000
SHARE = 100
"""One thread in so many is the user's."""

PAGE = 20
USER = {"user_id": "user-0"}
MILLISECOND = 1_000  # In microseconds, as SLOWLOG counts.
RATIO, ROUND_TRIPS, HOLD_MS, PEAK_RATIO = 1.3, 3, 50.0, 1.2

LISTING_NOTE = (
    f'`threads(filter={{"user_id": ...}}, limit={PAGE})`, `index_metadata=["user_id"]`, sync. One thread in'
    f" {SHARE} is the user's; in the small database one in {FEW // PAGE}, so that both return {PAGE}. Each"
    " thread holds one checkpoint of two messages."
)
IDLE_NOTE = (
    "`prune_idle(..., limit=...)`, sync. Commands by the SLOWLOG while half of the threads go: by the"
    " wall clock, so on a busy machine the longest is a command that had to wait for a processor. Peaks are"
    " the client's, by tracemalloc; the speed is taken without it."
)


def _template(saver: RedisSaver, user: int) -> Thread:
    """A thread of one user, to be copied."""
    (step,) = steps(saver.get_next_version, [2])
    name = f"template-{user}"
    metadata: Any = {**step.metadata, "user_id": f"user-{user}"}
    saver.put(config(name), step.checkpoint, metadata, step.new_versions)
    return Keys("templates").thread(name)


def _calls(core: Core, source: Thread, user: int, name: str) -> Iterator[list[Any]]:
    """What makes a thread as a put makes it: entries everywhere, and its two keys."""
    thread = core.keys.thread(name)
    text = index_text(f"user-{user}")
    assert text is not None
    calls: list[Call] = registration(core, thread, links_of("", [("user_id", text)]))
    yield from (call.command() for call in calls)
    yield from (["COPY", *pair] for pair in zip(source.keys, thread.keys, strict=True))


def _fill(client: redis.Redis, core: Core, sources: Sequence[Thread], count: int) -> None:
    """As many threads as are asked for, of each user in turn."""
    for start in range(0, count, 1_000):
        pipe: Any = client.pipeline(transaction=False)
        for number in range(start, min(start + 1_000, count)):
            user = number % len(sources)
            for command in _calls(core, sources[user], user, f"thread-{number}"):
                pipe.execute_command(*command)
        pipe.execute()


def _core(prefix: str) -> Core:
    return Core(Keys(prefix), policy(None, None, ["user_id"]))


def _page(saver: RedisSaver) -> None:
    found = list(saver.threads(filter=USER, limit=PAGE))
    assert len(found) == PAGE


def _contender(saver: RedisSaver) -> Callable[[int], Act]:
    return lambda _: partial(_page, saver)


def _listing(client: redis.Redis, savers: dict[str, RedisSaver], rounds: int) -> Section:
    contenders = {name: _contender(saver) for name, saver in savers.items()}
    run(race(contenders, 10))
    samples = run(race(contenders, rounds))
    figures = [_page_figure(client, name, saver, samples) for name, saver in savers.items()]
    few, many = savers
    times = ratio(samples, many, [few])
    figures.append(Figure(f"{many} / {few}", ("", f"{times:.2f} x", ""), times, RATIO))
    columns = ("threads", "round trips", "median, us", "quartiles")
    return Section("Threads of one user among many", columns, tuple(figures), LISTING_NOTE)


def _page_figure(client: redis.Redis, name: str, saver: RedisSaver, samples: Samples) -> Figure:
    with RoundTrips(client) as seen:
        _page(saver)
    found = spread(samples[name])
    cells = (str(seen.round_trips), microseconds(found.median), between(found, microseconds))
    return Figure(name, cells, seen.round_trips, ROUND_TRIPS, {"nanoseconds": found.as_json()})


def _idle(client: redis.Redis, saver: RedisSaver, count: int) -> Section:
    few, many = count // 10, count // 2
    first = _peak(saver, few)
    second, holds, commands = _held(client, partial(_peak, saver, many))
    began = perf_counter()
    gone = saver.prune_idle(timedelta(milliseconds=1)).threads
    speed = gone / (perf_counter() - began)
    long = sum(each > MILLISECOND for each in holds)
    figures = (
        Figure("longest single command, ms", (f"{holds[-1] / 1000:.1f}",), holds[-1] / 1000, HOLD_MS),
        Figure(f"commands above 1 ms, of {commands:,}", (str(long),), long),
        Figure(f"client's peak, {few:,} threads, KB", (f"{first / 1024:,.0f}",), first),
        Figure(f"client's peak, {many:,} threads, KB", (f"{second / 1024:,.0f}",), second),
        Figure("peak, many / few", (f"{second / first:.2f} x",), second / first, PEAK_RATIO),
        Figure("threads a second", (f"{speed:,.0f}",), speed),
    )
    return Section(f"Idle threads of {count:,}", ("figure", "value"), figures, IDLE_NOTE)


def _held(client: redis.Redis, act: Callable[[], int]) -> tuple[int, list[int], int]:
    """What an act returns, its commands' microseconds where above 100, ascending, and how many it sent."""
    client.config_set("slowlog-log-slower-than", 100)
    client.config_set("slowlog-max-len", 100_000)
    client.slowlog_reset()
    before = int(client.info("stats")["total_commands_processed"])
    returned = act()
    commands = int(client.info("stats")["total_commands_processed"]) - before
    found: list[dict[str, Any]] = client.slowlog_get(100_000)
    client.config_set("slowlog-log-slower-than", -1)
    return returned, sorted(int(entry["duration"]) for entry in found) or [100], commands


def _peak(saver: RedisSaver, limit: int) -> int:
    """The most bytes that Python held at once while so many threads were deleted."""
    tracemalloc.start()
    report = saver.prune_idle(timedelta(milliseconds=1), limit=limit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.threads == limit
    return peak


def measure(url: str, effort: Effort) -> list[Section]:
    """Fill a small database and a large one; list one user's threads in both, and prune the large one."""
    with redis.Redis.from_url(url) as client:
        with RedisSaver.from_conn_string(redis_client=client, key_prefix="templates") as template:
            sources = [_template(template, user) for user in range(SHARE)]
        savers = {}
        for count, users in ((FEW, FEW // PAGE), (effort.threads, SHARE)):
            prefix = f"threads-{count}"
            _fill(client, _core(prefix), sources[:users], count)
            savers[f"{count:,}"] = RedisSaver(
                redis_client=client, key_prefix=prefix, index_metadata=["user_id"]
            )
        listing = _listing(client, savers, effort.thread_pages)
        return [listing, _idle(client, savers[f"{effort.threads:,}"], effort.threads)]

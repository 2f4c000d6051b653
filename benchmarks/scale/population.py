"""What a million chats take: some thousands are held, weighed on the way, and a line goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmarks.scale.chats import TURNS, Chats, Run, Spent, client_seconds, thread_id
from benchmarks.scale.fit import fitted, foretold
from benchmarks.scale.pages import pages
from benchmarks.scale.server import KEYS, SHARED, Weighed, key_bytes, weigh

if TYPE_CHECKING:
    import redis

    from benchmarks.scale.efforts import Effort

MILLION = 1_000_000


@dataclass(frozen=True)
class Kept:
    """Chats that are kept in some way: what the saver and the run are told."""

    title: str
    saver: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    run_ids: bool = False


WAYS = (
    Kept("every checkpoint"),
    Kept("every checkpoint, a `run_id` for each turn", run_ids=True),
    Kept('`durability="exit"`: one checkpoint a turn', run={"durability": "exit"}),
    Kept("`keep_last=1`", saver={"keep_last": 1}),
    Kept('`keep_last=1`, `durability="exit"`', saver={"keep_last": 1}, run={"durability": "exit"}),
)


def measure(url: str, client: redis.Redis, effort: Effort, run: Run) -> dict[str, Any]:
    """Hold chats on an empty server, weigh it at some numbers of them, and leave them there."""
    weighed, spent, listed = [weigh(client, 0)], list[Spent](), []
    for mark in effort.marks:
        spent += run(Chats(url, range(weighed[-1].threads, mark)))
        weighed.append(weigh(client, mark))
        listed.append({"threads": mark, "pages": pages(client)})
    return {
        "turns": TURNS,
        "weighed": [asdict(each) | {"fragmentation": each.fragmentation} for each in weighed],
        "pages": listed,
        "client": {"seconds": client_seconds(spent), "turns": sum(each.turns for each in spent)},
        "sample": (sample := _sample(client, effort)),
        "million": _million(weighed, sample),
    }


def _sample(client: redis.Redis, effort: Effort) -> dict[str, float]:
    """What the keys of some threads take, by MEMORY USAGE; they stand for all."""
    step = max(1, effort.threads // effort.sampled)
    threads = [KEYS.thread(thread_id(number)) for number in range(0, effort.threads, step)]
    data = key_bytes(client, [thread.data for thread in threads])
    index = key_bytes(client, [thread.index for thread in threads])
    fields = mean(int(client.hlen(thread.data)) for thread in threads)
    return {
        "threads": len(threads),
        "data": mean(data),
        "index": mean(index),
        "fields": fields,
        "smallest": min(map(sum, zip(data, index, strict=True))),
        "largest": max(map(sum, zip(data, index, strict=True))),
    }


def _million(weighed: list[Weighed], sample: Mapping[str, float]) -> dict[str, Any]:
    """The line's figure, and the same by arithmetic from single keys, which knows nothing of the line."""
    marks = weighed[1:]
    numbers = [each.threads for each in marks]
    line = fitted(numbers, [each.used for each in marks])
    last = marks[-1]
    # A table that has just doubled has the most room to spare: the dearest of those that were seen.
    table = max((each.table + each.rehashing) / each.keys for each in marks)
    one = sample["data"] + sample["index"] + last.registry / last.threads
    return {
        "used": line.at(MILLION),
        "line": asdict(line),
        "foretold": foretold(numbers, [each.used for each in marks]),
        "added": one * MILLION,
        "table": table * last.keys / last.threads * MILLION,
        "resident": line.at(MILLION) * last.fragmentation,
    }


def ways(url: str, client: redis.Redis, effort: Effort, run: Run) -> list[dict[str, Any]]:
    """The same chats kept in several ways, each on an empty server: bytes of a thread with all it brings."""
    return [_way(url, client, effort, run, each) for each in WAYS]


def _way(url: str, client: redis.Redis, effort: Effort, run: Run, kept: Kept) -> dict[str, Any]:
    client.flushall()
    chats = Chats(url, range(effort.varied), saver=kept.saver, run=kept.run, run_ids=kept.run_ids)
    run(chats)
    keys = list(client.scan_iter(count=1000))
    taken = sum(key_bytes(client, keys)) / effort.varied
    own = [key for key in keys if not SHARED.match(key)]
    return {"kept": kept.title, "bytes": taken, "keys": len(own) / effort.varied}

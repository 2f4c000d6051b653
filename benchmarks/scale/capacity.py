"""How much one core of a server carries: recorded requests, sent by several processes until it is full.

Two figures that know nothing of each other: the scripts' own time, as the server counts it, bounds from above
what one core can do; what it does under load is less, by what it takes to read requests and write replies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.measure import spread
from benchmarks.scale.chats import thread_id
from benchmarks.scale.loaders import IN_FLIGHT, WAITING, Way
from benchmarks.scale.loads import Load, loads
from benchmarks.scale.server import Calls, calls, cpu

if TYPE_CHECKING:
    import redis

    from benchmarks.scale.efforts import Effort
    from benchmarks.scale.loaders import Loaders, Span
    from benchmarks.scale.recording import Recording

READS = 4_000
"""Requests of a round that only reads: they may be sent any number of times."""


class NotReplayedError(AssertionError):
    """What was sent again did not do what the saver did: its times count for nothing."""


@dataclass
class Round:
    """One time through all that was recorded."""

    wall: float
    server: float
    loaders: float
    received: int
    calls: Calls


@dataclass
class Carried:
    """All rounds of one load."""

    operations: int
    rounds: list[Round] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Seconds under load."""
        return sum(each.wall for each in self.rounds)

    def total(self, name: str) -> float:
        """One figure, of all rounds."""
        return float(sum(getattr(each, name) for each in self.rounds))

    @property
    def share(self) -> float:
        """How much of a core the server had."""
        return self.total("server") / self.wall

    def figures(self) -> dict[str, Any]:
        """What they say together; `call_us` is the commands' own time, `cpu_us` all of the server's."""
        done = self.operations * len(self.rounds)
        call = sum(each.calls.microseconds for each in self.rounds) / done
        return {
            "operations": done,
            "rounds": len(self.rounds),
            "seconds": self.wall,
            "calls": sum(each.calls.calls for each in self.rounds) / done,
            "call_us": call,
            "ceiling": 1e6 / call,
            "a_second": done / self.wall,
            "spread": spread([self.operations / each.wall for each in self.rounds]).as_json(),
            "server_share": self.share,
            "loader_share": self.total("loaders") / self.wall,
            "cpu_us": self.total("server") / done * 1e6,
            "received": self.total("received") / done,
        }


@dataclass(frozen=True)
class Stand:
    """What a load needs: a server, processes to load it, and for how long."""

    url: str
    client: redis.Redis
    processes: Loaders
    seconds: float


def measure(url: str, client: redis.Redis, effort: Effort, processes: Loaders) -> list[dict[str, Any]]:
    """Each load, on an empty server."""
    stand, found = Stand(url, client, processes, effort.seconds), []
    for size, count in effort.loads.items():
        for load in loads(size):
            client.flushall()
            found.append(_measured(stand, load, count))
    return found


def _measured(stand: Stand, load: Load, count: int) -> dict[str, Any]:
    recording = load.record(stand.url, stand.client, [thread_id(number) for number in range(count)])
    if load.writes and (same := count - recording.changed()):
        raise NotReplayedError(f"{load.name} left {same} of {count} threads as they were")
    ways = {way.name: _loaded(stand, recording, load, way) for way in (WAITING, IN_FLIGHT)}
    sent = recording.sent / (count * load.per_thread)
    return {"name": load.name, "unit": load.unit, "size": load.size, "sent": sent, "ways": ways}


def _loaded(stand: Stand, recording: Recording, load: Load, way: Way) -> dict[str, Any]:
    """Send what was recorded, for as long as is asked; then look whether it did what it should."""
    count = len(recording.threads)
    repeats = 1 if load.writes else max(1, READS // count)
    stand.processes.prepare(port(stand.client), recording.scripts, way, repeats)
    carried = Carried(count * load.per_thread * repeats)
    while carried.wall < stand.seconds:
        if load.writes:
            recording.restore()
        carried.rounds.append(played(stand.client, stand.processes))
    if wrong := recording.differing():
        raise NotReplayedError(f"{load.name}: {wrong} threads do not hold what the saver left")
    return carried.figures()


def port(client: redis.Redis) -> int:
    """Where the client's server listens."""
    return int(client.connection_pool.connection_kwargs["port"])


def played(client: redis.Redis, processes: Loaders, command: str = "evalsha") -> Round:
    """One round, between two looks at the server's counters; which command's calls are to be looked at."""
    client.config_resetstat()
    before = cpu(client)
    spans = processes.go()
    busy = cpu(client) - before
    refused = [error for span in spans for error in span.errors]
    if refused:
        raise NotReplayedError(f"the server refused {len(refused)} requests, the first with: {refused[0]}")
    return Round(_wall(spans), busy, *_of_loaders(spans), calls(client, command))


def _wall(spans: list[Span]) -> float:
    return max(span.ended for span in spans) - min(span.began for span in spans)


def _of_loaders(spans: list[Span]) -> tuple[float, int]:
    return sum(span.cpu for span in spans), sum(span.received for span in spans)

"""Reads a server's own counters. It measures what happened; it never works it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis import Redis


@dataclass(frozen=True)
class Trips:
    """What the server was asked while something ran."""

    requests: int
    scripts: int


@dataclass(frozen=True)
class Meter:
    """Weighs the keys of one prefix, and counts requests.

    Counting is server-wide: others who use the server at the same moment are counted too. So the
    least of several tries is told, and nobody needs the server to themselves.
    """

    client: Redis
    key_prefix: str
    tries: int = 5

    def keys(self, thread_id: str) -> list[bytes]:
        """The keys of a thread, as found on the server."""
        pattern = f"{self.key_prefix}:{{{thread_id}}}:*"
        return list(self.client.scan_iter(match=pattern, count=1000))

    def weight(self, keys: list[bytes]) -> int:
        """Bytes of the server's memory, every field counted rather than a sample."""
        return sum(self.client.memory_usage(key, samples=0) or 0 for key in keys)

    def trips(self, operation: Callable[[], object]) -> Trips:
        """Requests read by the server during an operation, and scripts that it ran."""
        counted = [self._count(operation) for _ in range(self.tries)]
        return min(counted, key=lambda each: each.requests)

    def _count(self, operation: Callable[[], object]) -> Trips:
        before = self._counters()
        operation()
        after = self._counters()
        return Trips(_requests(before, after), _scripts(after) - _scripts(before))

    def _counters(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.info("all")
        return found


def _requests(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Requests read and answered. A long one is read, or answered, in parts; rarely both."""
    kinds = ("total_reads_processed", "total_writes_processed")
    # Between the two looks lie the answer to the first and the reading of the second.
    return min(int(after[kind]) - int(before[kind]) for kind in kinds) - 1


def _scripts(counters: dict[str, Any]) -> int:
    """Scripts run. Asked by a hash that it does not know, a server runs none: a failed call."""
    names = ("cmdstat_evalsha", "cmdstat_eval")
    called = [counters[name] for name in names if name in counters]
    return sum(each["calls"] - each.get("failed_calls", 0) for each in called)

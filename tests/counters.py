"""Round trips and commands of an operation, by the server's own counters.

`round_trips`: the server counts the times it read from a client and the times it answered one. A
round trip takes at least one of each, so the smaller is never less than the truth; it is
exact where a request and its reply fit the server's buffers (16 KB). A pipeline is one round trip.

`commands`: calls per command, those made by scripts included: INFO does not tell them apart.

The counting client's own INFO is taken off. Connect (and warm up) what is measured
beforehand: a handshake counts like everything else.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    import redis

_OWN_COMMANDS = ("info",)


class RoundTrips:
    """A context manager; read its attributes after the block."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._before: dict[str, Any] = {}
        self.reads = 0
        self.writes = 0
        self.commands: Counter[str] = Counter()

    @property
    def round_trips(self) -> int:
        return min(self.reads, self.writes)

    @property
    def scripts(self) -> int:
        """Scripts run, whichever way they were called."""
        return self.commands["evalsha"] + self.commands["eval"]

    def __enter__(self) -> Self:
        self._client.ping()  # the handshake of the counting client is not counted
        self._before = _counters(self._client)
        return self

    def __exit__(self, *_: object) -> None:
        after = _counters(self._client)
        # Between two INFOs lie the answer to the first and the reading of the second.
        self.reads = _delta(self._before, after, "total_reads_processed") - 1
        self.writes = _delta(self._before, after, "total_writes_processed") - 1
        self.commands = _calls(after) - _calls(self._before)

    def __str__(self) -> str:
        commands = ", ".join(f"{name} {count}" for name, count in self.commands.most_common())
        return f"{self.round_trips} round trips ({commands})"


def _counters(client: redis.Redis) -> dict[str, Any]:
    """One INFO, so that nothing lies between the two kinds of counters."""
    return dict(client.info("all"))


def _delta(before: dict[str, Any], after: dict[str, Any], name: str) -> int:
    return int(after[name]) - int(before[name])


def _calls(info: dict[str, Any]) -> Counter[str]:
    prefix = "cmdstat_"
    calls = {k[len(prefix) :]: v["calls"] for k, v in info.items() if k.startswith(prefix)}
    return Counter({name: count for name, count in calls.items() if name not in _OWN_COMMANDS})

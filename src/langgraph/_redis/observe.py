"""What operations do, counted: the one seam at which both drivers tell of them.

An operation is one run of a plan. Each pays for this, so little is done: no lock is taken to count by one, no
object is made for an operation unless it is a span (`telemetry`), which has numbers of its own, and bytes are
counted for those who look. Nothing here keeps ids, keys or values.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, Protocol

from langgraph._redis.forked import renewed
from langgraph._redis.plan import Call


@dataclass(frozen=True)
class Seen:
    """What was counted since the counting began, in this process.

    Attributes:
        operations: Operations that began, by name.
        errors: Operations that raised, by the class of the error.
        round_trips: Times that something was sent and waited for.
        scripts: Script calls that were answered; several may have shared one run of the script.
        bytes_sent: Bytes of keys and arguments of calls that were answered; without numbers and protocol.
            Counted from the first look on.
        bytes_received: Bytes of the texts in their replies.
        travelled_together: Calls that shared a round trip with calls of other operations.
        notes: What plans noted of calls that were answered, by name.
    """

    operations: Mapping[str, int]
    errors: Mapping[str, int]
    round_trips: int
    scripts: int
    bytes_sent: int
    bytes_received: int
    travelled_together: int
    notes: Mapping[str, int]


class Watch(Protocol):
    """What a driver tells of one operation."""

    def answered(self, calls: Sequence[Call], replies: Sequence[Any]) -> None:
        """Calls of one round trip were answered; on a cluster they went one by one."""

    def failed(self, error: BaseException) -> None:
        """The operation ended with an error."""

    def ended(self) -> None:
        """The operation ended with a result."""


class Tracing(Protocol):
    """Makes the watches of those who want to know more than numbers of all."""

    def begin(self, observer: Observer, name: str, about: Any) -> Watch:
        """Watch an operation; `about` is what its caller says that it is about."""


def size(parts: Iterable[Any]) -> int:
    """The bytes of the texts among these, and in lists among these; numbers have none."""
    total = 0
    for part in parts:
        kind = type(part)  # The common kinds first, and by identity: this loop is most of the cost.
        if kind is bytes:
            total += len(part)
        elif kind is not int and isinstance(part, (list, tuple)):
            total += size(part)
    return total


class Sizes(NamedTuple):
    """Bytes of keys and arguments, and of replies."""

    sent: int
    received: int


def sizes(calls: Sequence[Call], replies: Sequence[Any]) -> Sizes:
    """What calls and their replies come to."""
    return Sizes(sum(size(call.keys) + size(call.args) for call in calls), size(replies))


class _Steps:
    """Counts by one, without a lock: a step is one call of C, which no other thread comes between."""

    def __init__(self) -> None:
        self.step: Callable[[], int] = count().__next__
        self._looks = 0

    def taken(self) -> int:
        """How many steps were taken. One look at a time: each takes a step, too."""
        steps = self.step() - self._looks
        self._looks += 1
        return steps


class Observer:
    """The numbers of all operations together. Thread-safe.

    Args:
        cluster: Whether calls of one round trip go one by one.
        tracing: What watches single operations, too.
    """

    def __init__(self, *, cluster: bool = False, tracing: Tracing | None = None) -> None:
        self.cluster = cluster
        self._tracing = tracing
        self._measuring = False
        renewed(self)

    def renew(self) -> None:
        """Begin at nothing, as a forked process does: its parent counts what was before."""
        self._lock = threading.Lock()
        self._operations: dict[str, _Steps] = {}
        self._errors: Counter[str] = Counter()
        self._notes: dict[str, int] = {}
        self._together = self._sent = self._received = 0
        self._scripts = _Steps()
        self._scripted = self._scripts.step
        self._exchanges = _Steps()
        self.exchanged = self._exchanges.step
        """Count something that is sent to a server and waited for."""

    def begin(self, name: str, about: Any = None) -> Watch:
        """Watch an operation that begins."""
        steps = self._operations.get(name)
        if steps is None:
            steps = self._operations.setdefault(name, _Steps())
        steps.step()
        return self if self._tracing is None else self._tracing.begin(self, name, about)

    def answered(self, calls: Sequence[Call], replies: Sequence[Any]) -> None:
        """Add calls that were answered, and what they come to, if somebody looks and no span does that."""
        for call in calls:
            if not isinstance(call.verb, str):
                self._scripted()
            if call.notes:
                self._note(call.notes)
        if self._measuring:
            self.add(sizes(calls, replies))

    def add(self, measured: Sizes) -> None:
        """Add what calls came to."""
        with self._lock:
            self._sent += measured.sent
            self._received += measured.received

    def _note(self, notes: Mapping[str, int]) -> None:
        with self._lock:
            for name, more in notes.items():
                self._notes[name] = self._notes.get(name, 0) + more

    def failed(self, error: BaseException) -> None:
        """Count an operation that raised."""
        with self._lock:
            self._errors[type(error).__name__] += 1

    def ended(self) -> None:
        """Nothing is left to count."""

    def together(self, calls: int) -> None:
        """Count calls of several operations that are about to share a round trip."""
        with self._lock:
            self._together += calls

    def seen(self) -> Seen:
        """All numbers of one moment; the first look begins the counting of bytes."""
        self._measuring = self._tracing is None
        with self._lock:
            return Seen(
                operations={name: steps.taken() for name, steps in list(self._operations.items())},
                errors=dict(self._errors),
                round_trips=self._exchanges.taken(),
                scripts=self._scripts.taken(),
                bytes_sent=self._sent,
                bytes_received=self._received,
                travelled_together=self._together,
                notes=dict(self._notes),
            )

"""A span for each operation: the only module that imports OpenTelemetry, and itself only on demand.

A span tells what the operation cost, never what it was given: no values, no metadata, and ids only where
they were asked for. So an error is told by its class: its message may name keys, or quote what failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context, trace

from langgraph._redis.observe import Observer, Watch, sizes
from langgraph._redis.plan import Call
from langgraph._redis.version import __version__

if TYPE_CHECKING:
    from langgraph._redis.telemetry import Ids

# OpenTelemetry's conventions for databases have one name for Redis and all that speak as it does.
_SYSTEM: Final = {"db.system.name": "redis"}
_OPERATION: Final = "db.operation.name"
_ERROR: Final = "error.type"
_OURS: Final = "langgraph.redis."


class Spans:
    """Watches operations, each with a span.

    Args:
        provider: Whose spans; None for the one that the program set.
        scope: Stands before the operation in the name of each.
        ids: Given if ids may be told.
    """

    def __init__(self, provider: trace.TracerProvider | None, scope: str, ids: Ids | None) -> None:
        self._tracer = trace.get_tracer(scope, __version__, provider)
        self._scope = scope
        self._ids = ids

    def begin(self, observer: Observer, name: str, about: Any) -> Watch:
        """Watch an operation, and tell the ids in what it is about if these may be told."""
        facts = {**_SYSTEM, _OPERATION: name}
        if self._ids is not None and about is not None:
            facts.update(self._ids(about))
        span = self._tracer.start_span(f"{self._scope} {name}", kind=trace.SpanKind.CLIENT, attributes=facts)
        return _Spanned(observer, span)


class _Spanned:
    """One operation: its span, the child of its caller's and current while it runs; and its own numbers."""

    def __init__(self, observer: Observer, span: trace.Span) -> None:
        self._observer = observer
        self._span = span
        self._numbers: Counter[str] = Counter(round_trips=0, bytes_sent=0, bytes_received=0)
        self._token = context.attach(trace.set_span_in_context(span))

    def answered(self, calls: Sequence[Call], replies: Sequence[Any]) -> None:
        """Count calls of one round trip; on a cluster they go one by one."""
        measured = sizes(calls, replies)
        self._observer.answered(calls, replies)
        self._observer.add(measured)
        self._numbers["round_trips"] += len(calls) if self._observer.cluster else 1
        self._numbers["bytes_sent"] += measured.sent
        self._numbers["bytes_received"] += measured.received
        for call in calls:
            self._numbers.update(call.notes or {})

    def failed(self, error: BaseException) -> None:
        """End the span, with the error's class."""
        self._observer.failed(error)
        kind = type(error)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        self._span.set_attribute(_ERROR, name)
        self._span.add_event("exception", {"exception.type": name})
        self._span.set_status(trace.Status(trace.StatusCode.ERROR))
        self.ended()

    def ended(self) -> None:
        """End the span, with its numbers."""
        context.detach(self._token)
        self._span.set_attributes({f"{_OURS}{name}": count for name, count in self._numbers.items()})
        self._span.end()

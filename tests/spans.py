"""Spans that end are kept, for tests to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer


class Kept:
    """A provider, a tracer of the test's own, and the spans that ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer: Tracer = self.provider.get_tracer("test")

    @property
    def spans(self) -> list[ReadableSpan]:
        """In the order in which they ended."""
        return list(self._exporter.get_finished_spans())

    def clear(self) -> None:
        """Forget those that ended."""
        self._exporter.clear()

    def named(self, name: str) -> list[ReadableSpan]:
        """Those of one operation."""
        return [span for span in self.spans if span.name == f"langgraph.checkpoint {name}"]

    def one(self, name: str) -> ReadableSpan:
        """The only one of an operation."""
        (span,) = self.named(name)
        return span


def facts(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes."""
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan) -> int | None:
    """The id of the span above."""
    return None if span.parent is None else span.parent.span_id

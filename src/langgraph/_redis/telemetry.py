"""Whether operations are spans, too. Where they are not, nothing of OpenTelemetry is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from langgraph._redis.observe import Tracing

Ids: TypeAlias = "Callable[[Any], Mapping[str, str]]"
"""Tells the ids in what an operation is about, as attributes of its span."""


def tracing(scope: str, *, telemetry: bool | TracerProvider, ids: Ids | None = None) -> Tracing | None:
    """What makes the spans of a saver or a store; None if none are asked for.

    Args:
        scope: Stands before the operation in the name of each span.
        telemetry: A provider; or True, for the one that the program set.
        ids: Given if ids may be told.

    Raises:
        ImportError: If OpenTelemetry is not installed; the message has the command.
        TypeError: If `telemetry` is something else.
    """
    if telemetry is False:
        return None
    if telemetry is not True and not hasattr(telemetry, "get_tracer"):
        raise TypeError(f"telemetry is a bool or a TracerProvider, not {type(telemetry).__name__}")
    try:
        from langgraph._redis.spans import Spans  # noqa: PLC0415 - an extra, for those who ask for it.
    except ImportError as error:
        raise ImportError(
            "telemetry needs OpenTelemetry's API: pip install 'langgraph-checkpoint-redis[otel]'"
        ) from error
    return Spans(None if telemetry is True else telemetry, scope, ids)

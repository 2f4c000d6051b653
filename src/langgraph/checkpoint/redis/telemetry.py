"""What the spans of a saver are called, and which ids they tell where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis import telemetry as spans

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from langgraph._redis.observe import Tracing

_SCOPE: Final = "langgraph.checkpoint"
_IDS: Final = ("thread_id", "checkpoint_ns", "checkpoint_id")


def tracing(*, telemetry: bool | TracerProvider, trace_ids: bool) -> Tracing | None:
    """What makes a span of each operation; None if that is not asked for.

    Raises:
        ImportError: If OpenTelemetry is not installed.
        TypeError: If `telemetry` is neither a bool nor a provider.
        ValueError: If ids are to be told and no spans are asked for.
    """
    if trace_ids and telemetry is False:
        raise ValueError("trace_ids says what spans tell: give telemetry=True, or a TracerProvider, as well")
    return spans.tracing(_SCOPE, telemetry=telemetry, ids=ids if trace_ids else None)


def ids(about: Any) -> dict[str, str]:
    """The ids in a config, or the id of a thread, as attributes."""
    found = about.get("configurable") if isinstance(about, Mapping) else {"thread_id": about}
    told = found if isinstance(found, Mapping) else {}  # Else the operation itself says what is wrong.
    return {f"langgraph.{name}": str(told[name]) for name in _IDS if told.get(name) is not None}

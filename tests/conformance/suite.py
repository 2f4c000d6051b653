"""The public conformance suite for checkpointers, run on one saver: every capability, every test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES
from langgraph.checkpoint.conformance.report import ProgressCallbacks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.conformance.report import CapabilityReport

TESTS = 81
"""As many as the suite's release 0.0.2 has; a later one may only add some."""


async def assert_passes_whole(saver: BaseCheckpointSaver[Any]) -> None:
    tracebacks: list[str] = []

    report = await _report(saver, tracebacks)

    assert not tracebacks, "\n".join(tracebacks)
    assert _detected(report) == {capability.value for capability in ALL_CAPABILITIES}
    assert sum(result.tests_passed for result in report.results.values()) >= TESTS


async def _report(saver: BaseCheckpointSaver[Any], tracebacks: list[str]) -> CapabilityReport:
    """What the suite found; the report itself keeps no more than the last line of an error."""

    async def the_saver() -> AsyncIterator[BaseCheckpointSaver[Any]]:
        yield saver

    def note(capability: str, test: str, _passed: bool, error: str | None) -> None:  # noqa: FBT001  # the suite's signature
        if error is not None:
            tracebacks.append(f"{capability}: {test}\n{error}")

    registered = checkpointer_test(name=type(saver).__name__)(the_saver)
    return await validate(registered, progress=ProgressCallbacks(on_test_result=note))


def _detected(report: CapabilityReport) -> set[str]:
    return {name for name, result in report.results.items() if result.detected}

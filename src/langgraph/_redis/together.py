"""Several plans as one: what they ask at the same time travels in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from langgraph._redis.plan import Call, Plan

T = TypeVar("T")


def together(plans: Sequence[Plan[T]]) -> Plan[list[T]]:
    """The results of plans that yield calls and lists of calls only."""
    results: list[Any] = [None] * len(plans)
    sent: dict[int, Any] = dict.fromkeys(range(len(plans)))
    while sent:
        asked: dict[int, Call | list[Call]] = {}
        for at, reply in sent.items():
            try:
                step = plans[at].send(reply)
            except StopIteration as done:  # noqa: PERF203 - so a generator returns.
                results[at] = done.value
            else:
                assert isinstance(step, (Call, list)), f"{step!r} cannot travel with others"
                asked[at] = step
        sent = (yield from _exchanged(asked)) if asked else {}
    return results


def _exchanged(asked: dict[int, Call | list[Call]]) -> Plan[dict[int, Any]]:
    calls = [call for step in asked.values() for call in (step if isinstance(step, list) else [step])]
    replies = iter((yield calls))
    return {
        at: [next(replies) for _ in step] if isinstance(step, list) else next(replies)
        for at, step in asked.items()
    }

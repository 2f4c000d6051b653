"""Plans run by hand: what they ask is looked at, and what a server would reply is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from langgraph._redis.plan import Asked, Call, Pause, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def only(asked: Asked) -> Call:
    """The call of a round trip that makes one."""
    assert isinstance(asked, Call)
    return asked


def several(asked: Asked) -> list[Call]:
    """The calls of a round trip that makes several."""
    assert isinstance(asked, list)
    return asked


def verb(call: Call) -> str:
    """The name of a call's script, or its command."""
    return call.verb if isinstance(call.verb, str) else call.verb.name


def verbs(asked: Asked) -> list[str]:
    assert not isinstance(asked, Pause)
    return [verb(call) for call in (asked if isinstance(asked, list) else [asked])]


def sent(call: Call) -> int:
    """How many bytes of arguments travel."""
    return sum(len(arg) for arg in call.args if isinstance(arg, bytes))


def returned(plan: Plan[T], reply: Any) -> T:
    """Send the last reply, and take the plan's result. A plan that asks for more fails the test."""
    with pytest.raises(StopIteration) as done:
        plan.send(reply)
    result: T = done.value.value
    return result


def returned_at_once(plan: Plan[T]) -> T:
    """The result of a plan that asks nothing."""
    with pytest.raises(StopIteration) as done:
        next(plan)
    result: T = done.value.value
    return result


def returned_after(plan: Plan[T], replies: Sequence[Any]) -> T:
    """The result of a plan that asks once for each of these replies."""
    next(plan)
    for reply in replies[:-1]:
        plan.send(reply)
    return returned(plan, replies[-1])

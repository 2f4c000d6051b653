"""Plans run by hand: what they ask is looked at, and what a server would reply is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pytest

from langgraph._redis.plan import Asked, Atomic, Call, Pause, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.keys import SHARDS, Keys
from langgraph.checkpoint.redis.records import open_writes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph.checkpoint.redis.codec import Codec
    from langgraph.checkpoint.redis.segments import Segment

T = TypeVar("T")


def only(asked: Asked) -> Call:
    """The call of a round trip that makes one."""
    assert isinstance(asked, Call)
    return asked


def several(asked: Asked) -> list[Call]:
    """The calls of a round trip that makes several."""
    assert isinstance(asked, list)
    return asked


def atomic(asked: Asked) -> list[Call]:
    """The calls of a round trip that nothing may come between."""
    assert isinstance(asked, Atomic)
    return asked.calls


def written(asked: Asked) -> Call:
    """The call of a round trip that writes to a thread, whatever goes ahead of it or follows."""
    if not isinstance(asked, Atomic):
        return only(asked)
    (call,) = [each for each in asked.calls if not isinstance(each.verb, str)]
    return call


def verb(call: Call) -> str:
    """The name of a call's script, or its command."""
    return call.verb if isinstance(call.verb, str) else call.verb.name


def verbs(asked: Asked) -> list[str]:
    """The names of all calls of a round trip, in their order."""
    assert not isinstance(asked, Pause)
    if isinstance(asked, Call):
        return [verb(asked)]
    return [verb(call) for call in (asked.calls if isinstance(asked, Atomic) else asked)]


class Entry(NamedTuple):
    """One write as it comes back."""

    path: str
    task: str
    idx: int
    channel: str
    value: Any


def read_writes(
    codec: Codec, task: str, blob: bytes, segments: Callable[[bytes], Sequence[Segment]]
) -> list[Entry]:
    """The entries of one task's field, with their values."""
    entries = open_writes(codec, b"the field", task, blob, segments)
    return [Entry(*entry[:4], codec.loads(*entry.value[1:])) for entry in entries]


def batch(
    entries: Sequence[Sequence[Any]], values: Sequence[Any] = (), segments: Sequence[Any] = ()
) -> list[Any]:
    """Checkpoints, the values and the segments that they name, as a script answers with them."""
    told: list[Any] = []
    for ns, name, record, writes in entries:
        told += [ns, name, record, len(values) // 2, len(segments) // 2, len(writes) // 2]
        told += [*values, *segments, *writes]
        values = segments = ()  # The first of them brings what others name, too.
    return told


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


def shards(**threads: float) -> list[list[Any]]:
    """Replies of all shards of the registry, which hold these threads and when they were used."""
    replies: list[list[Any]] = [[] for _ in range(SHARDS)]
    names = Keys("prefix")
    for name, used in sorted(threads.items(), key=lambda item: -item[1]):
        thread = names.thread(name)
        number = [names.shard(number) for number in range(SHARDS)].index(names.registry(thread))
        replies[number] += [keys.member(thread), b"%.17g" % used]
    return replies

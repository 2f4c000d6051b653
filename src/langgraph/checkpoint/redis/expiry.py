"""The life of one thread: how long it has, and how to change that. One round trip each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langgraph._redis import lives, scripts
from langgraph._redis.errors import ThreadNotFoundError
from langgraph._redis.names import decode
from langgraph._redis.plan import Call, Plan

if TYPE_CHECKING:
    from langgraph._redis.plan import Argument
    from langgraph.checkpoint.redis.core import Core

_LIVE: Final = scripts.load("live")


def ttl(core: Core, thread_id: Any) -> Plan[float | None]:
    """Minutes left, or None if the thread does not expire."""
    return (yield from _live(core, thread_id))


def set_ttl(core: Core, thread_id: Any, given: Any) -> Plan[float | None]:
    """Give a thread a life of its own: minutes, or None for what the saver says."""
    if given is None:
        return (yield from _live(core, thread_id, b"unpin", core.policy.life))
    return (yield from _live(core, thread_id, b"for", lives.milliseconds("minutes", given)))


def persist(core: Core, thread_id: Any) -> Plan[float | None]:
    """Pin a thread."""
    return (yield from _live(core, thread_id, b"pin"))


def _live(core: Core, thread_id: Any, *told: Argument) -> Plan[float | None]:
    thread = core.keys.thread(thread_id)
    reply = yield Call(_LIVE, thread.keys, told or (b"",))
    if reply is None:
        raise ThreadNotFoundError(
            f"there is no thread {thread.given!r} in {decode(thread.data)!r}: it was never written, was "
            "deleted, or has expired"
        )
    left = int(reply[0])
    return lives.minutes(left) if left >= 0 else None

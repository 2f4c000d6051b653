"""What servers answer: replies, refusals that a plan can take, errors; and how MULTI is spelled. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import redis.exceptions
from redis.crc import key_slot
from redis.exceptions import (
    ClusterCrossSlotError,
    NoScriptError,
    OutOfMemoryError,
    ResponseError,
    TryAgainError,
)

from langgraph._redis.plan import Call, Refusal, Replicated, Script, Wait

MOVING: Final = TryAgainError
"""A cluster's answer while keys of a call are on their way from one node to another: later it will do."""

REFUSED: Final = (ResponseError, OutOfMemoryError)
"""Errors, and none derived from them, that a server answers at once: of the call, not of an outage."""


def known(reply: Any) -> Any:
    """An error of valkey-py's, or of another client that is made after redis-py, as the one of redis-py.

    As a reply it comes without a traceback: the frames there hold the list of replies, and the client, until
    a garbage collection.
    """
    return familiar(reply).with_traceback(None) if isinstance(reply, Exception) else reply


def familiar(reply: Exception) -> Exception:
    """An error as redis-py has it, also one that only means that a connection is gone, or a slot moves."""
    if (type(reply).__name__ == "ClusterError" and "TTL" in str(reply)) or _is_of_a_node_unknown(reply):
        # A cluster's client gave up: it was sent to and fro, or to a node that is not on its map yet.
        return MOVING("TRYAGAIN keys of the call are on their way to another node of the cluster: call again")
    if isinstance(reply, redis.exceptions.RedisError):
        return reply
    if isinstance(reply, AttributeError) and "'writelines'" in str(reply):
        # redis-py, where another task closed the connection just now: a cluster that fails over.
        return redis.exceptions.ConnectionError("the connection was closed in the middle of a call")
    names = [kind.__name__ for kind in type(reply).__mro__]
    if "ResponseError" not in names:
        return reply
    kinds = (getattr(redis.exceptions, name, None) for name in names)
    error: Exception = next(kind for kind in kinds if kind is not None)(*reply.args)
    return error


def _is_of_a_node_unknown(error: Exception) -> bool:
    """redis-py follows ASK to a node that joined just now, and finds None where it looks for it."""
    sought = ("'redis_connection'", "'valkey_connection'", "'execute_command'", "'connection_kwargs'")
    return isinstance(error, AttributeError) and str(error).endswith(sought) and "'NoneType'" in str(error)


def across(reply: Any) -> bool:
    """Whether a server answers that keys are in several slots: some clients have no class for that."""
    named = isinstance(reply, ClusterCrossSlotError)
    return named or (isinstance(reply, ResponseError) and str(reply).startswith("CROSSSLOT"))


def refused(call: Call, error: ResponseError) -> Refusal:
    """The server's no, as a reply where the plan can take one."""
    if call.tolerant and not isinstance(error, MOVING):
        return Refusal(str(error), across(error), error.with_traceback(None))
    raise error


def settle(calls: Sequence[Call], replies: Sequence[Any]) -> list[Any]:
    """The replies of a pipeline, its first error raised."""
    if len(replies) == 1 == len(calls) and not isinstance(replies[0], Exception):
        return [replies[0]]
    settled = []
    for call, reply in zip(calls, replies, strict=True):
        if isinstance(reply, ResponseError):
            settled.append(refused(call, reply))
        elif isinstance(reply, Exception):
            raise reply
        else:
            settled.append(reply)
    return settled


def foregone(calls: Sequence[Call], replies: Sequence[Any], *, atomic: bool) -> Exception | None:
    """Why the next of these calls need not be sent: so it would be answered, too.

    Of those that were to be atomic, one failed; of the others, one in the same slot is to try again.
    """
    if not replies:
        return None
    if atomic:
        return replies[-1] if isinstance(replies[-1], Exception) else None
    moving = [
        (reply, key_slot(call.keys[0]))
        for call, reply in zip(calls, replies, strict=False)
        if isinstance(reply, MOVING)
    ]
    keys = calls[len(replies)].keys
    return next((reply for reply, slot in moving if keys and slot == key_slot(keys[0])), None)


def unknown(replies: Sequence[Any], *, atomic: bool) -> list[int]:
    """Which calls of a pipeline must be sent again with their script's source: all that may not be parted."""
    unknown = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    return list(range(len(replies))) if unknown and atomic else unknown


def transaction(commands: Sequence[list[Any]]) -> list[list[Any]]:
    """Commands between MULTI and EXEC, for a pipeline: redis-py's own transactions would decode replies.

    As bytes: by a name that it knows, redis-py would take QUEUED for the command's reply.
    """
    return [["MULTI"], *([verb.encode(), *words] for verb, *words in commands), ["EXEC"]]


def executed(replies: Sequence[Any], count: int) -> list[Any]:
    """What EXEC answered for each command; or why it did not run, for all of them."""
    *queued, done = replies
    if isinstance(done, Exception):
        return [next((reply for reply in queued if isinstance(reply, Exception)), done)] * count
    return [known(reply) for reply in done]


def grouped(calls: Sequence[Call]) -> bool:
    """Whether this is a call that one run of its script can serve with others."""
    return len(calls) == 1 and isinstance(calls[0].verb, Script) and calls[0].verb.group > 0


def parted(call: Call) -> ResponseError | None:
    """What a cluster would say to a tolerant call: its client sends none whose keys are in several slots."""
    if not call.tolerant or len({key_slot(key) for key in call.keys}) <= 1:
        return None
    return ClusterCrossSlotError("the keys of the call are in several slots of a cluster")


def awaited(calls: Sequence[Call]) -> Wait | None:
    """What to wait for after these calls, all of which go over one connection."""
    return max((call.wait for call in calls if call.wait), default=None)


def pipeline(calls: Sequence[Call], *, atomic: bool, sources: bool = False) -> list[list[Any]]:
    """The commands of one pipeline. WAIT stands after EXEC: inside a transaction it would not wait."""
    words = [call.command_with_source() if sources else call.command() for call in calls]
    wait = awaited(calls)
    return [*(transaction(words) if atomic else words), *([wait.command()] if wait else [])]


def answers(calls: Sequence[Call], replies: Sequence[Any], *, atomic: bool) -> list[Any]:
    """What the pipeline of these calls was answered, for each of them."""
    *given, replicas = replies if awaited(calls) else (*replies, None)
    if atomic:
        given = executed(given, len(calls))
    return [confirmed(call, reply, replicas) for call, reply in zip(calls, given, strict=True)]


def confirmed(call: Call, reply: Any, replicas: Any = None) -> Any:
    """A reply with what WAIT answered; where that is an error, the error."""
    if call.wait is None or isinstance(reply, Exception):
        return reply
    return replicas if isinstance(replicas, Exception) else Replicated(reply, replicas)

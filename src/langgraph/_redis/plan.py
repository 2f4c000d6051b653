"""What an operation asks of a server. A plan never waits and never imports a client.

A plan is a generator: it yields a `Call` (or a list of calls that travel in one round trip, or such as are
`Atomic`, or a `Pause`), is sent the reply (or the list of replies, or None), and returns the operation's
result. Drivers run plans; tests run them by hand, with `next` and `send`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
Argument: TypeAlias = "bytes | int"

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, run by the SHA-1 of its source (EVALSHA) or, once, by the source itself (EVAL).

    `group`: how many arguments make one request to it, if it takes several at once and answers each in a
    list; else 0.
    """

    name: str
    source: bytes
    sha: str
    key_count: int
    group: int = 0


class Wait(NamedTuple):
    """How many replicas must confirm a write, and how long to wait for them."""

    replicas: int
    milliseconds: int

    def command(self) -> list[Any]:
        """The words to send after the write, over its connection."""
        return ["WAIT", self.replicas, self.milliseconds]


class Call(NamedTuple):
    """One request: a script or a plain command, its keys, its other arguments.

    `tolerant`: if the server refuses it, the plan is sent a `Refusal` instead of an error being raised.
    `wait`: the plan is sent a `Replicated` instead of the reply.
    `notes`: what the call means for those who count (`observe`), by name; not sent.
    """

    verb: Script | str
    keys: Sequence[bytes] = ()
    args: Sequence[Argument] = ()
    tolerant: bool = False
    wait: Wait | None = None
    notes: Mapping[str, int] | None = None

    def command(self) -> list[Any]:
        """The words to send."""
        verb = self.verb
        if isinstance(verb, str):
            return [verb, *self.keys, *self.args]
        return ["EVALSHA", verb.sha, verb.key_count, *self.keys, *self.args]

    def command_with_source(self) -> list[Any]:
        """The words to send to a server that does not know the script yet."""
        if isinstance(self.verb, str):
            return self.command()
        _LOG.debug("the server does not know script %s yet: its source is sent", self.verb.name)
        return ["EVAL", self.verb.source, self.verb.key_count, *self.keys, *self.args]


MERGED_BYTES = 256 * 1024
"""Bytes of arguments from which no more is added to one run of a script: it must not hold the server long."""


def merged(calls: Sequence[Call]) -> list[tuple[Call, int]]:
    """Calls with those in a row that one run of a script can serve made one; and how many each stands for."""
    runs: list[list[Call]] = []
    size = 0
    for call in calls:
        more = sum([len(arg) for arg in call.args if type(arg) is bytes])
        if runs and size + more <= MERGED_BYTES and _alike(runs[-1][0], call):
            runs[-1].append(call)
            size += more
        else:
            runs.append([call])
            size = more
    return [(_one(run), len(run)) for run in runs]


def _alike(one: Call, other: Call) -> bool:
    verb = other.verb
    return one.verb is verb and one.keys == other.keys and isinstance(verb, Script) and verb.group > 0


def _one(run: Sequence[Call]) -> Call:
    if len(run) == 1:
        return run[0]
    return run[0]._replace(args=list(chain.from_iterable([call.args for call in run])))


def shares(reply: Any, count: int) -> list[Any]:
    """What each of the calls that were merged into one is answered."""
    if count == 1:
        return [reply]
    if isinstance(reply, Replicated):
        return [Replicated(share, reply.replicas) for share in shares(reply.reply, count)]
    return [[item] for item in reply] if isinstance(reply, list) else [reply] * count


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server's no to a tolerant call: its message, and the error to raise where it is none to live with.

    `cross_slot`: the call's keys are in several slots of a cluster.
    """

    message: str
    cross_slot: bool = False
    error: Exception | None = field(default=None, compare=False, repr=False)


class Replicated(NamedTuple):
    """The reply to a write, and how many replicas confirmed it."""

    reply: Any
    replicas: int


def joined(replies: Sequence[Any]) -> Replicated:
    """The last of these replies, and how many replicas confirmed all of them; 0 if none was asked to."""
    last = replies[-1]
    if not isinstance(last, Replicated):
        return Replicated(last, 0)
    return Replicated(last.reply, min(reply.replicas for reply in replies if isinstance(reply, Replicated)))


class Atomic(NamedTuple):
    """Calls of one round trip that nothing comes between (MULTI); on a cluster they go one by one."""

    calls: list[Call]


class Pause(NamedTuple):
    """Asks nothing, but to go on only after so many seconds."""

    seconds: float


Asked: TypeAlias = "Call | list[Call] | Atomic | Pause"

# `Any` is what a server replied; the plan that asked knows its shape.
Plan: TypeAlias = Generator[Asked, Any, T]

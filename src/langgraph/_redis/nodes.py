"""What must reach one node of a cluster over one connection: a write with its WAIT, a call with its ASKING.

WAIT knows only of what its own connection wrote. A cluster's client sends what carries no key to any node,
and follows redirections command by command; so here both travel as one pipeline to one node, and if that
node says that the keys are elsewhere, both travel again. Likewise a call whose slot is on its way, once the
client gave it up: an async client may send ASKING over another connection than the call.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis-py's, by its name.
    MovedError,
    NoScriptError,
    SlotNotCoveredError,
    TimeoutError,  # noqa: A004 - likewise.
    TryAgainError,
)

from langgraph._redis.plan import Call
from langgraph._redis.replies import MOVING, confirmed

_LOG: Final = logging.getLogger(__name__)

BREATH: Final = 0.05
"""Seconds between two attempts while a cluster changes."""

_HOPS: Final = 16
_OUTAGE: Final = 5  # What an attempt costs that may have taken a whole timeout.

OUTAGES: Final = (ConnectionError, TimeoutError, ClusterDownError, SlotNotCoveredError)
_ELSEWHERE: Final = (MovedError, TryAgainError, *OUTAGES)


class Hop(NamedTuple):
    """Commands to send to one node over one connection: that at an address, or that which has the key."""

    commands: list[list[Any]]
    key: bytes
    address: tuple[str, int] | None


@dataclass(slots=True)
class _Command:
    """What a node of an async client executes in a pipeline."""

    position: int
    args: list[Any]
    kwargs: dict[str, Any]
    result: Any = None


class Look(NamedTuple):
    """Asks to wait a little, and then to use the key in a way that makes the client follow it."""

    command: list[Any]


def routed(call: Call) -> Generator[Hop | Look, Any, Any]:
    """Send a call to wherever its keys are, with the WAIT that it asks for; returns the reply."""
    wait = [call.wait.command()] if call.wait else []
    words, left = call.command(), _HOPS
    address: tuple[str, int] | None = None
    while True:
        ahead: list[list[Any]] = [["ASKING"]] if address else []
        reply, *confirming = (yield Hop([*ahead, words, *wait], call.keys[0], address))[len(ahead) :]
        # redis-py's MovedError is an AskError; to that, the client's own map is the answer.
        asked = isinstance(reply, AskError) and not isinstance(reply, MovedError)
        address = (str(reply.host), int(reply.port)) if asked else None
        if not asked and not isinstance(reply, (NoScriptError, *_ELSEWHERE)):
            return confirmed(call, reply, *confirming)
        if isinstance(reply, NoScriptError):
            words = call.command_with_source()
            continue
        left -= _OUTAGE if isinstance(reply, OUTAGES) else 1
        if left <= 0:
            return MOVING(f"TRYAGAIN {call.keys[0]!r} is on its way to {address}") if asked else reply
        if isinstance(reply, _ELSEWHERE):
            _LOG.debug("%s from a node of a cluster: its map is asked again", type(reply).__name__)
            yield Look(["EXISTS", call.keys[0]])


def _node(client: Any, hop: Hop) -> Any:
    """The node that a hop goes to."""
    if hop.address is None:
        node = client.get_node_from_key(hop.key)
    else:
        node = client.get_node(host=hop.address[0], port=hop.address[1])
    if node is None:  # It joined just now, and the client was brought: our own know what to do (`clients`).
        raise MOVING(
            f"TRYAGAIN {hop.key!r} is on its way to a node that the client does not know: call again"
        )
    return node


def exchange(client: Any, hop: Hop, raw: dict[str, Any]) -> list[Any]:
    """Make a hop with a sync client."""
    # valkey-py's client of a node goes by another name.
    named = "get_redis_connection" if hasattr(client, "get_redis_connection") else "get_valkey_connection"
    with getattr(client, named)(_node(client, hop)).pipeline(transaction=False) as pipe:
        for words in hop.commands:
            pipe.execute_command(*words, **raw)
        replies: list[Any] = pipe.execute(raise_on_error=False)
        return replies


async def aexchange(client: Any, hop: Hop, raw: dict[str, Any]) -> list[Any]:
    """Make a hop with an async client.

    Not by the client's pipeline: where that tries again, it forgets which node it was to go to, and another
    node would say at once that its replicas have all that this connection wrote, which is nothing.
    """
    await client.initialize()
    commands = [_Command(number, words, raw) for number, words in enumerate(hop.commands)]
    await _node(client, hop).execute_pipeline(commands)
    return [command.result for command in commands]

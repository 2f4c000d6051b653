"""A write and its WAIT in a cluster: over one connection to the node that has the keys.

WAIT knows only of what its own connection wrote. A cluster's client sends what carries no key to any node,
and follows redirections command by command; so here both travel as one pipeline to one node, and if that
node says that the keys are elsewhere, both travel again.
"""

from __future__ import annotations

from collections.abc import Generator
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
from langgraph._redis.replies import confirmed

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


class Look(NamedTuple):
    """Asks to wait a little, and then to use the key in a way that makes the client follow it."""

    command: list[Any]


def routed(call: Call) -> Generator[Hop | Look, Any, Any]:
    """Send a write that replicas are to confirm to wherever its keys are; returns the reply."""
    if call.wait is None:
        raise ValueError("this call asks no replica to confirm it")
    words, left = call.command(), _HOPS
    address: tuple[str, int] | None = None
    while True:
        ahead: list[list[Any]] = [["ASKING"]] if address else []
        reply, replicas = (yield Hop([*ahead, words, call.wait.command()], call.keys[0], address))[-2:]
        # redis-py's MovedError is an AskError; to that, the client's own map is the answer.
        asked = isinstance(reply, AskError) and not isinstance(reply, MovedError)
        address = (str(reply.host), int(reply.port)) if asked else None
        left -= _OUTAGE if isinstance(reply, OUTAGES) else 1
        if left <= 0:
            return reply
        if isinstance(reply, NoScriptError):
            words = call.command_with_source()
        elif isinstance(reply, _ELSEWHERE):
            yield Look(["EXISTS", call.keys[0]])
        elif not asked:
            return confirmed(call, reply, replicas)


def node_of(client: Any, hop: Hop) -> Any:
    """The node that a hop goes to, or None if the client does not know it."""
    if hop.address is None:
        return client.get_node_from_key(hop.key)
    host, port = hop.address
    return client.get_node(host=host, port=port)


def exchange(client: Any, hop: Hop, raw: dict[str, Any]) -> list[Any]:
    """Make a hop with a sync client."""
    node = node_of(client, hop)
    if node is None:
        raise ClusterDownError(f"the cluster's client does not know the node at {hop.address}")
    # valkey-py's client of a node goes by another name.
    named = "get_redis_connection" if hasattr(client, "get_redis_connection") else "get_valkey_connection"
    with getattr(client, named)(node).pipeline(transaction=False) as pipe:
        for words in hop.commands:
            pipe.execute_command(*words, **raw)
        replies: list[Any] = pipe.execute(raise_on_error=False)
        return replies


async def aexchange(client: Any, hop: Hop, raw: dict[str, Any]) -> list[Any]:
    """Make a hop with an async client."""
    await client.initialize()
    node = node_of(client, hop)
    if node is None:
        raise ClusterDownError(f"the cluster's client does not know the node at {hop.address}")
    pipe = client.pipeline()
    for words in hop.commands:
        pipe.execute_command(*words, target_nodes=node, **raw)
    replies: list[Any] = await pipe.execute(raise_on_error=False, allow_redirections=False)
    return replies

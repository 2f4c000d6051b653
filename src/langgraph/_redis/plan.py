"""What an operation asks of a server. A plan never waits and never imports a client.

A plan is a generator: it yields a `Call` (or a list of calls that travel in one round trip), is sent
the reply (or the list of replies), and returns the operation's result. Drivers run plans; tests run
them by hand, with `next` and `send`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
Argument: TypeAlias = "bytes | int"


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, run by the SHA-1 of its source (EVALSHA) or, once, by the source itself (EVAL)."""

    name: str
    source: bytes
    sha: str
    key_count: int


class Call(NamedTuple):
    """One request: a script or a plain command, its keys, its other arguments.

    `tolerant`: if the server refuses it, the plan is sent a `Refusal` instead of an error being raised.
    """

    verb: Script | str
    keys: Sequence[bytes] = ()
    args: Sequence[Argument] = ()
    tolerant: bool = False

    def command(self) -> list[Any]:
        """The words to send."""
        verb = self.verb
        if isinstance(verb, str):
            return [verb, *self.keys, *self.args]
        return ["EVALSHA", verb.sha, verb.key_count, *self.keys, *self.args]

    def command_with_source(self) -> list[Any]:
        """The words to send to a server that does not know the script yet."""
        assert isinstance(self.verb, Script)
        return ["EVAL", self.verb.source, self.verb.key_count, *self.keys, *self.args]


class Refusal(NamedTuple):
    """The server's no to a tolerant call: its error message."""

    message: str


# `Any` is what a server replied; the plan that asked knows its shape.
Plan: TypeAlias = Generator["Call | list[Call]", Any, T]

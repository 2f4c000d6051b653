"""Who takes part: what each contender installs, where it keeps its data, and how it is opened.

Read by the controller and, in each contender's environment, by its worker: so nothing but the standard
library is imported here, and `openings` imports a saver when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.peers import openings

Opening: TypeAlias = Callable[[str], Any]
"""Gives a context manager of a saver, or an async one, at a place's URL."""

ROOT = "{root}"
"""Stands in requirements for the repository's folder."""


@dataclass(frozen=True)
class Contender:
    """One saver, as a user would install and open it.

    Attributes:
        name: As on the command line and in results.
        title: For a reader.
        requirements: What pip is given, besides what is common to all (`venvs`).
        place: Where it keeps its data, by a name in `places`.
        openings: How its saver is opened, by style.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    place: str
    openings: Mapping[str, Opening]

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles that it has."""
        return tuple(self.openings)


_OURS = (f"--editable={ROOT}[embedded]",)

# Redis's and Valkey's clients read replies faster with a parser in C. This project requires it, and its
# peers are given it too.
_ALL = (
    Contender("memory", "InMemorySaver", (), "nowhere", openings.MEMORY),
    Contender("ours", "This project, Valkey", _OURS, "valkey", openings.OURS),
    Contender("ours-embedded", "This project, embedded", _OURS, "embedded", openings.OURS),
    Contender("ours-cluster", "This project, cluster of 3", _OURS, "cluster", openings.OURS),
    Contender(
        "redis-0.5.2",
        "langgraph-checkpoint-redis 0.5.2",
        ("langgraph-checkpoint-redis==0.5.2", "redis[hiredis]"),
        "stack",
        openings.REDIS,
    ),
    Contender(
        "plainredis",
        "langgraph-checkpoint-plainredis",
        ("langgraph-checkpoint-plainredis", "redis[hiredis]"),
        "valkey",
        openings.PLAIN,
    ),
    Contender(
        "aws-valkey",
        "langgraph-checkpoint-aws ValkeySaver",
        ("langgraph-checkpoint-aws[valkey]", "valkey[libvalkey]"),
        "valkey",
        openings.AWS,
    ),
    Contender("sqlite", "SqliteSaver, file", ("langgraph-checkpoint-sqlite",), "file", openings.SQLITE),
    Contender(
        "postgres",
        "PostgresSaver",
        ("langgraph-checkpoint-postgres", "psycopg[binary,pool]"),
        "postgres",
        openings.POSTGRES,
    ),
)

CONTENDERS = {each.name: each for each in _ALL}

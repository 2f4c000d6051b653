"""Entries of threads in the registry and in indexes: the commands that make them, and that take them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.redis import core as core_module
from langgraph.checkpoint.redis import keys, registry

if TYPE_CHECKING:
    import pytest

    from langgraph._redis.plan import Call
    from langgraph.checkpoint.redis.core import Core
    from langgraph.checkpoint.redis.keys import Thread

RUN, OTHER_RUN = keys.run_link("run"), keys.run_link("other run")
USER = keys.value_link("user_id", "'ann")
NOW = 1_000_000_000


@dataclass
class Clock:
    """Stands in for the module `time`."""

    now: float = NOW / 1000

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


def stopped(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock by which registrations go, and which goes on when it is told to."""
    clock = Clock()
    monkeypatch.setattr(core_module, "time", clock)
    monkeypatch.setattr(registry, "time", clock)
    return clock


def thread(core: Core, name: str = "thread") -> Thread:
    return core.keys.thread(name)


def commands(calls: list[Call]) -> list[list[Any]]:
    """What travels; of a script its name, for its SHA says nothing to a reader."""
    return [
        [call.verb if isinstance(call.verb, str) else call.verb.name, *call.keys, *call.args]
        for call in calls
    ]


def entered(core: Core, name: str = "thread") -> list[Any]:
    """The command that enters a thread into the registry."""
    return ["ZADD", core.keys.registry(thread(core, name)), NOW, keys.member(thread(core, name))]


def linked(core: Core, *links: bytes, name: str = "thread") -> list[list[Any]]:
    """The commands that say where a thread stands, and let it stand there: in this order."""
    of = thread(core, name)
    known = [word for link in links for word in (0, keys.link_member(of, link))]
    index = [["ZADD", core.keys.linked(link), NOW, keys.member(of)] for link in links]
    return [["ZADD", core.keys.links(of), *known], *index]


def unlinked(core: Core, *links: bytes, name: str = "thread") -> list[list[Any]]:
    """The commands that take this back, in the opposite order."""
    of = thread(core, name)
    index = [["ZREM", core.keys.linked(link), keys.member(of)] for link in links]
    return [*index, ["ZREM", core.keys.links(of), *(keys.link_member(of, link) for link in links)]]

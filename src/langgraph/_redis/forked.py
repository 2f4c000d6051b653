"""What must begin anew in a forked process: locks that a thread of the parent held, hints half written.

Only the thread that forks goes on in the child. Whatever another one was about to release stays locked.
"""

from __future__ import annotations

import os
from typing import Final, Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Has a lock, and what it guards."""

    def renew(self) -> None:
        """Begin anew, with a lock that is free."""


_ALL: Final[WeakSet[Renewable]] = WeakSet()


def renewed(thing: Renewable) -> None:
    """Begin anew now, and in each process that is forked from this one."""
    thing.renew()
    _ALL.add(thing)


def _renew_all() -> None:
    for thing in list(_ALL):
        thing.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)

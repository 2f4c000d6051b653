"""What a contender keeps its data in, as the race sees it: opened at a URL, emptied, weighed, ended."""

from __future__ import annotations

from abc import ABC, abstractmethod


class PlaceError(RuntimeError):
    """A place cannot be had here, or is gone; the message says why."""


class Place(ABC):
    """What a contender is opened at.

    Attributes:
        about: What a reader must know of it: a server's name, version and settings.
        port: Where a proxy can be put in front of it; None if it cannot.
        weighs: Whether it knows how many bytes it keeps.
    """

    about = ""
    port: int | None = None
    weighs = True

    @abstractmethod
    def url(self, port: int | None = None) -> str:
        """Where it is opened; through a proxy on `port`."""

    @abstractmethod
    def empty(self) -> None:
        """Drop everything; nobody has it open."""

    def bytes(self) -> int | None:
        """What it keeps now; None where that is not known."""
        return None

    @abstractmethod
    def stop(self) -> None:
        """End it, and remove what it kept."""

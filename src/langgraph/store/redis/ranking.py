"""What a way to find items by meaning must offer. It is chosen when the store is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from langgraph.store.base import SearchItem

    from langgraph._redis.plan import Plan
    from langgraph.store.redis.index import Vector
    from langgraph.store.redis.searches import Search


class Ranker(Protocol):
    """Finds items by meaning.

    Attributes:
        kind: How the script is to keep the vectors of an item: b"x" beside it, b"s" as documents.
    """

    kind: bytes

    def ready(self) -> Plan[None]:
        """Learn, once, what vectors are like below the store's prefix; or decide it."""
        ...

    def searched(self, search: Search, query: Vector) -> Plan[list[SearchItem]]:
        """The items that pass the filter, the most alike first; those without vectors last."""
        ...

"""What vectors are like below a store's prefix: the first store with an index decides, later ones adopt it.

Written once, as JSON, at ``<prefix>:vectors``: dimensions, distance, who ranks, and in which of their two
places the vectors are. A store whose vectors would not compare with these is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from langgraph._redis.plan import Call
from langgraph.store.redis.blocks import Measure
from langgraph.store.redis.engine import Engine
from langgraph.store.redis.exact import Exact
from langgraph.store.redis.keys import FIELD
from langgraph.store.redis.schema import created

if TYPE_CHECKING:
    from langgraph.store.base import SearchItem

    from langgraph._redis.plan import Plan
    from langgraph.store.redis.index import Index, Vector
    from langgraph.store.redis.searches import Search
    from langgraph.store.redis.spread import Spread

_LAYOUT: Final = 1


class About(NamedTuple):
    """What vectors are like.

    Attributes:
        dims: How many numbers one has.
        distance: How they are compared, one of `config.DISTANCES`.
        mode: Who ranks them: ``"exact"`` or ``"search"``.
        place: Where the script keeps them: ``""`` or ``"2"``.
    """

    dims: int
    distance: str
    mode: str
    place: str

    @property
    def kind(self) -> bytes:
        """How the script is told to keep them."""
        return (b"s" if self.mode == "search" else b"x") + self.place.encode()

    def dumped(self) -> bytes:
        """As it is stored."""
        return orjson.dumps({"layout": _LAYOUT, **self._asdict()})

    @classmethod
    def read(cls, key: bytes, stored: bytes) -> About:
        """Undo `dumped`.

        Raises:
            ValueError: If a newer release wrote it.
        """
        found: dict[str, Any] = orjson.loads(stored)
        if found.pop("layout") != _LAYOUT:
            raise ValueError(
                f"key {key.decode()!r}: a newer release keeps vectors here in another way: use that one, or "
                "another store_prefix"
            )
        return cls(**found)


def ranker_of(index: Index, spread: Spread, about: About) -> Exact | Engine:
    """What ranks such vectors."""
    measure = Measure(about.distance, about.dims)
    place = about.place.encode()
    if about.mode == "search":
        return Engine(spread, measure, place)
    return Exact(spread, measure, index.config["cache_bytes"], place)


class Chosen:
    """Ranks as the store below the prefix does; a new one as its index asks.

    ``"auto"`` takes the Redis Query Engine where the server has it, since its searches stay quick however
    many vectors there are below a prefix. Exact search is the better choice where prefixes stay below some
    10,000: with 50,000 vectors of 384 numbers, by namespaces of 100, both found the ten nearest of all; in a
    namespace both took 0.5 ms; in all of them the engine took 4 ms and exact search 8 to 26. But an item cost
    1.3 ms to store and 5.0 KB with the engine, and 0.06 ms and 2.2 KB without. On a cluster ``"auto"`` ranks
    exactly.

    Args:
        index: What the user said of the index.
        spread: The shards.
    """

    def __init__(self, index: Index, spread: Spread) -> None:
        self.kind = b""
        self.index = index
        self.spread = spread
        self._ranker: Exact | Engine | None = None

    def ready(self) -> Plan[None]:
        """Learn, once, what vectors are like below the store's prefix; or decide it.

        Raises:
            UnsupportedServerError: If the engine is asked for, and the server has none that may be used.
            ValueError: If vectors are stored already, and these would not compare with them.
        """
        if self._ranker is None:
            ranker = yield from self._decided()
            if self._ranker is None:
                self._ranker, self.kind = ranker, ranker.kind

    def searched(self, search: Search, query: Vector) -> Plan[list[SearchItem]]:
        """The items that pass the filter, the most alike first; those without vectors last."""
        assert self._ranker is not None, "ready() comes first"
        return self._ranker.searched(search, query)

    def adopt(self, about: About) -> None:
        """Rank so from now on."""
        self._ranker = ranker_of(self.index, self.spread, about)
        self.kind = self._ranker.kind

    def stored(self) -> Plan[About | None]:
        """What vectors are like that are stored."""
        key = self.spread.keys.vectors
        found = yield Call("HGET", [key], [FIELD])
        return About.read(key, found) if found else None

    def wished(self, place: str) -> Plan[About]:
        """What vectors would be like in a new store; an index of the engine is made if it is to rank."""
        config = self.index.config
        mode = config["vector"]
        about = About(self.index.dims, config["distance_type"], "search", place)
        if mode == "exact" or (mode == "auto" and self.spread.cluster):
            return about._replace(mode="exact")
        made = yield from created(
            self.spread, about.dims, about.distance, config["ann"], place, needed=mode == "search"
        )
        return about if made else about._replace(mode="exact")

    def _decided(self) -> Plan[Exact | Engine]:
        about = yield from self.stored()
        if about is None:
            wish = yield from self.wished("")
            key = self.spread.keys.vectors
            _, found = yield [Call("HSETNX", [key], [FIELD, wish.dumped()]), Call("HGET", [key], [FIELD])]
            about = About.read(key, found)
        elif about.mode == "search":
            self._compare(about)
            yield from created(
                self.spread, about.dims, about.distance, self.index.config["ann"], about.place, needed=True
            )
        self._compare(about)
        return ranker_of(self.index, self.spread, about)

    def _compare(self, about: About) -> None:
        config = self.index.config
        if (about.dims, about.distance) != (self.index.dims, config["distance_type"]):
            raise ValueError(
                f"the store below {self.spread.keys.prefix!r} has vectors of {about.dims} numbers compared "
                f"by {about.distance!r}, and index asks for {self.index.dims} and {config['distance_type']!r}"
                ": call reindex() to embed its items anew, or use another store_prefix"
            )
        if config["vector"] not in ("auto", about.mode):
            raise ValueError(
                f'the store below {self.spread.keys.prefix!r} ranks vectors by "{about.mode}", and '
                f'index["vector"] is "{config["vector"]}": leave it out, or call reindex() to change it'
            )

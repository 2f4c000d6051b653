"""What LangGraph asks of a store, checked and in the store's own words, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from langgraph.store.base import GetOp, ListNamespacesOp, Op, PutOp, SearchOp

from langgraph._redis.lives import milliseconds
from langgraph._redis.plan import Argument
from langgraph.store.redis import filters, keys, values
from langgraph.store.redis.listings import Listing, listing_of
from langgraph.store.redis.searches import Search

if TYPE_CHECKING:
    from langgraph.store.redis.index import Index

_MANY: Final = 10**12
"""More items than any server holds, and a number that scripts count with exactly."""


class Put(NamedTuple):
    """An item to store or to delete.

    Attributes:
        ns: Its namespace.
        words: The operation as the script takes it, without vectors.
        texts: What to embed of it; None if it is to be deleted, or never to be embedded.
    """

    ns: bytes
    words: list[Argument]
    texts: list[str] | None

    @property
    def name(self) -> tuple[Argument, ...]:
        """Of which item it is: namespace and key."""
        return tuple(self.words[1:3])


@dataclass(slots=True)
class Batch:
    """Operations of one call; each but a put with its place among the results.

    Of several puts of one item the last counts. Reads see what was there before. `written` are all puts, by
    their places, and `embedded` the places of those operations that need vectors.
    """

    size: int = 0
    gets: list[tuple[int, bytes, list[Argument]]] = field(default_factory=list)
    searches: list[tuple[int, Search, str | None]] = field(default_factory=list)
    listings: list[tuple[int, Listing]] = field(default_factory=list)
    written: dict[int, Put] = field(default_factory=dict)
    embedded: set[int] = field(default_factory=set)

    @property
    def puts(self) -> list[Put]:
        """The puts that count."""
        return list({put.name: put for put in self.written.values()}.values())

    def only(self, places: Sequence[int]) -> Batch:
        """Some of the operations, as they were checked."""
        new = {place: at for at, place in enumerate(places)}
        return Batch(
            len(places),
            [(new[at], ns, words) for at, ns, words in self.gets if at in new],
            [(new[at], search, query) for at, search, query in self.searches if at in new],
            [(new[at], listing) for at, listing in self.listings if at in new],
            {new[at]: put for at, put in self.written.items() if at in new},
            {new[at] for at in self.embedded if at in new},
        )

    @property
    def texts(self) -> list[str]:
        """The texts of items that must be embedded, each once."""
        return list(dict.fromkeys(text for put in self.puts for text in put.texts or ()))

    @property
    def queries(self) -> list[str]:
        """The queries that must be embedded, each once."""
        return list(dict.fromkeys(query for _, _, query in self.searches if query))


def batch_of(ops: Iterable[Op], index: Index | None) -> Batch:
    """Check operations and put them into the store's words.

    Raises:
        InvalidNamespaceError: If a label of a namespace cannot be one.
        TypeError: If a key is no `str`, or a value cannot be stored; and for what else is of a wrong type.
        ValueError: If a number is out of range, a filter or a condition has an unknown operator, or an
            operation is of no known kind.
    """
    batch = Batch()
    for op in ops:
        add(batch, op, index)
    return batch


def add(batch: Batch, op: Op, index: Index | None) -> None:
    """Add one operation; one that cannot be done changes nothing.

    Raises:
        As `batch_of`.
    """
    _add(batch, op, index)
    batch.size += 1


def _add(batch: Batch, op: Op, index: Index | None) -> None:
    if isinstance(op, GetOp):
        ns = keys.joined(op.namespace)
        refresh = b"1" if op.refresh_ttl else b"0"
        batch.gets.append((batch.size, ns, [b"g", ns, keys.key_of(op.key), refresh]))
    elif isinstance(op, PutOp):
        put = batch.written[batch.size] = _put(op, index)
        if put.texts:
            batch.embedded.add(batch.size)
    elif isinstance(op, SearchOp):
        query = _query(op.query) if index is not None else None
        batch.searches.append((batch.size, _search(op), query))
        if query:
            batch.embedded.add(batch.size)
    elif isinstance(op, ListNamespacesOp):
        batch.listings.append((batch.size, listing_of(op, *_bounds(op))))
    else:
        raise ValueError(  # noqa: TRY004 - as LangGraph's own stores do.
            f"a store knows GetOp, PutOp, SearchOp and ListNamespacesOp, not {op!r:.80}"
        )


def _put(op: PutOp, index: Index | None) -> Put:
    ns, key = keys.joined(op.namespace), keys.key_of(op.key)
    if op.value is None:
        return Put(ns, [b"d", ns, key], None)
    where = f"item {op.key!r:.80} of namespace {op.namespace!r:.80}"
    value = values.packed(op.value, where)
    life = 0 if op.ttl is None else milliseconds("ttl", op.ttl) * 1000
    if index is not None and op.index is False:
        # Remembered, so that it is not embedded later either.
        return Put(ns, [b"p", ns, key, life, value, -1, b"", b""], None)
    texts = index.texts(op.value, op.index) if index is not None else []
    return Put(ns, [b"p", ns, key, life, value], texts)


def _query(given: Any) -> str | None:
    if given is not None and not isinstance(given, str):
        raise TypeError(f"query must be a str or None, not {type(given).__name__}: {given!r:.80}")
    return given or None


def _search(op: SearchOp) -> Search:
    limit, offset = _bounds(op)
    wanted = filters.checked(op.filter)
    ns = keys.joined(op.namespace_prefix)
    return Search(ns, wanted, filters.needles(wanted), limit, offset, op.refresh_ttl)


def _bounds(op: SearchOp | ListNamespacesOp) -> tuple[int, int]:
    """Limit and offset, checked; beyond `_MANY` they mean the same."""
    given: dict[str, Any] = {"limit": op.limit, "offset": op.offset}
    for argument, number in given.items():
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(f"{argument} must be an int, not {type(number).__name__}: {number!r:.80}")
        if number < 0:
            raise ValueError(f"{argument} must be at least 0, not {number}")
    return min(op.limit, _MANY), min(op.offset, _MANY)

"""Items with their vectors, as numpy ranks them: immutable, so that searches read them while others write.

Scores are such that more is more alike: the cosine, the inner product, the negative distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from langgraph.store.redis.index import Vector

Name: TypeAlias = "tuple[bytes, bytes]"
"""Namespace and key of an item."""

UNSCORED: Final = np.float32("-inf")
"""Stands for the score of an item without vectors."""

_CHUNK: Final = 1024
_OVERHEAD: Final = 400  # Bytes of Python objects for an item, about.


class Entry(NamedTuple):
    """An item as the script tells of it: when it was last updated, and the bytes of its vectors."""

    name: Name
    instant: int
    data: bytes


class Measure:
    """How alike two vectors are.

    Args:
        distance: One of `config.DISTANCES`.
        dims: How many numbers a vector has.
    """

    def __init__(self, distance: str, dims: int) -> None:
        self.distance = distance
        self.dims = dims

    def matrix(self, data: bytes) -> Vector:
        """Vectors as `scores` takes them: for the cosine they are of length 1, or 0."""
        rows = np.frombuffer(data, dtype="<f4").reshape(-1, self.dims)
        return _unit(rows) if self.distance == "cosine" else rows

    def query(self, vector: Vector) -> Vector:
        """A query likewise."""
        return _unit(vector[np.newaxis])[0] if self.distance == "cosine" else vector

    def scores(self, rows: Vector, query: Vector) -> Vector:
        """How alike each row is to the query."""
        if self.distance != "l2":
            # Not `@`: what BLAS makes of a row depends on the rows beside it, and equals would not be equal.
            # This is as quick, being bound by memory, and takes one thread.
            products: Vector = np.einsum("ij,j->i", rows, query)
            return products
        found = np.empty(len(rows), np.float32)
        for at in range(0, len(rows), _CHUNK):
            gaps = rows[at : at + _CHUNK] - query
            found[at : at + _CHUNK] = -np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
        return found


def _unit(rows: Vector) -> Vector:
    """Rows of length 1; a row of zeros stays one. In double precision: squares leave the range of float32."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))[:, np.newaxis]
    lengths[lengths == 0] = 1
    found: Vector = (rows / lengths).astype(np.float32)
    return found


class Block:
    """Some items: those with vectors first.

    Attributes:
        names: Their names.
        instants: When each was last updated.
        rows: How many vectors each of the first ones has.
        matrix: These vectors, in order.
        spelled: Bytes that their names take, about.
    """

    __slots__ = ("_starts", "instants", "matrix", "names", "rows", "spelled")

    def __init__(
        self,
        names: list[Name],
        instants: NDArray[np.int64],
        rows: NDArray[np.int64],
        matrix: Vector,
        spelled: int,
    ) -> None:
        self.names = names
        self.instants = instants
        self.rows = rows
        self.matrix = matrix
        self.spelled = spelled
        self._starts = np.concatenate(([0], np.cumsum(rows)[:-1])) if len(rows) else rows

    @classmethod
    def of(cls, entries: Sequence[Entry], measure: Measure) -> Block:
        """Items as the script told of them."""
        ordered = sorted(entries, key=lambda entry: not entry.data)
        scored = [entry for entry in ordered if entry.data]
        return cls(
            [entry.name for entry in ordered],
            np.array([entry.instant for entry in ordered], np.int64),
            np.array([len(entry.data) // (4 * measure.dims) for entry in scored], np.int64),
            measure.matrix(b"".join([entry.data for entry in scored])),
            sum(len(entry.name[0]) + len(entry.name[1]) + _OVERHEAD for entry in ordered),
        )

    @property
    def size(self) -> int:
        """Bytes that all this takes, about."""
        return self.matrix.nbytes + self.spelled

    def scores(self, measure: Measure, query: Vector) -> Vector:
        """A score for each item: that of its vector that is most alike."""
        found = np.full(len(self.names), UNSCORED, np.float32)
        if len(self.rows):
            scores = measure.scores(self.matrix, query)
            if len(scores) > len(self.rows):
                scores = np.maximum.reduceat(scores, self._starts)
            found[: len(self.rows)] = scores
        return found

    def kept(self, alive: NDArray[np.bool_]) -> Block:
        """These items without some."""
        if alive.all():
            return self
        count = len(self.rows)
        names = [name for name, lives in zip(self.names, alive, strict=True) if lives]
        matrix = self.matrix[np.repeat(alive[:count], self.rows)]
        spelled = self.spelled * len(names) // len(self.names)
        return Block(names, self.instants[alive], self.rows[alive[:count]], matrix, spelled)

    def joined(self, other: Block) -> Block:
        """These items and those of another block."""
        here, there = len(self.rows), len(other.rows)
        names = self.names[:here] + other.names[:there] + self.names[here:] + other.names[there:]
        instants = (
            self.instants[:here],
            other.instants[:there],
            self.instants[here:],
            other.instants[there:],
        )
        rows = np.concatenate((self.rows, other.rows))
        matrix = np.concatenate((self.matrix, other.matrix))
        return Block(names, np.concatenate(instants), rows, matrix, self.spelled + other.spelled)


class Scored(NamedTuple):
    """Items with their scores to one query."""

    names: list[Name]
    instants: NDArray[np.int64]
    scores: Vector
    alive: NDArray[np.bool_]

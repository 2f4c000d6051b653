"""What is embedded, by whom, and that what comes back are vectors of the promised size.

All texts of a batch are embedded before anything is sent, so that a provider's failure writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from langgraph.store.base import ensure_embeddings, get_text_at_path, tokenize_path
from langgraph.store.base.embed import EmbeddingsLambda
from numpy.typing import NDArray

from langgraph.store.redis.config import checked_index

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Vector: TypeAlias = NDArray[np.float32]


class Vectors(NamedTuple):
    """What the texts of items and the queries of a batch were embedded as."""

    texts: dict[str, Vector]
    queries: dict[str, Vector]


class _Awaited(EmbeddingsLambda):
    """An async function that is run to its end where a sync one is asked for."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return asyncio.run(self.aembed_documents(texts))


class Index:
    """What a store was told of its index, checked.

    Args:
        config: As the user gave it (`RedisIndexConfig`).

    Raises:
        TypeError: If a setting is of a wrong type.
        ValueError: If one is missing, unknown or out of range, or nothing can embed.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = checked_index(config)
        self.dims: int = self.config["dims"]
        self.embeddings = _embedder(self.config["embed"])
        self._paths = [_tokens(path) for path in self.config["fields"]]

    def texts(self, value: Mapping[str, Any], fields: Literal[False] | list[str] | None) -> list[str]:
        """What to embed of a value: of the fields given, or else of the index's own; nothing if False.

        Raises:
            TypeError: If the fields given are no list of `str`.
        """
        if fields is False:
            return []
        if fields is not None and not _are_fields(fields):
            raise TypeError(
                f'index of a put must be a list of paths such as ["text"], False or None, not {fields!r:.80}'
            )
        paths = self._paths if fields is None else [_tokens(path) for path in fields]
        plain = dict(value)
        return [text for path in paths for text in get_text_at_path(plain, path)]

    def embed(self, texts: list[str], queries: list[str]) -> Vectors:
        """The vectors of items' texts and of queries.

        Raises:
            ValueError: If there are too few or too many vectors, or one is not of `dims` numbers. What the
                provider raises comes through as it is.
        """
        embedder = self.embeddings
        found = embedder.embed_documents(texts) if texts else []
        return self._vectors(texts, found, queries, [embedder.embed_query(query) for query in queries])

    async def aembed(self, texts: list[str], queries: list[str]) -> Vectors:
        """Likewise, waiting for the provider."""
        embedder = self.embeddings
        found = await embedder.aembed_documents(texts) if texts else []
        asked = await asyncio.gather(*(embedder.aembed_query(query) for query in queries))
        return self._vectors(texts, found, queries, asked)

    def _vectors(self, texts: list[str], found: Any, queries: list[str], asked: Any) -> Vectors:
        return Vectors(
            dict(zip(texts, self._checked(texts, found), strict=True)),
            dict(zip(queries, self._checked(queries, asked), strict=True)),
        )

    def _checked(self, texts: list[str], found: Any) -> list[Vector]:
        if len(found) != len(texts):
            raise ValueError(
                f'index["embed"] gave {len(found)} vectors for {len(texts)} texts; nothing was written'
            )
        return [self._checked_vector(vector) for vector in found]

    def _checked_vector(self, given: Any) -> Vector:
        try:
            vector = np.asarray(given, dtype="<f4")
        except (TypeError, ValueError) as error:
            raise ValueError(f'index["embed"] gave what is no vector: {given!r:.80}') from error
        if vector.shape != (self.dims,) or not np.isfinite(vector).all():
            raise ValueError(
                f'index["embed"] gave a vector of shape {vector.shape}, or one that is not finite; '
                f'index["dims"] asks for {self.dims} numbers. Nothing was written'
            )
        return vector


def _embedder(given: Any) -> Embeddings:
    found = ensure_embeddings(given)
    if isinstance(found, EmbeddingsLambda) and not hasattr(found, "func"):
        return _Awaited(found.afunc)
    return found


def _are_fields(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and all(isinstance(path, str) for path in given)


def _tokens(path: str) -> list[str]:
    return [] if path == "$" else tokenize_path(path)

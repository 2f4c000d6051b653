"""Embeddings for tests: of each text always the same vector, unlike that of any other."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

DIMS = 8


class Meanings(Embeddings):
    """Embeds by digest.

    `asked`: the texts of each call for documents; `fails`: what to raise instead of answering, by method.
    """

    def __init__(self, dims: int = DIMS, model: str = "") -> None:
        self.dims = dims
        self.model = model
        self.asked: list[list[str]] = []
        self.fails: dict[str, Exception] = {}

    def of(self, text: str) -> list[float]:
        digest = hashlib.sha256(f"{self.model}{text}".encode()).digest()
        source = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        return [float(number) for number in source.standard_normal(self.dims).astype(np.float32)]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._fail("embed_documents")
        self.asked.append(list(texts))
        return [self.of(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self._fail("embed_query")
        return self.of(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        await asyncio.sleep(0)
        return self.embed_documents(texts)

    async def aembed_query(self, text: str) -> list[float]:
        await asyncio.sleep(0)
        return self.embed_query(text)

    def _fail(self, method: str) -> None:
        if method in self.fails:
            raise self.fails[method]


def index_of(meanings: Any, **options: Any) -> Any:
    """An index of the fields `text` and `more`."""
    dims = getattr(meanings, "dims", DIMS)
    return {"dims": dims, "embed": meanings, "fields": ["text", "more[*]"], **options}

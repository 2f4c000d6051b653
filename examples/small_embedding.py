"""An embedding without a network: words that mean alike point the same way, by a list of some of them.

A real model knows more words. This one shows what a store does with vectors, and runs anywhere.
"""

import hashlib
import re

import numpy as np
from langchain_core.embeddings import Embeddings

DIMS = 128

ALIKE = [
    "food eat eating dinner lunch cook cooking meal dish recipe restaurant pizza vegetarian vegan meat diet",
    "weather rain sun sunny snow cold warm umbrella outside",
    "music song songs guitar piano jazz concert band listen play",
    "travel trip holiday flight train seat window aisle hotel beach mountains",
    "work job office meeting meetings morning colleague project company",
    "family daughter son wife husband mother father child children sister brother name called",
]
"""Words of one field, a line each."""

_FIELDS = {word: number for number, line in enumerate(ALIKE) for word in line.split()}


class SmallEmbedding(Embeddings):
    """Vectors of `DIMS` numbers: the first say which fields a text is about, the rest which words it has."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector for each text."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """A vector of length 1; of zeros for a text without words."""
        vector = np.zeros(DIMS)
        for word in re.findall(r"\w{3,}", text.lower()):
            if word in _FIELDS:
                vector[_FIELDS[word]] += 2
            vector[len(ALIKE) + _place(word)] += 1
        length = float(np.linalg.norm(vector))
        return [float(number) for number in vector / length] if length else [0.0] * DIMS


def _place(word: str) -> int:
    digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % (DIMS - len(ALIKE))

"""Text like prose: it does not repeat itself, and it compresses somewhat."""

from __future__ import annotations

import random

_WORDS = ["".join(random.Random(n).choices("etaoinshrdlucmfwypvbgkqjxz", k=2 + n % 9)) for n in range(900)]


def prose(seed: int, size: int = 300) -> str:
    """Words, compressible about as much as a language; equal seeds, equal text."""
    return " ".join(random.Random(seed).choices(_WORDS, k=size))[:size]

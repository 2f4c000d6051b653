"""What a store may be told of its index and of lives, checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from langgraph.store.base import IndexConfig, TTLConfig

from langgraph._redis.lives import milliseconds

DISTANCES: Final = ("cosine", "inner_product", "l2")
MODES: Final = ("auto", "exact", "search")
KINDS: Final = ("hnsw", "flat")

_DEFAULTS: Final[dict[str, Any]] = {
    "fields": None,
    "distance_type": "cosine",
    "vector": "auto",
    "ann": "hnsw",
    "cache_bytes": 256 * 1024 * 1024,
}
_MOST_DIMS: Final = 32768
_TTL: Final[dict[str, Any]] = {
    "default_ttl": None,
    "refresh_on_read": True,
    "omit_expired": True,
    "sweep_interval_minutes": None,
}


class RedisIndexConfig(IndexConfig, total=False):
    """How items are embedded and found by meaning: LangGraph's settings, and these.

    Attributes:
        distance_type: ``"cosine"``, which is the default, ``"inner_product"`` or ``"l2"``. Scores are such
            that more is more alike: the cosine, the inner product, the negative distance.
        vector: ``"exact"`` ranks in this process, on every server; ``"search"`` leaves it to the Redis Query
            Engine; ``"auto"``, the default, takes the engine where the server has it.
        ann: The engine's kind of index, ``"hnsw"`` or ``"flat"``; or a dict with it as ``"type"`` and the
            engine's parameters, such as ``{"type": "hnsw", "M": 16, "EF_RUNTIME": 200}``.
        cache_bytes: How many bytes of vectors an exact search keeps in this process, at most; 256 MiB unless
            given.
    """

    distance_type: Literal["cosine", "inner_product", "l2"]
    vector: Literal["auto", "exact", "search"]
    ann: str | dict[str, Any]
    cache_bytes: int


def checked_index(given: Any) -> dict[str, Any]:
    """Settings of an index with all that was left out.

    Raises:
        TypeError: If they are no dict, or one is of a wrong type.
        ValueError: If one is missing, unknown or out of range.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f'index must be a dict such as {{"dims": 384, "embed": ...}}, not {given!r:.80}')
    known = {"dims", "embed", *_DEFAULTS}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"index has {', '.join(map(repr, unknown))}; it takes {', '.join(sorted(known))}")
    for name in ("dims", "embed"):
        if given.get(name) is None:
            raise ValueError(f'index["{name}"] is missing')
    found = {**_DEFAULTS, **given}
    _number("dims", found["dims"], _MOST_DIMS)
    _number("cache_bytes", found["cache_bytes"], 1 << 50)
    _one_of("distance_type", found["distance_type"], DISTANCES)
    _one_of("vector", found["vector"], MODES)
    found["ann"] = _ann(found["ann"])
    found["fields"] = _fields(found["fields"])
    return found


def _number(name: str, given: Any, most: int) -> None:
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f'index["{name}"] must be an int, not {given!r:.80}')
    if not 0 < given <= most:
        raise ValueError(f'index["{name}"] must be from 1 to {most}, not {given}')


def _one_of(name: str, given: Any, choice: tuple[str, ...]) -> None:
    if given not in choice:
        raise ValueError(f'index["{name}"] must be one of {", ".join(choice)}, not {given!r:.80}')


def _ann(given: Any) -> dict[str, Any]:
    found = {"type": given} if isinstance(given, str) else given
    if not isinstance(found, dict) or str(found.get("type")).lower() not in KINDS:
        raise ValueError(
            f'index["ann"] must be one of {", ".join(KINDS)}, or a dict with it as "type": {given!r:.80}'
        )
    return {**found, "type": found["type"].lower()}


def _fields(given: Any) -> list[str]:
    fields = ["$"] if given is None else given
    if isinstance(fields, str) or not all(isinstance(field, str) for field in fields):
        raise TypeError(f'index["fields"] must be a list of paths such as ["text"], not {given!r:.80}')
    return list(fields)


def checked_ttl(given: Any) -> TTLConfig | None:
    """What a store was told of lives.

    Raises:
        TypeError: If it is no dict, or a number is none.
        ValueError: If a setting is unknown or out of range.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise TypeError(f'ttl must be a dict such as {{"default_ttl": 60}}, not {given!r:.80}')
    unknown = [name for name in given if name not in _TTL]
    if unknown:
        raise ValueError(f"ttl has {', '.join(map(repr, unknown))}; it takes {', '.join(_TTL)}")
    for name in ("default_ttl", "sweep_interval_minutes"):
        if given.get(name) is not None:
            milliseconds(f'ttl["{name}"]', given[name])
    refresh = given.get("refresh_on_read", True)
    if not isinstance(refresh, bool):
        raise TypeError(f'ttl["refresh_on_read"] must be True or False, not {refresh!r:.80}')
    if given.get("omit_expired", True) is not True:
        raise ValueError('ttl["omit_expired"] can only be True here: what expired is never shown')
    return TTLConfig(**given)  # type: ignore[typeddict-item] # its names were checked.

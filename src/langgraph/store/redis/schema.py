"""The engine's indexes: made once for each shard, compared with what is wanted, and waited for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from langgraph._redis.errors import RedisPersistenceError, UnsupportedServerError
from langgraph._redis.plan import Call, Pause, Refusal

if TYPE_CHECKING:
    from langgraph._redis.plan import Argument, Plan
    from langgraph.store.redis.spread import Spread

_METRICS: Final = {"cosine": b"COSINE", "inner_product": b"IP", "l2": b"L2"}
_RECALL: Final = 200  # EF_RUNTIME; the engine's own 10 misses a quarter of 50,000 vectors.
_PATIENCE: Final = 120.0
_BREATH: Final = 0.02


def created(
    spread: Spread, dims: int, distance: str, ann: dict[str, Any], place: str, *, needed: bool
) -> Plan[bool]:
    """Make what indexes are missing, and wait until they have all that is stored.

    Args:
        spread: The shards.
        dims: How many numbers a vector has.
        distance: How they are compared.
        ann: The kind of index, and its parameters.
        place: Where the documents are: ``""`` or ``"2"``.
        needed: Whether there must be some.

    Returns:
        Whether there are.

    Raises:
        RedisPersistenceError: If the server did not index what is stored in time.
        UnsupportedServerError: If they are needed, and the server refuses them.
        ValueError: If there are some that index other vectors.
    """
    names = [spread.keys.documents(shard, place.encode()) for shard in range(spread.count)]
    words = _schema(dims, distance, ann)
    replies = yield [
        Call("FT.CREATE", [name], [b"ON", b"HASH", b"PREFIX", 1, name, *words], tolerant=True)
        for name in names
    ]
    refused = [reply for reply in replies if isinstance(reply, Refusal) and "exists" not in reply.message]
    if refused and needed:
        raise UnsupportedServerError(
            'index["vector"] "search" needs the Redis Query Engine (Redis 8, or Redis Stack) in database 0, '
            f"and leave to run FT.CREATE, FT.INFO and FT.SEARCH; the server refused: {refused[0].message}. "
            '"exact" works on every server'
        )
    if not refused:
        yield from _filled(names, dims, distance)
    return not refused


def dropped(spread: Spread, place: str) -> Plan[None]:
    """Take away the indexes of a place, where there are any; documents stay."""
    names = [spread.keys.documents(shard, place.encode()) for shard in range(spread.count)]
    yield [Call("FT.DROPINDEX", [name], tolerant=True) for name in names]


def _schema(dims: int, distance: str, ann: dict[str, Any]) -> list[Argument]:
    given = {str(name).upper(): value for name, value in ann.items() if name != "type"}
    parameters: dict[str, Any] = {
        "TYPE": "FLOAT32",
        "DIM": dims,
        "DISTANCE_METRIC": _METRICS[distance].decode(),
    }
    if ann["type"] == "hnsw":
        parameters["EF_RUNTIME"] = _RECALL
    words = [str(word).encode() for pair in {**parameters, **given}.items() for word in pair]
    tags = [b"tags", b"TAG", b"SEPARATOR", b",", b"CASESENSITIVE"]
    return [b"SCHEMA", *tags, b"vector", b"VECTOR", ann["type"].upper().encode(), len(words), *words]


def _filled(names: list[bytes], dims: int, distance: str) -> Plan[None]:
    deadline = time.monotonic() + _PATIENCE
    while True:
        told = [dict(_pairs(reply)) for reply in (yield [Call("FT.INFO", [name]) for name in names])]
        for name, info in zip(names, told, strict=True):
            _compare(name, info, dims, distance)
        if not any(int(float(info.get(b"indexing", 0))) for info in told):
            return
        if time.monotonic() > deadline:
            raise RedisPersistenceError(
                f"the server has not indexed all vectors below {names[0].decode()!r} after {_PATIENCE:g} s; "
                "it goes on: open the store again later"
            )
        yield Pause(_BREATH)


def _compare(name: bytes, info: dict[bytes, Any], dims: int, distance: str) -> None:
    """Refuse an index of other vectors, as far as the server tells what it has."""
    found = next((row for row in map(_row, info[b"attributes"]) if row.get(b"type") == b"VECTOR"), {})
    wanted = {b"dim": dims, b"distance_metric": _METRICS[distance]}
    for setting, value in wanted.items():
        told = found.get(setting, value)
        if told != value and told != str(value).encode():
            raise ValueError(
                f"index {name.decode()!r} has {setting.decode()} {told!r}, not {value!r}: drop it "
                "(FT.DROPINDEX, without DD), and open the store again"
            )


def _row(given: Any) -> dict[bytes, Any]:
    """One field of an index; flags without a value stand at the end of a list."""
    return given if isinstance(given, dict) else dict(zip(given[::2], given[1::2], strict=False))


def _pairs(reply: Any) -> Iterable[tuple[bytes, Any]]:
    return reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)

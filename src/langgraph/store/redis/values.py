r"""Values <-> bytes: they come back equal, or are refused before anything is sent.

JSON where JSON gives back what it was given, so that operators can read it; else LangGraph's serializer keeps
it, as ``<type>\n<bytes>``. JSON here is always an object, so it begins with a brace, and no type does. What
neither keeps, a tuple for instance, which would come back as a list, is refused with the place it stands in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from math import isnan
from typing import Any, Final

import orjson
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

_SERDE: Final = JsonPlusSerializer()
_LARGEST: Final = 512 * 1024 * 1024
_ADVICE: Final = "Store what JSON has: dict, list, str, numbers, bool, None"


def packed(value: Mapping[str, Any], where: str) -> bytes:
    """The bytes of a value.

    Args:
        value: What to store.
        where: What to call it in an error.

    Raises:
        TypeError: If it is no mapping, or holds what would not come back equal.
        ValueError: If it is larger than Redis takes.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"the value of {where} must be a dict, not {type(value).__name__}: {value!r:.80}")
    given = value if type(value) is dict else dict(value)
    data = _json(given) or _serialized(given, where)
    if len(data) > _LARGEST:
        raise ValueError(
            f"the value of {where} takes {len(data)} bytes, and Redis takes at most {_LARGEST} in one piece "
            "(proto-max-bulk-len, 512 MB): keep it elsewhere, and in the store only where it is"
        )
    return data


def unpacked(data: bytes) -> Any:
    """Undo `packed`."""
    if data[:1] == b"{":
        return orjson.loads(data)
    kind, _, body = data.partition(b"\n")
    return _SERDE.loads_typed((kind.decode(), body))


def _json(value: dict[str, Any]) -> bytes | None:
    """JSON, or None where it would give back something else: null for NaN, say, or text for a UUID."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        return None
    return data if orjson.loads(data) == value else None


def _serialized(value: dict[str, Any], where: str) -> bytes:
    try:
        kind, data = _SERDE.dumps_typed(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the value of {where} cannot be stored: {error}") from error
    packed = kind.encode() + b"\n" + data
    for path, given, found in _changes(value, _read_back(packed, where), ""):
        kept = type(given) is type(found)
        raise TypeError(
            f"the value of {where} cannot be stored: a {type(given).__name__} at {path or 'its top'} would "
            f"come back as {'another' if kept else 'a'} {type(found).__name__}. {_ADVICE}"
        )
    return packed


def _read_back(packed: bytes, where: str) -> Any:
    try:
        return unpacked(packed)
    except Exception as error:
        raise TypeError(f"the value of {where} cannot be stored: {error}. {_ADVICE}") from error


def _changes(given: Any, found: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: in a type, in a length, in a plain value. NaN is NaN here."""
    if type(given) is not type(found):
        yield path, given, found
    elif isinstance(given, dict):
        if given.keys() != found.keys():
            yield path, given, found
            return
        for key, each in given.items():
            yield from _changes(each, found[key], f"{path}[{key!r}]")
    elif isinstance(given, (str, int, float, bytes, set, frozenset)):
        if given != found and not _both_nan(given, found):
            yield path, given, found
    else:
        yield from _changes_inside(given, found, path)


def _changes_inside(given: Any, found: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(given, (list, tuple, deque)):
        if len(given) != len(found):
            yield path, given, found
        for at, (one, other) in enumerate(zip(given, found, strict=False)):
            yield from _changes(one, other, f"{path}[{at}]")
    for name in _attributes(given):
        yield from _changes(getattr(given, name), getattr(found, name), f"{path}.{name}")


def _attributes(given: Any) -> list[str]:
    """The names of what a dataclass or a Pydantic model is made of."""
    if is_dataclass(given):
        return [field.name for field in fields(given)]
    return list(getattr(type(given), "model_fields", ()))


def _both_nan(given: Any, found: Any) -> bool:
    return isinstance(given, float) and isnan(given) and isnan(found)

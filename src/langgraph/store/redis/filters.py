"""Whether a value is what a filter asks for, decided in Python; and what a record must hold for that.

The rules are InMemoryStore's: `$eq`, `$ne`, and `$gt`, `$gte`, `$lt`, `$lte` on what `float` takes; nested
dicts match key by key, lists element by element, a missing field counts as None. Only where InMemoryStore
raises, for a field that is missing or no number under an ordering, there is no match here.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Final

import orjson

_ORDERINGS: Final = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
_OPERATORS: Final = ("$eq", "$ne", *_ORDERINGS)
_EXACT: Final = 10**15
"""Integers below are spelled alike in JSON whether they are integers or floats."""


def checked(wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    """A filter that can be applied; none is an empty one.

    Raises:
        TypeError: If it is no mapping.
        ValueError: If it has an unknown operator, or orders by what is no number.
    """
    if wanted is None:
        return {}
    if not isinstance(wanted, Mapping):
        raise TypeError(f'filter must be a dict such as {{"kind": "fact"}}, not {wanted!r:.80}')
    for condition in wanted.values():
        _check(condition)
    return dict(wanted)


def _check(condition: Any) -> None:
    if isinstance(condition, (list, tuple)):
        for each in condition:
            _check(each)
    elif isinstance(condition, dict):
        operators = _is_operators(condition)
        for name, bound in condition.items():
            if not operators:
                _check(bound)
            elif name not in _OPERATORS:
                raise ValueError(f"filter has the operator {name!r}; there are {', '.join(_OPERATORS)}")
            elif name in _ORDERINGS and _number(bound) is None:
                raise ValueError(f"filter's {name} compares with a number, not with {bound!r:.80}")


def _is_operators(condition: dict[str, Any]) -> bool:
    return any(isinstance(name, str) and name.startswith("$") for name in condition)


def matches(value: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a value has all that is asked for."""
    return all(_fits(value.get(key), condition) for key, condition in wanted.items())


def _fits(found: Any, condition: Any) -> bool:
    if isinstance(condition, dict):
        if _is_operators(condition):
            return all(_holds(found, name, bound) for name, bound in condition.items())
        return isinstance(found, dict) and matches(found, condition)
    if isinstance(condition, (list, tuple)):
        return (
            isinstance(found, (list, tuple))
            and len(found) == len(condition)
            and all(map(_fits, found, condition))
        )
    return bool(found == condition)


def _holds(found: Any, name: str, bound: Any) -> bool:
    if name == "$eq":
        return bool(found == bound)
    if name == "$ne":
        return bool(found != bound)
    number, limit = _number(found), _number(bound)
    return number is not None and limit is not None and bool(_ORDERINGS[name](number, limit))


def _number(given: Any) -> float | None:
    try:
        return float(given)
    except (TypeError, ValueError, OverflowError):
        return None


def needles(wanted: Mapping[str, Any]) -> list[bytes]:
    """Texts that a value stored as JSON must hold to match, for the server to skip the others by."""
    found = []
    for key, condition in wanted.items():
        if isinstance(condition, dict):
            if not _is_operators(condition):
                found += needles(condition)
                continue
            condition = condition.get("$eq")  # noqa: PLW2901 - what is asked of the key is this.
        text = _spelled(key, condition)
        if text is not None:
            found.append(text)
    return found


def _spelled(key: Any, value: Any) -> bytes | None:
    """How JSON begins to spell a key and a value, where there is one way only: 1 may be stored as true."""
    plain = type(value) is str or (type(value) is int and 1 < abs(value) < _EXACT)
    if not plain or type(key) is not str:
        return None
    try:
        return orjson.dumps({key: value})[1:-1]
    except TypeError:  # A lone surrogate: such a value is not stored as JSON.
        return None

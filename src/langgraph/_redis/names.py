r"""Ids as text that Redis can hold: injective, and (for the last part of a field) in the ids' own order.

Two encodings, one for each place an id stands in:

* in a *field*, control characters become ``\x01`` and one printable character. They sort below every
  other character before and after, so the order of encoded ids is the order of the ids; and no encoded
  id holds a newline, a tab or a NUL, which the records use as separators.
* in a *key*, between the braces of a hash tag, text is percent-encoded where Redis or an operator's
  terminal would trip over it. It is never empty: Redis would hash the whole key for ``{}``.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

_CONTROL = re.compile("[\x00-\x1f]")
_CONTROL_OR_SLASH = re.compile("[\x00-\x1f/]")
_ESCAPED = re.compile("\x01(.)")
_UNSAFE_IN_TAG = re.compile("[\x00-\x20\x7f{}%]")
_PERCENT = re.compile("%([0-9A-F]{2})")
_EMPTY_TAG = "%"
# Escaped text never holds these: an escape's second character is between "@" and "o".
_NUMBER = "\x01#"
_NOTHING = "\x01~"


def _escape(match: re.Match[str]) -> str:
    return "\x01" + chr(ord(match[0]) + 0x40)


def part(text: str) -> str:
    """Encode an id that a ``/`` may follow, and that may be empty: a namespace."""
    if text.isprintable() and "/" not in text:
        return text
    return _CONTROL_OR_SLASH.sub(_escape, text)


def word(text: str) -> str:
    """Encode an id that stands in lists: a channel, a task. Never empty."""
    return part(text) or _NOTHING


def last(text: str) -> str:
    """Encode an id that stands last in its field, keeping the order of ids."""
    return text if text.isprintable() else _CONTROL.sub(_escape, text)


def plain(text: str) -> str:
    """Undo `part`, `word` and `last`."""
    if "\x01" not in text:
        return text
    if text == _NOTHING:
        return ""
    return _ESCAPED.sub(lambda match: chr(ord(match[1]) - 0x40), text)


def tag(text: str) -> str:
    """Encode an id for the hash tag of a key."""
    if not text:
        return _EMPTY_TAG
    return _UNSAFE_IN_TAG.sub(lambda match: f"%{ord(match[0]):02X}", text)


def untag(text: str) -> str:
    """Undo `tag`."""
    if text == _EMPTY_TAG:
        return ""
    return _PERCENT.sub(lambda match: chr(int(match[1], 16)), text)


def version(value: str | float) -> str:
    """Encode a channel version; numbers that compare equal are one version, a string is another."""
    if isinstance(value, str):
        return last(value)
    if isinstance(value, int) or value.is_integer():
        value = int(value)
    return f"{_NUMBER}{value}"


def text_of(argument: str, value: Any) -> str:
    """The text of an id that a caller gave.

    Args:
        argument: What to call it in an error.
        value: A `str`, an `int` or a `uuid.UUID`; ``1`` and ``"1"`` name the same.

    Raises:
        TypeError: For any other type, `bool` included.
    """
    if isinstance(value, str):
        return str.__str__(value)  # An enumeration's own `str` would be its name.
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__repr__(value)
    if isinstance(value, UUID):
        return str(value)
    kind = type(value).__name__
    raise TypeError(f"{argument} must be a str, an int or a UUID, not {kind}: {value!r:.80}")


def check_prefix(argument: str, given: Any) -> None:
    """Refuse what cannot stand before every key: a brace would begin a hash tag.

    Args:
        argument: What to call it in an error.
        given: What a caller gave.

    Raises:
        ValueError: If it is no `str`, is empty, or holds a brace.
    """
    if not isinstance(given, str) or not given or set("{}") & set(given):
        raise ValueError(f"{argument} must be a non-empty str without braces, not {given!r}")


def encode(text: str) -> bytes:
    """UTF-8 whose byte order is the text's order; lone surrogates pass, so that every `str` has one."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """Undo `encode`."""
    return data.decode("utf-8", "surrogatepass")

"""Loads scripts/*.lua.

A line ``--!include name`` is replaced by the text of scripts/name.lua: at the top, or where it is needed, for
each run of a script pays for the functions that it makes. A line ``-- KEYS data, index`` says how many keys a
script takes. A script whose arguments come ``-- ARGV in groups of 6:`` takes any number of groups.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

from langgraph._redis.plan import Script

_INCLUDE = re.compile(r"^ *--!include (\w+)$", re.MULTILINE)
_COMMENT_OR_INDENT = re.compile(r"^\s*(?:--.*)?\n|^[ \t]+", re.MULTILINE)
_GROUP = re.compile(r"^-- ARGV in groups of (\d+):", re.MULTILINE)
_KEYS = re.compile(r"^-- KEYS (.+)$", re.MULTILINE)


def _included(name: str) -> str:
    text = files("langgraph._redis").joinpath("scripts", f"{name}.lua").read_text("utf-8")
    return _INCLUDE.sub(lambda match: _included(match[1]), text)


@cache
def load(name: str) -> Script:
    """Read a script, with what it includes and without its comments.

    Args:
        name: The file's name without its ending.

    Raises:
        FileNotFoundError: If there is no such script in the package.
    """
    text = _included(name)
    assert "--!" not in text, f"scripts/{name}.lua has an include that is spelled in another way"
    keys = _KEYS.search(text)
    assert keys is not None, f"scripts/{name}.lua lacks its line of KEYS"
    source = _COMMENT_OR_INDENT.sub("", text).encode()
    sha = hashlib.sha1(source).hexdigest()  # noqa: S324 - Redis names scripts by SHA-1.
    group = _GROUP.search(text)
    return Script(name, source, sha, keys[1].count(",") + 1, int(group[1]) if group else 0)

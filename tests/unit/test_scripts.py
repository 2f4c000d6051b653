"""The scripts as files: each says what it is given, takes that, and travels without its comments."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import langgraph._redis
from langgraph._redis import scripts

FOLDER = Path(langgraph._redis.__path__[0], "scripts")
TEXTS = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.lua")}
_INCLUDE = re.compile(r"^ *--!include (\w+)$", re.MULTILINE)
INCLUDED = {name for text in TEXTS.values() for name in _INCLUDE.findall(text)}
RUN = sorted(TEXTS.keys() - INCLUDED)

each_run = pytest.mark.parametrize("name", RUN)
each = pytest.mark.parametrize("name", sorted(TEXTS))


def header_of(name: str) -> str:
    """The comment that a script opens with."""
    lines = TEXTS[name].splitlines()
    end = next(at for at, line in enumerate(lines) if not line.startswith("--") or line.startswith("--!"))
    return "\n".join(lines[:end])


def test_there_are_scripts_to_look_at() -> None:
    assert {"get", "list", "put", "put_writes", "delete"} <= set(RUN)


@each
def test_a_script_opens_with_what_it_does(name: str) -> None:
    assert re.match(r"-- [A-Z].*", TEXTS[name])


@each_run
def test_a_header_names_the_keys_that_the_script_is_given(name: str) -> None:
    used = {int(number) for number in re.findall(r"\bKEYS\[(\d+)\]", TEXTS[name])}

    assert re.search(r"^-- KEYS \w", header_of(name), re.MULTILINE)
    assert used == set(range(1, scripts.load(name).key_count + 1))


@each_run
def test_a_header_names_the_arguments_that_the_script_is_given(name: str) -> None:
    uses = re.search(r"\bARGV\b", TEXTS[name].removeprefix(header_of(name))) is not None

    assert (re.search(r"^-- ARGV \S", header_of(name), re.MULTILINE) is not None) == uses


@pytest.mark.parametrize("name", sorted(INCLUDED))
def test_what_is_included_is_given_no_keys_of_its_own(name: str) -> None:
    assert not re.search(r"\b(KEYS|ARGV)\b", TEXTS[name])


@each_run
def test_a_script_travels_whole_and_without_comments(name: str) -> None:
    script = scripts.load(name)

    assert script.name == name
    assert not re.search(rb"^\s*--", script.source, re.MULTILINE)
    assert re.search(rb"redis\.p?call\(", script.source)
    assert len(script.source.splitlines()) > 1


@each_run
def test_a_script_is_named_by_the_sha_of_what_travels(name: str) -> None:
    script = scripts.load(name)

    assert script.sha == hashlib.sha1(script.source).hexdigest()


@each_run
def test_a_script_is_the_same_at_each_load(name: str) -> None:
    assert scripts.load(name) is scripts.load(name)


def test_a_script_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="no_such_script"):
        scripts.load("no_such_script")


def commands_in(text: str) -> set[str]:
    """The commands that a script spells, in capitals as all here do."""
    return set(re.findall(r"'([A-Z]{3,})'", text)) - {"LIMIT", "WITHSCORES"}


USED = set[str]().union(*(commands_in(text) for name, text in TEXTS.items() if name != "probe"))

# What plans ask for without a script: whatever they spell in capitals, but as bytes, which are arguments.
# Two commands may be refused: INFO, which stands beside the probe, and MEMORY USAGE, which is two words.
ASKED = {
    command
    for path in FOLDER.parents[1].glob("checkpoint/**/*.py")
    if path.name != "agent_server.py"  # It names environment variables.
    for command in re.findall(r'(?<!b)"([A-Z]{4,})"', path.read_text("utf-8"))
} | {
    command
    for path in FOLDER.parents[1].glob("store/**/*.py")
    for command in re.findall(r'Call\(\s*"([A-Z]+)"', path.read_text("utf-8"))
}


# No module, no admin command, nothing that looks at all keys.
def test_only_commands_on_keys_that_are_named_are_used() -> None:
    assert {"HGET", "HSET", "ZADD"} <= USED
    assert {
        *("COPY", "EXISTS", "PERSIST", "PEXPIREAT", "PTTL", "RENAME", "TIME", "UNLINK"),
        *("HDEL", "HEXISTS", "HGET", "HKEYS", "HLEN", "HMGET", "HSET", "HSETNX", "HSTRLEN"),
        *("ZADD", "ZCARD", "ZLEXCOUNT", "ZRANDMEMBER", "ZRANGE", "ZREM", "ZREMRANGEBYLEX", "ZSCORE"),
        *("ZRANGEBYLEX", "ZRANGEBYSCORE", "ZREVRANGEBYLEX", "ZREVRANGEBYSCORE"),
    } >= USED | ASKED


# `setup` cannot vouch for a command that it did not try.
def test_the_probe_tries_every_command_that_is_used() -> None:
    assert commands_in(TEXTS["probe"]) == USED | ASKED


# What carries the others, and what no script may run.
CARRIERS = {"EVAL", "EVALSHA", "MULTI", "EXEC"}


def test_a_restricted_user_is_given_just_these_commands() -> None:
    readme = Path(__file__).parents[2].joinpath("README.md").read_text("utf-8")
    (line,) = re.findall(r"^ACL SETUSER .*$", readme, re.MULTILINE)
    given = re.findall(r" \+(\S+)", line)

    assert sorted(given) == sorted(command.lower() for command in commands_in(TEXTS["probe"]) | CARRIERS)

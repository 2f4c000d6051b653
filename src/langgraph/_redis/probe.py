"""What `setup` looks at: whether the server can do what is needed, and what may drop live data."""

from __future__ import annotations

from typing import Any, Final

from langgraph._redis import scripts
from langgraph._redis.errors import UnsupportedServerError
from langgraph._redis.names import encode
from langgraph._redis.plan import Call, Plan, Refusal

_PROBE: Final = scripts.load("probe")


class EvictionWarning(UserWarning):
    """The server may drop live data when its memory is full."""


def check(prefix: str) -> Plan[list[str]]:
    """Check the server in one round trip; nothing is left behind, no admin command is used.

    Args:
        prefix: The prefix of the keys that will be used: an ACL may allow only some.

    Returns:
        Warnings to show to the user.

    Raises:
        UnsupportedServerError: If a script that uses all commands needed is refused.
    """
    scratch = encode(f"{prefix}:{{setup}}:probe")
    probed, info = yield [
        Call(_PROBE, [scratch, scratch + b":copy"], tolerant=True),
        Call("INFO", (), (b"memory",), tolerant=True),
    ]
    if isinstance(probed, Refusal):
        raise UnsupportedServerError(
            "Redis 6.2 or later (or Valkey) is needed, no read-only replica, and a user who may run EVAL, "
            f"EVALSHA and the commands on keys below {prefix!r} that the README lists; the server refused: "
            f"{probed.message}"
        )
    return [] if isinstance(info, Refusal) else _eviction(_fields(info))


def _fields(info: Any) -> dict[str, str]:
    """INFO's fields, whether the client parsed them or not."""
    if isinstance(info, dict):
        return {_text(key): _text(item) for key, item in info.items()}
    rows = (row.partition(":") for row in _text(info).splitlines())
    return {key: item for key, colon, item in rows if colon}


def _text(item: Any) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)


def _eviction(memory: dict[str, str]) -> list[str]:
    policy, limit = memory.get("maxmemory_policy", ""), memory.get("maxmemory", "0")
    if not policy.startswith("allkeys") or limit == "0":
        return []
    warning = (
        f"maxmemory-policy is {policy} with maxmemory {limit}: when memory is full, the server drops "
        "keys that are in use, and threads lose their state. Set it to noeviction, or keep "
        "checkpoints in a server of their own."
    )
    return [warning]

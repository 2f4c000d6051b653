"""What `setup` looks at: whether the server can do what is needed, and what may drop live data."""

from __future__ import annotations

from typing import Any, Final

from langgraph._redis import scripts
from langgraph._redis.errors import UnsupportedServerError
from langgraph._redis.names import encode
from langgraph._redis.plan import Atomic, Call, Plan, Refusal

_PROBE: Final = scripts.load("probe")


class EvictionWarning(UserWarning):
    """The server may drop live data when its memory is full."""


def check(prefix: str, *, expiring: bool = False) -> Plan[list[str]]:
    """Check the server in two round trips; nothing is left behind, no admin command is used.

    Args:
        prefix: The prefix of the keys that will be used: an ACL may allow only some.
        expiring: Whether keys will have a time to live.

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
    look = Call("EXISTS", [scratch], tolerant=True)
    first, _ = yield Atomic([look, look])
    refused = next((reply for reply in (probed, first) if isinstance(reply, Refusal)), None)
    if refused is not None:
        raise UnsupportedServerError(
            "Redis 6.2 or later (or Valkey) is needed, no read-only replica, and a user who may run EVAL, "
            f"EVALSHA, MULTI, EXEC and what the README lists, on keys below {prefix!r}; the server "
            f"refused: {refused.message}"
        )
    return [] if isinstance(info, Refusal) else _eviction(_fields(info), expiring=expiring)


def _fields(info: Any) -> dict[str, str]:
    """INFO's fields, whether the client parsed them or not."""
    if isinstance(info, dict):
        return {_text(key): _text(item) for key, item in info.items()}
    rows = (row.partition(":") for row in _text(info).splitlines())
    return {key: item for key, colon, item in rows if colon}


def _text(item: Any) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)


def _eviction(memory: dict[str, str], *, expiring: bool) -> list[str]:
    policy, limit = memory.get("maxmemory_policy", ""), memory.get("maxmemory", "0")
    dangerous = policy.startswith("allkeys") or (expiring and policy.startswith("volatile"))
    if not dangerous or limit == "0":
        return []
    which = (
        "keys that are in use" if policy.startswith("allkeys") else "keys with a time to live, used or not"
    )
    warning = (
        f"maxmemory-policy is {policy} with maxmemory {limit}: when memory is full, the server drops "
        f"{which}, and threads lose their state before their time. Set it to noeviction, or keep "
        "checkpoints in a server of their own."
    )
    return [warning]

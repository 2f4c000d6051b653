"""The restricted user whom the documents describe."""

from __future__ import annotations

import re
from pathlib import Path

import redis

ROOT = Path(__file__).parents[1]
NAME, PASSWORD = "modest", "secret"


def documented() -> list[str]:
    """The commands that the README's user may run."""
    (line,) = re.findall(r"^ACL SETUSER .*$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    return re.findall(r" (\+\S+)", line)


def make_user(admin: redis.Redis, prefix: str, commands: list[str]) -> None:
    """Make a user of these commands, on keys below a prefix and no others."""
    admin.acl_setuser(
        NAME,
        enabled=True,
        reset=True,
        passwords=[f"+{PASSWORD}"],
        keys=[f"{prefix}:*"],
        commands=commands,
    )


def as_user(url: str) -> str:
    """The URL by which this user connects."""
    return url.replace("://", f"://{NAME}:{PASSWORD}@")

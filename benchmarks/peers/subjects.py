"""A saver in one style, as workloads see it: the same acts, called or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from benchmarks.measure import Act, awaited, blocking

THREADS = 128
"""Acts that go on at once, at most, where each has a thread."""


class BlockingSubject:
    """The saver's own methods, and graphs that call them."""

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.methods = blocking(saver)
        self._threads = ThreadPoolExecutor(THREADS)

    def graph(self, builder: Any, **options: Any) -> Callable[..., Act]:
        """Make acts that invoke the graph."""
        compiled = builder.compile(checkpointer=self.saver, **options)
        return lambda given, config, **how: partial(compiled.invoke, given, config, **how)

    def states(self, builder: Any, config: Any, limit: int | None = None) -> Act:
        """Read a thread's history."""
        compiled = builder.compile(checkpointer=self.saver)
        return lambda: list(compiled.get_state_history(config, limit=limit))

    def state(self, builder: Any, config: Any) -> Act:
        """Read a thread's state."""
        return partial(builder.compile(checkpointer=self.saver).get_state, config)

    def together(self, acts: Sequence[Act]) -> Act:
        """Call all at once, in a thread each."""
        return lambda: list(self._threads.map(lambda act: act(), acts))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()


class AwaitedSubject:
    """The saver's async methods, and graphs that await them."""

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.methods = awaited(saver)

    def graph(self, builder: Any, **options: Any) -> Callable[..., Act]:
        """Make acts that invoke the graph."""
        compiled = builder.compile(checkpointer=self.saver, **options)
        return lambda given, config, **how: partial(compiled.ainvoke, given, config, **how)

    def states(self, builder: Any, config: Any, limit: int | None = None) -> Act:
        """Read a thread's history."""
        compiled = builder.compile(checkpointer=self.saver)

        async def read() -> list[Any]:
            return [state async for state in compiled.aget_state_history(config, limit=limit)]

        return read

    def state(self, builder: Any, config: Any) -> Act:
        """Read a thread's state."""
        return partial(builder.compile(checkpointer=self.saver).aget_state, config)

    def together(self, acts: Sequence[Act]) -> Act:
        """Await all at once, as tasks of one loop."""

        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*(act() for act in acts))

        return all_of_them

    def close(self) -> None:
        """Nothing is held besides the saver."""

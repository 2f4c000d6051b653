"""Nodes of graphs that cost the same in both styles: they answer at once, on whatever called them.

A plain function would be handed to a thread by a graph that is awaited, and that hop would be timed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig


class Node(Runnable[Any, Any]):
    """A function from state to update, or to where the graph goes next."""

    name = None
    """Graphs name their nodes themselves."""

    def __init__(self, does: Callable[[Any], Any]) -> None:
        self._does = does

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """What the function returns."""
        del config, kwargs
        return self._does(input)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The same."""
        return self.invoke(input, config, **kwargs)

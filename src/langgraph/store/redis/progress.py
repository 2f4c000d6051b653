"""How far a long work is: a bar in the terminal where `rich` is installed, else lines of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

Told: TypeAlias = Callable[[int, int], None]
"""Is told how much is done, of how much."""

_LOG: Final = logging.getLogger(__name__)
_LINES: Final = 20


@contextmanager
def progress(what: str, *, shown: bool) -> Iterator[Told]:
    """Show how far it is, if that is wanted."""
    if not shown:
        yield lambda _done, _total: None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - only where it is installed.
        from rich.progress import MofNCompleteColumn, Progress  # noqa: PLC0415 - likewise.
    except ImportError:
        yield _logged(what)
        return
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _logged(what: str) -> Told:
    """A line for each twentieth."""
    last = 0

    def told(done: int, total: int) -> None:
        nonlocal last
        part = _LINES * done // max(1, total)
        if part > last:
            last = part
            _LOG.info("%s: %d of %d", what, done, total)

    return told

"""All that was found, as tables: for a terminal, for a page, for other pages to quote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich.table
from rich.markup import escape

from benchmarks.peers.grid import Table
from benchmarks.peers.tables import page
from benchmarks.scale import limit_tables, load_tables, memory_tables

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.scale.memory_tables import Found


NAMES = tuple(
    f"scale-{name}"
    for name in (
        *("where", "memory", "million", "ways", "core", "cluster", "nodes"),
        *("registry", "holds", "limits", "brief"),
    )
)
"""What the tables are called, in their order, whether there is anything to show in them or not."""


def tables(found: Found) -> list[Table]:
    """All of them, in the order in which a reader wants them."""
    where = Table("scale-where", "Where", ("", ""), tuple(found["where"].items()), numbers=False)
    return [where, *memory_tables.tables(found), *load_tables.tables(found), *limit_tables.tables(found)]


def markdown(found: Found) -> dict[str, str]:
    """Every table for a page, by its name."""
    return {table.name: page(table) for table in tables(found)}


def whole_page(found: Found) -> str:
    """All tables under their titles."""
    parts = (f"## {table.title}\n\n{page(table)}" for table in tables(found))
    return "\n\n".join(["# Scale", *parts]) + "\n"


def show(console: Console, found: Found) -> None:
    """Print every table, and what must be known to read it."""
    for table in tables(found):
        shown = rich.table.Table(title=table.title, title_justify="left", padding=(0, 0))
        for number, name in enumerate(table.header):
            shown.add_column(name, justify="right" if number and table.numbers else "left")
        for row in table.rows:
            shown.add_row(*map(escape, row))
        console.print(shown)
        for note in table.notes:
            console.print(escape(note), style="dim")

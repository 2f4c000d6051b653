"""Results as tables: which there are, and how a terminal and a page show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich.table
from rich.markup import escape

from benchmarks.peers import brief, facts, figures, targets
from benchmarks.peers.summary import STYLES, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from benchmarks.peers.contract import Results
    from benchmarks.peers.grid import Table


def tables(results: Results) -> list[Table]:
    """All of them, in the order in which a reader wants them."""
    found = Summary(results)
    by_style = [
        make(found, style)
        for make in (figures.operations, figures.graphs, figures.delayed, figures.wire, figures.memory)
        for style in STYLES
    ]
    whole = [figures.truths(found), brief.table(found), targets.table(found)]
    return [facts.machine(found), facts.contenders(found), facts.workloads(found), *by_style, *whole]


def show(console: Console, results: Results) -> None:
    """Print every table that has a line, what is wrong under the one it concerns, and what is missing."""
    for table in tables(results):
        if table.rows:
            show_table(console, table)


def markdown(results: Results) -> dict[str, str]:
    """Every table for a page, by its name."""
    return {table.name: page(table) for table in tables(results)}


def whole_page(results: Results) -> str:
    """All tables under their titles."""
    parts = (f"## {table.title}\n\n{page(table)}" for table in tables(results))
    return "\n\n".join(["# Savers against each other", *parts]) + "\n"


def page(table: Table) -> str:
    """One table as Markdown, its notes below; without any line it says so."""
    if not table.rows:
        return "Not measured in this run."
    ruler = ["---", *["---:" if table.numbers else "---"] * (len(table.header) - 1)]
    lines = [_line(cells) for cells in (table.header, ruler, *table.rows)]
    notes = "\\\n".join(_safe(note) for note in table.notes)
    return "\n".join(lines) + (f"\n\n{notes}" if notes else "")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_safe(cell).replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"


def _safe(text: str) -> str:
    """What a contender said may hold anything; on a page it is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def show_table(console: Console, table: Table) -> None:
    """Print one table, and its notes."""
    shown = rich.table.Table(title=table.title, title_justify="left", padding=(0, 0))
    for number, name in enumerate(table.header):
        shown.add_column(name, justify="right" if number and table.numbers else "left", no_wrap=not number)
    for row in table.rows:
        shown.add_row(*(_coloured(cell) for cell in row))
    console.print(shown)
    for note in table.notes:
        console.print(escape(note), style="dim")


def _coloured(cell: str) -> str:
    colours = {"PASS": "green", "over": "red", "under": "red", "wrong": "red", "failed": "red"}
    colour = next((colour for word, colour in colours.items() if cell.startswith(word)), None)
    return escape(cell) if colour is None else f"[{colour}]{escape(cell)}[/]"

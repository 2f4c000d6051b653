"""Figures for a person at a terminal, for a page, and for a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from benchmarks.figures import Section

COLOURS = {"PASS": "green", "over": "red", "": "default"}


def show_facts(console: Console, facts: Mapping[str, str]) -> None:
    """Print where the figures are taken."""
    table = Table(title="Where", title_justify="left", show_header=False)
    for name, value in facts.items():
        table.add_row(name, value)
    console.print(table)


def show(console: Console, section: Section) -> None:
    """Print one table and what must be known to read it."""
    table = Table(title=section.title, title_justify="left", caption_justify="left")
    for number, title in enumerate(section.header):
        table.add_column(title, justify="right" if number else "left", no_wrap=True)
    for row in section.rows():
        table.add_row(*row[:-1], f"[{COLOURS[row[-1]]}]{row[-1]}[/]")
    console.print(table)
    console.print(section.note, style="dim")


def summary(sections: Sequence[Section]) -> str:
    """How many figures keep to their targets."""
    verdicts = [figure.verdict for section in sections for figure in section.figures]
    return f"{verdicts.count('PASS')} within their targets, {verdicts.count('over')} over"


def write(
    folder: Path, name: str, facts: Mapping[str, str], sections: Sequence[Section]
) -> tuple[Path, Path]:
    """Write `<name>.json` and `<name>.md`; earlier ones of that name give way."""
    folder.mkdir(parents=True, exist_ok=True)
    data, page = folder / f"{name}.json", folder / f"{name}.md"
    found = {"where": dict(facts), "sections": [section.as_json() for section in sections]}
    data.write_text(json.dumps(found, indent=1) + "\n")
    page.write_text(_page(facts, sections))
    return data, page


def _page(facts: Mapping[str, str], sections: Sequence[Section]) -> str:
    parts = ["# Benchmark results", f"{summary(sections)}.", _table(("where", ""), facts.items())]
    for section in sections:
        parts += [f"## {section.title}", section.note, _table(section.header, section.rows())]
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ruler, *rows])

"""Put the figures of the last whole runs on pages: tables between their markers, and plots beside them.

    python benchmarks/peers/publish.py

A page says where a table goes: `<!-- figures: NAME -->`, and `<!-- end -->` behind it. What stands between
the two is replaced; the rest of the page is its authors'.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# The folder is no package that is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.peers import plots, tables
from benchmarks.peers.contract import Results
from benchmarks.scale import tables as scale_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parents[2]

NOT_YET = "Not measured yet."

_BY_STYLE = ("operations", "graphs", "delay", "wire", "memory")

PAGES = {
    "docs/performance.md": (
        *("machine", "contenders", "workloads", "targets", "truth", *scale_tables.NAMES),
        *(f"{name}-{style}" for name in _BY_STYLE for style in ("sync", "async")),
    ),
    "README.md": ("short",),
}
"""Pages, and the tables that each must have."""

_MARKED = re.compile(r"(<!-- figures: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


class MarkerError(ValueError):
    """A page's markers and the tables do not go together; the message names both."""


def fill(page: str, text: str, blocks: Mapping[str, str], needed: Iterable[str]) -> str:
    """The text of a page with its tables renewed.

    Raises:
        MarkerError: If a marker names no table, is not closed, or a table that the page needs has no marker.
    """
    found = [match[2] for match in _MARKED.finditer(text)]
    _check(page, text, found, blocks, needed)
    return _MARKED.sub(lambda match: f"{match[1]}\n{blocks[match[2]]}\n\n{match[4]}", text)


def _check(page: str, text: str, found: list[str], blocks: Mapping[str, str], needed: Iterable[str]) -> None:
    opened = re.findall(r"<!-- figures: *(.*?) *-->", text)
    if opened != found or text.count("<!-- end -->") != len(found):
        raise MarkerError(
            f"{page}: each of the markers {opened} needs its own `<!-- end -->` on a later line"
        )
    if unknown := [name for name in found if name not in blocks]:
        raise MarkerError(f"{page}: no table is called {unknown}; there are {sorted(blocks)}")
    if missing := [name for name in needed if name not in found]:
        raise MarkerError(f"{page}: write `<!-- figures: NAME -->` and `<!-- end -->` for {missing}")


def results(root: Path) -> Results | None:
    """The last whole run; None if there was none."""
    path = root / "benchmarks" / "results" / "peers.json"
    return Results.from_json(json.loads(path.read_text("utf-8"))) if path.exists() else None


def blocks(root: Path) -> dict[str, str]:
    """All tables by name; those of a run that there was not say so."""
    run, path = results(root), root / "benchmarks" / "results" / "scale.json"
    names = {name for needed in PAGES.values() for name in needed}
    scale = scale_tables.markdown(json.loads(path.read_text("utf-8"))) if path.exists() else {}
    return {**dict.fromkeys(names, NOT_YET), **(tables.markdown(run) if run is not None else {}), **scale}


def publish(root: Path) -> list[Path]:
    """Write all pages and plots anew, and every table on a page of its own; give back what was written."""
    made, run = blocks(root), results(root)
    pages = {root / page: fill(page, (root / page).read_text("utf-8"), made, PAGES[page]) for page in PAGES}
    if run is not None:
        pages[root / "benchmarks" / "results" / "peers.md"] = tables.whole_page(run)
    for path, text in pages.items():
        path.write_text(text, "utf-8")
    return [*pages, *(plots.draw(run, root / "docs" / "images") if run is not None else [])]


def main() -> None:
    """Publish, and say what was written."""
    for path in publish(ROOT):
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

"""A table before it is printed anywhere: cells are text, a line break in one is a second line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.peers.summary import Case, Summary, label
from benchmarks.peers.texts import NOTHING, raised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cell: TypeAlias = Callable[[str, Case], "str | None"]


@dataclass(frozen=True)
class Table:
    """What a table says; `numbers` puts all columns but the first at the right."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    numbers: bool = True


@dataclass
class Footnotes:
    """What went wrong, said once below a table and signed in its cells."""

    said: dict[str, int] = field(default_factory=dict)

    def sign(self, text: str, said: str) -> str:
        """The text of a cell, and where the rest is said."""
        return f"{text} {raised(self.said.setdefault(' '.join(said.split()), len(self.said) + 1))}"

    def lines(self) -> tuple[str, ...]:
        """All of them, by number."""
        return tuple(f"{raised(number)} {trouble}" for trouble, number in self.said.items())


@dataclass(frozen=True)
class Line:
    """One line: what it is called, what is compared in it, and what a contender's cell says of that.

    `cell` is asked only where the contender did the case rightly; None if it has nothing to say.
    """

    name: str
    case: Case
    cell: Cell


@dataclass(frozen=True)
class Grid:
    """Cases down, contenders across.

    Attributes:
        styles: In which styles, one after the other in a cell; () is each case's own.
        only: The contenders that are asked; all if None. Those with no outcome in any case have no column.
        extra: Further columns, by title.
        note: What must be known to read it.
    """

    name: str
    title: str
    lines: Sequence[Line]
    styles: Sequence[str] = ()
    only: Sequence[str] | None = None
    extra: Mapping[str, Callable[[Case], str]] = field(default_factory=dict)
    note: str = ""

    def table(self, found: Summary) -> Table:
        """Fill it in; below it stand what went wrong, and who is missing."""
        across, notes = self._across(found), Footnotes()
        rows = tuple(self._row(found, line, across, notes) for line in self.lines)
        told = (*filter(None, [self.note]), *notes.lines(), *_missing(found))
        return Table(self.name, self.title, ("", *map(label, across), *self.extra), rows, told)

    def _across(self, found: Summary) -> list[str]:
        wanted = [each for each in found.contenders if self.only is None or each in self.only]
        cases = [case for line in self.lines for case in self._styled(line.case)]
        return [name for name in wanted if any(found.outcome(name, case) for case in cases)]

    def _styled(self, case: Case) -> list[Case]:
        return [replace(case, style=style) for style in self.styles] or [case]

    def _row(self, found: Summary, line: Line, across: Sequence[str], notes: Footnotes) -> tuple[str, ...]:
        cells = [self._cell(found, contender, line, notes) for contender in across]
        return (line.name, *cells, *(make(line.case) for make in self.extra.values()))

    def _cell(self, found: Summary, contender: str, line: Line, notes: Footnotes) -> str:
        texts = [_text(found, contender, case, line.cell, notes) for case in self._styled(line.case)]
        same = len(set(texts)) == 1 and not texts[0][0].isdigit()
        return texts[0] if same else " / ".join(texts)


def _text(found: Summary, contender: str, case: Case, cell: Cell, notes: Footnotes) -> str:
    trouble, left = found.trouble(contender, case), found.left(contender, case)
    if trouble is not None:
        return notes.sign(trouble.split(":", 1)[0], f"{trouble} ({label(contender)})")
    text = cell(contender, case) or NOTHING
    return text if left is None else notes.sign(text, f"{left} ({label(contender)})")


def _missing(found: Summary) -> tuple[str, ...]:
    return tuple(f"missing: {label(each.name)}: {each.missing}" for each in found.missing)

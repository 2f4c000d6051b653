"""One contender in one style, as it runs: its worker, its place, and what goes between the two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.contenders import Contender
from benchmarks.peers.contract import Outcome, Sample, Weight, Workload
from benchmarks.peers.hands import START, Answer, Hand
from benchmarks.peers.lines import SilentError
from benchmarks.peers.place import Place
from benchmarks.peers.places import TROUBLE
from benchmarks.peers.wires import Wired


@dataclass(frozen=True)
class Cell:
    """What all contenders are compared in."""

    workload: Workload
    size: int
    delay_ms: float = 0.0


@dataclass
class Lane:
    """The place and its proxy are shared by the styles of a contender."""

    contender: Contender
    style: str
    hand: Hand
    place: Place
    wire: Wired | None = None
    _opened: bool = field(default=False, init=False)
    _asked_to_weigh: bool = field(default=False, init=False)

    def outcome(self, cell: Cell) -> Outcome:
        """Nothing yet."""
        return Outcome(self.contender.name, self.style, cell.workload.name, cell.size, cell.delay_ms)

    def empty(self, outcome: Outcome) -> None:
        """Drop what the place holds; nobody has it open."""
        try:
            self.place.empty()
        except TROUBLE as error:
            outcome.failed = f"its server: {error}"

    def begin_opening(self, outcome: Outcome, *, wired: bool) -> None:
        """Open the saver: at its server, or through the proxy; not if something failed already."""
        if outcome.failed is not None:
            return
        port = self.wire.port if wired and self.wire else None
        try:
            self.hand.begin("open", self.place.url(port))
            self._opened = True
        except SilentError as error:
            outcome.failed = str(error)

    def finish_opening(self, outcome: Outcome) -> None:
        """Wait until it is open."""
        if not self._opened:
            return
        try:
            problem = self.hand.finish(2 * START)
        except SilentError as error:
            self._opened, problem = False, str(error)
        if problem is not None:
            outcome.failed = f"could not be opened: {problem}"

    def close(self) -> None:
        """Close the saver, or end a worker that cannot."""
        if self._opened:
            self._opened = False
            try:
                self.hand.ask(START, "close")
            except SilentError:
                self.hand.stop()

    def run(self, cell: Cell, outcome: Outcome, thread: str, *, counted: bool = False) -> None:
        """One block, added to the outcome."""
        how = "count" if counted else "late" if cell.delay_ms else "time"
        try:
            self.hand.begin("block", cell.workload.name, cell.size, thread, how)
            found = self.hand.finish(cell.workload.cost + START, self._answers(cell))
        except (SilentError, *TROUBLE) as error:
            self._opened = False
            self.hand.stop()
            outcome.failed = str(error)
            return
        self._asked_to_weigh = found["asked_to_weigh"]
        _add(outcome, found, counted=counted)

    def _answers(self, cell: Cell) -> dict[str, Answer]:
        """To what a worker asks in the middle of a block."""
        if self.wire is None:
            return {"bytes": self.place.bytes, "counts": lambda: None}
        delay = self.wire.delay
        return {
            "bytes": self.place.bytes,
            "counts": self.wire.counts,
            "delay": lambda slow: delay(cell.delay_ms if slow else 0.0),
        }

    @property
    def gauged(self) -> bool:
        """Whether anything can be counted or weighed."""
        return self.wire is not None or self.place.weighs

    @property
    def wanted(self) -> bool:
        """Whether anything would be, in another block like the last one."""
        return self.wire is not None or (self.place.weighs and self._asked_to_weigh)


def _add(outcome: Outcome, found: dict[str, Any], *, counted: bool) -> None:
    samples = [Sample(**each) for each in found["samples"]]
    (outcome.counted if counted else outcome.samples).extend(samples)
    outcome.weights.extend(Weight(**each) for each in found["weights"])
    outcome.wrong, outcome.failed = found["wrong"], found["failed"]
    if outcome.wrong is not None:  # What came of it is worth nothing.
        outcome.samples.clear()
        outcome.counted.clear()
        outcome.weights.clear()

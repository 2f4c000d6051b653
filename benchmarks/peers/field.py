"""Everyone who takes part, made ready: environments, places, proxies, workers; and why others are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from typing_extensions import Self

from benchmarks.peers import places
from benchmarks.peers.contenders import Contender
from benchmarks.peers.contract import Entrant
from benchmarks.peers.hands import Hand
from benchmarks.peers.lanes import Lane
from benchmarks.peers.lines import SilentError
from benchmarks.peers.place import PlaceError
from benchmarks.peers.venvs import NotInstalledError
from benchmarks.peers.wires import Wired


class Field:
    """A context manager; what it started ends with it.

    Args:
        interpreter: Gives the Python of a contender's environment, or raises NotInstalledError.
        registry: Where workers find the workloads: `module:name`.
        logs: A folder for what workers print.

    Attributes:
        lanes: Those that run.
        entrants: All that were asked for.
    """

    def __init__(self, interpreter: Callable[[Contender], Path], registry: str, logs: Path) -> None:
        self._interpreter, self._registry, self._logs = interpreter, registry, logs
        self._stack = ExitStack()
        self.lanes: list[Lane] = []
        self.entrants: list[Entrant] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, contenders: Iterable[Contender], styles: Sequence[str]) -> None:
        """Make contenders ready; their workers start at the same time."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for each in contenders:
            wanted = tuple(style for style in each.styles if style in styles)
            entrant = Entrant(each.name, each.title, wanted)
            self.entrants.append(entrant)
            try:
                self._admit(each, entrant)
            except (NotInstalledError, PlaceError) as error:
                entrant.missing = str(error)
        for entrant in self.entrants:
            self._greet(entrant)

    def _admit(self, contender: Contender, entrant: Entrant) -> None:
        interpreter = self._interpreter(contender)
        place = places.start(contender.place)
        self._stack.callback(place.stop)
        wire = None if place.port is None else Wired(place.port)
        if wire is not None:
            self._stack.callback(wire.stop)
        entrant.server = place.about
        for style in entrant.styles:
            hand = Hand(self._command(interpreter, contender, style), self._log(contender, style))
            self._stack.callback(hand.stop)
            self.lanes.append(Lane(contender, style, hand, place, wire))

    def _greet(self, entrant: Entrant) -> None:
        """Hear what is installed; a contender whose workers cannot even say that does not run."""
        own = [lane for lane in self.lanes if lane.contender.name == entrant.name]
        try:
            for lane in own:
                entrant.versions = lane.hand.versions()
        except SilentError as error:
            entrant.missing = str(error)
            self.lanes = [lane for lane in self.lanes if lane not in own]

    def _command(self, interpreter: Path, contender: Contender, style: str) -> list[str]:
        worker = ("-m", "benchmarks.peers.worker", contender.name, style, self._registry)
        return [str(interpreter), *worker]

    def _log(self, contender: Contender, style: str) -> Path:
        log = self._logs / f"{contender.name}-{style}.log"
        log.unlink(missing_ok=True)
        return log

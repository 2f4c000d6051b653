"""How much is measured: enough for figures to quote, or for a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Of the threads of a population: at which of them it is weighed."""


@dataclass(frozen=True)
class Effort:
    """One size of a run.

    Attributes:
        name: What the results are called.
        threads: The population.
        sampled: Threads whose keys are weighed one by one.
        varied: Threads of each population that is kept in another way.
        loads: Threads that commands are recorded on, by the number of messages that these threads hold.
        seconds: How long each kind of load lasts at least, its repetitions together.
        cluster: Threads that chat on the cluster, and on one server beside it.
        held: Numbers of messages for which it is measured how long one script holds the server.
        touched: Threads that a registry holds while it is loaded: more than the population.
        dealt: Threads that are dealt out to nodes on paper.
        processes: That chat, and that load a server.
    """

    name: str
    threads: int
    sampled: int
    varied: int
    loads: Mapping[int, int]
    seconds: float
    cluster: int
    held: tuple[int, ...]
    touched: int
    dealt: int
    processes: int = 2

    @property
    def marks(self) -> tuple[int, ...]:
        """The numbers of threads at which the population is weighed."""
        return tuple(max(1, round(self.threads * share)) for share in SHARES)


FULL = Effort(
    name="scale",
    threads=10_000,
    sampled=300,
    varied=100,
    loads={20: 1_200, 600: 300},
    seconds=2.5,
    cluster=600,
    held=(20, 600, 5_000),
    touched=1_000_000,
    dealt=100_000,
)
QUICK = Effort(
    name="scale-quick",
    threads=400,
    sampled=100,
    varied=20,
    loads={20: 150, 600: 30},
    seconds=0.3,
    cluster=60,
    held=(20, 600),
    touched=100_000,
    dealt=10_000,
)

"""A primary dies or hangs under load: calls succeed after retries or raise; nothing is torn; writers go on.

Replication is asynchronous: what only the old primary had is lost, although it was acknowledged. Nothing is
lost where a saver waits for a replica. `make failovers` does this ten times each, and shows the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from outages import ONE, Hung, Killed, fail_over
from topologies import Together, start_cluster_of_six, start_sentinels

LONGEST = 15.0
"""Seconds that a call may take with its client's retries, each of which may take its timeout of a second."""


@pytest.fixture(params=[start_sentinels, start_cluster_of_six], ids=["sentinels", "cluster"])
def together(request: pytest.FixtureRequest) -> Iterator[Together]:
    start: Callable[[], Together] = request.param
    with start() as started:
        yield started


@pytest.mark.parametrize(
    ("outage", "options"),
    [(Killed(), {}), (Killed(), ONE), (Hung(), ONE)],
    ids=["killed", "killed, one replica", "hung, one replica"],
)
def test_writers_go_on_when_their_primary_fails(
    together: Together, key_prefix: str, outage: Killed | Hung, options: dict[str, Any]
) -> None:
    outcome = fail_over(together, key_prefix, outage, options)

    assert (outcome.hung, outcome.torn) == (0, 0)
    assert outcome.longest < LONGEST
    assert outcome.lost == 0 or not options

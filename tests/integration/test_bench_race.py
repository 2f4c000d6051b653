"""The race of savers: who takes part is measured, counted and delayed; who is wrong or fails is told."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.peers.contenders import CONTENDERS, Contender
from benchmarks.peers.contract import Results
from benchmarks.peers.field import Field
from benchmarks.peers.lanes import Cell
from benchmarks.peers.race import Effort, Race
from benchmarks.peers.venvs import NotInstalledError
from race_courses import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers.contract import Outcome

DELAY = 10.0
REGISTRY = "tests.race_courses:ALL"


def here(_: Contender) -> Path:
    """This environment, in place of one of the contender's own."""
    return Path(sys.executable)


def nowhere(contender: Contender) -> Path:
    raise NotInstalledError(f"no {contender.name} for this Python")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with Field(here, REGISTRY, tmp_path_factory.mktemp("logs")) as made:
        made.add([CONTENDERS["memory"], CONTENDERS["ours"]], ["sync", "async"])
        yield made


def run(field: Field, *workloads: str, effort: Effort | None = None) -> list[Outcome]:
    race = Race(field.lanes, effort or Effort(delays=()), lambda _: None)
    return race.run(race.effort.cells(ALL[name] for name in workloads))


def by_lane(outcomes: list[Outcome]) -> dict[tuple[str, str, float], Outcome]:
    return {(each.contender, each.style, each.delay_ms): each for each in outcomes}


def test_every_contender_and_style_is_measured_in_every_round(field: Field) -> None:
    outcomes = by_lane(run(field, "puts"))

    assert set(outcomes) == {(name, style, 0) for name in ("memory", "ours") for style in ("sync", "async")}
    for each in outcomes.values():
        assert (each.wrong, each.failed) == (None, None)
        assert [sample.at for sample in each.samples] == [1, 2, 3] * 2
        assert all(sample.nanoseconds > 0 for sample in each.samples)


def test_round_trips_and_bytes_of_each_act_are_counted(field: Field) -> None:
    found = [each for each in run(field, "puts") if each.contender == "ours"]

    for each in found:
        assert [sample.round_trips for sample in each.counted] == [1, 1, 1]
        assert all(sample.sent and sample.received for sample in each.counted)
        assert all(sample.round_trips is None for sample in each.samples)


def test_what_is_kept_is_weighed_where_a_server_keeps_it(field: Field) -> None:
    outcomes = by_lane(run(field, "puts"))

    weights = outcomes["ours", "sync", 0].weights
    assert [each.at for each in weights] == [0, 1, 2, 3]
    assert weights[-1].bytes > weights[0].bytes > 0
    assert not outcomes["memory", "sync", 0].weights


def test_a_delayed_network_costs_its_delay_each_round_trip(field: Field) -> None:
    outcomes = by_lane(run(field, "puts", effort=Effort(delays=(DELAY,))))

    for style in ("sync", "async"):
        late = outcomes["ours", style, DELAY].samples
        assert all(sample.nanoseconds >= DELAY * 1e6 for sample in late)
    assert ("memory", "sync", DELAY) not in outcomes


def test_a_wrong_result_is_told_and_has_no_times(field: Field) -> None:
    outcomes = run(field, "lies")

    assert {each.wrong for each in outcomes} == {"None came back"}
    assert not any(each.samples or each.counted for each in outcomes)


def test_an_error_is_told(field: Field) -> None:
    outcomes = run(field, "breaks")

    assert {each.failed for each in outcomes} == {"ValueError: broken"}


def test_a_block_that_takes_too_long_is_left_and_keeps_what_was_measured(field: Field) -> None:
    outcomes = run(field, "lasts")

    for each in outcomes:
        assert each.failed is not None
        assert each.failed.startswith("left after 0.05 s in a block")
        assert each.samples


def test_a_worker_that_dies_is_told_and_another_goes_on(field: Field) -> None:
    died, went_on = run(field, "dies"), run(field, "puts")

    assert all(each.failed and "its process: it ended" in each.failed for each in died)
    assert all(each.failed is None and each.samples for each in went_on)


def test_once_its_time_is_over_a_cell_has_one_round_and_that_is_told(field: Field) -> None:
    race = Race(field.lanes, Effort(delays=(), seconds=0.0), lambda _: None)

    outcomes = race.run(race.effort.cells([ALL["puts"]]))

    assert race.short == ["puts 3: 1 of 2"]
    assert all(len(each.samples) == 3 for each in outcomes)


def test_a_cell_has_the_rounds_that_its_workload_needs_whatever_the_time(field: Field) -> None:
    cells = [Cell(replace(ALL["puts"], least=2), 3, delay) for delay in (0.0, DELAY)]
    race = Race(field.lanes, Effort(delays=(DELAY,), seconds=0.0, rounds=3), lambda _: None)

    race.run(cells)

    assert race.short == ["puts 3: 2 of 3", f"puts 3 +{DELAY:g} ms: 1 of 2"]


def test_progress_is_told_for_every_block(field: Field) -> None:
    ended: list[None] = []
    race = Race(
        field.lanes, Effort(delays=(DELAY,)), lambda said: ended.append(None) if said is None else None
    )
    cells = race.effort.cells([ALL["puts"], ALL["lies"]])

    race.run(cells)

    assert len(ended) == race.blocks(cells)


def test_what_is_missing_is_named_with_its_reason(tmp_path: Path) -> None:
    with Field(nowhere, REGISTRY, tmp_path) as field:
        field.add([CONTENDERS["sqlite"]], ["sync"])

    assert not field.lanes
    assert [each.missing for each in field.entrants] == ["no sqlite for this Python"]


def test_a_contender_whose_worker_does_not_start_is_missing(tmp_path: Path) -> None:
    unknown = replace(CONTENDERS["memory"], name="unknown")
    with Field(here, REGISTRY, tmp_path) as field:
        field.add([unknown], ["sync"])

    assert not field.lanes
    assert "KeyError: 'unknown'" in str(field.entrants[0].missing)


def test_results_outlast_a_file(field: Field) -> None:
    results = Results({"python": "3"}, field.entrants, run(field, "puts"))

    assert Results.from_json(results.as_json()) == results
    assert results.entrants[1].server.startswith("Valkey")
    assert "langgraph" in results.entrants[1].versions

"""What a run's figures come to, and what tables and plots make of them."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.peers import messages, plots, tables
from benchmarks.peers.contract import LEFT, Entrant, Outcome, Results, Sample, Weight
from benchmarks.peers.drawing import COLOURS, WIDTH, apart
from benchmarks.peers.summary import Case, Summary
from benchmarks.peers.targets import Check, checks
from unit.made_up import run

PUT = Case("put", 20, "sync")
CHAT = Case("chat", 500, "sync")


def samples(*milliseconds: float, at: int = 0) -> list[Sample]:
    return [Sample(at, int(each * 1e6)) for each in milliseconds]


def results(*outcomes: Outcome) -> Results:
    names = dict.fromkeys(each.contender for each in outcomes)
    return Results({}, [Entrant(name, name, ("sync", "async")) for name in names], list(outcomes))


def summary(*outcomes: Outcome) -> Summary:
    return Summary(results(*outcomes))


def cells(found: Results, name: str) -> dict[str, dict[str, str]]:
    """A table's cells, by line and column."""
    (table,) = (each for each in tables.tables(found) if each.name == name)
    return {row[0]: dict(zip(table.header[1:], row[1:], strict=True)) for row in table.rows}


def test_a_time_is_the_median_with_its_quartiles() -> None:
    found = summary(Outcome("ours", "sync", "put", 20, samples=samples(5, 1, 3, 2, 4))).time("ours", PUT)

    assert found is not None
    assert (found.low, found.median, found.high, found.count) == (2e6, 3e6, 4e6, 5)


def test_a_ratio_is_of_medians() -> None:
    found = summary(
        Outcome("ours", "sync", "put", 20, samples=samples(1, 2, 90)),
        Outcome("redis-0.5.2", "sync", "put", 20, samples=samples(3, 9, 10)),
    )

    assert found.ratio("redis-0.5.2", "ours", PUT) == 4.5
    assert found.ratio("redis-0.5.2", "memory", PUT) is None


def test_styles_sizes_and_delays_are_never_mixed() -> None:
    found = summary(
        Outcome("ours", "sync", "put", 20, samples=samples(1)),
        Outcome("ours", "async", "put", 20, samples=samples(2)),
        Outcome("ours", "sync", "put", 600, samples=samples(3)),
        Outcome("ours", "sync", "put", 20, 10.0, samples=samples(4)),
    )
    cases = [PUT, replace(PUT, style="async"), replace(PUT, size=600), replace(PUT, delay_ms=10.0)]

    times = [found.time("ours", case) for case in cases]

    assert [time and time.median for time in times] == [1e6, 2e6, 3e6, 4e6]
    assert (found.sizes("put"), found.sizes("put", delayed=True)) == ([20, 600], [20])
    assert found.delays("put") == [0.0, 10.0]


def test_a_place_on_the_axis_is_the_samples_up_to_it() -> None:
    turns = [sample for turn in range(1, 31) for sample in samples(turn, at=turn)]
    found = summary(Outcome("ours", "sync", "chat", 500, samples=turns))

    time = found.time("ours", replace(CHAT, upto=20))

    assert time is not None
    assert (time.median, time.count) == (15.5e6, 10)  # Turns 11 to 20.


def test_round_trips_and_bytes_come_from_the_samples_that_were_counted() -> None:
    counted = [Sample(1, 1, 4, 700, 90), Sample(2, 1, 6, 900, 110), Sample(3, 1, 5, 800, 100)]
    outcome = Outcome("ours", "sync", "put", 20, samples=[Sample(0, 1, 99, 99, 99)], counted=counted)
    found = summary(outcome, Outcome("memory", "sync", "put", 20, samples=samples(1)))

    assert [ask("ours", PUT) for ask in (found.round_trips, found.sent, found.received)] == [5, 800, 100]
    assert found.round_trips("memory", PUT) is None


def test_bytes_a_turn_leave_out_what_was_there_before_the_first() -> None:
    weights = [Weight(0, 1_000_000), Weight(10, 1_060_000), Weight(300, 4_000_000)]
    found = summary(Outcome("ours", "sync", "chat", 500, weights=weights))

    assert found.added_a_unit("ours", replace(CHAT, upto=10)) == 6000
    assert found.added_a_unit("ours", CHAT) == 10_000
    assert found.added_a_unit("ours", replace(CHAT, upto=500)) is None


def test_what_is_wrong_or_failed_has_no_figure_at_all() -> None:
    found = Summary(run())

    for contender, case in found.outcomes:
        if contender == "aws-valkey":
            assert found.trouble(contender, case)
            assert found.time(contender, case) is None
            assert found.series(contender, case) == []
            assert found.round_trips(contender, case) is None
            assert found.added(contender, case) == {}


def test_what_was_left_for_its_slowness_counts_as_far_as_it_came() -> None:
    turns = [sample for turn in range(1, 301) for sample in samples(turn, at=turn)]
    weights = [Weight(0, 0), Weight(300, 3000)]
    slow = f"{LEFT} 120 s in a block, 300 measured"
    outcome = Outcome("redis-0.5.2", "sync", "chat", 500, samples=turns, weights=weights, failed=slow)
    found = results(outcome)

    line = cells(found, "graphs-sync")

    assert line["chat, turn 300"] == {"redis 0.5.2": "296 ±1% ¹", "÷ in memory": "-"}
    assert line["chat, turn 500"]["redis 0.5.2"] == "failed ²"
    assert Summary(found).added_a_unit("redis-0.5.2", replace(CHAT, upto=300)) == 10


@pytest.mark.parametrize("style", ["sync", "async"])
def test_tables_say_who_is_wrong_who_failed_and_who_is_missing(style: str) -> None:
    (table,) = (each for each in tables.tables(run()) if each.name == f"operations-{style}")
    line = cells(run(), table.name)

    assert line["put, 600"]["aws Valkey"] == "wrong ¹"
    assert line["get_tuple, 600"]["aws Valkey"] == "failed ²"
    assert line["get_tuple, 20"]["aws Valkey"] == "-"
    assert table.notes[1:] == (
        "¹ wrong: a message of <thread> came back as another | one (aws Valkey)",
        "² failed: ConnectionError: it hung up (aws Valkey)",
        "missing: Postgres: no PostgreSQL was found",
    )


def test_no_table_shows_a_time_of_a_contender_that_was_wrong() -> None:
    shown = {
        cell
        for table in tables.tables(run())
        if "aws Valkey" in table.header
        for row in table.rows
        if (cell := row[table.header.index("aws Valkey")])
    }

    assert shown == {"-", "wrong ¹", "failed ²"}


def test_a_cell_has_the_median_its_spread_and_the_multiple_of_ours() -> None:
    found = results(
        Outcome("ours", "sync", "put", 20, samples=samples(0.9, 1.0, 1.1)),
        Outcome("memory", "sync", "put", 20, samples=samples(0.5, 0.5, 0.5)),
    )

    assert cells(found, "operations-sync") == {
        "put, 20": {"this project": "1.00 ±5%", "in memory": "0.500 ±0%\n0.500 x", "÷ in memory": "2.00 x"}
    }


def test_a_terminal_shows_every_table_that_has_a_line() -> None:
    console = Console(file=io.StringIO(), width=160)

    tables.show(console, run())

    text = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    assert all(table.title in text for table in tables.tables(run()) if table.rows)
    assert "Right or wrong" not in text


def test_what_a_contender_said_is_only_text_on_a_page() -> None:
    page = tables.markdown(run())["operations-sync"]

    assert "a message of &lt;thread> came back as another | one" in page
    assert "<thread>" not in page
    assert {line.count("|") for line in page.splitlines() if line.startswith("|")} == {11}


def test_targets_are_held_against_the_run() -> None:
    found = {check.name: check for check in checks(Summary(run()))}

    faster = found["put, 600 messages, sync: times as fast as redis 0.5.2"]
    ratio = Summary(run()).ratio("redis-0.5.2", "ours", Case("put", 600, "sync"))

    assert (faster.value, faster.atleast, faster.verdict) == (ratio, 7, "PASS")
    assert found["files-append, sync: bytes sent a step, in those of the change"].verdict == "not measured"
    assert found["chat turn, sync: round trips on its critical path, rounded"].value == 4


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (Check("", 4.0, atleast=4), "PASS"),
        (Check("", 3.9, atleast=4), "under"),
        (Check("", 1.1, atmost=1.1), "PASS"),
        (Check("", 1.2, atmost=1.1), "over"),
        (Check("", 1.2), ""),
        (Check("", None, atmost=1.1), "not measured"),
        (Check("", -0.1, atmost=1.1), "not measured"),
    ],
)
def test_a_check_holds_or_says_on_which_side_it_misses(check: Check, verdict: str) -> None:
    assert check.verdict == verdict


def test_plots_are_pictures_of_the_width_that_pages_expect(tmp_path: Path) -> None:
    written = plots.draw(run(), tmp_path / "images")

    assert [path.stem for path in written] == [
        "turn-time",
        "server-memory",
        "operations",
        "fan-out",
        "network-delay",
    ]
    for path in written:
        head = path.read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">I", head[16:20]) == (WIDTH,)


def test_plots_draw_nobody_who_was_wrong() -> None:
    found = Summary(run())

    for plot in (each(found) for each in plots.PLOTS):
        names = plot.drawn()
        assert "ours" in names
        assert not {"aws-valkey", "postgres"} & set(names)


def test_a_plot_without_figures_is_not_written(tmp_path: Path) -> None:
    only_put = results(Outcome("ours", "sync", "put", 20, samples=samples(1)))

    assert [path.stem for path in plots.draw(only_put, tmp_path)] == ["operations"]


def test_a_title_says_of_both_styles_what_flatters_less() -> None:
    def runs(contender: str, style: str, milliseconds: float) -> Outcome:
        return Outcome(contender, style, "fanout", 500, samples=samples(milliseconds))

    found = summary(
        *(runs("memory", style, 100) for style in ("sync", "async")),
        *(runs("ours", *each) for each in (("sync", 150), ("async", 120))),
        *(runs("redis-0.5.2", *each) for each in (("sync", 900), ("async", 800))),
    )
    cases = [[Case("fanout", 500, style) for style in ("sync", "async")]]

    title = messages.fan_out(found, cases)

    assert title == "500 tasks at once take this project 1.50 x InMemorySaver's time, redis 0.5.2 8.00 x"


def test_a_title_claims_nothing_of_whom_there_are_no_figures() -> None:
    found = summary(Outcome("ours", "sync", "fanout", 500, samples=samples(1)))

    assert messages.fan_out(found, [[Case("fanout", 500, "sync")]]) == "Fan-out to many tasks"
    assert messages.memory(found, [CHAT]) == "What a chat keeps, turn by turn"


def test_names_at_lines_are_moved_apart_and_stay_in_order() -> None:
    assert apart([0.0, 1.0, 2.0, 100.0], 13.0) == [-12.0, 1.0, 14.0, 100.0]
    assert apart([0.0, 1.0, 2.0, 30.0], 13.0, lowest=5.0) == [5.0, 18.0, 31.0, 44.0]


def test_each_contender_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS.values())) == len(COLOURS)

"""Pages hold what the committed results give, and nothing else of a page is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.peers import plots, publish, tables
from benchmarks.peers.publish import NOT_YET, PAGES, MarkerError, fill
from unit.made_up import run

ROOT = Path(__file__).parents[2]

PAGE = """# Title

Before.

<!-- figures: one -->
old
<!-- end -->

Between, with `\\1`.
<!-- figures: two -->
<!-- end -->
After."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Pages with their markers alone, in a repository without results."""
    for page, needed in PAGES.items():
        (tmp_path / page).parent.mkdir(exist_ok=True)
        markers = (f"<!-- figures: {name} -->\n<!-- end -->\n" for name in needed)
        (tmp_path / page).write_text("".join(markers), "utf-8")
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    return tmp_path


def test_only_what_stands_between_markers_is_replaced() -> None:
    filled = fill("page", PAGE, {"one": "| a \\g<0> |", "two": "b"}, ("one",))

    assert filled == (
        "# Title\n\nBefore.\n\n<!-- figures: one -->\n\n| a \\g<0> |\n\n<!-- end -->\n\n"
        "Between, with `\\1`.\n<!-- figures: two -->\n\nb\n\n<!-- end -->\nAfter."
    )
    assert fill("page", filled, {"one": "| a \\g<0> |", "two": "b"}, ("one",)) == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.replace("figures: two", "figures: tow"), r"page: no table is called \['tow'\]; there are"),
        (PAGE.replace("<!-- figures: one -->\n", "", 1), "page: each of the markers"),
        (PAGE.replace("<!-- end -->", "", 1), "page: each of the markers"),
        (PAGE.replace("one -->", "one --> <!-- end -->"), "page: each of the markers"),
        ("no marker", r"page: write `<!-- figures: NAME -->` and `<!-- end -->` for \['one'\]"),
    ],
)
def test_markers_that_do_not_fit_the_tables_are_an_error_that_names_them(text: str, message: str) -> None:
    with pytest.raises(MarkerError, match=message):
        fill("page", text, {"one": "", "two": ""}, ("one",))


def test_a_run_is_published_on_its_pages(copy: Path) -> None:
    path = copy / "benchmarks" / "results" / "peers.json"
    path.write_text(json.dumps(run().as_json()))

    written = publish.publish(copy)

    assert {each.relative_to(copy).as_posix() for each in written} == {
        *PAGES,
        "benchmarks/results/peers.md",
        *(f"docs/images/{name}.png" for name in ("turn-time", "server-memory", "operations", "fan-out")),
        "docs/images/network-delay.png",
    }
    assert "| put, 600 messages, ms |" in (copy / "README.md").read_text("utf-8")
    performance = (copy / "docs" / "performance.md").read_text("utf-8")
    assert all(tables.markdown(run())[name] in performance for name in ("targets", "delay-async"))


def test_without_a_run_pages_say_so(copy: Path) -> None:
    written = publish.publish(copy)

    assert {each.relative_to(copy).as_posix() for each in written} == {*PAGES}
    assert NOT_YET in (copy / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_the_committed_page_holds_what_the_committed_results_give(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")

    assert fill(page, text, publish.blocks(ROOT), PAGES[page]) == text


def test_every_plot_of_the_committed_results_is_there_and_shown(tmp_path: Path) -> None:
    run_, performance = publish.results(ROOT), (ROOT / "docs" / "performance.md").read_text("utf-8")

    drawn = [] if run_ is None else plots.draw(run_, tmp_path)

    for path in drawn:
        assert (ROOT / "docs" / "images" / path.name).exists()
        assert f"](images/{path.name})" in performance


def test_the_committed_tables_of_all_are_those_of_the_committed_results() -> None:
    run_, path = publish.results(ROOT), ROOT / "benchmarks" / "results" / "peers.md"

    assert (path.read_text("utf-8") if path.exists() else None) == (
        None if run_ is None else tables.whole_page(run_)
    )

"""Blocks, snapshots and their order, without a server."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph.store.redis.blocks import Block, Entry, Measure, Name
from langgraph.store.redis.order import Order
from langgraph.store.redis.snapshots import Cache, Passing, Snapshot

DIMS = 2
MEASURE = Measure("inner_product", DIMS)
QUERY = np.array([1, 0], np.float32)


def entry(key: str, instant: int, *scores: float) -> Entry:
    """An item whose vectors have these products with `QUERY`."""
    vectors = np.array([[score, 1] for score in scores], "<f4")
    return Entry((b"ns", key.encode()), instant, vectors.tobytes())


def hits(snapshot: Snapshot | Passing) -> list[tuple[str, int, float | None]]:
    scored = snapshot.scored(QUERY, {}) if isinstance(snapshot, Snapshot) else snapshot.scored()
    order = Order(scored)
    found = [order.at(place) for place in range(len(order))]
    return [(hit.name[1].decode(), hit.instant, hit.score) for hit in found]


def test_the_most_alike_stands_first_then_the_newest_then_what_has_no_score() -> None:
    snapshot = Snapshot(MEASURE)

    snapshot.add(
        [entry("a", 1, 5), entry("old", 2), entry("b", 3, 7, 1), entry("c", 4, 5), entry("new", 5)],
        ended=True,
    )

    assert hits(snapshot) == [("b", 3, 7), ("c", 4, 5), ("a", 1, 5), ("new", 5, None), ("old", 2, None)]


def test_what_is_told_twice_or_late_changes_nothing() -> None:
    snapshot = Snapshot(MEASURE)
    snapshot.add([entry("a", 3, 5)], ended=True)

    assert not snapshot.add([entry("a", 3, 5)], ended=True)
    assert not snapshot.add([entry("a", 1, 9)], ended=False)

    assert hits(snapshot) == [("a", 3, 5)]
    assert (snapshot.after, snapshot.complete) == (3, True)


UPDATES = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.lists(st.integers(-9, 9), max_size=3)), max_size=6),
    max_size=12,
)


@given(updates=UPDATES)
def test_any_updates_leave_what_was_told_last(updates: list[list[tuple[str, list[int]]]]) -> None:
    snapshot, limited = Snapshot(MEASURE), Snapshot(MEASURE)
    passing = Passing(MEASURE, QUERY, limited)
    latest: dict[str, tuple[int, list[int]]] = {}
    instant = 0
    for page in updates:
        told: dict[str, Entry] = {}
        for key, scores in page:
            instant += 1
            latest[key] = instant, scores
            told.pop(key, None)  # The server tells of an item once, at its last instant.
            told[key] = entry(key, instant, *scores)
        snapshot.add(list(told.values()), ended=True)
        passing.add(list(told.values()))

    expected = [(key, at, max(scores, default=None)) for key, (at, scores) in latest.items()]
    expected.sort(key=lambda hit: (hit[2] is None, -(hit[2] or 0), -hit[1]))
    assert hits(snapshot) == expected
    assert hits(passing) == expected


@given(scores=st.lists(st.integers(-3, 3), min_size=1, max_size=200), data=st.data())
def test_an_order_is_the_same_however_far_one_looks_first(scores: list[int], data: st.DataObject) -> None:
    snapshot = Snapshot(MEASURE)
    snapshot.add([entry(str(at), at + 1, score) for at, score in enumerate(scores)], ended=True)
    whole = sorted(range(len(scores)), key=lambda at: (-scores[at], -at))
    order = Order(snapshot.scored(QUERY, {}))

    first = data.draw(st.integers(0, len(scores) - 1))

    assert order.at(first).instant == whole[first] + 1
    assert [order.at(place).instant for place in range(len(order))] == [at + 1 for at in whole]


def test_items_that_are_gone_are_forgotten_unless_they_were_stored_since() -> None:
    snapshot = Snapshot(MEASURE)
    snapshot.add([entry("a", 1, 5), entry("b", 2, 6)], ended=True)

    snapshot.drop({(b"ns", b"a"): 1, (b"ns", b"b"): 1, (b"ns", b"never"): 3})

    assert hits(snapshot) == [("b", 2, 6)]


def test_a_snapshot_fits_until_something_is_missing_or_too_much_is_gone() -> None:
    snapshot = Snapshot(MEASURE)
    snapshot.add([entry(str(at), at + 1, 1) for at in range(1000)], ended=True)

    assert snapshot.fits(1000)
    assert snapshot.fits(800)
    assert not snapshot.fits(700)
    assert not snapshot.fits(1001)


def test_an_update_of_a_large_snapshot_copies_little() -> None:
    snapshot = Snapshot(MEASURE)
    snapshot.add([entry(str(at), at + 1, 1) for at in range(1000)], ended=True)
    large = snapshot.parts[0].block

    for at in range(200):
        snapshot.add([entry(str(at), 2000 + at, 2)], ended=True)

    assert snapshot.parts[0].block is large
    assert len(snapshot.parts) <= 9
    assert len(Order(snapshot.scored(QUERY, {}))) == 1000


def test_readers_keep_what_they_have_while_others_write() -> None:
    snapshot = Snapshot(MEASURE)
    snapshot.add([entry("a", 1, 5), entry("b", 2, 6)], ended=True)
    held = Order(snapshot.scored(QUERY, {}))

    snapshot.add([entry("b", 3, 1)], ended=True)
    snapshot.drop({(b"ns", b"a"): 1})

    assert [held.at(place).name[1] for place in range(len(held))] == [b"b", b"a"]


def names(cache: Cache) -> list[bytes]:
    return [prefix for _, prefix in cache._all]


def test_a_cache_forgets_what_was_used_least_and_counts_right() -> None:
    cache = Cache(MEASURE, 20_000)
    for prefix in (b"a", b"b", b"c"):
        snapshot = cache.of((0, prefix))
        snapshot.add([entry(str(at), at + 1, 1) for at in range(10)], ended=True)
        assert cache.keeps((0, prefix), snapshot, snapshot.size)

    assert names(cache) == [b"b", b"c"]
    cache.of((0, b"b"))
    cache.keeps((0, b"d"), cache.of((0, b"d")), 0)
    assert names(cache) == [b"b", b"d"]
    assert cache.size == sum(each.size for each in cache._all.values()) <= 20_000


def test_a_cache_does_not_begin_to_keep_what_will_be_too_large() -> None:
    cache = Cache(MEASURE, 50_000)
    kept, grown = cache.of((0, b"kept")), cache.of((0, b"grown"))
    cache.keeps((0, b"kept"), kept, 0)

    assert not cache.keeps((0, b"grown"), grown, 50_001)

    assert names(cache) == [b"kept"]
    assert cache.size == kept.size


@pytest.mark.parametrize("distance", ["cosine", "inner_product", "l2"])
def test_scores_are_those_of_double_precision_to_six_places(distance: str) -> None:
    source = np.random.default_rng(1)
    rows, query = source.standard_normal((3000, 16)), source.standard_normal(16)
    measure = Measure(distance, 16)
    data = rows.astype("<f4").tobytes()

    found = measure.scores(measure.matrix(data), measure.query(query.astype(np.float32)))

    exact = {
        "cosine": rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query)),
        "inner_product": rows @ query,
        "l2": -np.linalg.norm(rows - query, axis=1),
    }
    assert found.dtype == np.float32
    assert np.allclose(found, exact[distance], atol=2e-5)


def test_the_cosine_of_large_small_and_zero_vectors_is_a_number() -> None:
    measure = Measure("cosine", DIMS)
    rows = np.array([[3e30, 0], [3e-30, 0], [0, 0]], "<f4")

    scores = measure.scores(measure.matrix(rows.tobytes()), measure.query(QUERY))
    nothing = measure.scores(measure.matrix(rows.tobytes()), measure.query(np.zeros(2, np.float32)))

    assert scores.tolist() == [1, 1, 0]
    assert nothing.tolist() == [0, 0, 0]


def test_a_block_knows_what_it_takes() -> None:
    entries: Sequence[Entry] = [entry("a", 1, 5), entry("b", 2, 6, 7), entry("c", 3)]
    block = Block.of(entries, MEASURE)

    half = block.kept(np.array([True, False, True]))

    kept: list[Name] = [(b"ns", b"a"), (b"ns", b"c")]
    assert (half.names, half.matrix.tolist()) == (kept, [[5, 1]])
    assert block.joined(half).size == block.size + half.size

"""The store's plans run by hand: what travels in which call, and what is made of replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp

from langgraph._redis.plan import Asked, Call, Plan
from langgraph._redis.together import together
from langgraph.store.redis import listings
from langgraph.store.redis.batches import Batch, add, batch_of
from langgraph.store.redis.keys import Keys, joined, shard_of
from langgraph.store.redis.plans import Plans
from langgraph.store.redis.searches import Pages, Search, newest
from langgraph.store.redis.spread import TOGETHER, TOGETHER_BYTES, Ask, Spread
from unit.by_hand import only, returned, returned_at_once, several, verbs

META = orjson.dumps({"layout": 1, "shards": 3})


def known(shards: int = 3) -> Spread:
    """A spread that was told how many shards there are."""
    spread = Spread(Keys("p"), None, cluster=False)
    plan = spread.known()
    next(plan)
    returned(plan, [0, orjson.dumps({"layout": 1, "shards": shards})])
    return spread


def label_in(shard: int, shards: int = 3) -> str:
    """A label whose namespaces are in a shard."""
    return next(f"{n}" for n in range(100) if shard_of(f"{n}".encode(), shards) == shard)


# Shards.


def test_what_is_below_a_prefix_is_asked_once() -> None:
    spread = Spread(Keys("p"), None, cluster=False)
    plan = spread.known()

    asked = several(next(plan))
    returned(plan, [0, META])

    assert [call.keys for call in asked] == [[b"p:meta"]] * 2
    assert spread.count == 3
    returned_at_once(spread.known())


@pytest.mark.parametrize(
    ("asked", "place", "wish"), [(None, "server", 1), (None, "cluster", 16), (5, "cluster", 5)]
)
def test_the_first_store_decides_how_many_shards_there_are(
    asked: int | None,
    place: str,
    wish: int,
) -> None:
    first, _ = several(next(Spread(Keys("p"), asked, cluster=place == "cluster").known()))

    assert orjson.loads(first.args[-1]) == {"layout": 1, "shards": wish}  # type: ignore[arg-type] # bytes.


def test_a_layout_that_is_not_known_is_refused() -> None:
    plan = Spread(Keys("p"), None, cluster=False).known()
    next(plan)

    with pytest.raises(ValueError, match=r"'p:meta': this store has layout 2.*store_prefix"):
        plan.send([0, orjson.dumps({"layout": 2, "shards": 1})])


def test_namespaces_that_begin_alike_are_in_one_shard() -> None:
    assert {shard_of(joined(("a", f"{n}")), 16) for n in range(50)} == {shard_of(b"a", 16)}
    assert len({shard_of(f"{n}".encode(), 16) for n in range(200)}) == 16
    assert shard_of(b"", 16) == shard_of(b"x", 1) == 0


def asks(shards: Sequence[int], size: int = 1) -> list[Ask]:
    return [Ask(shard, [b"x" * size, number]) for number, shard in enumerate(shards)]


def echoed(asked: Asked) -> list[Any]:
    """For each call a list with what each of its operations was: its number."""
    return [list(call.args[1::2]) for call in several(asked)]


def test_operations_of_a_shard_travel_in_one_call_and_are_answered_in_their_places() -> None:
    plan = known().ask(asks([0, 2, 0, 1, 2]))

    asked = next(plan)

    assert [call.keys for call in several(asked)] == [[b"p:{0}:m"], [b"p:{2}:m"], [b"p:{1}:m"]]
    assert echoed(asked) == [[0, 2], [1, 4], [3]]
    assert returned(plan, echoed(asked)) == [0, 1, 2, 3, 4]


def test_a_call_has_so_many_operations_at_most() -> None:
    plan = known().ask(asks([0, 1] * (TOGETHER + 1)))

    asked = next(plan)

    assert [len(found) for found in echoed(asked)] == [TOGETHER, TOGETHER, 1, 1]
    assert returned(plan, echoed(asked)) == list(range(2 * TOGETHER + 2))


def test_a_call_has_so_many_bytes_at_most_unless_one_operation_has_more() -> None:
    plan = known().ask(asks([0] * 5, TOGETHER_BYTES // 2))
    large = known().ask(asks([0] * 2, 2 * TOGETHER_BYTES))

    assert echoed(next(plan)) == [[0, 1], [2, 3], [4]]
    assert echoed(next(large)) == [[0], [1]]


def test_one_operation_is_one_call_and_none_is_none() -> None:
    assert only(next(known().ask(asks([1])))).keys == [b"p:{1}:m"]
    assert returned_at_once(known().ask([])) == []


# Batches.


def test_gets_and_puts_are_one_round_trip() -> None:
    batch = batch_of([PutOp(("a",), "k", {"x": 1}), GetOp(("a",), "k"), PutOp(("a",), "l", None)], None)
    plan = Plans(known(1), None).batch(batch, None)

    asked = several(next(plan))

    assert verbs(asked) == ["store"]
    letters = [word for word in asked[0].args if word in (b"g", b"p", b"d")]
    assert letters == [b"g", b"p", b"d"]
    assert returned(plan, [[None, 1, 1]]) == [None, None, None]


def test_searches_and_listings_travel_together_ahead_of_puts() -> None:
    batch = batch_of(
        [PutOp(("a",), "k", {}), SearchOp(("a",)), ListNamespacesOp(), GetOp(("a",), "k"), SearchOp(("b",))],
        None,
    )
    plan = Plans(known(1), None).batch(batch, None)

    reads = several(next(plan))
    puts = plan.send([[None], [[b"", b"", 0]], [[b"", b"", 0]], [[0, b"", 0]]])

    assert [call.args[0] for call in reads] == [b"g", b"s", b"s", b"n"]
    assert only(puts).args[0] == b"p"


def test_an_operation_that_is_wrong_leaves_a_batch_as_it_was() -> None:
    batch = Batch()
    add(batch, PutOp(("a",), "k", {}), None)

    for wrong in (PutOp(("a",), "k", {"x": (1,)}), SearchOp((), limit=-1), "x"):
        with pytest.raises((TypeError, ValueError)):
            add(batch, wrong, None)  # type: ignore[arg-type] # what is tested.

    assert (batch.size, len(batch.puts), batch.searches) == (1, 1, [])


# Searches.


def record(updated: int, value: str = "{}") -> bytes:
    return b"1 %d 0 0\n%b" % (updated, value.encode())


def named(key: str) -> bytes:
    return b"a\x00\x00" + key.encode()


def search(wanted: dict[str, Any] | None = None, limit: int = 2) -> Search:
    return Search(b"a", wanted or {}, [], limit, 0, refresh=False)


def pages(*shards: int, wanted: dict[str, Any] | None = None) -> list[Pages]:
    return [Pages(shard, search(wanted), 0, 2, refresh=False) for shard in shards]


def keys_of(found: Sequence[Any]) -> list[bytes]:
    return [each.record.key for each in found]


def test_the_newest_of_all_shards_come_first() -> None:
    plan = newest(known(), pages(0, 1), 3)
    next(plan)

    # The shard that was read down to 5 may hold nothing better than 7, 8 and 9; nor may the other one.
    found = returned(
        plan,
        [
            [[b"(5", b"9", 0, named("9"), record(9), named("5"), record(5)]],
            [[b"(7", b"9", 0, named("8"), record(8), named("7"), record(7)]],
        ],
    )

    assert keys_of(found) == [b"9", b"8", b"7"]


def test_a_shard_that_may_hold_something_better_is_asked_again() -> None:
    plan = newest(known(), pages(0, 1), 3)
    next(plan)

    asked = plan.send(
        [
            [[b"(8", b"9", 0, named("9"), record(9), named("8"), record(8)]],
            [[b"(2", b"9", 0, named("4"), record(4), named("2"), record(2)]],
        ]
    )

    assert only(asked).keys == [b"p:{0}:m"]
    assert keys_of(returned(plan, [[b"", b"", 0, named("7"), record(7)]])) == [b"9", b"8", b"7"]


def test_a_page_brings_what_went_up_since_the_page_before() -> None:
    plan = newest(known(1), pages(0, wanted={"x": 1}), 3)
    next(plan)

    asked = plan.send([[b"(5", b"9", 0, named("9"), record(9, '{"x":1}'), named("5"), record(5, '{"x":1}')]])
    found = returned(
        plan,
        [
            [
                *(b"", b"", 0, named("2"), record(11, '{"x":1}'), named("9"), record(12, '{"x":2}')),
                *(named("4"), record(4, '{"x":1}')),
            ]
        ],
    )

    assert only(asked).args[2:4] == [b"(5", b"9"]
    assert keys_of(found) == [b"2", b"5", b"4"]


def test_where_the_server_leaves_items_out_nobody_looks_back() -> None:
    skipping = Pages(0, search(), 1, 2, refresh=False)
    skipping.take([b"(5", b"9", 0, named("5"), record(5)])

    assert skipping.ask().words[2:4] == [b"(5", b""]


def test_nothing_is_asked_for_nothing() -> None:
    assert returned_at_once(newest(known(1), pages(0), 0)) == []


# Plans together.


def asking(*calls: Call | list[Call]) -> Plan[list[Any]]:
    replies = []
    for call in calls:
        replies.append((yield call))  # noqa: PERF401 - a plan.
    return replies


def call(name: str) -> Call:
    return Call(name)


def test_what_plans_ask_at_the_same_time_travels_together() -> None:
    plan = together(
        [asking(call("a"), call("b")), asking(), asking([call("c"), call("d")]), asking(call("e"))]
    )

    first = next(plan)
    second = plan.send(["A", "C", "D", "E"])

    assert verbs(first) == ["a", "c", "d", "e"]
    assert verbs(second) == ["b"]
    assert returned(plan, ["B"]) == [["A", "B"], [], [["C", "D"]], ["E"]]


def test_no_plans_ask_nothing() -> None:
    assert returned_at_once(together([])) == []
    assert returned_at_once(together([asking(), asking()])) == [[], []]


# Listings.


def listed(*conditions: MatchCondition, depth: int | None = None) -> tuple[Any, ...]:
    """Where a listing begins, and how many conditions are left for the client."""
    op = ListNamespacesOp(conditions, max_depth=depth)
    ((_, listing),) = batch_of([op], None).listings
    return listing.ns, len(listing.conditions)


def test_what_the_index_can_say_is_not_decided_again() -> None:
    assert listed() == (b"", 0)
    assert listed(MatchCondition("prefix", ("a", "b"))) == (b"a\x00b", 0)
    assert listed(MatchCondition("prefix", ("a", "*", "c"))) == (b"a", 1)
    assert listed(MatchCondition("prefix", ("*", "b"))) == (b"", 1)
    assert listed(MatchCondition("suffix", ("b",))) == (b"", 1)
    assert listed(MatchCondition("prefix", ("a",)), MatchCondition("prefix", ("a", "b"))) == (b"a\x00b", 0)
    assert listed(MatchCondition("prefix", ("a",)), MatchCondition("prefix", ("b", "c"))) == (b"b\x00c", 1)


def test_a_listing_sweeps_before_it_goes_on() -> None:
    ((_, listing),) = batch_of([ListNamespacesOp()], None).listings
    plan = listings.listed(known(1), listing)
    next(plan)
    swept = plan.send([[1, b"", 0]])
    again = plan.send([[200, 1]])
    last = plan.send([[7, 0]])

    assert [only(each).args[0] for each in (swept, again, last)] == [b"e", b"e", b"n"]
    assert returned(plan, [[0, b"", 0, b"a", b"a\x00b"]]) == [("a",), ("a", "b")]

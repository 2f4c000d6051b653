"""What is dropped of a thread: never what a checkpoint that stays is rebuilt from."""

from __future__ import annotations

from itertools import permutations

import pytest

from langgraph._redis.errors import RedisPersistenceError
from langgraph._redis.plan import Call, Pause, Plan
from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.sweep import (
    Line,
    Sweep,
    newest_of_each_namespace,
    of_runs,
    with_ancestors,
)
from unit.by_hand import only, returned, several, verbs
from unit.surveys import asked_of, survey, surveyed


def line(
    name: str, parent: str = "", *, refs: str = "", run: str = "", delta: str = "", ns: str = ""
) -> Line:
    """A record's lines; refs and DeltaChannels separated by spaces."""
    return Line(
        ns.encode(),
        name.encode(),
        parent.encode(),
        tuple(refs.encode().split()),
        run.encode(),
        tuple(delta.encode().split()),
    )


def names(found: set[tuple[bytes, bytes]]) -> str:
    return " ".join(sorted(checkpoint_id.decode() for _, checkpoint_id in found))


def kept(lines: list[Line], *latest: str) -> str:
    """What stays if these must, in whatever order the records are met."""
    wanted = {(b"", name.encode()) for name in latest}
    (found,) = {names(with_ancestors(some, wanted)) for some in permutations(lines)}
    return found


def test_a_checkpoint_without_delta_channels_needs_none_of_its_ancestors() -> None:
    lines = [line("1", refs="m/1"), line("2", "1", refs="m/2"), line("3", "2", refs="m/2")]

    assert kept(lines, "3") == "3"


def test_a_delta_channel_needs_its_ancestors_back_to_the_nearest_stored_value() -> None:
    lines = [
        line("1", refs="m/1"),
        line("2", "1", refs="m/2"),
        line("3", "2", delta="m"),
        line("4", "3", delta="m"),
    ]

    assert kept(lines, "4") == "2 3 4"


def test_an_inline_value_ends_the_chain_too() -> None:
    lines = [line("1", refs="m/1"), line("2", "1", refs="m"), line("3", "2", delta="m")]

    assert kept(lines, "3") == "2 3"


def test_a_channel_whose_name_begins_alike_does_not_end_the_chain() -> None:
    lines = [line("1", refs="m/1"), line("2", "1", refs="mm/1 m2"), line("3", "2", delta="m")]

    assert kept(lines, "3") == "1 2 3"


def test_of_several_delta_channels_each_has_its_chain() -> None:
    lines = [
        line("1", refs="a/1"),
        line("2", "1", refs="b/1", delta="a"),
        line("3", "2", refs="c/1", delta="a b"),
        line("4", "3", delta="b c"),
        line("5", "4", delta="b"),
    ]

    assert kept(lines, "4") == "2 3 4"
    assert kept(lines, "5") == "2 3 4 5"


def test_a_channel_that_never_had_a_value_needs_all_ancestors() -> None:
    lines = [line("1"), line("2", "1", delta="m"), line("3", "2", delta="m")]

    assert kept(lines, "3") == "1 2 3"


def test_an_ancestor_that_is_gone_ends_the_chain() -> None:
    lines = [line("1", refs="m/1"), line("3", "2", delta="m"), line("4", "3", delta="m")]

    assert kept(lines, "4") == "3 4"


def test_a_fork_keeps_its_own_ancestors() -> None:
    lines = [
        line("1", refs="m/1"),
        line("2a", "1", delta="m"),
        line("2b", "1", delta="m"),
        line("3b", "2b", delta="m"),
    ]

    assert kept(lines, "3b") == "1 2b 3b"


def test_ancestors_that_go_round_in_a_circle_are_walked_once() -> None:
    lines = [line("1", "2", delta="m"), line("2", "1", delta="m")]

    assert kept(lines, "2") == "1 2"


def test_ancestors_are_looked_for_in_the_checkpoints_own_namespace() -> None:
    lines = [line("1", refs="m/1", ns="sub"), line("2", "1", delta="m")]

    assert with_ancestors(lines, {(b"", b"2")}) == {(b"", b"2")}


def test_the_newest_of_each_namespace_are_the_largest_ids() -> None:
    lines = [line("2"), line("3", ns="sub"), line("10"), line("1", ns="sub"), line("0", ns="other")]

    assert newest_of_each_namespace(1)(lines) == {(b"", b"2"), (b"sub", b"3"), (b"other", b"0")}


def test_as_many_as_are_wanted_of_each_namespace_are_the_newest() -> None:
    lines = [line(name, ns=ns) for ns in ("", "sub") for name in ("3", "1", "4", "2")] + [line("9", ns="x")]

    found = newest_of_each_namespace(3)(lines)

    assert {name for ns, name in found if ns == b""} == {b"2", b"3", b"4"}
    assert {name for ns, name in found if ns == b"sub"} == {b"2", b"3", b"4"}
    assert {name for ns, name in found if ns == b"x"} == {b"9"}


def test_no_records_have_no_newest() -> None:
    assert newest_of_each_namespace(1)([]) == set()


def test_what_other_runs_made_stays() -> None:
    lines = [line("1", run="a"), line("2", run="b"), line("3"), line("4", run="ab")]

    assert names(of_runs({b"a", b"c"})(lines)) == "2 3 4"


def test_the_values_of_a_record_are_those_with_a_field_of_their_own() -> None:
    assert line("1", refs="a/1 inline b/2", ns="sub").values == {b"v/sub/a/1", b"v/sub/b/2"}


@pytest.fixture
def sweep() -> Sweep:
    core = Core(Keys("prefix"))
    return Sweep(core, core.keys.thread("thread"))


def token_of(call: Call) -> object:
    return call.args[0]


def test_a_thread_with_nothing_to_drop_is_left_as_it_is(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    assert verbs(next(plan)) == ["survey"]

    assert verbs(plan.send(survey(surveyed(b"1")))) == ["sweep_end"]
    returned(plan, [])


def test_a_thread_that_does_not_exist_is_no_error(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    next(plan)

    plan.send(None)

    returned(plan, [])


def test_a_long_thread_is_surveyed_page_by_page(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    next(plan)

    call = only(plan.send(survey(surveyed(b"1"), more=b"c//1")))

    assert verbs(call) == ["survey"]
    assert b"c//1" in call.args


def test_records_go_together_with_what_nothing_names_then(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    next(plan)

    written = only(plan.send(survey(surveyed(b"1", refs=b"m/1\tx/1"), surveyed(b"2", b"1", b"m/2\tx/1"))))
    assert asked_of(written) == [b"", b"2"]
    needed = only(plan.send([1, [b"s/dddddddddd"]]))
    assert asked_of(needed) == [b"v//m/2", b"v//x/1"]
    useless = only(plan.send([b"aaaaaaaaaabbbbbbbbbb", b""]))
    assert asked_of(useless) == [b"v//m/1"]
    going = only(plan.send([b"aaaaaaaaaaccccccccccdddddddddd"]))
    assert asked_of(going) == [2, b"", b"1", 0, b"v//m/1", b"s/cccccccccc"]
    assert verbs(plan.send(1)) == ["sweep_end"]
    returned(plan, [])


def test_a_value_goes_with_the_last_record_that_names_it(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    next(plan)
    ids = [b"%02d" % number for number in range(31)]
    plan.send(survey(*(surveyed(name, refs=b"m/1" if int(name) < 25 else b"m/2") for name in ids)))
    plan.send([1, []])
    plan.send([b"", b""])

    first = only(plan.send([b"aaaaaaaaaa"]))
    second = only(plan.send(1))

    assert asked_of(first) == [40, *(word for name in ids[:20] for word in (b"", name)), 0]
    assert asked_of(second)[-2:] == [b"v//m/1", b"s/aaaaaaaaaa"]


def test_what_a_budget_left_out_is_asked_for_again(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    next(plan)
    plan.send(survey(surveyed(b"1", refs=b"m/1\tx/1"), surveyed(b"2", refs=b"m/2\tx/2")))
    plan.send([1, []])

    again = only(plan.send([b"aaaaaaaaaa"]))

    assert asked_of(again) == [b"v//x/2"]


def test_runs_without_a_checkpoint_left_forget_the_thread(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(2))
    next(plan)
    runs = {b"1": b"a", b"2": b"b", b"3": b"b", b"4": b""}
    plan.send(survey(*(surveyed(name, run=run) for name, run in runs.items())))

    end = only(plan.send(1))
    assert asked_of(end) == [0, b"b"]
    forgotten, unlinked, looked = several(plan.send([b"a"]))

    assert forgotten.command() == ["ZREM", sweep.core.keys.run("a"), b"thread"]
    link = keys.link_member(sweep.thread, keys.run_link("a"))
    assert unlinked.command() == ["ZREM", sweep.core.keys.links(sweep.thread), link]
    assert looked.command() == ["ZSCORE", sweep.thread.index, b"r/a"]
    returned(plan, [1, 1, None])


def test_a_sweep_that_leaves_more_than_is_kept_makes_a_note_of_it(sweep: Sweep) -> None:
    """Ancestors that a DeltaChannel needs stay: a put need not look again before there are more."""
    plan = sweep.drop(newest_of_each_namespace(1), 1)
    next(plan)

    delta = [b"", b"3", b"2", b"", b"", b"m"]
    calls = plan.send(survey(surveyed(b"1"), surveyed(b"2", b"1"), delta, [b"sub", *surveyed(b"1")[1:]]))
    assert verbs(calls) == ["ZRANGEBYLEX"]
    end = only(plan.send([]))

    assert asked_of(end) == [2, b"", 3]
    returned(plan, [])


def test_a_sweep_that_was_not_told_what_is_kept_makes_no_note(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(2))
    next(plan)

    end = only(plan.send(survey(surveyed(b"1"), surveyed(b"2"))))

    assert asked_of(end) == [0]
    returned(plan, [])


# Sweeps that meet.


def test_a_sweep_that_another_overtook_begins_anew(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    first = only(next(plan))
    plan.send(survey(surveyed(b"1"), surveyed(b"2")))

    pause = plan.send(0)
    assert isinstance(pause, Pause)
    assert 0 <= pause.seconds < 0.1

    again = only(next(plan))

    assert verbs(again) == ["survey"]
    assert token_of(again) != token_of(first)


def overtaken(plan: Plan[None]) -> None:
    """Whatever the sweep asks, another has begun."""
    for _ in range(100):
        plan.send(0)


def test_a_sweep_that_is_overtaken_all_the_time_says_so(sweep: Sweep) -> None:
    plan = sweep.drop(newest_of_each_namespace(1))
    next(plan)

    with pytest.raises(RedisPersistenceError, match=r"'prefix:\{thread\}:data' is being pruned by others"):
        overtaken(plan)

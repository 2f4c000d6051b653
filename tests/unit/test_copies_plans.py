"""Copies and forks by hand: what is asked, what is told ahead, and when a transfer begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest
from redis.exceptions import NoPermissionError

from langgraph._redis.plan import Asked, Call, Pause, Plan, Refusal
from langgraph.checkpoint.redis import CheckpointNotFoundError, RedisPersistenceError, keys
from langgraph.checkpoint.redis.copies import copy_thread, everything, up_to
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.sweep import Made
from langgraph.checkpoint.redis.transfer import Outline
from unit.by_hand import atomic, only, returned, returned_after, returned_at_once, several, verb, verbs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.checkpoint.redis.transfer import Name

CORE = Core(Keys("prefix"))
SOURCE, TARGET = CORE.keys.thread("source"), CORE.keys.thread("target")
CROSS_SLOT = Refusal("keys are in several slots", cross_slot=True)


def told(*links: bytes) -> list[list[Any]]:
    """The commands that register the target, and tell indexes of it."""
    entered = ["ZADD", CORE.keys.registry(TARGET), ANY, b"target"]
    if not links:
        return [entered]
    known = [word for link in links for word in (0, keys.link_member(TARGET, link))]
    indexes = [["ZADD", CORE.keys.linked(link), ANY, b"target"] for link in links]
    return [entered, ["ZADD", CORE.keys.links(TARGET), *known], *indexes]


# Within one slot.


def test_a_thread_is_copied_onto_itself_without_a_word() -> None:
    returned_at_once(copy_thread(CORE, "7", 7))


def test_a_copy_is_one_round_trip() -> None:
    plan = copy_thread(CORE, "source", "target")

    *ahead, call = atomic(next(plan))

    assert [other.command() for other in ahead] == told()
    assert verb(call) == "copy"
    assert tuple(call.keys) == (*SOURCE.keys, *TARGET.keys, CORE.keys.links(SOURCE))
    assert tuple(call.args) == keys.link_bounds(SOURCE)
    returned(plan, [1, [1]])


def test_a_source_that_does_not_exist_changes_nothing() -> None:
    returned_after(copy_thread(CORE, "source", "target"), [[1, None]])


def test_whatever_the_source_is_found_by_is_told_of_a_copy_before_it_is_made() -> None:
    plan = copy_thread(CORE, "source", "target")
    next(plan)

    *ahead, copy = atomic(plan.send([1, [0, b"m/user/'ann", b"r/a"]]))

    assert [call.command() for call in ahead] == told(b"m/user/'ann", b"r/a")
    assert list(copy.args[2:]) == [b"m/user/'ann", b"r/a"]
    returned(plan, [1, 1, 1, 1, [1]])


def test_a_run_that_joined_meanwhile_is_told_too() -> None:
    plan = copy_thread(CORE, "source", "target")
    next(plan)
    plan.send([1, [0, b"r/a"]])

    *ahead, copy = atomic(plan.send([1, 1, 1, [0, b"r/a", b"r/b"]]))

    assert [call.command() for call in ahead] == told(b"r/a", b"r/b")
    assert list(copy.args[2:]) == [b"r/a", b"r/b"]


def test_runs_of_what_a_copy_replaced_forget_the_target() -> None:
    plan = copy_thread(CORE, "source", "target")
    next(plan)
    plan.send([1, [0, b"r/a", b"r/b"]])

    lost, *_ = several(plan.send([1, 1, 1, 1, [1, b"b", b"c"]]))

    assert lost.command() == ["ZREM", CORE.keys.run("c"), b"target"]
    returned(plan, [1, 1, None])


def test_another_refusal_than_that_of_a_cluster_is_raised() -> None:
    plan = copy_thread(CORE, "source", "target")
    next(plan)

    with pytest.raises(NoPermissionError, match="copy"):
        plan.send([1, Refusal("copy", error=NoPermissionError("copy"))])


# What a fork takes.

NONE: list[Made] = []


def outline(parents: dict[Name, bytes], *calls: tuple[Name, bytes]) -> Outline:
    members = [(b"u/%b/%b\x00%b" % (*maker, ns), maker, ns) for maker, ns in calls]
    return Outline(b"1", parents, [Made(*each) for each in members])


def chosen(of: Outline, until: str) -> tuple[Iterable[Name], Iterable[bytes]]:
    found = up_to(SOURCE, until)(of)
    assert found is not None
    return found.names, [made.ns for made in found.calls]


def test_a_fork_takes_a_checkpoint_and_its_ancestors() -> None:
    of = outline(
        {(b"", b"1"): b"", (b"", b"2"): b"1", (b"", b"3"): b"1", (b"", b"4"): b"3", (b"", b"5"): b"4"}
    )

    assert chosen(of, "4") == ([(b"", b"1"), (b"", b"3"), (b"", b"4")], [])


def test_ancestors_that_are_gone_or_go_round_end_a_fork() -> None:
    of = outline({(b"", b"2"): b"gone", (b"", b"3"): b"2", (b"", b"8"): b"9", (b"", b"9"): b"8"})

    assert chosen(of, "3") == ([(b"", b"2"), (b"", b"3")], [])
    assert chosen(of, "9") == ([(b"", b"8"), (b"", b"9")], [])


def test_a_fork_takes_the_calls_of_what_it_takes_with_all_below_them() -> None:
    taken: dict[Name, bytes] = {
        (b"", b"1"): b"",
        (b"a:1", b"5"): b"",
        (b"a:1|b", b"6"): b"",
        (b"a:1|c:2", b"7"): b"",
    }
    left: dict[Name, bytes] = {(b"", b"9"): b"1", (b"a:10", b"5"): b"", (b"a:9", b"5"): b""}
    of = outline(taken | left, ((b"", b"1"), b"a:1"), ((b"a:1", b"5"), b"a:1|c:2"), ((b"", b"9"), b"a:9"))

    assert chosen(of, "1") == (list(taken), [b"a:1", b"a:1|c:2"])


def test_a_fork_takes_of_a_subgraph_that_outlives_its_calls_what_is_no_younger() -> None:
    taken: dict[Name, bytes] = {(b"", b"3"): b"", (b"a", b"2"): b"", (b"a", b"3"): b"", (b"a|b:1", b"9"): b""}
    left: dict[Name, bytes] = {(b"a", b"4"): b"3", (b"a|b:2", b"9"): b""}
    of = outline(taken | left, ((b"a", b"2"), b"a|b:1"), ((b"a", b"4"), b"a|b:2"))

    assert chosen(of, "3") == (list(taken), [b"a|b:1"])


@pytest.mark.parametrize("until", ["7", "", "a"])
def test_a_checkpoint_that_the_root_does_not_have_is_named(until: str) -> None:
    of = outline({(b"", b"1"): b"", (b"a", b"7"): b""})

    with pytest.raises(CheckpointNotFoundError, match=rf"no checkpoint '{until}' .* thread 'source'"):
        chosen(of, until)


def test_a_copy_takes_all_there_is_and_nothing_of_a_thread_that_is_not() -> None:
    of = outline({(b"", b"1"): b"", (b"a:1", b"2"): b""}, ((b"", b"0"), b"a:1"))

    assert everything(of) == (list(of.parents), of.calls)
    assert everything(Outline(None, {}, ())) is None


def test_an_id_that_is_none_is_refused_by_its_argument() -> None:
    with pytest.raises(TypeError, match=r"^until must be a str"):
        next(copy_thread(CORE, "source", "target", 1.5))


# A transfer.


USUAL: dict[str, Any] = {
    "HGET": b"100",
    "survey": [b"", [[b"", b"1", b"", b"m/1", b"run", b""]]],
    "carry": [1, [b"c//1", b"record"], [b"v//m/1"], [b"run"]],
    "draft": 1,
    "PTTL": -1,
    "HMGET": [b"100", None],
    "adopt": [1],
    "ZADD": 1,
    "UNLINK": 2,
}


class Threads:
    """Answers a transfer of one checkpoint, and keeps what it asked. `replies` go before what is usual."""

    def __init__(self, **replies: list[Any]) -> None:
        self.replies = replies
        self.asked: list[Call] = []

    def run(self, plan: Plan[None]) -> None:
        try:
            asked = next(plan)
            while True:
                asked = plan.send(self._answered(asked))
        except StopIteration:
            return

    def named(self, name: str) -> list[Call]:
        return [call for call in self.asked if verb(call) == name]

    def _answered(self, asked: Asked) -> Any:
        if isinstance(asked, Pause):
            return None
        if isinstance(asked, Call):
            return self._reply(asked)
        return [self._reply(call) for call in (asked if isinstance(asked, list) else asked.calls)]

    def _reply(self, call: Call) -> Any:
        self.asked.append(call)
        name = verb(call)
        if self.replies.get(name):
            return self.replies[name].pop(0)
        if name == "fields":
            return [[b"M0123456789\n" if word == b"v//m/1" else b"piece" for word in call.args[1:]], []]
        if name == "ZRANGEBYLEX":
            return [b"c//1"] if tuple(call.args[:2]) == keys.CHECKPOINTS else []
        return USUAL[name]


def fork() -> Plan[None]:
    return copy_thread(CORE, "source", "target", "1")


def test_a_copy_across_slots_is_a_transfer() -> None:
    threads = Threads(copy=[CROSS_SLOT])

    threads.run(copy_thread(CORE, "source", "target"))

    assert [call.keys[2:] for call in threads.named("adopt")] == [list(TARGET.keys)]


def test_a_transfer_looks_before_it_writes_and_tells_ahead_of_the_end() -> None:
    threads = Threads()

    threads.run(fork())

    assert verbs(threads.asked) == [
        *("HGET", "survey", "ZRANGEBYLEX", "carry", "fields", "draft"),
        *("ZRANGEBYLEX", "PTTL", "HMGET", "ZRANGEBYLEX"),
        *("ZADD", "ZADD", "ZADD", "adopt"),
    ]


def test_a_draft_lies_in_the_slot_of_the_target_and_under_a_name_of_its_own() -> None:
    one, other = Threads(), Threads()

    one.run(fork())
    other.run(fork())

    (draft,), (another,) = one.named("draft"), other.named("draft")
    assert all(name.startswith(b"prefix:{target}:draft:") for name in (*draft.keys, *another.keys))
    assert len({*draft.keys, *another.keys}) == 4


def test_the_end_says_how_much_must_be_there() -> None:
    threads = Threads(fields=[[[b"M0123456789\n"], [b"s/0123456789"]]])

    threads.run(fork())

    (draft,), (adopt,) = threads.named("draft"), threads.named("adopt")
    stored = [b"c//1", b"record", b"v//m/1", b"M0123456789\n", b"s/0123456789", b"piece"]
    assert list(draft.args) == [1, ANY, len(stored), *stored, b"r/run", b"c//1"]
    assert list(adopt.args[:2]) == [3, 2]


def test_the_target_is_found_by_metadata_as_the_source_is_and_by_the_runs_it_holds() -> None:
    links = [keys.link_member(SOURCE, link) for link in (b"m/user/'ann", b"r/another", b"r/run")]
    threads = Threads(ZRANGEBYLEX=[[], [b"c//1"], links])

    threads.run(fork())

    told_of = [call.command() for call in threads.asked if verb(call) == "ZADD"]
    assert told_of == told(b"m/user/'ann", b"r/run")


@pytest.mark.parametrize(
    ("left", "own", "said"),
    [(-1, None, [b"", b"", b""]), (0, b"0", [1, b"", b"0"]), (5000, b"60000", [5000, b"", b"60000"])],
)
def test_the_end_says_how_long_the_source_lives(left: int, own: bytes | None, said: list[Any]) -> None:
    threads = Threads(PTTL=[left], HMGET=[[b"100", own]])

    threads.run(fork())

    assert list(threads.named("adopt")[0].args[2:]) == said


def test_a_thread_that_goes_back_began_when_it_began() -> None:
    threads = Threads()

    threads.run(copy_thread(CORE, "source", "source", "1"))

    assert threads.named("adopt")[0].args[3] == b"100"


CHANGES: dict[str, dict[str, list[Any]]] = {
    "a record is gone": {"carry": [b"c//1"]},
    "a value is gone": {"fields": [[[None], []]]},
    "a checkpoint was dropped": {"ZRANGEBYLEX": [[], []]},
    "the thread was made anew": {"HMGET": [[b"101", None]]},
    "the thread is gone": {"HMGET": [[None, None]]},
    "the draft is gone": {"draft": [0]},
    "the draft is not whole": {"adopt": [[0]]},
}


@pytest.mark.parametrize("replies", CHANGES.values(), ids=CHANGES)
def test_a_transfer_begins_anew(replies: dict[str, list[Any]]) -> None:
    threads = Threads(**{name: list(given) for name, given in replies.items()})

    threads.run(fork())

    (dropped,) = threads.named("UNLINK")
    assert dropped.keys == threads.asked[-1].keys[:2] or b":draft:" in dropped.keys[0]
    assert len(threads.named("survey")) == 2
    assert verb(threads.asked[-1]) == "adopt"


def test_what_changes_all_the_time_is_given_up_and_named() -> None:
    threads = Threads(carry=[b"c//1"] * 10)

    with pytest.raises(RedisPersistenceError, match=r"source.*10 attempts.*the last time c//1"):
        threads.run(fork())

    assert len(threads.named("UNLINK")) == 10
    assert not threads.named("adopt")


def test_a_checkpoint_that_is_not_there_is_no_reason_to_write() -> None:
    threads = Threads()

    with pytest.raises(LookupError, match="no checkpoint '2'"):
        threads.run(copy_thread(CORE, "source", "target", "2"))

    assert verbs(threads.asked) == ["HGET", "survey", "ZRANGEBYLEX"]


def test_a_first_page_may_not_be_the_last() -> None:
    threads = Threads(
        survey=[
            [b"c//1", [[b"", b"1", b"", b"", b"", b""]]],
            [b"", [[b"", b"2", b"1", b"", b"", b""]]],
        ],
        carry=[[1, [b"c//1", b"x" * 2_000_000], [], []], [1, [b"c//2", b"record"], [], []]],
        ZRANGEBYLEX=[[], [b"c//1", b"c//2"]],
    )

    threads.run(copy_thread(CORE, "source", "target", "2"))

    assert [call.args[1] for call in threads.named("survey")] == [b"", b"c//1"]
    assert [list(call.args[1:]) for call in threads.named("carry")] == [[b"", b"1", b"", b"2"], [b"", b"2"]]
    assert [call.args[0] for call in threads.named("draft")] == [1, 0]


def test_only_the_first_call_of_a_copy_is_one_that_may_be_refused() -> None:
    (*ahead, copy) = atomic(next(copy_thread(CORE, "source", "target")))

    assert copy.tolerant
    assert not any(call.tolerant for call in ahead)
    assert only(next(fork())).command() == ["HGET", SOURCE.data, keys.MADE]

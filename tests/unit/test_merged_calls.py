"""Calls that one run of a script can serve are made one: in a row, of one thread, of some size together."""

from __future__ import annotations

import pytest

from langgraph._redis.plan import MERGED_BYTES, Argument, Call, Script, merged

GROUP = Script("a", b"return 1", "1" * 40, 2, group=2)
OTHER = Script("b", b"return 2", "2" * 40, 2, group=2)
ALONE = Script("c", b"return 3", "3" * 40, 2)


def call(*args: Argument, verb: Script | str = GROUP, key: bytes = b"k") -> Call:
    return Call(verb, (key, b"index"), args)


def test_calls_in_a_row_become_one_with_all_their_arguments_in_order() -> None:
    one, other = call(b"1", 1), call(b"2", 2)

    (made, count), *rest = merged([one, other, one])

    assert (made.verb, made.keys, list(made.args), count) == (GROUP, one.keys, [b"1", 1, b"2", 2, b"1", 1], 3)
    assert not rest
    assert one.args == (b"1", 1)


@pytest.mark.parametrize(
    ("calls", "counts"),
    [
        pytest.param([], [], id="none"),
        pytest.param([call(b"1"), call(b"2", key=b"other")], [1, 1], id="of another thread"),
        pytest.param([call(b"1"), call(b"2", verb=OTHER), call(b"3")], [1, 1, 1], id="of another script"),
        pytest.param([call(b"1", verb=ALONE)] * 2, [1, 1], id="of a script that takes one"),
        pytest.param([call(b"1", verb="HGET")] * 2, [1, 1], id="commands"),
        pytest.param(
            [call(b"1"), call(b"2"), call(b"3", key=b"other"), call(b"4")], [2, 1, 1], id="in a row"
        ),
        pytest.param([call(bytes(MERGED_BYTES // 2))] * 5, [2, 2, 1], id="as large as may be"),
        pytest.param([call(bytes(MERGED_BYTES)), call(b"1")] * 2, [1, 1, 1, 1], id="the first is too large"),
        pytest.param(
            [call(b"1"), call(bytes(2 * MERGED_BYTES)), call(b"2")], [1, 1, 1], id="one is too large"
        ),
    ],
)
def test_what_may_not_share_a_run_has_its_own(calls: list[Call], counts: list[int]) -> None:
    runs = merged(calls)

    assert [count for _, count in runs] == counts
    assert [arg for run, _ in runs for arg in run.args] == [arg for each in calls for arg in each.args]

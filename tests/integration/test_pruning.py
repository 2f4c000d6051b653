"""Pruning by number and by age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from langgraph.checkpoint.redis import RedisSaver
from steps import Chain, config_of, id_of

MakeSaver = Callable[..., RedisSaver]
Fields = Callable[..., Counter[str]]


def test_pruning_by_age_keeps_the_young_and_the_newest(make_saver: MakeSaver) -> None:
    saver, chain = make_saver(None), Chain()
    for step in range(4):
        chain.put(saver, a=step)

    saver.prune(["thread"], older_than=timedelta(hours=1))
    assert len(list(saver.list(config_of()))) == 4
    saver.prune(["thread"], older_than=timedelta(microseconds=1), keep_last=2)

    assert [it.checkpoint["channel_values"]["a"] for it in saver.list(config_of())] == [3, 2]


def test_ids_without_a_time_are_never_too_old(make_saver: MakeSaver) -> None:
    saver, chain = make_saver(None), Chain()
    for name in ("1", "2", "3"):
        put = chain.next(a=name)
        put.checkpoint["id"] = name
        saver.put(*put)

    saver.prune(["thread"], older_than=timedelta(microseconds=1))

    assert [id_of(it.config) for it in saver.list(config_of())] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"keep_last": 0}, ValueError, "keep_last must be at least 1"),
        ({"keep_last": 1.5}, TypeError, "keep_last must be an int or None"),
        ({"older_than": 5}, TypeError, "older_than must be a datetime.timedelta"),
        ({"older_than": timedelta(0)}, ValueError, "older_than must be longer than 0"),
        ({"strategy": "delete", "keep_last": 1}, ValueError, "leave out keep_last and older_than"),
        ({"strategy": "other"}, ValueError, "strategy must be"),
    ],
)
def test_what_prune_cannot_do_is_an_error(
    make_saver: MakeSaver, options: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=words):
        make_saver(None).prune(["thread"], **options)

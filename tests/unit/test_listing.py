"""A listing's bounds: each checkpoint once, in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.bounds import Bounds
from langgraph.checkpoint.redis.listing import Query, query
from steps import config_of

_ODD = "\x00\x01\x1f /0.%az\x7f\u00e9\ud800\U0010ffff"
texts = st.text(st.sampled_from(_ODD), max_size=3)
ids = texts.filter(bool)
# Namespaces and ids: few of each, so that some are shared.
checkpoints = st.tuples(
    st.lists(texts, min_size=1, max_size=3), st.lists(ids, min_size=1, max_size=4)
).flatmap(
    lambda some: st.sets(st.tuples(st.sampled_from(["", *some[0]]), st.sampled_from(some[1])), max_size=12)
)


def members_of(found: set[tuple[str, str]]) -> list[bytes]:
    """The index of a thread with these checkpoints: (namespace, id)."""
    own = [keys.checkpoint(ns, name) for ns, name in found]
    others = [b"i/%b\x00%b" % (keys.encoded_id(name), keys.encoded(ns)) for ns, name in found if ns]
    return [*own, *others, b"r/a run", b"r/"]


def between(members: list[bytes], upper: bytes, lower: bytes) -> list[bytes]:
    """What ZREVRANGEBYLEX answers."""
    below = [name for name in members if name < upper[1:] or (upper[:1] == b"[" and name == upper[1:])]
    return sorted((name for name in below if name >= lower[1:]), reverse=True)


def listed(found: set[tuple[str, str]], bounds: Bounds) -> list[tuple[str, str]]:
    """The checkpoints that bounds hold, the largest id first; of one id, the root's last."""
    members = members_of(found)
    own = [name.removeprefix(b"c/").split(b"/", 1) for name in between(members, *bounds[:2])]
    others = between(members, *bounds[2:]) if bounds.others_upper else []
    swapped = (name.removeprefix(b"i/").split(b"\x00")[::-1] for name in others)
    ordered = sorted([*own, *swapped], key=lambda pair: pair[::-1], reverse=True)
    return [(keys.decoded(ns), keys.decoded(name)) for ns, name in ordered]


def wanted(found: set[tuple[str, str]], ns: str | None = None, before: str | None = None) -> Any:
    """What must be listed."""
    some = {pair for pair in found if ns in (None, pair[0]) and (before is None or pair[1] < before)}
    return sorted(some, key=lambda pair: (pair[1], keys.encoded(pair[0])), reverse=True)


@given(found=checkpoints, ns=texts, before=st.none() | ids)
def test_a_namespace_is_listed_by_id_and_nothing_else(
    found: set[tuple[str, str]], ns: str, before: str | None
) -> None:
    found |= {(ns, name) for _, name in found}

    assert listed(found, Query(ns=ns, before=before).bounds) == wanted(found, ns, before)


@given(found=checkpoints, before=st.none() | ids)
def test_all_namespaces_are_listed_by_id_each_checkpoint_once(
    found: set[tuple[str, str]], before: str | None
) -> None:
    assert listed(found, Query(before=before).bounds) == wanted(found, None, before)


@given(found=checkpoints, name=ids)
def test_one_id_is_listed_from_every_namespace(found: set[tuple[str, str]], name: str) -> None:
    found |= {(ns, name) for ns, _ in found}

    assert listed(found, Query(id=name).bounds) == [pair for pair in wanted(found) if pair[1] == name]


@given(found=checkpoints, ns=texts, name=ids)
def test_one_checkpoint_is_listed_alone(found: set[tuple[str, str]], ns: str, name: str) -> None:
    found.add((ns, name))

    assert listed(found, Query(ns=ns, id=name).bounds) == [(ns, name)]


@given(found=checkpoints.filter(bool), at=st.integers(0, 11), ns=st.none() | st.just(""))
def test_a_page_goes_on_below_the_checkpoint_it_ended_with(
    found: set[tuple[str, str]], at: int, ns: str | None
) -> None:
    found.add(("", "an id of the root"))
    bounds = Query(ns=ns).bounds
    whole = listed(found, bounds)
    end = min(at, len(whole) - 1)
    ns_of_end, id_of_end = whole[end]

    left = bounds.below(keys.encoded(ns_of_end), keys.encoded_id(id_of_end))

    assert listed(found, left) == whole[end + 1 :]


@pytest.mark.parametrize(
    "asked",
    [Query(limit=0), Query(limit=-1), Query(id="5", before="5"), Query(id="6", before="5")],
)
def test_a_query_that_nothing_can_match_is_empty(asked: Query) -> None:
    assert asked.empty


@pytest.mark.parametrize(
    "asked", [Query(), Query(limit=1), Query(id="4", before="5"), Query(ns=""), Query(filter={"a": 1})]
)
def test_a_query_that_something_may_match_is_not_empty(asked: Query) -> None:
    assert not asked.empty


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        (None, Query()),
        ({"configurable": {"thread_id": "1"}}, Query(ns=None)),
        (config_of("1"), Query(ns="")),
        (config_of("1", "a|b", 7), Query(ns="a|b", id="7")),
        (config_of("1", "", ""), Query(ns="", id=None)),
    ],
)
def test_a_config_says_what_to_list(config: Any, asked: Query) -> None:
    assert query(config, None, None, None) == asked


def test_arguments_of_list_say_the_rest() -> None:
    found = query(None, {"source": "loop"}, config_of(checkpoint_id="9"), 5)

    assert found == Query(before="9", filter={"source": "loop"}, limit=5)

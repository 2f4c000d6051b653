"""Keys, and what indexes hold of threads and namespaces: each id comes back as it was, and is no other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph.checkpoint.redis import keys
from langgraph.checkpoint.redis.keys import Keys

NAMES = Keys("prefix")
_ODD = "\x00\x01\x1f /0.%|:{}az\x7f\u00e9\ud800\U0010ffff"
texts = st.text(st.sampled_from(_ODD), max_size=4)


# Which checkpoint a namespace was made from.

PARENT = "the-parent"


@pytest.mark.parametrize(
    ("ns", "parents", "owner"),
    [
        ("node:task", {"": PARENT}, b"/the-parent\x00node:task"),
        ("a:1|b:2", {"": "root", "a:1": PARENT}, b"a:1/the-parent\x00a:1|b:2"),
        ("a|b:2", {"": "root", "a": PARENT}, b"a/the-parent\x00a|b:2"),
        # What a call has below it without a task of its own goes with the call.
        ("a:1|b", {"": PARENT, "a:1": "inner"}, b"/the-parent\x00a:1"),
        ("a:1|b|c", {"": PARENT, "a:1": "inner", "a:1|b": "innermost"}, b"/the-parent\x00a:1"),
    ],
)
def test_a_call_of_a_subgraph_belongs_to_the_checkpoint_it_was_made_from(
    ns: str, parents: dict[str, str], owner: bytes
) -> None:
    assert keys.owner(ns, parents) == owner


@pytest.mark.parametrize("ns", ["", "node", "a|b"])
def test_a_namespace_without_a_task_belongs_to_no_checkpoint(ns: str) -> None:
    assert keys.owner(ns, {"": PARENT, "a": "another"}) == b""


@pytest.mark.parametrize("parents", [{}, {"other": PARENT}, {"": None}, {"": 7}, {"": ["a"]}])
def test_a_namespace_whose_parent_is_not_told_belongs_to_no_checkpoint(parents: dict[str, Any]) -> None:
    assert keys.owner("node:task", parents) == b""


@given(above=st.lists(texts, max_size=2), name=texts, checkpoint_id=texts)
def test_what_a_namespace_was_made_from_comes_back(above: list[str], name: str, checkpoint_id: str) -> None:
    ns_above = "|".join(f"{part.replace('|', '')}:" for part in above)
    ns = "|".join(filter(None, (ns_above, f"{name.replace('|', '')}:1")))

    maker, made = keys.made(b"u/" + keys.owner(ns, {ns_above: checkpoint_id}))

    assert [keys.decoded(part) for part in (*maker, made)] == [ns_above, checkpoint_id, ns]
    assert (*maker, made) == (keys.encoded(ns_above), keys.encoded_id(checkpoint_id), keys.encoded(ns))


# Where threads stand.


@given(run=texts)
def test_a_run_is_found_by_its_link(run: str) -> None:
    link = keys.run_link(run)

    assert NAMES.linked(link) == NAMES.run(run)
    assert keys.is_run_link(link)


@given(key=texts.filter(bool), text=texts)
def test_a_metadata_value_is_found_by_its_link(key: str, text: str) -> None:
    link = keys.value_link(key, text)

    assert NAMES.linked(link) == NAMES.by(key, text)
    assert not keys.is_run_link(link)


@given(one=st.tuples(texts.filter(bool), texts), other=st.tuples(texts.filter(bool), texts))
def test_no_two_values_share_an_index_or_a_link(one: tuple[str, str], other: tuple[str, str]) -> None:
    same = one == other

    assert (NAMES.by(*one) == NAMES.by(*other)) == same
    assert (keys.value_link(*one) == keys.value_link(*other)) == same


@given(thread=texts, others=st.lists(texts, max_size=3), link=texts)
def test_a_threads_links_are_within_its_bounds_and_no_others_are(
    thread: str, others: list[str], link: str
) -> None:
    lower, upper = keys.link_bounds(NAMES.thread(thread))

    for name in (thread, *others):
        member = keys.link_member(NAMES.thread(name), keys.run_link(link))
        assert (lower[1:] <= member < upper[1:]) == (name == thread)


@given(thread=texts)
def test_a_thread_is_named_in_the_registry_by_what_comes_back(thread: str) -> None:
    assert keys.thread_named(keys.member(NAMES.thread(thread))) == thread


@given(thread=texts)
def test_a_threads_links_lie_in_the_shard_with_its_entrys_number(thread: str) -> None:
    made = NAMES.thread(thread)

    assert NAMES.links(made).rpartition(b":")[2] == NAMES.registry(made).rpartition(b":")[2]
    assert NAMES.registry(made) in {NAMES.shard(number) for number in range(keys.SHARDS)}


@given(thread=texts, run=texts, key=texts.filter(bool), text=texts)
def test_no_key_is_taken_for_one_of_another_kind(thread: str, run: str, key: str, text: str) -> None:
    made = NAMES.thread(thread)
    found = [*made.keys, NAMES.registry(made), NAMES.links(made), NAMES.run(run), NAMES.by(key, text)]

    assert len(set(found)) == len(found)
    assert all(name.startswith(b"prefix:") for name in found)

"""What a put sends of its values if it is sent again whole: what may be stored already is told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph.checkpoint.redis import registry
from langgraph.checkpoint.redis.codec import Codec
from langgraph.checkpoint.redis.core import Core
from langgraph.checkpoint.redis.drafts import Draft, draft
from langgraph.checkpoint.redis.keys import Keys
from langgraph.checkpoint.redis.plans import Plans
from langgraph.checkpoint.redis.shelves import EMPTY, Shelf
from steps import Chain, checkpoint_of
from unit.by_hand import only, returned, returned_after, written
from values import text_of

if TYPE_CHECKING:
    from langgraph._redis.plan import Call

STORED, GONE = 1, 0
# The arguments of a put that count: values that stay if they are there; values that are reused and no
# checkpoint's that is known, values whose segments are; new segments.
SPARED, REUSED, SHARED, SEGMENTS, LISTS = 13, 17, 18, 19, 20


def large(seed: int) -> list[str]:
    """A list that is stored in segments."""
    return [text_of(seed + number, 500) for number in range(20)]


def whole(ns: str = "", **values: Any) -> Draft:
    """What a put sends that reuses nothing; each channel is at version "1"."""
    checkpoint = checkpoint_of(values, dict.fromkeys(values, "1"))
    return draft(Codec(JsonPlusSerializer()), ns, checkpoint, None, EMPTY)


def fields(made: Draft) -> list[bytes]:
    """The fields of its values, in order."""
    return made.values[::2]


def test_a_first_attempt_spares_nothing_and_leaves_the_order() -> None:
    made, same = whole(a=large(1), b=large(2)), whole(a=large(1), b=large(2))

    assert made.spare(None) is made
    assert made.spared == 0
    assert fields(made) == fields(same)


def test_values_of_versions_that_are_not_new_come_first_and_are_counted() -> None:
    made = whole(a=large(1), b=large(2), c=large(3), d=large(4))
    by_field = dict(zip(made.values[::2], made.values[1::2], strict=True))

    made.spare({"a": "1", "c": "1"})

    assert made.spared == 2
    assert set(fields(made)[:2]) == {b"v//b/1", b"v//d/1"}
    assert set(fields(made)[2:]) == {b"v//a/1", b"v//c/1"}
    assert dict(zip(made.values[::2], made.values[1::2], strict=True)) == by_field


def test_where_no_version_is_new_all_values_are_spared() -> None:
    made = whole(a=large(1), b=large(2))

    made.spare({})

    assert made.spared == 2


def test_where_all_versions_are_new_none_is_spared() -> None:
    made = whole(a=large(1), b=large(2))

    made.spare({"a": "1", "b": "1"})

    assert made.spared == 0


def test_a_channel_that_is_new_at_another_version_is_spared_at_this_one() -> None:
    made = whole(a=large(1))

    made.spare({"a": "2"})

    assert made.spared == 1


def test_values_are_told_apart_by_their_fields_in_their_namespace() -> None:
    made = whole("node:1", **{"a/b": large(1), "c": large(2)})

    made.spare({"a/b": "1"})

    assert made.spared == 1
    assert fields(made)[0] == b"v/node:1/c/1"


def test_inline_values_have_no_field_to_spare() -> None:
    made = whole(a=1, b="text", c=large(1))

    made.spare({"a": "1"})

    assert (made.spared, fields(made)) == (1, [b"v//c/1"])


def test_segments_and_refs_are_what_they_were() -> None:
    made = whole(a=large(1), b=large(2))
    before = (list(made.refs), list(made.segments), list(made.reused))

    made.spare({"a": "1"})

    assert (made.refs, made.segments, made.reused) == before
    assert len(made.segments) == 4


# In a put.


@pytest.fixture
def plans() -> Plans:
    """The operations of a saver; the thread is registered."""
    made = Plans(Core(Keys("prefix")), Codec(JsonPlusSerializer()))
    registry.registered(made.core, made.core.keys.thread("thread"))
    return made


def values_of(call: Call) -> list[bytes]:
    """The fields of the values that a put sends, in order."""
    reused, shared, segments = (int(call.args[at]) for at in (REUSED, SHARED, SEGMENTS))
    names = call.args[LISTS + reused + 2 * (shared + segments) :: 2]
    return [bytes(name) for name in names if isinstance(name, bytes)]


def test_a_put_that_is_sent_again_whole_spares_what_is_not_new(plans: Plans) -> None:
    chain = Chain()
    chain.config = returned_after(plans.put(*chain.next(old=large(1), changed=large(2))), [STORED])
    plan = plans.put(*chain.next(changed=large(3)))
    first = only(next(plan))

    again = written(plan.send(GONE))

    old, changed = (f"v//{name}/{chain.versions[name]}".encode() for name in ("old", "changed"))
    assert (first.args[SPARED], values_of(first)) == (0, [changed])
    assert (again.args[SPARED], again.args[REUSED], values_of(again)) == (1, 0, [old, changed])
    returned(plan, [1, STORED])


def test_a_put_of_new_versions_alone_spares_nothing_when_it_is_sent_again(plans: Plans) -> None:
    plan = plans.put(*Chain().next(a=large(1), b=large(2)))
    next(plan)

    again = written(plan.send(GONE))

    assert again.args[SPARED] == 0
    assert len(values_of(again)) == 2
    returned(plan, [1, STORED])


# What a put counts on, of what is stored.


def next_draft(chain: Chain, before: Draft, **changed: Any) -> Draft:
    """What the next put sends after one that is stored."""
    step = chain.next(**changed)
    shelf = Shelf(before.held, "the id", edition=before.edition)
    return draft(before.codec, "", step.checkpoint, step.new_versions, shelf)


def first_draft(chain: Chain, **values: Any) -> Draft:
    """What the first put sends."""
    step = chain.next(**values)
    return draft(Codec(JsonPlusSerializer()), "", step.checkpoint, step.new_versions, EMPTY)


def counted_on(made: Draft) -> tuple[bytes, list[bytes], dict[bytes, int]]:
    """The checkpoint, the single values, and how many segments of which values."""
    return made.base[0], made.reused, {name: len(names) // 10 for name, names in made.shared.items()}


def stored(chain: Chain, channel: str) -> bytes:
    """The field of a channel's value."""
    return f"v//{channel}/{chain.versions[channel]}".encode()


def test_values_that_stay_are_the_checkpoints_and_those_with_segments_are_looked_for() -> None:
    chain = Chain()
    before = first_draft(chain, a=large(1), b=large(2), c=[1])

    made = next_draft(chain, before, step=1)

    assert counted_on(made) == (b"c//the id", [], {stored(chain, "a"): 1, stored(chain, "b"): 1})
    assert made.kept == 2


def test_a_value_that_grows_is_looked_for_and_so_is_no_checkpoint() -> None:
    chain = Chain()
    before = first_draft(chain, a=large(1))
    was = stored(chain, "a")

    made = next_draft(chain, before, a=[*large(1), "more"])

    assert counted_on(made) == (b"", [], {was: 1})
    assert made.shared[was] == before.held["a"].segments[0].name


def test_of_a_value_that_changed_the_names_count_up_to_the_last_that_it_has() -> None:
    chain = Chain()
    texts = {str(number): text_of(number, 5000) for number in range(40)}
    made = first_draft(chain, a=texts)
    for number in ("10", "20", "30"):
        was, before = stored(chain, "a"), made
        made = next_draft(chain, before, a={**chain.values["a"], number: text_of(100, 5000)})

    segments = before.held["a"].segments
    reused = set(made.held["a"].segments) & set(segments)
    assert 1 < len(reused) < len(segments)
    last = max(segments.index(segment) for segment in reused)
    assert made.shared == {was: b"".join(segment.name for segment in segments[: last + 1])}


def test_a_value_that_holds_one_that_stays_looks_for_that() -> None:
    chain = Chain()
    before = first_draft(chain, messages=large(1))

    made = next_draft(chain, before, call={"messages": large(1), "number": 1})

    assert counted_on(made) == (b"c//the id", [], {stored(chain, "messages"): 1})


def test_a_value_that_holds_one_of_the_same_put_looks_for_what_that_one_extends() -> None:
    chain = Chain()
    before = first_draft(chain, messages=large(1))
    was, now = stored(chain, "messages"), [*large(1), *large(50)]

    made = next_draft(chain, before, messages=now, call={"messages": now})

    assert counted_on(made) == (b"", [], {was: 1})


def test_what_is_not_known_is_looked_for_by_itself() -> None:
    chain = Chain()
    before = first_draft(chain, a=large(1), b=large(2))
    del before.held["b"]

    made = next_draft(chain, before, step=1)

    assert counted_on(made) == (b"c//the id", [stored(chain, "b")], {stored(chain, "a"): 1})

"""Whatever InMemoryStore answers, ours answer: the same random operations on both, all compared.

Ours are two stores on one prefix, as two processes have them. Where ours differ on purpose, `stores` says.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from langgraph.store.base import GetOp, Item, ListNamespacesOp, MatchCondition, Op, PutOp, SearchOp

from stores import AsyncStore, Namespace, Reference, SyncStore, Twin, member_keys, seen

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

LABELS = ("a", "b", "ab", "A", "*", "a\x01", "é", "{x}", "a:b", "1", "10")
KEYS = ("k", "K", "k#0", "k|l", "", "\x00", "a\x00\x00b", "\x00\x00", "é🙂")
FIELDS = ("n", "kind", "deep", "odd\n", 'q"')

labels = st.sampled_from(LABELS)
# Mostly a few, which have items.
namespaces = st.one_of(
    st.sampled_from([("a",), ("a", "b"), ("a", "b", "a"), ("b", "a"), ("ab",), ("1",), ("10",)]),
    st.lists(labels, min_size=1, max_size=4).map(tuple),
)
prefixes = st.one_of(st.just(()), namespaces, labels.map(lambda label: (label,)))
patterns = st.lists(st.one_of(labels, st.just("*")), max_size=3).map(tuple)
keys = st.sampled_from(KEYS)

scalars: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        2,
        -2,
        1.0,
        2.0,
        2.5,
        10**14,
        10**17,
        2**63,
        "",
        "a",
        "2",
        "nan",
        'q"\n',
        "é",
        "*",
    ]
)
nested: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=2)
    ),
    max_leaves=3,
)
values = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), nested, max_size=4),
    # What JSON does not keep is kept in another way.
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(scalars, st.binary(max_size=2)), max_size=3),
)
bounds = st.sampled_from([0, 1, 2, -2, 2.5, "2", True, 10**17])
operators = st.dictionaries(
    st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), bounds, min_size=1, max_size=2
) | st.dictionaries(st.sampled_from(["$eq", "$ne"]), nested, min_size=1, max_size=2)
conditions = st.one_of(nested, operators, st.dictionaries(st.sampled_from(FIELDS), operators, max_size=1))
filters = st.one_of(
    st.none(), st.none(), st.dictionaries(st.sampled_from(FIELDS), conditions, min_size=1, max_size=2)
)
limits = st.sampled_from([0, 1, 2, 3, 10, 1000])
offsets = st.sampled_from([0, 0, 0, 1, 2, 5])

# Not `builds`, which would make up what is left out.
gets = st.tuples(namespaces, keys).map(lambda it: GetOp(*it))
puts = st.tuples(namespaces, keys, st.one_of(values, values, st.none())).map(lambda it: PutOp(*it))
searches = st.tuples(prefixes, filters, limits, offsets).map(lambda it: SearchOp(*it))
conditioned = st.tuples(st.sampled_from(["prefix", "suffix"]), patterns).map(
    lambda it: MatchCondition(*it)  # type: ignore[arg-type] # its two kinds.
)
listings = st.tuples(
    st.lists(conditioned, max_size=2).map(tuple), st.sampled_from([None, None, 0, 1, 2, 3]), limits, offsets
).map(lambda it: ListNamespacesOp(*it))
operations = st.one_of(puts, puts, puts, gets, searches, searches, listings)

DONE: Counter[str] = Counter()
"""How many operations were compared, by kind."""


class StoreDifferential(RuleBasedStateMachine):
    """`known` are the items that either ever held."""

    def __init__(self, open_store: Callable[[str], Twin], shards: int, client: redis.Redis) -> None:
        super().__init__()
        self.client = client
        self.prefix = f"diff-{uuid4().hex[:12]}"
        self.ours = [open_store(self.prefix), open_store(self.prefix)]
        self.reference = Reference(shards)
        self.open_store = open_store
        self.known: set[tuple[Namespace, str]] = set()

    @rule(ops=st.lists(operations, min_size=1, max_size=25), which=st.integers(0, 1))
    def several_at_once(self, ops: list[Op], which: int) -> None:
        self.compare(ops, which, lambda twin: twin.batch(ops))

    @rule(op=puts, which=st.integers(0, 1))
    def put_or_delete(self, op: PutOp, which: int) -> None:
        def act(twin: Twin) -> list[Any]:
            if op.value is None:
                twin.delete(op.namespace, op.key)
            else:
                twin.put(op.namespace, op.key, op.value)
            return [None]

        self.compare([op], which, act)

    @rule(op=gets, which=st.integers(0, 1))
    def get(self, op: GetOp, which: int) -> None:
        self.compare([op], which, lambda twin: [twin.get(op.namespace, op.key)])

    @rule(op=searches, which=st.integers(0, 1))
    def search(self, op: SearchOp, which: int) -> None:
        query = {"filter": op.filter, "limit": op.limit, "offset": op.offset}
        self.compare([op], which, lambda twin: [twin.search(op.namespace_prefix, **query)])

    @rule(prefix=patterns, suffix=patterns, op=listings, which=st.integers(0, 1))
    def list_namespaces(self, prefix: Namespace, suffix: Namespace, op: ListNamespacesOp, which: int) -> None:
        paths = {"prefix": prefix, "suffix": suffix}
        told = tuple(MatchCondition(kind, path) for kind, path in paths.items() if path)  # type: ignore[arg-type] # its two kinds.
        query = {"max_depth": op.max_depth, "limit": op.limit, "offset": op.offset}
        self.compare(
            [op._replace(match_conditions=told)], which, lambda twin: [twin.list_namespaces(**paths, **query)]
        )

    @rule(which=st.integers(0, 1))
    def another_process(self, which: int) -> None:
        """One that knows nothing, on a server that has forgotten its scripts."""
        self.ours[which].close()
        self.ours[which] = self.open_store(self.prefix)
        self.client.script_flush()

    def compare(self, ops: list[Op], which: int, act: Callable[[Twin], list[Any]]) -> None:
        found, expected = act(self.ours[which]), self.reference.batch(ops)
        assert seen(found) == seen(expected)
        DONE.update(type(op).__name__ for op in ops)
        self.stamp(dict.fromkeys((op.namespace, op.key) for op in ops if isinstance(op, PutOp)))

    def stamp(self, written: dict[tuple[Namespace, str], None]) -> None:
        """What was written is read by the other store."""
        self.known |= written.keys()
        reads = [GetOp(ns, key) for ns, key in written]
        found = cast("list[Item | None]", self.ours[1].batch(reads))
        assert seen(found) == seen(self.reference.batch(reads))
        for (ns, key), item in zip(written, found, strict=True):
            self.reference.stamp(ns, key, item)

    def teardown(self) -> None:
        self.ours[0].batch([PutOp(ns, key, None) for ns, key in self.known])
        for store in self.ours:
            store.close()
        left = cast("list[bytes]", list(self.client.scan_iter(f"{self.prefix}:*", count=1000)))
        assert member_keys(self.prefix, left) == []
        for key in left:
            self.client.delete(key)


LENGTHS: dict[str, Any] = {"stateful_step_count": 25}
if "DEEP_EXAMPLES" not in os.environ:
    LENGTHS["max_examples"] = 15


@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", [SyncStore, AsyncStore])
@pytest.mark.parametrize("shards", [1, 3])
def test_random_operations_give_what_in_memory_store_gives(
    kind: type[SyncStore | AsyncStore], shards: int, redis_url: str, redis_client: redis.Redis
) -> None:
    DONE.clear()
    # Hypothesis calls what it is given without arguments, but says that it wants a class.
    machine: Any = partial(StoreDifferential, partial(kind, redis_url, shards=shards), shards, redis_client)

    run_state_machine_as_test(machine, settings=settings(**LENGTHS))

    assert min(DONE[kind] for kind in ("PutOp", "GetOp", "SearchOp", "ListNamespacesOp")) > 0
    print(f"{sum(DONE.values())} operations were compared: {dict(DONE)}")  # noqa: T201 - for who searches long.

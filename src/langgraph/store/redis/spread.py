"""Over how many shards items are spread, and operations as calls of these shards' script.

The first store on a prefix decides how many shards there are; later ones adopt it. One shard keeps all in
the order of its updates; several let a cluster's nodes share the load, and reads of all then ask each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from langgraph._redis import scripts
from langgraph._redis.plan import Argument, Call, Plan, Refusal
from langgraph.store.redis.keys import FIELD, MOST_SHARDS, Keys, shard_of

_SCRIPT: Final = scripts.load("store")
_LAYOUT: Final = 1
_ON_A_CLUSTER: Final = 16

TOGETHER: Final = 250
"""Operations that make one run of the script, which holds the server for some 2 ms then."""

TOGETHER_BYTES: Final = 1_000_000
"""Likewise, bytes of their arguments."""


class Ask(NamedTuple):
    """One operation of a shard: a letter and its arguments, as scripts/store.lua takes them."""

    shard: int
    words: Sequence[Argument]


class Spread:
    """The shards below one prefix.

    Args:
        keys: Names the keys.
        shards: How many there shall be; None: as many as there are, else one, or 16 on a cluster.
        cluster: Whether the client talks to a cluster.

    Raises:
        TypeError: If `shards` is no int.
        ValueError: If it is out of range.
    """

    def __init__(self, keys: Keys, shards: int | None, *, cluster: bool) -> None:
        if shards is not None and (not isinstance(shards, int) or isinstance(shards, bool)):
            raise TypeError(f"shards must be an int or None, not {shards!r:.80}")
        if shards is not None and not 1 <= shards <= MOST_SHARDS:
            raise ValueError(f"shards must be from 1 to {MOST_SHARDS}, not {shards}")
        self.keys = keys
        self.count = 0
        self._asked = shards
        self._clocks: list[bytes] = []
        self.cluster = cluster
        self._default = _ON_A_CLUSTER if cluster else 1

    def known(self) -> Plan[None]:
        """Learn, once, how many shards there are; or decide it: one round trip.

        Raises:
            ValueError: If there are others than were asked for, or a newer release made them.
        """
        if self.count:
            return
        wish = orjson.dumps({"layout": _LAYOUT, "shards": self._asked or self._default})
        meta = [self.keys.meta]
        # A server that is full takes no wish; what is stored can be read all the same.
        made, stored = yield [
            Call("HSETNX", meta, [FIELD, wish], tolerant=True),
            Call("HGET", meta, [FIELD]),
        ]
        if stored is None and isinstance(made, Refusal) and made.error is not None:
            raise made.error
        self._adopt(stored)

    def _adopt(self, stored: bytes) -> None:
        found = orjson.loads(stored)
        if found["layout"] != _LAYOUT:
            raise ValueError(
                f"key {self.keys.meta.decode()!r}: this store has layout {found['layout']}, and this release "
                f"reads {_LAYOUT}: a newer release made it; use that one, or another store_prefix"
            )
        if self._asked not in (None, found["shards"]):
            raise ValueError(
                f"shards is {self._asked}, and the store below {self.keys.prefix!r} has {found['shards']}: "
                "leave it out, or use another store_prefix"
            )
        self._clocks = [self.keys.clock(number) for number in range(found["shards"])]
        self.count = found["shards"]

    def of(self, ns: bytes) -> int:
        """The shard of a namespace."""
        return shard_of(ns, self.count)

    def below(self, ns: bytes) -> range:
        """The shards in which items below a prefix are."""
        return range(self.of(ns), self.of(ns) + 1) if ns else range(self.count)

    def ask(self, asked: Sequence[Ask]) -> Plan[list[Any]]:
        """The replies to operations, in one round trip; those of a shard run in this order.

        Those of a shard are one atomic step, up to `TOGETHER` of them and `TOGETHER_BYTES`.
        """
        if not asked:
            return []
        if len(asked) == 1:
            return (yield self.call(*asked[0]))  # type: ignore[no-any-return] # a script's list.
        runs = self._runs(asked)
        replies = yield [self._call(asked[run[0]].shard, [asked[at].words for at in run]) for run in runs]
        found: list[Any] = [None] * len(asked)
        for run, reply in zip(runs, replies, strict=True):
            for at, answer in zip(run, reply, strict=True):
                found[at] = answer
        return found

    def call(self, shard: int, words: Sequence[Argument]) -> Call:
        """One operation by itself; the reply is a list of one."""
        return Call(_SCRIPT, [self._clocks[shard]], words)

    def _call(self, shard: int, operations: Iterable[Sequence[Argument]]) -> Call:
        return Call(_SCRIPT, [self._clocks[shard]], [word for words in operations for word in words])

    def _runs(self, asked: Sequence[Ask]) -> list[list[int]]:
        """Which operations travel in which call."""
        runs: list[list[int]] = []
        latest: dict[int, tuple[list[int], int]] = {}
        for at, (shard, words) in enumerate(asked):
            size = sum(len(word) for word in words if isinstance(word, bytes))
            run, before = latest.get(shard, ([], 0))
            if not run or len(run) == TOGETHER or before + size > TOGETHER_BYTES:
                run, before = [], 0
                runs.append(run)
            run.append(at)
            latest[shard] = run, before + size
        return runs

"""Whatever InMemorySaver answers, ours answer: the same random operations on both, all compared.

Ours are two savers with one prefix, as two processes have them: neither knows what the other wrote.
Two things differ on purpose, and are compared as documented: over several namespaces InMemorySaver
lists one after the other, ours by id; the order of threads in a listing of all is nobody's promise.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from langgraph.checkpoint.base import WRITES_IDX_MAP

from steps import Put, checkpoint_of, config_of, metadata_of, next_version
from twins import EVERY_OPTION, Async, Reference, Saver, Sync, address, seen, seen_history
from values import changed, conversed, quoting, values

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions, CheckpointTuple

THREADS = ("t", "T", "a:b,{x}/%7B*\n")
NAMESPACES = ("", "child:1", "child:1|grand:2", "a/b", "a")
CHANNELS = ("messages", "state", "branch:to:a", "x/y", "odd\n\t")
IDS = ("1", "10", "9", "9-", "9.", "9/", "é", "{x}", "\x01A", "\n")

threads = st.sampled_from(THREADS)
# Mostly one place, where a long history grows.
places = st.sampled_from([(THREADS[0], "")] * 12 + [(t, ns) for t in THREADS for ns in NAMESPACES])
# Mostly the next id in time; now and then one that sorts elsewhere, or that exists (a re-put).
ids = st.sampled_from([None] * len(IDS) + list(IDS))
tasks = st.tuples(
    st.sampled_from(["task", "task/2", "é\n"]),
    st.sampled_from(["", "~__pregel_pull, a", "~__pregel_push, 10"]),
)
channels = st.sampled_from([*CHANNELS, *WRITES_IDX_MAP])
extras: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"user": "ann"}, {"user": "bob", "tags": ["a", {"b": 1}]}, {"run_id": "run"}, {"run_id": "r/2"}]
)
filters = st.sampled_from(
    [None, None, {}, {"user": "ann"}, {"user": "*"}, {"user": None}, {"step": 2}, {"step": 1, "user": "bob"}]
)
limits = st.one_of(st.none(), st.integers(0, 5))


class Differential(RuleBasedStateMachine):
    """`known` holds, for each checkpoint, what a graph would carry on from: values and versions.

    `newest` is where it stands in a namespace: the checkpoint that was put last, whatever its id.
    """

    def __init__(self, open_saver: Callable[[str], Saver], client: redis.Redis) -> None:
        super().__init__()
        self.client = client
        self.prefix = f"diff-{uuid4().hex[:12]}"
        self.ours = [open_saver(self.prefix), open_saver(self.prefix)]
        self.reference = Reference()
        self.open_saver = open_saver
        self.known: dict[tuple[str, str, str], tuple[dict[str, Any], ChannelVersions]] = {}
        self.newest: dict[tuple[str, str], str] = {}
        self.count = 0

    @initialize(data=st.data(), style=st.sampled_from(["text", "int", "float"]))
    def begin(self, data: st.DataObject, style: str) -> None:
        """With a conversation of some steps; versions are of one type."""
        self.style = style
        self.run_a_graph(data, (THREADS[0], ""), 3)

    # What writes. Each write is read at once, by the saver that did not do it.

    @rule(data=st.data(), at=places, steps=st.integers(1, 4))
    def go_on(self, data: st.DataObject, at: tuple[str, str], steps: int) -> None:
        self.run_a_graph(data, at, steps)

    def run_a_graph(self, data: st.DataObject, at: tuple[str, str], steps: int) -> None:
        """Some supersteps: a checkpoint, then what its tasks write."""
        for _ in range(steps):
            named = self.put_next(data, at, self.newest.get(at), f"{self.tick():08}")
            for _ in range(data.draw(st.integers(0, 3), label="tasks")):
                self.write(data, at, named)

    @rule(data=st.data(), at=places, named=ids)
    def fork(self, data: st.DataObject, at: tuple[str, str], named: str | None) -> None:
        """From any checkpoint, also from none and from one that does not exist."""
        parent = data.draw(st.sampled_from([None, "never", *self.ids(*at)]), label="parent")
        self.put_next(data, at, parent, named or f"{self.tick():08}")

    @rule(data=st.data(), at=places)
    def write_somewhere(self, data: st.DataObject, at: tuple[str, str]) -> None:
        """Also before its checkpoint exists, and where none ever will."""
        self.write(data, at, data.draw(self.some_id(at), label="checkpoint"))

    def put_next(self, data: st.DataObject, at: tuple[str, str], parent: str | None, named: str) -> str:
        held, versions = self.known.get((*at, parent or ""), ({}, {}))
        new = self.changes(data, held)
        # A channel that is not written any more, or a DeltaChannel, has a version and no value.
        gone = {name for name in new if data.draw(st.integers(0, 4), label="gone") == 4}
        bumped = {name: self.version(versions.get(name)) for name in new}
        now = {name: v for name, v in {**held, **new}.items() if name not in gone}
        extra: dict[str, Any] = data.draw(extras, label="metadata")
        put = Put(
            config_of(*at, parent),
            checkpoint_of(now, {**versions, **bumped}, named),
            metadata_of(self.count % 4, **extra),
            bumped,
        )
        writer, reader = self.two_of_ours(data)
        assert writer.put(put) == self.reference.put(put)
        self.known[at[0], at[1], named] = now, {**versions, **bumped}
        self.newest[at] = named
        self.compare(reader, config_of(*at, named))
        return named

    def write(self, data: st.DataObject, at: tuple[str, str], checkpoint_id: str) -> None:
        held, _ = self.known.get((*at, checkpoint_id), ({}, {}))
        wrote = st.tuples(channels, st.one_of(values, quoting(list(held.values()))))
        pending = data.draw(st.lists(wrote, min_size=1, max_size=4), label="writes")
        task, path = data.draw(tasks, label="task")
        writer, reader = self.two_of_ours(data)
        writer.put_writes(config_of(*at, checkpoint_id), pending, task, path)
        self.reference.put_writes(config_of(*at, checkpoint_id), pending, task, path)
        self.compare(reader, config_of(*at, checkpoint_id))

    # Maintenance. What is left is compared whole.

    @rule(
        data=st.data(),
        thread=st.sampled_from([THREADS[0], *THREADS]),
        kind=st.sampled_from(["prune", "prune", "runs", "copy", "delete"]),
    )
    def maintain(self, data: st.DataObject, thread: str, kind: str) -> None:
        worker, reader = self.two_of_ours(data)
        if kind == "prune":
            self.prune(worker, thread)
        elif kind == "runs":
            self.delete_for_run(worker, data.draw(st.sampled_from(["run", "r/2", "never"])))
        elif kind == "copy":
            self.copy_thread(worker, thread, data.draw(st.sampled_from(sorted({*THREADS} - {thread}))))
        else:
            self.delete_thread(worker, thread)
        theirs = self.reference.list(None)
        found = reader.list(None)
        assert len(found) == len(theirs)
        assert_among(found, theirs)

    def prune(self, worker: Saver, thread: str) -> None:
        """A graph may still go on from what was pruned: `known` keeps it."""
        worker.prune(thread)
        self.reference.prune(thread)

    def delete_for_run(self, worker: Saver, run: str) -> None:
        worker.delete_for_run(run)
        self.reference.delete_for_run(run)

    def delete_thread(self, worker: Saver, thread: str) -> None:
        worker.delete_thread(thread)
        self.reference.delete_thread(thread)
        self.known = {at: state for at, state in self.known.items() if at[0] != thread}
        self.newest = {at: named for at, named in self.newest.items() if at[0] != thread}

    def copy_thread(self, worker: Saver, source: str, target: str) -> None:
        self.delete_thread(worker, target)
        worker.copy_thread(source, target)
        self.reference.copy_thread(source, target)
        self.known |= {(target, *at[1:]): state for at, state in self.known.items() if at[0] == source}
        self.newest |= {(target, at[1]): named for at, named in self.newest.items() if at[0] == source}

    @rule(which=st.integers(0, 1))
    def another_process(self, which: int) -> None:
        """One that has cached nothing, on a server that has forgotten its scripts."""
        self.ours[which].close()
        self.ours[which] = self.open_saver(self.prefix)
        self.client.script_flush()

    # What reads. One rule: hypothesis now and then leaves rules out, and writes should not be outnumbered.

    @rule(data=st.data(), at=places, kind=st.integers(0, 4))
    def read(self, data: st.DataObject, at: tuple[str, str], kind: int) -> None:
        readers = (self.get, self.history, self.list_namespace, self.list_thread, self.list_everything)
        readers[kind](data, at, self.two_of_ours(data)[0])

    def get(self, data: st.DataObject, at: tuple[str, str], ours: Saver) -> None:
        one = data.draw(st.one_of(st.none(), self.some_id(at)), label="checkpoint")
        self.compare(ours, config_of(*at, one))

    def history(self, data: st.DataObject, at: tuple[str, str], ours: Saver) -> None:
        one = data.draw(st.sampled_from([None, *self.ids(*at), "never"]), label="checkpoint")
        asked = data.draw(st.lists(st.sampled_from([*CHANNELS, "never"]), unique=True), label="channels")
        theirs = self.reference.history(config_of(*at, one), asked)
        assert seen_history(ours.history(config_of(*at, one), asked)) == seen_history(theirs)

    def list_namespace(self, data: st.DataObject, at: tuple[str, str], ours: Saver) -> None:
        query = {"limit": data.draw(limits, label="limit"), **self.query(data, at)}
        one = data.draw(st.sampled_from([None, None, *self.ids(*at)]), label="checkpoint")
        theirs = self.reference.list(config_of(*at, one), **query)
        assert [seen(it) for it in ours.list(config_of(*at, one), **query)] == [seen(it) for it in theirs]

    def list_thread(self, data: st.DataObject, at: tuple[str, str], ours: Saver) -> None:
        config: RunnableConfig = {"configurable": {"thread_id": at[0]}}
        limit, query = data.draw(limits, label="limit"), self.query(data, at)
        theirs = self.reference.list(config, **query)
        found = ours.list(config, limit=limit, **query)
        assert [id_of(it) for it in found] == sorted(map(id_of, theirs), reverse=True)[:limit]
        assert_among(found, theirs)

    def list_everything(self, data: st.DataObject, at: tuple[str, str], ours: Saver) -> None:
        limit, query = data.draw(limits, label="limit"), self.query(data, at)
        theirs = self.reference.list(None, **query)
        found = ours.list(None, limit=limit, **query)
        assert len(found) == len(theirs[:limit])
        assert_among(found, theirs)

    # Parts of the rules.

    def two_of_ours(self, data: st.DataObject) -> tuple[Saver, Saver]:
        """One to do something, and the other one."""
        which = data.draw(st.integers(0, 1), label="saver")
        return self.ours[which], self.ours[1 - which]

    def compare(self, ours: Saver, config: RunnableConfig) -> None:
        assert seen(ours.get_tuple(config)) == seen(self.reference.get_tuple(config))

    def ids(self, thread: str, ns: str) -> list[str]:
        return [at[2] for at in self.known if at[:2] == (thread, ns)]

    def some_id(self, at: tuple[str, str]) -> st.SearchStrategy[str]:
        return st.sampled_from([*self.ids(*at), *IDS, f"{self.count + 1:08}"])

    def query(self, data: st.DataObject, at: tuple[str, str]) -> dict[str, Any]:
        """`before` is an id of whichever namespace: a subgraph is asked with its parent's."""
        bound = data.draw(st.one_of(st.none(), self.some_id(at)), label="before")
        before = None if bound is None else config_of(*at, bound)
        return {"filter": data.draw(filters, label="filter"), "before": before}

    def changes(self, data: st.DataObject, held: dict[str, Any]) -> dict[str, Any]:
        some = st.lists(st.sampled_from(CHANNELS), max_size=3)
        names = {"messages": 1} | dict.fromkeys(data.draw(some, label="changes"), 1)
        return {name: data.draw(self.change(name, held), label=name) for name in names}

    def change(self, name: str, held: dict[str, Any]) -> st.SearchStrategy[Any]:
        if name == "messages":
            return conversed(held.get(name))
        return changed(held[name]) if name in held else st.one_of(values, quoting(list(held.values())))

    def version(self, current: Any) -> str | int | float:
        if self.style == "text":
            return next_version(current, None)
        return self.tick() if self.style == "int" else self.tick() + 0.5

    def tick(self) -> int:
        self.count += 1
        return self.count

    def teardown(self) -> None:
        for thread in THREADS:
            self.ours[0].delete_thread(thread)
        for saver in self.ours:
            saver.close()
        left = [key for key in self.keys() if b":threads:" not in key]
        assert left == []

    def keys(self) -> list[bytes]:
        return list(self.client.scan_iter(f"{self.prefix}:*", count=1000))


def id_of(found: CheckpointTuple) -> str:
    return str(address(found.config)[2])


def assert_among(found: list[CheckpointTuple], theirs: list[CheckpointTuple]) -> None:
    """Each once, and each one of theirs."""
    expected = {address(it.config): seen(it) for it in theirs}
    addresses = [address(it.config) for it in found]
    assert len(addresses) == len(set(addresses))
    assert [seen(it) for it in found] == [expected.get(at) for at in addresses]


@pytest.mark.timeout(0)
@pytest.mark.every_server
@pytest.mark.parametrize("kind", [Sync, Async])
@pytest.mark.parametrize("options", [{}, EVERY_OPTION], ids=["plain", "every-option"])
def test_random_operations_give_what_in_memory_saver_gives(
    kind: type[Sync | Async], options: dict[str, Any], redis_url: str, redis_client: redis.Redis
) -> None:
    # Hypothesis calls what it is given without arguments, but says that it wants a class.
    machine: Any = partial(Differential, partial(kind, redis_url, **options), redis_client)
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=30))

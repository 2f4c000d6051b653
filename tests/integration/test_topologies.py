"""What a saver does, it does wherever it connects to: a server, a socket, sentinels, clusters; RESP2, 3."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from directories import names, put
from servers import free_port, start_valkey
from steps import Chain, config_of, id_of, long_list, metadata_of
from topologies import Together
from twins import Async, Sync
from waiting import eventually

Twin: TypeAlias = "Sync | Async"


class Place(NamedTuple):
    """Servers of one kind (the name of a fixture), and how connections to them are made."""

    servers: str
    args: dict[str, Any]


PLACES = {
    "standalone": Place("standalone", {}),
    "RESP2": Place("standalone", {"protocol": 2}),
    "RESP3": Place("standalone", {"protocol": 3}),
    "decode_responses": Place("standalone", {"decode_responses": True}),
    "RESP3, decode_responses": Place("standalone", {"protocol": 3, "decode_responses": True}),
    "database 7": Place("standalone", {"db": 7}),
    "unix socket": Place("by_socket", {}),
    "sentinels": Place("sentinels", {}),
    "sentinels, RESP3, decode_responses": Place("sentinels", {"protocol": 3, "decode_responses": True}),
    "cluster": Place("cluster_of_six", {}),
    "cluster, RESP2": Place("cluster_of_six", {"protocol": 2}),
    "cluster, RESP3": Place("cluster_of_six", {"protocol": 3}),
    "cluster, decode_responses": Place("cluster_of_six", {"decode_responses": True}),
}

# Their slots are on all of the three primaries of a cluster.
THREADS = [f"thread {n}" for n in range(6)]
CHANNELS = [("é", b"\xfd"), ("__error__", "x"), ("list", [1, None])]


@pytest.fixture(scope="session")
def standalone() -> Iterator[Together]:
    with start_valkey() as started:
        yield Together(started.url, [started])


@pytest.fixture(scope="session")
def by_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    path: Path = tmp_path_factory.mktemp("s") / "redis.sock"
    with start_valkey(unixsocket=path) as started:
        yield Together(f"unix://{path}?db=0", [started])


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> tuple[Together, dict[str, Any]]:
    chosen = PLACES[request.param]
    return request.getfixturevalue(chosen.servers), chosen.args


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def making(
    request: pytest.FixtureRequest, place: tuple[Together, dict[str, Any]], key_prefix: str
) -> Iterator[Any]:
    """Makes savers there, whose threads are deleted at the end; then nothing may be left."""
    servers, args = place
    made: list[Twin] = []

    def make_one(**options: Any) -> Twin:
        made.append(request.param(servers.url, key_prefix, connection_args=args, **options))
        return made[-1]

    yield make_one
    last = make_one(index_metadata=["user"])
    for thread in names(last):
        last.delete_thread(thread)
    left = names(last)
    for each in made:
        each.close()
    assert left == []
    # On a cluster the registry and the indexes may name what is gone for some minutes.
    kept = r"^$" if "cluster" not in servers.url else r":(threads|links|run|by):"
    assert not [key for keys in servers.keys(key_prefix) for key in keys if not re.search(kept, key)]


@pytest.fixture
def twin(making: Any) -> Twin:
    made: Twin = making()
    return made


def grown(twin: Twin, thread: str = "thread", steps: int = 4) -> Chain:
    """A thread with values that are stored in each of the ways there are, and a run for each step."""
    chain = Chain(config_of(thread))
    for step in range(steps):
        made = chain.next(small=step, blob=b"\xff" * 500, messages=long_list(20 + step, f"{thread} é "))
        chain.config = twin.put(made._replace(metadata=metadata_of(step, run_id=f"run {step}")))
        twin.put_writes(chain.config, CHANNELS, "täsk", "päth")
    return chain


def values_of(twin: Twin, thread: str = "thread") -> dict[str, Any] | None:
    found = twin.get_tuple(config_of(thread))
    return None if found is None else found.checkpoint["channel_values"]


def test_setup_finds_all_that_is_needed(twin: Twin) -> None:
    twin.do("setup")


def test_threads_are_stored_and_read_whole(twin: Twin) -> None:
    chains = [grown(twin, thread) for thread in THREADS]

    for chain in chains:
        found = twin.get_tuple(config_of(chain.config["configurable"]["thread_id"]))
        assert found is not None
        assert found.config == chain.config
        assert found.checkpoint["channel_values"] == chain.values
        assert sorted(found.pending_writes or []) == sorted(("täsk", *write) for write in CHANNELS)


def test_a_cold_saver_reads_what_another_one_stored(twin: Twin, making: Any) -> None:
    chain = grown(twin)

    assert values_of(making()) == chain.values


def test_checkpoints_are_listed_newest_first(twin: Twin) -> None:
    ids = [id_of(grown(twin, thread).config) for thread in THREADS[:3]]

    assert [found.metadata["step"] for found in twin.list(config_of(THREADS[0]))] == [3, 2, 1, 0]
    assert len(twin.list(None)) == 12
    assert {id_of(found.config) for found in twin.list(None, filter={"step": 3})} == set(ids)


def test_threads_are_listed_all_or_by_an_index(making: Any) -> None:
    twin = making(index_metadata=["user"])
    for number, thread in enumerate(THREADS):
        put(twin, thread, user="ann" if number % 3 else "bob")

    assert sorted(names(twin)) == sorted(THREADS)
    assert sorted(names(twin, filter={"user": "bob"})) == ["thread 0", "thread 3"]


def test_a_channels_history_is_walked(twin: Twin) -> None:
    chain = grown(twin)

    history = twin.history(chain.config, ["é", "blob"])

    assert [write[2] for write in history["é"]["writes"]] == [b"\xfd"] * 3
    assert history["blob"]["seed"] == b"\xff" * 500


def test_a_copy_may_live_in_another_slot(twin: Twin) -> None:
    chain = grown(twin)

    for thread in THREADS:
        twin.copy_thread("thread", thread)

    assert [values_of(twin, thread) for thread in THREADS] == [chain.values] * len(THREADS)
    assert [len(twin.list(config_of(thread))) for thread in THREADS] == [4] * len(THREADS)
    assert all(len(twin.get_tuple(config_of(thread)).pending_writes) == 3 for thread in THREADS)  # type: ignore[union-attr, arg-type]  # both are there


def test_a_fork_ends_where_it_is_told_to(twin: Twin) -> None:
    grown(twin)
    second = twin.list(config_of())[2]

    for thread in THREADS[:4]:
        twin.do("copy_thread", "thread", thread, until=id_of(second.config))

    for thread in THREADS[:4]:
        assert values_of(twin, thread) == second.checkpoint["channel_values"]
        assert len(twin.list(config_of(thread))) == 2


def test_pruning_keeps_the_latest(twin: Twin) -> None:
    chains = [grown(twin, thread) for thread in THREADS[:4]]

    twin.do("prune", THREADS[:4])

    assert [len(twin.list(config_of(thread))) for thread in THREADS[:4]] == [1] * 4
    assert [values_of(twin, thread) for thread in THREADS[:4]] == [chain.values for chain in chains]


def test_idle_threads_are_pruned(twin: Twin) -> None:
    for thread in THREADS:
        put(twin, thread)

    assert twin.do("prune_idle", timedelta(days=1)).threads == 0
    assert eventually(lambda: twin.do("prune_idle", timedelta(milliseconds=1)) and names(twin) == [])


def test_a_runs_checkpoints_are_deleted_in_all_threads(twin: Twin) -> None:
    for thread in THREADS[:4]:
        grown(twin, thread)

    twin.delete_for_run("run 1")

    for thread in THREADS[:4]:
        assert [found.metadata["step"] for found in twin.list(config_of(thread))] == [3, 2, 0]


def test_a_thread_lives_as_long_as_it_is_told(making: Any) -> None:
    twin = making(ttl={"default_ttl": 60, "refresh_on_read": True})
    grown(twin)

    assert twin.do("get_ttl", "thread") == pytest.approx(60, abs=0.5)
    twin.do("set_ttl", "thread", 5)
    assert twin.do("get_ttl", "thread") == pytest.approx(5, abs=0.5)
    twin.do("persist", "thread")
    assert twin.do("get_ttl", "thread") is None


def test_a_history_is_bounded(making: Any) -> None:
    twin = making(keep_last=2)

    chains = [grown(twin, thread, 8) for thread in THREADS[:4]]

    for thread, chain in zip(THREADS, chains, strict=False):
        assert [found.metadata["step"] for found in twin.list(config_of(thread))] == [7, 6]
        assert values_of(twin, thread) == chain.values


def test_a_deleted_thread_is_gone(twin: Twin) -> None:
    for thread in THREADS:
        put(twin, thread)

    for thread in THREADS:
        twin.delete_thread(thread)

    assert [values_of(twin, thread) for thread in THREADS] == [None] * len(THREADS)
    assert twin.list(None) == []


@pytest.mark.parametrize("kind", [Sync, Async])
def test_a_sentinel_that_is_gone_is_passed_over_at_once(
    sentinels: Together, key_prefix: str, kind: type[Sync | Async]
) -> None:
    url = sentinels.url.replace("://", f"://127.0.0.1:{free_port()},127.0.0.1:{free_port()},")
    twin = kind(url, key_prefix)
    began = time.monotonic()

    put(twin, "thread")

    assert time.monotonic() - began < 1
    twin.delete_thread("thread")
    twin.close()


def test_threads_are_spread_over_a_cluster(cluster_of_six: Together, key_prefix: str) -> None:
    twin = Sync(cluster_of_six.url, key_prefix)
    for thread in THREADS:
        put(twin, thread)

    held = [[key for key in keys if key.endswith(":data")] for keys in cluster_of_six.keys(key_prefix)]

    assert len(held) == 3
    assert all(held)
    assert sum(map(len, held)) == len(THREADS)
    for thread in THREADS:
        twin.delete_thread(thread)
    twin.close()

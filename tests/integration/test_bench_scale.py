"""The benchmark at scale measures what it says: real chats, puts that are puts, sums that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

from benchmarks.scale import whole
from benchmarks.scale.capacity import NotReplayedError, played, port
from benchmarks.scale.chats import TURNS, Chats, Spent, hold, thread_id
from benchmarks.scale.efforts import Effort
from benchmarks.scale.fit import fitted, foretold
from benchmarks.scale.loaders import IN_FLIGHT, WAITING, loaders
from benchmarks.scale.loads import CHECKPOINTS, PUTS, Load, loads
from benchmarks.scale.tables import NAMES, markdown
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.keys import SHARDS
from servers import start_valkey
from steps import config_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scale.loaders import Loaders
    from servers import Server

SIZE = 20
TINY = Effort("tiny", 8, 8, 1, {SIZE: 8}, 0.02, 6, (SIZE,), 500, 1_000)


@pytest.fixture
def stand() -> Iterator[Server]:
    with start_valkey() as started:
        yield started


@pytest.fixture
def client(stand: Server) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stand.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def ready() -> Iterator[Loaders]:
    with loaders(2) as started:
        yield started


def here(chats: Chats) -> list[Spent]:
    """Chats in this process: another one would first have to import all that they need."""
    return [hold(chats)]


@pytest.fixture(scope="module")
def found(ready: Loaders) -> dict[str, Any]:
    return {"where": {}, **whole.parts(TINY, ready, here, lambda _: None)}


@pytest.mark.parametrize("load", loads(SIZE), ids=lambda load: load.name)
def test_what_is_sent_again_does_what_the_saver_did(
    load: Load, stand: Server, client: redis.Redis, ready: Loaders
) -> None:
    recording = load.record(stand.url, client, ["a", "b", "c"])
    recording.restore()
    restored = recording.digest()
    ready.prepare(port(client), recording.scripts, WAITING)

    done = played(client, ready)

    assert restored == recording.before
    assert recording.digest() == recording.after
    assert recording.changed() == (3 if load.writes else 0)
    assert done.calls.calls >= 3 * load.per_thread


def test_a_put_that_is_sent_again_is_there_to_be_read(
    stand: Server, client: redis.Redis, ready: Loaders
) -> None:
    recording = loads(SIZE)[0].record(stand.url, client, ["a", "b"])
    recording.restore()
    ready.prepare(port(client), recording.scripts, IN_FLIGHT)

    def checkpoints() -> int:
        with RedisSaver(stand.url) as saver:
            return len(list(saver.list(config_of("a"))))

    assert checkpoints() == CHECKPOINTS + 1
    played(client, ready)
    assert checkpoints() == CHECKPOINTS + 1 + PUTS


def test_a_load_that_the_server_refuses_is_no_result(client: redis.Redis, ready: Loaders) -> None:
    ready.prepare(port(client), [[(b"*1\r\n$6\r\nNOSUCH\r\n", 1)]] * 3, WAITING)

    with pytest.raises(NotReplayedError, match="refused 3 requests"):
        played(client, ready)


def test_each_thread_of_a_population_holds_a_whole_chat(stand: Server) -> None:
    here(Chats(stand.url, range(3)))

    with RedisSaver(stand.url) as saver:
        held = [list(saver.list(config_of(thread_id(number)))) for number in range(3)]

    assert [len(each) for each in held] == [3 * TURNS] * 3
    said = {message.content for each in held for message in each[0].checkpoint["channel_values"]["messages"]}
    assert len(said) == 3 * 2 * TURNS  # Nobody says what another one said.


def test_memory_is_weighed_as_threads_come(found: dict[str, Any]) -> None:
    population = found["population"]
    empty, *marks = population["weighed"]

    assert [each["threads"] for each in marks] == [1, 2, 4, 8]
    assert empty["keys"] == 0
    assert 2 * 8 < marks[-1]["keys"] <= 2 * 8 + SHARDS
    assert population["million"]["added"] == pytest.approx(population["million"]["used"], rel=0.2)
    assert found["registry"]["threads"] == 500


def test_a_cluster_has_every_thread_once_and_crosses_no_slot(found: dict[str, Any]) -> None:
    several = found["cluster"]["several"]

    assert len(several["nodes"]) == 3
    assert sum(node["threads"] for node in several["nodes"]) == TINY.cluster
    assert sum(node["registry"] for node in several["nodes"]) <= SHARDS
    assert several["crossed"] == 0


def test_what_a_core_carries_is_counted_by_the_operation(found: dict[str, Any]) -> None:
    for load in found["capacity"]:
        for way in load["ways"].values():
            assert way["a_second"] == pytest.approx(way["operations"] / way["seconds"])
            assert way["ceiling"] == pytest.approx(1e6 / way["call_us"])
            assert way["calls"] >= 1


def test_every_table_has_lines_and_figures(found: dict[str, Any]) -> None:
    pages = markdown({**found, "where": {"server": "valkey"}})

    assert tuple(pages) == NAMES
    assert all(page.count("\n") >= 2 for page in pages.values())
    assert not [name for name, page in pages.items() if "nan" in page.split() or "{" in page]


def test_a_line_through_points_of_a_line_is_that_line() -> None:
    numbers = [1_000, 2_500, 5_000, 10_000]

    line = fitted(numbers, [7 + 3 * number for number in numbers])

    assert (line.start, line.each) == pytest.approx((7, 3))
    assert line.residual == pytest.approx(0)
    assert foretold(numbers, [7, 7, 7, 14]) == pytest.approx(0.5)

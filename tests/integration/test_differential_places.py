"""Whatever InMemorySaver answers, ours answer on a cluster, too, and through clients that decode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from integration.test_differential import Differential
from topologies import Together
from twins import Async, Saver, Sync

# Of a thread that is gone these may tell for some minutes, where nothing joins two slots.
TOLD = (b":threads:", b":links:", b":run:", b":by:")


class InACluster(Differential):
    """On a cluster, where registry and indexes are other slots than the threads they name."""

    def keys(self) -> list[bytes]:
        left = super().keys()
        return [key for key in left if not any(part in key for part in TOLD)]


@pytest.fixture
def cluster_client(cluster_of_six: Together) -> Iterator[Any]:
    with redis.RedisCluster("127.0.0.1", cluster_of_six.servers[0].port) as client:
        yield client


def compare(machine: Callable[..., Any], opened: Callable[[str], Saver], client: Any, examples: int) -> None:
    # Hypothesis calls what it is given without arguments, but says that it wants a class.
    made: Any = partial(machine, opened, client)
    run_state_machine_as_test(made, settings=settings(max_examples=examples, stateful_step_count=20))


@pytest.mark.parametrize("kind", [Sync, Async])
@pytest.mark.parametrize("args", [{}, {"decode_responses": True}], ids=["bytes", "decode_responses"])
def test_random_operations_on_a_cluster_give_what_in_memory_saver_gives(
    kind: type[Sync | Async], args: dict[str, Any], cluster_of_six: Together, cluster_client: Any
) -> None:
    opened = partial(kind, cluster_of_six.url, connection_args=args)

    compare(InACluster, opened, cluster_client, 3)


@pytest.mark.parametrize("kind", [Sync, Async])
def test_random_operations_through_clients_that_decode_give_what_in_memory_saver_gives(
    kind: type[Sync | Async], redis_url: str, redis_client: redis.Redis
) -> None:
    opened = partial(kind, redis_url, connection_args={"decode_responses": True})

    compare(Differential, opened, redis_client, 10)

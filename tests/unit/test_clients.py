"""Whose a client is: each event loop has its own, and what is ours is closed with its loop."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph._redis.drivers import AsyncDriver
from langgraph._redis.plan import Call, Plan
from unit.recorders import AsyncRecorder, Recorder


def _asking() -> Plan[Any]:
    return (yield Call("GET", [b"0"]))


class Clients:
    """Makes clients, and keeps them."""

    def __init__(self) -> None:
        self.made: list[AsyncRecorder] = []

    def __call__(self) -> AsyncRecorder:
        self.made.append(AsyncRecorder(Recorder(*range(9))))
        return self.made[-1]


def test_each_event_loop_has_its_client() -> None:
    clients = Clients()
    driver = AsyncDriver(clients, owned=True)

    async def twice() -> list[Any]:
        return [await driver.run(_asking()), await driver.run(_asking())]

    assert [asyncio.run(twice()), asyncio.run(twice())] == [[0, 1], [0, 1]]
    assert len(clients.made) == 2


def test_a_client_that_is_ours_is_closed_with_its_loop() -> None:
    clients = Clients()
    asyncio.run(AsyncDriver(clients, owned=True).run(_asking()))

    assert [client.open for client in clients.made] == [False]


def test_a_client_that_was_brought_stays_open() -> None:
    clients = Clients()
    driver = AsyncDriver(clients, owned=False)

    async def used_and_closed() -> None:
        await driver.run(_asking())
        await driver.aclose()

    asyncio.run(used_and_closed())

    assert [client.open for client in clients.made] == [True]


async def test_closing_closes_this_loops_client_and_the_next_call_makes_another() -> None:
    clients = Clients()
    driver = AsyncDriver(clients, owned=True)
    await driver.run(_asking())

    await driver.aclose()
    await driver.aclose()

    assert [client.open for client in clients.made] == [False]
    assert await driver.run(_asking()) == 0
    await driver.aclose()
    assert [client.open for client in clients.made] == [False, False]


async def test_closing_closes_the_clients_of_other_loops_where_they_run() -> None:
    clients = Clients()
    driver = AsyncDriver(clients, owned=True)
    used = asyncio.Event()
    here = asyncio.get_running_loop()

    async def elsewhere() -> None:
        await driver.run(_asking())
        here.call_soon_threadsafe(used.set)
        await asyncio.wait_for(clients.made[0].closed.wait(), 10)

    other = asyncio.create_task(asyncio.to_thread(asyncio.run, elsewhere()))
    await asyncio.wait_for(used.wait(), 10)
    await driver.aclose()

    await other
    assert not clients.made[0].open

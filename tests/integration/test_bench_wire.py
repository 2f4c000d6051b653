"""The proxy of the race: what it counts of an exchange, and how late it makes one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.peers.wires import Wired

ANSWER = b"answer"
MESSAGE = b"ask\n"


def serve(listener: socket.socket) -> None:
    """Answer each line of each connection."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # The test is over.
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as asked:
        for _ in asked:
            connection.sendall(ANSWER)


@pytest.fixture
def wire() -> Iterator[Wired]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        made = Wired(listener.getsockname()[1])
        yield made
        made.stop()


@contextmanager
def connected(wire: Wired) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", wire.port), timeout=10) as client:
        yield client


def exchange(client: socket.socket, messages: int = 1) -> None:
    """Send so many messages in one go, and read all answers."""
    client.sendall(MESSAGE * messages)
    left = messages * len(ANSWER)
    while left:
        left -= len(client.recv(left))


def test_each_answered_message_is_a_round_trip(wire: Wired) -> None:
    with connected(wire) as client:
        for _ in range(3):
            exchange(client)

    assert wire.counts() == (3, 3 * len(MESSAGE), 3 * len(ANSWER))


def test_messages_sent_in_one_go_are_one_round_trip(wire: Wired) -> None:
    with connected(wire) as client:
        exchange(client, messages=5)

    assert wire.counts() == (1, 5 * len(MESSAGE), 5 * len(ANSWER))


def test_a_message_in_pieces_is_one_round_trip(wire: Wired) -> None:
    with connected(wire) as client:
        client.sendall(MESSAGE[:2])
        client.sendall(MESSAGE[2:])
        assert client.recv(len(ANSWER), socket.MSG_WAITALL) == ANSWER

    assert wire.counts()[0] == 1


def test_connections_are_counted_each_for_itself(wire: Wired) -> None:
    with connected(wire) as one, connected(wire) as other:
        one.sendall(MESSAGE)
        other.sendall(MESSAGE)
        assert one.recv(len(ANSWER), socket.MSG_WAITALL) == ANSWER
        assert other.recv(len(ANSWER), socket.MSG_WAITALL) == ANSWER

    assert wire.counts()[0] == 2


def test_nothing_passed_is_nothing_counted(wire: Wired) -> None:
    assert wire.counts() == (0, 0, 0)


def test_a_round_trip_takes_its_delay_and_not_twice_that(wire: Wired) -> None:
    with connected(wire) as client:
        exchange(client)
        wire.delay(50)
        took = [timed(client) for _ in range(5)]

    assert min(took) >= 0.05
    assert min(took) < 0.1


def test_what_is_sent_in_one_go_is_delayed_once(wire: Wired) -> None:
    wire.delay(50)
    with connected(wire) as client:
        took = min(timed(client, messages=40) for _ in range(3))

    assert 0.05 <= took < 40 * 0.05


def test_a_delay_can_be_ended(wire: Wired) -> None:
    with connected(wire) as client:
        wire.delay(200)
        exchange(client)
        wire.delay(0)
        assert min(timed(client) for _ in range(5)) < 0.2


def test_the_end_of_a_connection_reaches_the_other_side(wire: Wired) -> None:
    wire.delay(5)
    with connected(wire) as client:
        exchange(client)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def timed(client: socket.socket, messages: int = 1) -> float:
    began = time.perf_counter()
    exchange(client, messages)
    return time.perf_counter() - began

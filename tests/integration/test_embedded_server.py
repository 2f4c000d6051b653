"""One server for all who open a folder, from its first user to its last."""

from __future__ import annotations

import gc
import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from embedded_users import (
    User,
    children_of,
    connect,
    eventually,
    is_alive,
    kill,
    parent_of,
    pid_of,
)
from langgraph._redis import embedded
from langgraph._redis.embedded import acquire
from langgraph._redis.embedded_folder import Folder, is_held

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORK = """
import os, sys, redis
from langgraph._redis.embedded import acquire
server = acquire(sys.argv[1])
parent_gone, parent = os.pipe()
if os.fork():
    os._exit(0)
os.close(parent)
os.read(parent_gone, 1)
client = redis.Redis.from_url(server.url)
client.set("written by", "the child")
print(client.info("server")["process_id"])
"""

_RELEASE_IN_CHILD = """
import os, sys, redis
from langgraph._redis.embedded import acquire
server = acquire(sys.argv[1])
if not (child := os.fork()):
    server.release()
    os._exit(0)
os.waitpid(child, 0)
print(redis.Redis.from_url(server.url).ping())
"""


def is_closed(folder: Path) -> bool:
    """Whether neither keeper nor server is left, and no watcher that still tidies up."""
    run = Folder(folder, temporary=False)
    return not any(is_held(lock) for lock in (run.keeper, run.server, run.users))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a server, which must not outlive the test's users."""
    path = tmp_path / "memory"
    yield path
    assert eventually(lambda: is_closed(path)), f"a server is left in {path}"


def run(program: str, folder: Path) -> str:
    """What a program prints that is given a folder."""
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_server_persists_and_listens_on_a_private_socket_only(folder: Path) -> None:
    server = acquire(str(folder))

    with connect(server) as client:
        settings = client.config_get("port", "appendonly", "appendfsync", "save")

    assert settings == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(server.socket_path).stat().st_mode) == 0o700
    server.release()


def test_two_programs_share_the_server_of_a_folder(folder: Path) -> None:
    with User(folder) as one, User(folder) as other:
        assert one.join() == other.join()

        one.leave()
        other.leave()


def test_programs_that_start_at_once_share_one_server(folder: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(User(folder)) for _ in range(8)]

        for user in users:
            user.start_joining()
        servers = {user.server() for user in users}

        assert len(servers) == 1
        log = Folder(folder, temporary=False).log
        assert log.read_text().count("is starting") == 1
        assert not log.with_suffix(".log.1").exists()


def test_threads_of_one_program_share_one_server(folder: Path) -> None:
    together = threading.Barrier(8)

    def join() -> embedded.EmbeddedServer:
        together.wait()
        return acquire(str(folder))

    with ThreadPoolExecutor(8) as pool:
        servers = [future.result() for future in [pool.submit(join) for _ in range(8)]]

    assert len({pid_of(server) for server in servers}) == 1
    for server in servers:
        server.release()


def test_relative_paths_and_symlinks_lead_to_the_same_server(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder, target_is_directory=True)
    server = acquire(str(folder))

    with User("./memory", cwd=folder.parent) as relative, User(link) as linked:
        assert relative.join() == linked.join() == pid_of(server)

    server.release()


def test_the_server_ends_with_its_last_user(folder: Path) -> None:
    first, last = acquire(str(folder)), acquire(str(folder))
    pid = pid_of(last)

    first.release()
    first.release()
    with connect(last) as client:
        assert client.ping()
    last.release()

    assert eventually(lambda: not is_alive(pid))
    assert not Path(last.socket_path).exists()


def test_the_server_ends_when_its_users_are_killed(folder: Path) -> None:
    with User(folder) as one, User(folder) as other:
        pid = one.join()
        other.join()

        one.kill()
        assert is_alive(pid)
        other.kill()

    assert eventually(lambda: not is_alive(pid))


def test_a_hold_that_is_forgotten_is_released(folder: Path) -> None:
    server = acquire(str(folder))
    pid = pid_of(server)

    del server
    gc.collect()

    assert eventually(lambda: not is_alive(pid))


def test_a_server_that_hangs_is_killed_when_its_last_user_has_gone(folder: Path) -> None:
    server = acquire(str(folder))
    pid = pid_of(server)
    os.kill(pid, signal.SIGSTOP)

    server.release()

    assert eventually(lambda: not is_alive(pid))
    assert eventually(lambda: is_closed(folder))
    assert not Path(server.socket_path).exists()


def test_a_user_who_arrives_as_the_last_one_leaves_is_served(folder: Path) -> None:
    """Two users come and go out of step, so that servers end under the eyes of new users."""

    def come_and_go() -> None:
        for _ in range(15):
            server = acquire(str(folder))
            with connect(server) as client:
                client.incr("visits")
            server.release()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(come_and_go) for _ in range(2)]:
            future.result()

    server = acquire(str(folder))
    with connect(server) as client:
        assert client.get("visits") == "30"
    server.release()


def test_data_survive_a_kill_of_the_program(folder: Path) -> None:
    with User(folder) as user:
        user.join()
        server = acquire(str(folder))
        with connect(server) as client:
            client.set("answer", 42)
        server.release()
        user.kill()

    server = acquire(str(folder))
    with connect(server) as client:
        assert client.get("answer") == "42"
    server.release()


def test_data_survive_a_kill_of_the_server(folder: Path) -> None:
    before = acquire(str(folder))
    client = connect(before)
    client.set("answer", 42)
    killed = pid_of(before)
    kill(killed)

    after = acquire(str(folder))

    assert pid_of(after) != killed
    # A client of the time before finds the new server at the old address.
    assert client.get("answer") == "42"
    client.close()
    before.release()
    after.release()


def test_a_keeper_that_is_killed_takes_its_server_along_and_is_replaced(folder: Path) -> None:
    before = acquire(str(folder))
    client = connect(before)
    client.set("answer", 42)
    killed = pid_of(before)
    kill(parent_of(killed))

    after = acquire(str(folder))

    assert pid_of(after) != killed
    assert not is_alive(killed)
    assert client.get("answer") == "42"
    client.close()
    before.release()
    after.release()


def test_a_keeper_that_is_told_to_end_ends_its_server(folder: Path) -> None:
    server = acquire(str(folder))
    pid = pid_of(server)

    os.kill(parent_of(pid), signal.SIGTERM)

    assert eventually(lambda: not is_alive(pid))
    server.release()


def test_a_watcher_that_is_killed_is_replaced(folder: Path) -> None:
    server = acquire(str(folder))
    pid = pid_of(server)
    keeper = parent_of(pid)
    (watcher,) = children_of(keeper) - {pid}

    kill(watcher)

    assert eventually(lambda: bool(children_of(keeper) - {pid, watcher}))
    with connect(server) as client:
        assert client.ping()
    server.release()
    assert eventually(lambda: not is_alive(pid))


def test_a_temporary_folder_goes_with_its_server() -> None:
    one, other = acquire(None), acquire(None)
    folder = Path(one.socket_path).parent

    assert one.socket_path != other.socket_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    one.release()
    other.release()

    assert eventually(lambda: not folder.exists())
    assert eventually(lambda: not Path(other.socket_path).parent.exists())


def test_a_temporary_folder_goes_even_if_its_server_was_killed() -> None:
    server = acquire(None)
    folder = Path(server.socket_path).parent
    kill(pid_of(server))

    server.release()

    assert eventually(lambda: not folder.exists())


def test_a_forked_child_keeps_the_server_when_its_parent_has_ended(folder: Path) -> None:
    pid = int(run(_FORK, folder))

    assert eventually(lambda: not is_alive(pid))
    server = acquire(str(folder))
    with connect(server) as client:
        assert client.get("written by") == "the child"
    server.release()


def test_a_forked_child_that_releases_leaves_its_parent_served(folder: Path) -> None:
    assert run(_RELEASE_IN_CHILD, folder) == "True"


@pytest.mark.parametrize("name", ["with space", 'it\'s "quoted"', "größe 記憶", "a?b#c%41"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    server = acquire(str(tmp_path / name))

    with redis.Redis.from_url(server.url) as client:
        assert client.ping()

    server.release()
    assert eventually(lambda: is_closed(tmp_path / name))

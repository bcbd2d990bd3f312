"""The SQLite file: shared, damaged, foreign, locked, unwritable, and left behind by a process that died."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.file import LOG_BYTES
from reconciler.adapters.sqlite.store import Local
from reconciler.errors import Forbidden, ReconcilerError, Rejected, Unavailable
from tests.adapters.sqlite.local_worker import put_many
from tests.forking import FUNCTIONS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "state.db"


def trouble(path: Path, busy: float = 0.05) -> ReconcilerError:
    """What the first use says."""
    stores = Local(path, busy=busy)
    with pytest.raises(ReconcilerError) as caught:
        stores.state.save("pools/a", {}, None)
    stores.close()
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_file_is_made_for_its_owner_alone(path: Path) -> None:
    """It holds URLs of operations, which let every holder read them."""
    stores = Local(path)
    stores.state.save("pools/a", {}, None)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm"), 384)
    stores.close()


def test_nothing_is_made_before_it_is_needed(path: Path) -> None:
    Local(path).close()

    assert not path.parent.exists()


def test_all_is_there_after_closing(path: Path) -> None:
    stores = Local(path)
    stores.state.save("pools/a", {"n": 1}, None)
    stores.queue.put("a")
    stores.close()
    found = stores.state.load("pools/a")

    assert found is not None
    assert (found.body, stores.queue.length()) == ({"n": 1}, 1)
    stores.close()


@pytest.mark.parametrize("content", [b"apiVersion: reconciler/v1\n" * 100, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_damaged_file_is_named_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    problem = trouble(path)
    assert type(problem) is Rejected
    assert str(problem).startswith(f"state file {path}: is damaged or no database; move it away")
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()

    assert str(trouble(path)) == f"state file {path}: is a database of another program; name another file"


def test_a_file_of_a_newer_release_is_left_alone(path: Path) -> None:
    stores = Local(path)
    stores.queue.put("a")
    stores.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()

    assert str(trouble(path)) == f"state file {path}: has schema 7, and this program knows 1; use its newer release"


def test_a_file_that_another_process_locks_is_unavailable_for_the_moment(path: Path) -> None:
    stores = Local(path)
    stores.queue.put("a")
    stores.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")

    problem = trouble(path)
    assert type(problem) is Unavailable
    assert str(problem) == f"state file {path}: locked by another process for 0.05 s"
    connection.execute("ROLLBACK")
    connection.close()
    again = Local(path)
    again.queue.put("b")
    assert again.queue.length() == 2
    again.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.db").mkdir()

    for path in (tmp_path / "file/state.db", tmp_path / "folder.db", Path("/proc/state.db")):
        problem = trouble(path)
        assert type(problem) is Forbidden
        assert str(problem).startswith(f"state file {path}: cannot be")


def test_a_process_that_dies_in_a_transaction_leaves_no_trace(path: Path) -> None:
    """Its write is undone and its lock is gone: the next one goes on at once."""
    stores = Local(path)
    stores.queue.put("before")
    stores.close()
    code = (
        "import os, sys\n"
        "from reconciler.adapters.sqlite.file import LocalFile\n"
        "with LocalFile(sys.argv[1]).begin() as connection:\n"
        "    connection.execute('DELETE FROM messages')\n"
        "    os._exit(9)\n"
    )
    root = Path(__file__).parents[3]
    died = subprocess.run([sys.executable, "-c", code, str(path)], check=False, cwd=root)

    assert died.returncode == 9
    stores = Local(path, busy=0.05)
    assert stores.queue.length() == 1
    stores.queue.put("after")
    stores.close()


def test_processes_that_make_the_file_together_all_get_their_messages_in(path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=FUNCTIONS) as processes:
        jobs = [processes.submit(put_many, str(path), f"pool-{index}", 50) for index in range(2)]
        for job in jobs:
            job.result(60)
    stores = Local(path)

    assert stores.queue.length() == 100
    stores.close()


def test_a_failed_write_undoes_all_of_it(path: Path) -> None:
    stores = Local(path)
    stores.state.save("pools/a", {"n": 1}, None)
    with pytest.raises(Unavailable, match="could not be processed"):
        stores.state.save("pools/a", {"n": float("nan")}, None)
    stores.queue.put("a")

    assert (list(stores.state.names("")), stores.queue.length()) == (["pools/a"], 1)
    stores.close()


def test_the_clock_tells_utc_and_never_runs_backwards() -> None:
    clock = SystemClock()
    first, second = clock.monotonic(), clock.monotonic()

    assert second >= first
    assert clock.now().utcoffset() == timedelta(0)


def test_neither_file_nor_log_grows_from_one_flood_of_messages_to_the_next(path: Path) -> None:
    """What a flood needed is used again by the next one, and the write-ahead log is cut after it was long."""
    stores, sizes = Local(path), list[tuple[int, bool]]()
    for _ in range(3):
        stores.queue.put_all(["x" * 48_000] * 500)
        while taken := stores.queue.take(32, 60):
            for message in taken:
                stores.queue.ack(message)
        log = path.with_name("state.db-wal").stat().st_size
        sizes.append((path.stat().st_size, log <= LOG_BYTES))
    stores.close()

    assert [small for _, small in sizes] == [True] * 3
    assert sizes[1][0] == sizes[2][0] > 500 * 48_000

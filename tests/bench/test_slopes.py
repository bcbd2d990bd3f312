"""Growth by least squares: what stays, what settles, what swings, and what grows."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.slopes import Written, growth, little, none, of_file, of_process
from reconciler.adapters.sqlite.store import Local
from reconciler.service.host.lines import log_to
from reconciler.service.triggers import logs

ROOT = Path(__file__).parents[2]


def samples(value: Callable[[int], float]) -> list[dict[str, float]]:
    """Fifty, one each two hundred runs."""
    return [{"runs": 200.0 * number, "it": value(number)} for number in range(1, 51)]


@pytest.mark.parametrize(
    ("value", "slope"),
    [
        pytest.param(lambda _: 19.0, 0.0, id="it stays"),
        pytest.param(lambda number: min(number, 20), 0.0, id="it grew at first, and settled"),
        pytest.param(lambda number: 19.0 + number, 5.0, id="one more at each sample, five in a thousand runs"),
        pytest.param(lambda number: 100.0 - 0.4 * number, -2.0, id="it shrinks"),
    ],
)
def test_growth_is_that_of_the_second_half(value: Callable[[int], float], slope: float) -> None:
    assert growth(samples(value), "it")[0] == pytest.approx(slope)


def test_one_descriptor_that_is_left_behind_in_ten_thousand_runs_is_missed() -> None:
    """A row that says none is met by nothing else."""
    assert none("here", samples(lambda _: 19.0), "it").met
    assert not none("here", samples(lambda number: 19.0 + (number > 40)), "it").met


def test_what_swings_is_met_and_what_grows_by_more_than_the_noise_is_not() -> None:
    assert little("here", samples(lambda number: 100.0 + number % 2), "it").met
    assert not little("here", samples(lambda number: 100.0 + 0.3 * number), "it").met
    assert little("here", samples(lambda _: 0.0), "it").met, "where there is nothing, nothing grows"


def test_descriptors_of_this_process_are_counted(tmp_path: Path) -> None:
    code = "import sys; from benchmarks.slopes import descriptors, of_process; one = descriptors()\n"
    code += f"with open({str(tmp_path / 'open')!r}, 'w'): two = of_process(1)\n"
    code += "print(one, two['descriptors'], two['threads'], two['resident memory'] > 5, two['objects'] > 1000)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    one, two, threads, *rest = said.split()

    assert int(two) == int(one) + Path("/proc/self/fd").exists()
    assert (threads, rest[-1]) == ("1", "True")
    assert rest[0] == str(Path("/proc/self/status").exists())


def test_threads_that_are_about_to_end_are_waited_for() -> None:
    base, end = threading.active_count(), threading.Event()
    threading.Thread(target=end.wait, daemon=True).start()
    end.set()

    assert of_process(base)["threads"] <= base


def test_a_state_file_is_counted_by_what_it_holds(tmp_path: Path) -> None:
    stores = Local(tmp_path / "state.db")
    stores.state.save("sweep", {"at": "2026-06-01T12:00:00Z"}, None)
    stores.queue.put_all(["{}", "{}"])
    found = of_file(tmp_path / "state.db")
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]

    assert (found["documents"], found["messages"], found["leases"], found["entries of the record"]) == (1, 2, 0, 0)
    assert found["bytes of documents"] > len("2026-06-01T12:00:00Z")
    assert (found["pages of the file"], found["bytes of its write-ahead log"] > 0) == (pages, True)
    stores.close()


def test_log_lines_are_counted_and_not_kept() -> None:
    written = Written()
    with log_to((), written):
        logs.event("sweep", pools=1)
        logs.event("sweep", pools=2)

    assert written.lines == 2
    assert written.bytes > 100
    assert written.getvalue() == ""

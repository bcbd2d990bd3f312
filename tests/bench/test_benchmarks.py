"""Small variants of every benchmark: goals of counts alone, which hold on any machine. Seconds are not tested."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.__main__ import ALL, LONG, SHORT, lines, main, missed_count
from benchmarks.measure import Table, at_least, at_most, shown
from tests.contract import azurite
from tests.tiers import require

ROOT = Path(__file__).parents[2]
NEEDS = {"takeover": pytest.mark.azurite}
"""Beside processes of their own."""
AT_ONCE = 4
"""The longest mostly wait."""


@pytest.fixture(scope="module")
def measured(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[subprocess.CompletedProcess[str]]]]:
    """All benchmarks that are asked for, side by side, the longest first."""
    chosen = {item.name for item in request.session.items}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(run, name)
            for name in sorted(ALL, key=lambda name: name not in LONG)
            if f"{test_goals_of_counts_hold.__name__}[{name}]" in chosen
        }


def run(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", name, "--quick"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=880, check=False)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [*SHORT, *(pytest.param(one, marks=NEEDS.get(one, ())) for one in LONG)])
def test_goals_of_counts_hold(measured: Mapping[str, Future[subprocess.CompletedProcess[str]]], name: str) -> None:
    """Reads, writes, runs, connections, growth: what a change of the code can spoil without anybody's noticing."""
    if name in NEEDS:
        require(azurite.PROGRAM, "Azurite, the storage emulator,")
    done = measured[name].result()

    assert done.returncode == 0, done.stderr
    assert "missed" not in done.stdout + done.stderr
    assert "| ≤ " in done.stdout


def test_the_page_has_a_table_for_each_benchmark() -> None:
    """Figures that nobody can measure again, or measurements that nobody sees, are worth nothing."""
    page = (ROOT / "docs" / "benchmarks.md").read_text()

    for name in ALL:
        title = importlib.import_module(f"benchmarks.{name}").TITLE
        assert f"\n## {title}\n" in page
    assert "Measured 20" in page


def test_a_goal_is_met_or_marked() -> None:
    rows = (at_most("reads", 11, 10, count=True), at_least("gain", 1.75, 1.7, "times"), shown("wall", 12.3, "s"))
    text = "\n".join(lines(Table("Things", "How.", rows)))

    assert "| reads | 11 **missed** | ≤ 10 |" in text
    assert "| gain | 1.75 times | ≥ 1.70 times |" in text
    assert "| wall | 12 s |  |" in text


def test_peak_memory_is_that_of_the_measured_process_alone() -> None:
    """On Linux the system's own figure is never below the size of the process that started this one."""
    code = """
import os
from benchmarks.measure import apart

size = 256 * 2**20
fat = bytearray(size)
fat[::4096] = b"x" * (size // 4096)
print(apart(os.getpid)[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert 0 < float(done.stdout) < 200


def test_only_a_missed_count_is_an_error() -> None:
    """Seconds depend on who else uses the machine."""
    assert missed_count(at_most("reads", 2, 1, count=True))
    assert not missed_count(at_most("reads", 1, 1, count=True))
    assert not missed_count(at_most("wall", 2.0, 1.0, "s"))


def test_an_unknown_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fast"])
    assert "no benchmark is named 'fast'" in capsys.readouterr().err

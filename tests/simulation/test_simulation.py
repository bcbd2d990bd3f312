"""Histories by seed: nothing lost, nothing done that no spec asks for, nothing said that was not seen.

`make soak` plays many more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation import virtual
from tests.simulation.conftest import ROOT, Done, Simulated
from tests.simulation.histories import history
from tests.simulation.oracles import Violation
from tests.simulation.shrink import CASES, Case, rule_of, shrunk

PARTS, SEEDS = 10, 30


def started(*options: str, hash_seed: str) -> Done:
    """What the command prints, in an interpreter of its own."""
    command = [sys.executable, "-m", "tests.simulation", *options]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_goes_wrong_in_any_history(simulated: Simulated, part: int) -> None:
    done = simulated(f"--seeds={SEEDS}", f"--start={1 + part * SEEDS}")
    lines = done.stdout.decode().splitlines()
    assert [line for line in lines if not line.endswith(" ok")] == [], done.stderr.decode()[-2000:]
    assert len(lines) == SEEDS, done.stderr.decode()[-2000:]


@pytest.mark.timeout(600)
def test_a_seed_gives_the_same_bytes_in_every_process_and_after_any_other(simulated: Simulated) -> None:
    options = ("--seeds=4", "--start=301", "--trace")
    one, other = (started(*options, hash_seed=seed) for seed in ("1", "4242"))
    assert len(one.stdout) > 10_000
    assert one.stdout == other.stdout
    third = ("--seeds=1", "--start=3", "--trace")
    assert started(*third, hash_seed="1").stdout == simulated(*third).stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_what_failed_once_does_not_fail_again(simulated: Simulated, path: Path) -> None:
    case = Case.read(path)
    assert (case.rule, bool(case.steps)) == (rule_of(case.why), True)
    done = simulated(f"--case={path}")
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()[-2000:]


def test_the_seeds_of_the_tests_draw_every_kind_of_step_and_of_trouble() -> None:
    drawn: Counter[str] = Counter()
    for seed in range(1, 1 + PARTS * SEEDS):
        for step in history(seed):
            drawn[step["do"]] += 1
            for name in ("what", "fate", "feed", "state", "documents", "mode"):
                if name in step:
                    drawn[f"{name} {step[name]}"] += 1
            if step["do"] == "fault":
                drawn[f"fault {step['fault']['kind']}"] += 1
    assert {"commit", "edit", "portal", "amid", "kill", "clock", "pause", "timer", "scale", "restart"} <= set(drawn)
    assert {"fate lost", "fate double", "fate reorder", "fate late"} <= set(drawn)
    assert {"feed lies", "feed lags", "feed silent", "state away", "state behind"} <= set(drawn)
    assert {"documents newer", "documents older", "what delete-queue", "what remove-role"} <= set(drawn)
    assert {"fault refused", "fault timeout-after", "fault 429", "fault truncated"} <= set(drawn)
    assert {"mode", "hold", "approve", "windows", "request", "release", "plane"} <= set(drawn)
    assert min(drawn.values()) > 3


def test_a_history_is_shortened_to_the_steps_that_matter() -> None:
    steps = [{"do": "commit", "number": number} for number in range(20)]
    steps[11] = {"do": "amid", "steps": [{"do": "edit", "number": 1}, {"do": "edit", "number": 2}]}

    def fails(tried: object) -> bool:
        text = str(tried)
        return "'number': 4}" in text and "'edit', 'number': 2" in text

    assert shrunk(steps, fails) == [
        {"do": "commit", "number": 4},
        {"do": "amid", "steps": [{"do": "edit", "number": 2}]},
    ]


def test_a_sleep_however_short_ends() -> None:
    """A double of today's seconds since 1970 has steps of a fourth of a microsecond; those of a stopwatch are shorter."""
    time = virtual.Time()
    before = time.now
    time.advance(1e-9)
    assert before < time.now < before + 1e-6
    time.advance(0.0)
    assert time.now < before + 1e-6


def test_a_loop_that_ends_no_more_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "MOST_MOVES", 10)
    time = virtual.Time()
    for _ in range(10):
        time.advance(1.0)
    with pytest.raises(Violation, match="endless: time was moved 10 times"):
        time.advance(1.0)
    assert time.now == virtual.BEGIN + 10
    time.begin()
    time.advance(1.0)

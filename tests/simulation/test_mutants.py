"""The simulation can fail: programs that are broken on purpose are noticed within few histories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.conftest import Simulated
from tests.simulation.shrink import Case, rule_of

WITHIN = 40
"""Histories."""
NOTICED = {
    "acknowledges_without_running": {"lost"},
    "in_sync_without_reading": {"false InSync", "asked-for", "grant-first", "end"},
    "sends_less": {"unmanaged", "asked-for", "end"},
    "opens_too_much": {"asked-for", "end"},
    "writes_before_the_record": {"record"},
    "takes_the_operators_role": {"asked-for", "lock-out"},
    "narrows_first": {"grant-first"},
    "raises": {"escaped"},
    "deaf_to_the_owner": {"held back"},
    "without_windows": {"held back"},
}
"""Mutant → the rules by which it may be noticed."""
REPLACED = (
    {"do": "commit", "pool": "test-pool", "set": {"administrators": ["zoe"], "exclusive": True}},
    {"do": "time", "seconds": 1000},
)
"""One administrator in the place of another."""
STOPPED = (
    {"do": "mode", "pool": "build-pool", "mode": "stop"},
    {
        "do": "edit",
        "what": "close-access",
        "with": {"organization": "fabrikam-prime", "pool": "build-pool", "project": "Web"},
    },
    {"do": "time", "seconds": 1000},
)
"""Drift that the owner wants to stay."""
CLOSED = (
    {"do": "commit", "pool": "test-pool", "set": {"except": [["prime", "Web", False]]}},
    {"do": "time", "seconds": 1000},
)
"""A queue that is to be closed."""
SHUT = ({"do": "windows", "windows": [{"risks": ["narrows"], "minutes": [50], "length": 3}]}, *REPLACED)
RARE = {
    "opens_too_much": CLOSED,
    "takes_the_operators_role": REPLACED,
    "narrows_first": REPLACED,
    "deaf_to_the_owner": STOPPED,
    "without_windows": SHUT,
}
"""Noticed in histories that few seeds draw, or long ones."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NOTICED)
def test_a_broken_program_is_noticed(simulated: Simulated, name: str, tmp_path: Path) -> None:
    chosen = [f"--seeds={WITHIN}", "--start=1"]
    if name in RARE:
        Case(1, "", "", RARE[name]).write(tmp_path / "case.json")
        chosen = [f"--case={tmp_path / 'case.json'}"]
    done = simulated(*chosen, f"--mutant={name}")
    last = done.stdout.decode().splitlines()[-1]
    assert done.returncode == 1, done.stderr.decode()[-2000:]
    assert rule_of(last.partition(" ")[2]).split(" ", 1 if name in RARE else 2)[-1] in NOTICED[name], last

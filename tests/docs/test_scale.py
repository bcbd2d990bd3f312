"""The page on large estates is what its script calculates, and the script's figures are those of the program."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from benchmarks.estates import Size
from benchmarks.laws import full_look, rotation

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_tables_of_the_script() -> None:
    script = runpy.run_path(str(ROOT / "scripts/scale.py"))
    page = (ROOT / "docs/scale.md").read_text()

    assert script["with_tables"](page) == page


def test_the_script_knows_how_many_messages_an_instance_takes() -> None:
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]

    assert f"\nAT_ONCE = {queues['batchSize']}\n" in (ROOT / "scripts/scale.py").read_text()


def test_the_laws_are_those_that_are_required() -> None:
    """200 pools in 500 projects: 1,431 calls; in steady state 20 pools in 500 projects: 64 by rotation and 46 fixed."""
    assert full_look(Size(200, 500)) == 1_431
    assert full_look(Size(4, 200)) == 433
    assert full_look(Size(20, 50)) == 162
    assert rotation(Size(20, 500), 16) == 64 + 46

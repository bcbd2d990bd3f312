"""The emulator's code: class names that are unique. Its layers and the absence of circles are import contracts."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

EMULATOR = Path(__file__).parents[2] / "emulator"


def test_each_class_of_the_emulator_has_a_name_of_its_own() -> None:
    trees = [ast.parse(path.read_text()) for path in EMULATOR.rglob("*.py")]
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))

    assert len(names) > 30
    assert {name: count for name, count in names.items() if count > 1} == {}

"""docs/architecture.md is the architecture: its layers are the import contracts, its modules are the tree."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def documented() -> list[set[str]]:
    section = PAGE.split("## Layers", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [set(re.findall(r"`(\w+)`", row)) for row in rows]


def contracted() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract.get("containers") == ["reconciler"]]
    return [set(re.findall(r"\w+", layer)) for layer in layers]


def modules(folder: Path) -> set[str]:
    return {
        path.stem
        for path in folder.iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }


def test_the_layers_of_the_page_are_those_of_the_contracts() -> None:
    """A row of the page may hold several layers that follow each other; the order is the same."""
    layers = iter(contracted())
    for row in documented():
        held: set[str] = set()
        while held < row:
            held |= next(layers)
        assert held == row
    assert list(layers) == []


def test_the_table_of_layers_stays_short() -> None:
    section = PAGE.split("## Layers", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    assert len(rows) <= 12
    assert [row for row in rows if row.split("|")[2].strip().rstrip(".").count(". ")] == [], "each is one sentence"
    assert len(modules(ROOT / "reconciler")) <= 18


def test_every_module_has_its_place_on_the_page() -> None:
    """A module without a layer may import what it likes, and nobody would notice."""
    assert modules(ROOT / "reconciler") - set().union(*documented()) == set()


def test_every_home_of_a_rule_exists() -> None:
    section = PAGE.split("## Where the rules live", 1)[1].split("\n## ", 1)[0]
    homes = re.findall(r"`([\w/]+\.py)`(?: \(`(\w+)`\))?", section)

    assert len(homes) > 10
    for path, name in homes:
        text = (ROOT / "reconciler" / path).read_text()
        assert not name or f"def {name}(" in text, f"{path}: {name}"


@pytest.mark.parametrize("package", ["survey", "engine"])
def test_a_package_names_its_modules_on_its_first_screen(package: str) -> None:
    folder = ROOT / "reconciler" / package
    says = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""

    assert set(re.findall(r"^    (\w+) ", says, re.MULTILINE)) == modules(folder)


def test_decisions_have_numbers_of_their_own() -> None:
    names = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]
    numbers = [name[:4] for name in names]

    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
    assert len(numbers) == len(set(numbers))

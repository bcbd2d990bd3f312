"""The registry: every facet is in it and documented, and its order grants before it takes."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

from reconciler import facets
from reconciler.facets.registry import FACETS

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    module.name for module in pkgutil.iter_modules(facets.__path__) if module.name not in ("registry", "support")
)


def test_every_facet_module_is_in_the_registry() -> None:
    """A module that nobody registered would be code that never runs, and a promise that nobody keeps."""
    assert sorted(facet.name for facet in FACETS) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_module_offers_the_facet_of_its_own_name(name: str) -> None:
    module = import_module(f"reconciler.facets.{name}")

    assert module.FACET in FACETS
    assert module.FACET.name == name
    assert module.FACET.title


def test_the_order_is_the_resource_first_and_the_switch_before_the_roles_it_hides() -> None:
    """Roles are given before inheritance goes off because giving widens; they are taken after it by this order."""
    assert [facet.name for facet in FACETS] == [
        "pool",
        "agent_pool",
        "queues",
        "open_access",
        "pipelines",
        "queue_roles",
        "inheritance",
        "roles",
        "prerequisites",
    ]


@pytest.mark.parametrize("name", MODULES)
def test_a_facet_is_documented(name: str) -> None:
    text = (ROOT / "docs" / "facets.md").read_text(encoding="utf-8")

    section = text.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    for topic in ("**Manages.**", "**Reads.**", "**Writes.**", "**Guards.**"):
        assert topic in section, f"docs/facets.md: section {name} has no {topic}"


@pytest.mark.parametrize("name", MODULES)
def test_the_import_contract_names_the_facet(name: str) -> None:
    """A new facet must be put under the rule that no facet knows another."""
    assert f'"reconciler.facets.{name}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")

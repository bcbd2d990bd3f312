"""The registry: every facet is in it and documented, and its order grants before it takes."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

from reconciler import facets
from reconciler.facets.registry import FACETS

ROOT = Path(__file__).parents[2]
MODULES = sorted(one.name for one in pkgutil.iter_modules(facets.__path__) if one.name not in ("registry", "support"))


def test_every_facet_module_is_in_the_registry() -> None:
    """A module that is not registered would be code that never runs, and a promise that is not kept."""
    assert sorted(facet.name for facet in FACETS) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_module_offers_the_facet_of_its_own_name(name: str) -> None:
    module = import_module(f"reconciler.facets.{name}")

    assert module.FACET in FACETS
    assert module.FACET.name == name
    assert module.FACET.title


@pytest.mark.parametrize(
    ("first", "then", "reason"),
    [
        *(
            ("pool", name, "nothing is in Azure DevOps before the resource is in Azure")
            for name in MODULES
            if name != "pool"
        ),
        ("queues", "open_access", "a queue is opened once it exists"),
        ("queues", "pipelines", "and so are pipelines authorized"),
        ("queues", "queue_roles", "and roles assigned"),
        (
            "inheritance",
            "roles",
            "roles are removed after inheritance goes off; they are granted before, since that widens",
        ),
    ],
)
def test_the_order_is_that_of_application(first: str, then: str, reason: str) -> None:
    order = [facet.name for facet in FACETS]

    assert order.index(first) < order.index(then), reason


@pytest.mark.parametrize("name", MODULES)
def test_a_facet_is_documented(name: str) -> None:
    text = (ROOT / "docs" / "facets.md").read_text(encoding="utf-8")

    section = text.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    for topic in ("**Manages.**", "**Reads.**", "**Writes.**", "**Guards.**"):
        assert topic in section, f"docs/facets.md: section {name} has no {topic}"

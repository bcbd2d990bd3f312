"""The deployment, checked without Azure: against the published schemas, the program, itself, and rules of our own.

Each check is broken at least once (mutations.yaml): one that could not fail would prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.infra import agreement, naming, rules, schema, shape
from tests.infra.world import ROOT, Check, World, world


def resources_fit_schemas(world: World) -> Iterator[str]:
    """A misspelt property is otherwise found by the person who deploys."""
    for file in world.files.values():
        yield from file.problems
        yield from schema.problems(file)
        yield from schema.reads(file)


def templates_agree(world: World) -> Iterator[str]:
    """Modules get what they ask for and give what is read of them."""
    yield from agreement.problems(world.files)


def parameters_agree(world: World) -> Iterator[str]:
    """Every parameter comes from azd or has a default."""
    yield from agreement.parameter_problems(world.files, world.texts["main.parameters.json"])


def every_module_is_used(world: World) -> Iterator[str]:
    """A template that nothing deploys rots."""
    used = {
        agreement._target(file.path, module.kind) for file in world.files.values() for module in file.modules.values()
    }

    yield from sorted(set(world.files) - used - {"main.bicep"})


def _of_templates(rule: rules.Rule) -> Check:
    return lambda world: rule(world.files)


CHECKS: dict[str, Check] = {
    **{
        each.__name__: each for each in (resources_fit_schemas, templates_agree, parameters_agree, every_module_is_used)
    },
    **{rule.__name__: _of_templates(rule) for rule in rules.RULES},
    **{check.__name__: check for check in (*naming.CHECKS, *shape.CHECKS)},
}


MUTATIONS = [
    (check, *row)
    for check, rows in yaml.safe_load((schema._HERE / "mutations.yaml").read_text()).items()
    for row in rows
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_deployment_passes_every_check(check: str) -> None:
    assert list(CHECKS[check](world())) == []


@pytest.mark.parametrize(("check", "path", "old", "new", "what"), MUTATIONS)
def test_what_is_broken_is_found(check: str, path: str, old: str, new: str, what: str) -> None:
    found = list(CHECKS[check](world().broken(path, old, new)))

    assert any(what in line for line in found), found


def test_every_check_is_broken_once() -> None:
    assert {row[0] for row in MUTATIONS} == set(CHECKS)


def test_the_facts_name_their_source_and_version() -> None:
    """`make facts` installs the package that printed them, in the same version."""
    source = json.loads((schema._HERE / "schemas.json").read_text())["source"]
    wanted = json.loads((ROOT / "tests/locks/azmcp/package.json").read_text())["dependencies"]

    assert source.startswith("npm @azure/mcp ")
    assert wanted == {"@azure/mcp": source.split()[2].rstrip(",")}


def test_every_known_type_is_used() -> None:
    """Facts of types that no template uses any more are thrown away."""
    used = {each.kind.partition("@")[0] for file in world().files.values() for each in file.resources.values()}

    assert set(schema.facts()) == used

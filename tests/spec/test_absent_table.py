"""Each cell of the table of absent, null and empty fields, against what the program does with such a spec."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.facets import inheritance, open_access, pool, roles
from reconciler.facets.pool import ObservedPool
from reconciler.plan.targets import UpdatePool
from reconciler.spec.absent import ROWS, AbsentRow, Meaning, Plane, table
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.spec.settled import settled
from tests.scenarios.drafts import ANN, POOL, PRIME, organization, spec

NOW = datetime(2026, 11, 28, tzinfo=UTC)
STATES = ("absent", "null", "empty")
PROFILE: Any = {"alias": "arms-profile", "permissionProfile": {"kind": "Inherit"}}
ORGANIZATION: Any = {"projects": ["Web"], "alias": "arms"}


def draft() -> dict[str, Any]:
    """A spec without any of the fields of the table, that wants one change in ARM so that there is a PUT to see."""
    one = {key: value for key, value in organization(PRIME).items() if key != "projects"}
    document = spec(POOL, [one])
    document["pool"]["properties"]["maximumConcurrency"] = 2
    return document


def observed(field: str) -> dict[str, Any]:
    """The resource, where the field has a value of its own."""
    profile = {"kind": "AzureDevOps", **deepcopy(PROFILE)}
    profile["organizations"] = [{"url": f"https://dev.azure.com/{PRIME}", **deepcopy(ORGANIZATION), "parallelism": 9}]
    if field == "alias":
        del profile["organizations"][0]["alias"]
    properties = {"provisioningState": "Succeeded", "maximumConcurrency": 9, "organizationProfile": profile}
    return {"location": "eastus", "properties": properties}


def place(document: dict[str, Any], field: str) -> tuple[dict[str, Any], str]:
    """The object that holds the field, made where the draft has none, and the field's name."""
    *owner, name = field.split(".")
    if owner[:1] == ["access"]:
        key = "organization" if owner[1] in ("roles[]", "agentPools[]") else "project"
        entry: dict[str, Any] = {key: PRIME if key == "organization" else f"{PRIME}/Web"}
        if owner[1] == "roles[]":
            entry |= {"administrators": [ANN]} if name == "inherit" else {"inherit": True}
        if owner[1] == "queueRoles[]":
            entry["readers"] = [ANN]
        document["access"] = {owner[1].removesuffix("[]"): [entry]}
        return entry, name
    profile = document["pool"]["properties"]["organizationProfile"]
    return (profile["organizations"][0] if owner else profile), name


def written(row: AbsentRow, state: str) -> tuple[Spec | None, list[str]]:
    """The spec with the field in this state, and the problems."""
    document = draft()
    owner, name = place(document, row.field)
    if state != "absent":
        empty: Any = [] if name in ("projects", "administrators", "users", "pipelines") else ""
        owner[name] = None if state == "null" else {} if name == "permissionProfile" else empty
    loaded = load({"spec.yaml": str(document).replace("None", "null").encode()})
    return (loaded.specs[0] if loaded.specs else None), [str(one) for one in loaded.problems]


def on_arm(spec: Spec, row: AbsentRow) -> Meaning:
    """By the PUT that the pool's facet plans."""
    (change,) = pool.diff(pool.parse(spec, NOW), ObservedPool(spec.pool_id, observed(row.field)))
    assert isinstance(change.target, UpdatePool)
    profile = change.target.body["properties"]["organizationProfile"]
    owner, name = (profile["organizations"][0] if "[]" in row.field else profile), row.field.rpartition(".")[2]
    if name == "openAccess":
        return Meaning.NOT_SENT if name not in owner else Meaning.KEPT
    if owner[name] == []:
        return Meaning.ALL
    assert owner[name] == (ORGANIZATION if "[]" in row.field else PROFILE)[name]
    return Meaning.KEPT


def on_devops(spec: Spec, row: AbsentRow) -> Meaning:
    """By what the facets of Azure DevOps make of the spec of a run."""
    run = settled(spec, observed(row.field))
    (one,) = run.organizations
    match row.field.rpartition(".")[2]:
        case "projects":
            assert spec.organizations[0].silent >= ({"projects"} if one.projects else set())
            return Meaning.ARMS if one.projects == ("Web",) else Meaning.ALL
        case "alias":
            assert one.agent_pool == ("arms" if "[]" in row.field else "arms-profile")
            return Meaning.ARMS
        case "openAccess":
            assert open_access.parse(run, NOW) is None
        case "permissionProfile":
            assert roles.parse(run, NOW) is None
            assert inheritance.parse(run, NOW) is None
        case "administrators":
            (listed,) = run.access.roles
            return Meaning.NOT_MANAGED if listed.administrators is None else nothing(listed.administrators)
        case "inherit":
            assert inheritance.parse(run, NOW) is None
        case "users":
            (queue,) = run.access.queue_roles
            return nothing(queue.roles["User"]) if "User" in queue.roles else Meaning.NOT_MANAGED
        case "pipelines":
            (grant,) = run.access.pipelines
            return nothing(grant.pipelines)
    return Meaning.NOT_MANAGED


def nothing(listed: tuple[Any, ...]) -> Meaning:
    assert listed == ()
    return Meaning.NONE


CELLS = [(row, state) for row in ROWS for state in STATES if getattr(row, state) is not Meaning.NO_SUCH]


@pytest.mark.parametrize(
    ("row", "state"), [pytest.param(*cell, id=f"{cell[0].field}, {cell[0].plane}, {cell[1]}") for cell in CELLS]
)
def test_every_cell(row: AbsentRow, state: str) -> None:
    found, problems = written(row, state)

    if getattr(row, state) is Meaning.REFUSED:
        assert len(problems) == 1, problems
        assert row.field.rpartition(".")[2] in problems[0]
    else:
        assert found is not None, problems
        assert (on_arm if row.plane is Plane.ARM else on_devops)(found, row) is getattr(row, state)


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec.md").read_text()
    assert table() in page, "run python -m reconciler.spec.absent and put it between the marks"

"""Renamed things are recognised by id and told; hidden projects are counted; nothing is made a second time."""

from __future__ import annotations

from typing import Any

from reconciler.engine import Outcome
from reconciler.plan.model import GapKind
from tests.aspects.conftest import Open
from tests.aspects.shop import POOL, Shop, document, estate, resource

LISTED: dict[str, Any] = {"name": "fabrikam-prime", "projects": ["fabrikam-dev"]}
ALL: dict[str, Any] = {"name": "fabrikam-prime", "projects": []}
ACCESS = {"openAccess": [{"project": "fabrikam-prime/fabrikam-dev", "allow": False}]}


def shop(open_shop: Open, asked: dict[str, Any], pool: str = POOL, **profile: Any) -> Shop:
    organization = {
        "name": "fabrikam-prime",
        "projects": ["fabrikam-dev", "Web"],
        "agentPools": [{"name": pool, "managed": True, "queues": [{"project": "fabrikam-dev"}, {"project": "Web"}]}],
    }
    body = resource(asked)
    body["properties"]["organizationProfile"] |= profile
    return open_shop(estate(organization, pools=[body]))


def test_a_renamed_project_is_managed_as_before_and_told(open_shop: Open) -> None:
    """Its exception holds: a new name opens no closed project."""
    here = shop(open_shop, LISTED)
    spec = document(LISTED, access=ACCESS)
    assert here.settle(spec).outcome is Outcome.IN_SYNC
    here.cloud.do.edit("rename-project", organization="fabrikam-prime", project="fabrikam-dev", to="fabrikam-core")
    queue = here.agent_pool("fabrikam-prime")["queues"][0]
    here.cloud.do.edit("open-access", organization="fabrikam-prime", pool=POOL, project="fabrikam-core")

    result = here.settle(spec)

    assert result.outcome is Outcome.STALLED
    assert [gap.message for gap in (result.plan.gaps if result.plan else ())] == [
        "fabrikam-prime/fabrikam-dev (id "
        + next(p["id"] for p in here.organization("fabrikam-prime")["projects"] if p["name"] == "fabrikam-core")
        + ") is called fabrikam-core now; write fabrikam-core in place of fabrikam-dev wherever the spec names the "
        "project, under organizations and under access"
    ]
    after = here.agent_pool("fabrikam-prime")["queues"][0]
    assert (after["id"], after.get("openAccess", False)) == (queue["id"], False)
    here.second_run_writes_nothing(spec)


def test_the_edit_that_is_asked_for_ends_it(open_shop: Open) -> None:
    here = shop(open_shop, LISTED)
    here.settle(document(LISTED))
    here.cloud.do.edit("rename-project", organization="fabrikam-prime", project="fabrikam-dev", to="fabrikam-core")

    edited = document({"name": "fabrikam-prime", "projects": ["fabrikam-core"]})

    assert here.settle(edited).outcome is Outcome.IN_SYNC


def test_a_renamed_agent_pool_is_managed_as_before_and_told(open_shop: Open) -> None:
    here = shop(open_shop, LISTED)
    spec = document(LISTED)
    here.settle(spec)
    here.cloud.do.edit("rename-pool", organization="fabrikam-prime", pool=POOL, to="builders")

    result = here.settle(spec)

    assert [(gap.kind, gap.message) for gap in (result.plan.gaps if result.plan else ())] == [
        (
            GapKind.DEGRADED,
            (
                "fabrikam-prime: agent pool fabrikam-managed-pool (id 1) is called builders now; rename it back in Azure "
                "DevOps, or write alias: builders for fabrikam-prime under organizationProfile.organizations"
            ),
        )
    ]
    assert [pool["name"] for pool in here.organization("fabrikam-prime")["agentPools"]] == ["builders"]
    here.second_run_writes_nothing(spec)


def test_an_agent_pool_is_found_by_its_alias(open_shop: Open) -> None:
    here = shop(open_shop, LISTED, pool="builders", alias="builders")
    profile = resource(LISTED)["properties"]["organizationProfile"] | {"alias": "builders"}
    spec = document(LISTED, organizationProfile=profile)

    assert here.settle(spec).outcome is Outcome.IN_SYNC
    here.second_run_writes_nothing(spec)


def test_hidden_projects_are_counted_and_named_and_the_pool_is_never_in_sync(open_shop: Open) -> None:
    here = shop(open_shop, ALL)
    spec = document(ALL)
    assert here.settle(spec).outcome is Outcome.IN_SYNC
    here.cloud.do.edit("create-project", organization="fabrikam-prime", name="Secret")
    here.cloud.do.edit("hide-project", organization="fabrikam-prime", project="Secret")

    result = here.settle(spec)

    assert (result.outcome, result.status.conditions[0].reason) == (Outcome.STALLED, "Degraded")
    assert [gap.message for gap in (result.plan.gaps if result.plan else ())] == [
        (
            "fabrikam-prime: all projects use the pool, and the operator cannot see 1 of them: Secret; let it view them, or "
            "list the projects that use the pool"
        )
    ]


def test_a_deleted_project_is_not_taken_for_a_hidden_one(open_shop: Open) -> None:
    here = shop(open_shop, ALL)
    spec = document(ALL)
    here.settle(spec)

    here.cloud.do.edit("delete-project", organization="fabrikam-prime", project="Web")

    assert here.settle(spec).outcome is Outcome.IN_SYNC


def test_a_project_that_is_seen_and_cannot_be_touched_is_named(open_shop: Open) -> None:
    """Everything else is done; the one that refuses is told by name, and the pool is not in sync."""
    here = shop(open_shop, ALL)
    spec = document(ALL)
    here.settle(spec)
    here.cloud.do.edit("delete-queue", organization="fabrikam-prime", pool=POOL, project="Web")
    here.cloud.do.fault("403", route="queues.add", count=None)

    result = here.settle(spec)

    assert result.outcome is Outcome.STALLED
    assert [failure.change.subject for failure in result.failures if failure.change] == ["fabrikam-prime/Web"]
    assert result.status.conditions[0].reason == "Forbidden"

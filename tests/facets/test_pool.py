"""The ARM resource: what is created, what is compared, and what a PUT carries."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.facets import pool
from reconciler.plan.caps import counts_of
from reconciler.plan.model import Action, Detail, GapKind, Plan, Risk, Route
from reconciler.plan.policy import CapKind, Policy
from reconciler.plan.render.access import Effect, effects
from reconciler.plan.targets import CreatePool, UpdatePool
from reconciler.spec.model import PoolRoles
from tests.facets.documents import (
    OTHER,
    POOL_ID,
    TWO,
    body,
    document,
    fabric,
    organizations,
    profile_of,
    sent,
    wanted,
    world_with,
)
from tests.facets.frame import POOL_NAME, TAILSPIN, exception, look, settle, spec

ONLY = [pool.FACET]
IDENTITY = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/"
)


# --- creation -----------------------------------------------------------------------------------------


def test_a_missing_pool_is_created_with_all_that_counts_only_then() -> None:
    change = look(world_with(None), wanted(), facets=ONLY).changes[0]

    assert (change.kind, change.subject, change.action) == ("pool", POOL_NAME, Action.CREATE)
    assert (change.before, change.after, change.note) == (None, "4 agents for 2 organizations", "create")
    assert (change.risk, change.route) == (Risk.WIDENS, Route.ARM)
    assert change.target == CreatePool(POOL_ID, body())


def test_creation_without_open_access_or_accounts_widens_nothing() -> None:
    closed = body(
        organizationProfile={
            "kind": "AzureDevOps",
            "organizations": [{"url": "https://dev.azure.com/x", "projects": []}],
        }
    )

    change = look(world_with(None), spec(body=closed), facets=ONLY).changes[0]

    assert (change.risk, change.after) == (Risk.NEUTRAL, "4 agents for 1 organization")


def test_creation_opens_nothing_that_an_exception_closes() -> None:
    """ARM knows one flag for all projects: with it, the excepted one would be open until a later write closed it."""
    closing = replace(wanted(), access=spec(exceptions=[exception("Web", allow=False)]).access)

    change = look(world_with(None), closing, facets=ONLY).changes[0]

    assert [item.get("openAccess") for item in profile_of(change)["organizations"]] == [False, None]
    assert closing.body["properties"]["organizationProfile"]["organizations"][0]["openAccess"] is True


@pytest.mark.parametrize(
    "harmless",
    [exception("Web", allow=True), exception("Web", allow=False, until=date(2026, 1, 1))],
)
def test_other_exceptions_leave_creation_as_it_is(harmless: Any) -> None:
    change = look(world_with(None), replace(wanted(), access=spec(exceptions=[harmless]).access), facets=ONLY).changes[
        0
    ]

    assert profile_of(change)["organizations"][0]["openAccess"] is True


def test_creation_inherits_nowhere_if_one_organization_shall_not() -> None:
    """The profile is one for all organizations; the others are switched on afterwards."""
    alone = replace(wanted(), access=spec(roles=[PoolRoles(TAILSPIN, inherit=False)]).access)

    change = look(world_with(None), alone, facets=ONLY).changes[0]

    assert profile_of(change)["permissionProfile"] == {"kind": "CreatorOnly"}


@pytest.mark.parametrize(
    ("policy", "rule"),
    [(Policy(create_pools=False), "policy-create-pools"), (Policy(open_access=()), "policy-open-access")],
)
def test_the_policy_may_forbid_a_creation(policy: Policy, rule: str) -> None:
    seen = look(world_with(None), wanted(), facets=ONLY, policy=policy)

    assert (seen.changes, [refusal.rule for refusal in seen.refusals]) == ((), [rule])


# --- update -------------------------------------------------------------------------------------------


def test_the_services_own_spelling_and_defaults_are_in_sync() -> None:
    seen = look(world_with(document()), wanted(), facets=ONLY)

    assert (seen.changes, seen.refusals, seen.gaps) == ((), (), ())


def test_one_field_is_one_line_and_the_rest_of_the_document_travels() -> None:
    found = document()

    change = look(world_with(found), wanted(maximumConcurrency=6), facets=ONLY).changes[0]

    assert (change.action, change.before, change.after) == (Action.UPDATE, 4, 6)
    assert (change.risk, change.note) == (Risk.NEUTRAL, "in place")
    assert change.details == (Detail("maximumConcurrency", 4, 6, note="in place"),)
    sent = deepcopy(found)
    for key in ("id", "name", "type", "systemData"):
        del sent[key]
    del sent["properties"]["provisioningState"]
    sent["properties"]["maximumConcurrency"] = 6
    assert change.target == UpdatePool(POOL_ID, sent)


def test_an_update_carries_no_open_access_even_where_arm_echoes_it() -> None:
    found = document()
    found["properties"]["organizationProfile"]["organizations"][0]["openAccess"] = False

    change = look(world_with(found), wanted(maximumConcurrency=6), facets=ONLY).changes[0]

    assert not any("openAccess" in item for item in profile_of(change)["organizations"])


def test_a_permission_profile_that_was_not_read_is_not_sent() -> None:
    """ARM leaves it out at times; sending one then could be taken as a change."""
    found = document()
    del found["properties"]["organizationProfile"]["permissionProfile"]

    change = look(world_with(found), wanted(maximumConcurrency=6), facets=ONLY).changes[0]

    assert "permissionProfile" not in profile_of(change)


@pytest.mark.parametrize(
    ("changes", "path", "risk"),
    [
        ({"maximumConcurrency": 3}, "maximumConcurrency", Risk.NARROWS),
        ({"maximumConcurrency": 9}, "maximumConcurrency", Risk.NEUTRAL),
        (organizations(*TWO, OTHER), "organizationProfile.organizations[fabrikam-other]", Risk.WIDENS),
        (
            organizations({**TWO[0], "projects": ["Web", "App"]}, TWO[1]),
            "organizationProfile.organizations[fabrikam-prime].projects",
            Risk.WIDENS,
        ),
        (
            organizations({**TWO[0], "projects": ["App"]}, TWO[1]),
            "organizationProfile.organizations[fabrikam-prime].projects",
            Risk.NARROWS,
        ),
        (
            organizations({**TWO[0], "projects": []}, TWO[1]),
            "organizationProfile.organizations[fabrikam-prime].projects",
            Risk.WIDENS,
        ),
        (
            organizations(TWO[0], {**TWO[1], "projects": ["Web"]}),
            "organizationProfile.organizations[fabrikam-tailspin].projects",
            Risk.NARROWS,
        ),
        (
            organizations({**TWO[0], "parallelism": 1}, TWO[1]),
            "organizationProfile.organizations[fabrikam-prime].parallelism",
            Risk.NARROWS,
        ),
        (
            organizations({**TWO[0], "alias": "Blue"}, TWO[1]),
            "organizationProfile.organizations[fabrikam-prime].alias",
            Risk.NEUTRAL,
        ),
        (fabric(sku={"name": "Standard_D8ads_v5"}), "fabricProfile.sku.name", Risk.RESTARTS),
        (fabric(images=[{"wellKnownImageName": "windows-2025"}]), "fabricProfile.images", Risk.RESTARTS),
        (
            fabric(images=[{"wellKnownImageName": "ubuntu-24.04/latest", "buffer": "50"}]),
            "fabricProfile.images[ubuntu-24.04/latest].buffer",
            Risk.NEUTRAL,
        ),
        ({"agentProfile": {"kind": "Stateful"}}, "agentProfile.kind", Risk.RESTARTS),
        (
            {"agentProfile": {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Automatic"}}},
            "agentProfile.resourcePredictionsProfile.kind",
            Risk.NEUTRAL,
        ),
        ({"runtimeConfiguration": {"workFolder": "/w"}}, "runtimeConfiguration.workFolder", Risk.NEUTRAL),
    ],
)
def test_each_field_has_its_risk(changes: dict[str, Any], path: str, risk: Risk) -> None:
    change = look(world_with(document()), wanted(**changes), facets=ONLY).changes[0]

    assert [(detail.path, detail.risk) for detail in change.details] == [(path, risk)]
    assert change.risk is risk
    assert change.note == ("agents are recycled" if risk is Risk.RESTARTS else "in place")


def test_an_organization_that_leaves_narrows_and_its_share_goes_to_the_others() -> None:
    change = look(world_with(document()), wanted(**organizations({**TWO[0], "parallelism": 4})), facets=ONLY).changes[0]

    assert {detail.path: detail.risk for detail in change.details} == {
        "organizationProfile.organizations[fabrikam-prime].parallelism": Risk.NEUTRAL,
        "organizationProfile.organizations[fabrikam-tailspin]": Risk.NARROWS,
    }


@pytest.mark.parametrize(
    ("before", "after", "risk", "widens"),
    [
        (["a"], ["a", "b"], Risk.WIDENS, True),
        (["a", "b"], ["b"], Risk.NARROWS, False),
        (["a"], ["b"], Risk.NARROWS, True),
        ([], ["a"], Risk.WIDENS, True),
    ],
)
def test_identities_give_rights_to_every_job(before: list[str], after: list[str], risk: Risk, widens: bool) -> None:
    found = {
        **document(),
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY + i: {} for i in before}},
    }
    named = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY + i: {} for i in after}}}

    change = look(world_with(found), replace(wanted(), body={**body(), **named}), facets=ONLY).changes[0]

    assert [(d.path, d.risk, d.widens) for d in change.details] == [("identity.userAssignedIdentities", risk, widens)]
    assert (Risk.WIDENS in change.risks, counts_of(change)[CapKind.WIDENINGS]) == (widens, int(widens))


@pytest.mark.parametrize("before", [["Web"], ["Web", "Api"]])
def test_a_project_that_takes_the_place_of_another_gains_access(before: list[str]) -> None:
    found = document(**organizations({**TWO[0], "projects": before}, TWO[1]))
    change = look(
        world_with(found), wanted(**organizations({**TWO[0], "projects": ["web", "Secret"]}, TWO[1])), facets=ONLY
    ).changes[0]
    (detail,) = change.details
    assert detail.widens
    said = {one.effect for one in effects(Plan("pool", "", (change,)))}
    assert said == ({Effect.GAINS, Effect.LOSES} if "Api" in before else {Effect.GAINS})


def test_a_put_that_restarts_and_narrows_comes_last() -> None:
    """The line that people see first is the restart; the order is that of the narrowing."""
    change = look(
        world_with(document()), wanted(maximumConcurrency=2, **fabric(sku={"name": "other"})), facets=ONLY
    ).changes[0]

    assert (change.risk, change.narrows) == (Risk.RESTARTS, True)
    assert (change.before, change.after) == ("2 fields as read", "2 fields as in the spec")


def test_moving_from_azure_devops_to_github_narrows() -> None:
    github = {"organizationProfile": {"kind": "GitHub", "organizations": [{"url": "https://github.com/fabrikam"}]}}

    seen = look(world_with(document()), spec(body=body(**github)), facets=ONLY)

    lines = {detail.path: detail.risk for detail in seen.changes[0].details}
    assert lines == {
        "organizationProfile.kind": Risk.NARROWS,
        "organizationProfile.organizations[fabrikam-prime]": Risk.NARROWS,
        "organizationProfile.organizations[fabrikam-tailspin]": Risk.NARROWS,
        "organizationProfile.organizations[github.com/fabrikam]": Risk.WIDENS,
        "organizationProfile.permissionProfile": Risk.NEUTRAL,
    }
    assert profile_of(seen.changes[0]) == github["organizationProfile"]


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_what_the_service_says_it_did_not_do_is_put_again(state: str) -> None:
    found = document()
    found["properties"]["provisioningState"] = state

    change = look(world_with(found), wanted(), facets=ONLY).changes[0]

    assert change.details == (Detail("provisioningState", state, "Succeeded", note="put again"),)


@pytest.mark.parametrize("state", ["Updating", "Provisioning", "Accepted", "Deleting", "SomethingNew"])
def test_a_pool_at_which_arm_is_working_is_left_alone(state: str) -> None:
    found = document(maximumConcurrency=9)
    found["properties"]["provisioningState"] = state

    seen = look(world_with(found), wanted(), facets=ONLY)

    assert (seen.changes, seen.refusals) == ((), ())
    assert [(gap.kind, gap.message) for gap in seen.gaps] == [
        (GapKind.NOT_READY, f"fabrikam-managed-pool: ARM is at work on the pool, provisioningState is {state}")
    ]


def test_another_location_is_reported_and_the_rest_is_done() -> None:
    found = {**document(), "location": "West US 2"}

    seen = look(world_with(found), wanted(maximumConcurrency=6), facets=ONLY)

    assert [(r.rule, r.change.kind, r.change.risk, r.message) for r in seen.refusals] == [
        (
            "only-by-a-new-pool",
            "new pool",
            Risk.DESTROYS,
            (
                "fabrikam-managed-pool location: is West US 2 and the spec says eastus; the operator deletes no pool without "
                "permission: put the old value back, or give a second spec another pool name, move its projects there, and "
                "delete the old pool by hand; or write replace: allowed, where the policy permits it"
            ),
        )
    ]
    assert [detail.path for detail in seen.changes[0].details] == ["maximumConcurrency"]
    assert sent(seen.changes[0])["location"] == "West US 2"


def test_a_spec_without_a_location_asks_for_none() -> None:
    bare = {key: value for key, value in body().items() if key != "location"}

    assert look(world_with(document()), replace(wanted(), body=bare), facets=ONLY).refusals == ()


def test_applying_creates_and_the_second_look_is_in_sync() -> None:
    world = world_with(None)

    last = settle(world, wanted(), facets=ONLY)

    assert (last.changes, last.gaps, [write[:2] for write in world.writes]) == ((), (), [("put", POOL_ID)])

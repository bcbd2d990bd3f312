"""policy/v2 over both planes: what passed under the tightest policy before is refused, with its line, and never written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.engine import Outcome
from reconciler.tools.policy import draft_policy, text
from tests.scenarios.drafts import ANN, GROUP, POOL, PRIME, RELEASE, ROLES, SUBSCRIPTION, managed
from tests.scenarios.world import World, rules

Json = Any
_RESOURCES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
IDENTITY = f"{_RESOURCES}/Microsoft.ManagedIdentity/userAssignedIdentities/production"
SUBNET = f"{_RESOURCES}/Microsoft.Network/virtualNetworks/production/subnets/databases"
IMAGE = f"{_RESOURCES}/Microsoft.Compute/galleries/contoso/images/linux/versions/latest"


def _generated(world: World) -> None:
    """The policy of what the present specs use."""
    world.policy(text(draft_policy(world.specs).allow))


def _properties(document: Json) -> Json:
    return document["pool"]["properties"]


def _identity(document: Json) -> None:
    document["pool"]["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}


def _subnet(document: Json) -> None:
    _properties(document)["fabricProfile"]["networkProfile"] = {"subnetId": SUBNET}


def _image(document: Json) -> None:
    _properties(document)["fabricProfile"]["images"] = [{"resourceId": IMAGE}]


def _machines(document: Json) -> None:
    _properties(document)["maximumConcurrency"] = 1000
    _properties(document)["organizationProfile"]["organizations"][0]["parallelism"] = 998


def _desktop(document: Json) -> None:
    _properties(document)["fabricProfile"]["osProfile"] = {"logonType": "Interactive"}


def _inherited(document: Json) -> None:
    document["access"]["roles"] = [{**ROLES[0], "inherit": True}, ROLES[1]]


NAMED = [
    (_identity, "policy-identities"),
    (_subnet, "policy-subnets"),
    (_image, "policy-images"),
    (_machines, "policy-max-concurrency"),
    (_desktop, "policy-logon-types"),
    (_inherited, "policy-inheritance"),
]


@pytest.mark.parametrize(("edit", "rule"), NAMED, ids=[rule for _, rule in NAMED])
def test_what_passed_under_the_tightest_policy_is_refused(
    world: World, edit: Callable[[Json], None], rule: str
) -> None:
    _generated(world)
    document = managed()
    edit(document)
    world.spec(document)

    result = world.settle()[POOL]

    assert rules(result.plan) == [rule]
    assert result.plan is not None
    assert "(policy:" in result.plan.refusals[0].message
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="the policy does not allow it")


def test_a_single_pipeline_is_refused(world: World) -> None:
    _generated(world)
    pipeline = world.by_hand("create-pipeline", organization=PRIME, project="fabrikam-dev", name="nightly")
    document = managed()
    document["access"]["pipelines"] = [{"project": f"{PRIME}/fabrikam-dev", "pipelines": [pipeline]}]
    world.spec(document)

    result = world.settle()[POOL]

    assert rules(result.plan) == ["policy-pipelines"]
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="the policy does not let single pipelines in")


def test_an_estate_in_drift_is_healed_under_the_policy_of_its_specs(world: World) -> None:
    """The policy holds nothing up that the specs have said already."""
    _generated(world)
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who=ANN.partition("@")[0])
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")

    world.settle()

    assert world.truth.opened(PRIME, POOL)["fabrikam-dev"] is False
    assert "ann" in world.truth.administrators(PRIME, POOL)


def test_pools_are_created_under_the_policy_of_their_specs(nothing: World) -> None:
    """Both planes, from nothing: a creation uses most of what a policy limits."""
    _generated(nothing)

    results = nothing.settle()

    assert {name: rules(result.plan) for name, result in results.items()} == {POOL: [], RELEASE: []}
    assert (nothing.disagreements(POOL), nothing.disagreements(RELEASE)) == ([], [])


def test_a_pool_that_no_entry_names_is_not_written(world: World) -> None:
    world.policy("apiVersion: policy/v2\nallow:\n- pools: [fabrikam-release-*]\n  organizations: ['*']\n")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")

    result = world.settle()[POOL]

    assert rules(result.plan) == ["policy-pools"]
    assert result.plan is not None
    assert result.plan.refusals[0].message.endswith("no entry of the policy is about this pool (policy:2)")
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="no entry names the pool")

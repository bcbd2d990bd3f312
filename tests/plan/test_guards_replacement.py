"""The one deletion there is: the spec's own pool, created again as the spec says, where spec and policy allow it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.guards import refuse
from reconciler.plan.model import Change
from reconciler.plan.policy import Policy
from reconciler.plan.targets import ReplacePool
from tests.plan.guarded import ORG, SPEC, TODAY

TAILSPIN = "fabrikam-tailspin"
BODY: dict[str, Any] = {
    "location": "westus",
    "tags": {"team": "build"},
    "properties": {
        "maximumConcurrency": 3,
        "fabricProfile": {"kind": "Vmss", "images": [{"wellKnownImageName": "ubuntu-24.04"}]},
        "organizationProfile": {
            "kind": "AzureDevOps",
            "alias": "build",
            "permissionProfile": {"kind": "SpecificAccounts", "users": ["ann@fabrikam.com"]},
            "organizations": [
                {"url": f"https://dev.azure.com/{ORG}", "projects": ["Dev"], "parallelism": 2, "openAccess": True},
                {"url": f"https://dev.azure.com/{TAILSPIN}", "parallelism": 1},
            ],
        },
    },
}
REPLACED = replace(SPEC, body=BODY, replace=True)
ALLOWED = Policy(replace_pools=("pool-1",))


def replacing(body: dict[str, Any], replaces: tuple[str, ...] = ("location",)) -> Change:
    return Change("pool", "replacement", "pool-1", "eastus", "westus", ReplacePool(SPEC.pool_id, body, replaces))


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    body = copy.deepcopy(BODY)
    *parents, last = path
    inner: Any = body
    for step in parents:
        inner = inner[step]
    if to is None:
        del inner[last]
    else:
        inner[last] = to
    return body


PROFILE = ("properties", "organizationProfile")
USES = (*PROFILE, "organizations")


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        changed(*USES, 0, "openAccess", to=False),
        changed(*USES, 0, "openAccess", to=None),
        changed(*PROFILE, "permissionProfile", to=None),
        changed(*PROFILE, "permissionProfile", to={"kind": "CreatorOnly"}),
    ],
)
def test_it_is_created_again_as_the_spec_says_or_with_less_for_people(body: dict[str, Any]) -> None:
    assert refuse(REPLACED, [replacing(body)], ALLOWED, today=TODAY) == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        changed("location", to="eastus"),
        changed("tags", to=None),
        changed("properties", "maximumConcurrency", to=4),
        changed("properties", "fabricProfile", "images", to=[]),
        changed("properties", "fabricProfile", to=None),
        changed(*PROFILE, to=None),
        changed(*PROFILE, "alias", to="other"),
        changed(*USES, to=[]),
        changed(*USES, to=None),
        changed(*USES, 0, "projects", to=["Dev", "Test"]),
        changed(*USES, 0, "parallelism", to=1),
        changed(*USES, to=BODY["properties"]["organizationProfile"]["organizations"][:1]),
    ],
)
def test_nothing_is_deleted_for_another_pool_than_that_of_the_spec(body: dict[str, Any]) -> None:
    (refusal,) = refuse(REPLACED, [replacing(body)], ALLOWED, today=TODAY)

    assert refusal.rule == "destroys"
    assert refusal.message == "replacement pool-1: what would be created again is not what the spec says"


def test_each_of_spec_policy_and_change_has_to_say_so() -> None:
    def only(spec: Any, change: Change, policy: Policy) -> tuple[str, str]:
        (refusal,) = refuse(spec, [change], policy, today=TODAY)
        return refusal.rule, refusal.message

    whole = replacing(BODY)
    assert only(replace(REPLACED, replace=False), whole, ALLOWED) == (
        "not-in-spec", "replacement pool-1: the spec does not say replace: allowed",
    )  # fmt: skip
    rule, message = only(REPLACED, whole, Policy())
    assert rule == "policy-replace-pools"
    assert message.startswith("replacement pool-1: the policy does not let pool-1 be deleted and created again")
    assert only(REPLACED, replacing(BODY, ()), ALLOWED) == (
        "destroys", "replacement pool-1: the change replaces nothing, and nothing is deleted but a pool that is replaced",
    )  # fmt: skip


def test_a_body_that_says_nothing_of_organizations_is_compared_too() -> None:
    bare = {"location": "westus", "properties": {"organizationProfile": None}}
    spec = replace(REPLACED, body={"location": "westus"})

    assert refuse(spec, [replacing({"location": "westus"})], ALLOWED, today=TODAY) == ()
    assert refuse(spec, [replacing({"location": "eastus"})], ALLOWED, today=TODAY) != ()
    assert refuse(replace(REPLACED, body=bare), [replacing(bare)], ALLOWED, today=TODAY) == ()

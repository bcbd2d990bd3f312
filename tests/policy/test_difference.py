"""Which changes a policy is asked about: all of a creation, and of an update what it adds to the pool."""

from __future__ import annotations

import pytest

from reconciler.plan import guards
from reconciler.plan.model import Change
from reconciler.plan.policy import Policy
from reconciler.plan.policy import rules as policy_rules
from reconciler.plan.policy.fields import BY_NAME
from reconciler.plan.targets import ReplacePool
from tests.plan.guarded import provisioning
from tests.plan.guarded import rules as guarded
from tests.policy.estate import (
    ANN,
    FABRIC,
    FOREIGN_IMAGE,
    IMAGE,
    NAME,
    ORGANIZATIONS,
    OTHER_SUBNET,
    PRIME,
    PROPERTIES,
    SCRIPT,
    SCRIPTS,
    TAILSPIN,
    changed,
    estate,
    parsed,
    plan,
    rules,
    wide,
)

# --- what a creation uses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("organizations", [TAILSPIN]),
        ("projects", [f"{PRIME}/Web"]),
        ("images", ["windows-*"]),
        ("skus", ["Standard_D4*"]),
        ("subnets", ["none"]),
        ("logonTypes", ["Interactive"]),
        ("openAccess", [f"{PRIME}/App"]),
        ("inheritance", [TAILSPIN]),
    ],
)
def test_a_creation_is_held_against_every_field(field: str, others: list[str]) -> None:
    new = changed(
        ((*ORGANIZATIONS, 0, "openAccess"), True),
        ((*PROPERTIES, "organizationProfile", "permissionProfile"), {"kind": "Inherit"}),
    )

    assert rules(plan(new, wide(), estate(pools=False))) == set()
    assert rules(plan(new, wide(**{field: others}), estate(pools=False))) == {BY_NAME[field].rule}
    assert rules(plan(new, wide(**{field: None}), estate(pools=False))) == {BY_NAME[field].rule}


@pytest.mark.parametrize("field", ["principals", "roles"])
def test_a_creation_gives_nobody_what_the_policy_does_not_let_them_have(field: str) -> None:
    profile = {"kind": "SpecificAccounts", "users": [ANN]}
    new = changed(((*PROPERTIES, "organizationProfile", "permissionProfile"), profile))

    assert rules(plan(new, wide(), estate(pools=False))) == set()
    assert rules(plan(new, wide(**{field: ["bob*"]}), estate(pools=False))) == {BY_NAME[field].rule}


# --- the difference ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    ["images", "skus", "subnets", "logonTypes", "maxConcurrency", "identities", "certificates", "provisioningScripts"],
)
def test_what_a_body_carries_on_is_not_judged(field: str) -> None:
    """A policy that was written later stops no change of something else."""
    found = plan(changed((("pool", "tags"), {"team": "build"})), wide(**{field: None}))

    assert (rules(found), len(found.changes)) == (set(), 1)


def test_a_project_that_all_projects_had_before_is_no_difference() -> None:
    """From all projects to one: fewer may use the pool, so the policy is not asked for the one."""
    every = changed(((*ORGANIZATIONS, 0, "projects"), []))
    world = estate()
    (key,) = world.documents
    world.documents[key]["properties"]["organizationProfile"]["organizations"][0]["projects"] = []

    found = plan(changed(((*ORGANIZATIONS, 0, "projects"), ["Web"])), wide(projects=[f"{PRIME}/App"]), world)

    assert every["pool"]["properties"]["organizationProfile"]["organizations"][0]["projects"] == []
    assert [change.kind for change in found.changes] == ["pool"]


def test_a_subnet_is_not_left_for_the_open_network() -> None:
    """Out of the company's network, and out of its firewall, is another subnet as well."""
    before = changed()
    del before["pool"]["properties"]["fabricProfile"]["networkProfile"]["subnetId"]
    before["pool"]["properties"]["fabricProfile"]["networkProfile"] = {"staticIpAddressCount": 1}
    policy = wide(subnets=[OTHER_SUBNET]).for_pool(NAME)
    world = estate()
    (document,) = world.documents.values()

    found = list(policy_rules.update(policy, document, before["pool"]))

    assert [rule for rule, _ in found] == ["policy-subnets"]
    assert found[0][1].startswith("the policy does not allow the subnet none (policy:")


@pytest.mark.parametrize(
    ("names", "allowed"),
    [([NAME], True), ([NAME.upper()], True), (["fabrikam-m*"], True), (["fabrikam"], False), (None, False)],
)
def test_a_pool_is_replaced_only_where_it_is_named(names: list[str] | None, allowed: bool) -> None:
    """And only with a creation that the policy allows; `apply` without its option takes the permission away."""
    spec = parsed(changed((("replace",), "allowed"), (("pool", "location"), "westus")))
    target = ReplacePool(spec.pool_id, spec.body, ("location",))
    change = Change("pool", "replacement", NAME, "eastus", "westus", target)
    given, images = wide(replacePools=names), wide(replacePools=names, images=["windows-*"])

    found = [one.rule for one in guards.refuse(spec, [change], given.for_pool(NAME))]

    assert found == ([] if allowed else ["policy-replace-pools"])
    assert [one.rule for one in guards.refuse(spec, [change], given.without_replacement().for_pool(NAME))] == [
        "policy-replace-pools"
    ]
    assert [one.rule for one in guards.refuse(spec, [change], images.for_pool(NAME))] == [
        "policy-images" if allowed else "policy-replace-pools"
    ]


def test_new_projects_get_the_pool_only_where_all_may() -> None:
    """`autoProvision` gives it to every project of tomorrow; the old format has no word on that."""
    everywhere = provisioning(TAILSPIN)

    found = [
        guarded(everywhere, policy=wide(projects=[pattern]).for_pool("pool-1"))
        for pattern in (f"{TAILSPIN}/*", f"{TAILSPIN}/Site", f"{TAILSPIN}/????")
    ]

    assert found == [[], ["policy-projects"], ["policy-projects"]]
    assert guarded(everywhere, policy=Policy(projects=(f"{TAILSPIN}/Site",))) == []


def test_fields_that_arm_spells_otherwise_are_found() -> None:
    """The document that is put keeps ARM's spelling of names."""
    policy = wide(images=["ubuntu-*"]).for_pool(NAME)
    body = {"Properties": {"FabricProfile": {"Images": [{"ResourceId": FOREIGN_IMAGE}], "images": [IMAGE]}}}

    assert [rule for rule, _ in policy_rules.update(policy, {}, body) if rule == "policy-images"] == ["policy-images"]


@pytest.mark.parametrize("entry", ["setup/../evil.sh", "setup\\..\\evil.sh", "../evil.sh"])
def test_a_path_does_not_climb_out_of_a_pattern(entry: str) -> None:
    climbing = changed(((*FABRIC, "images"), [{**SCRIPT, "provisioningScriptEntryPoint": entry}]))

    assert rules(plan(climbing, wide(provisioningScripts=[f"{SCRIPTS}/*"]))) == {"policy-provisioning-scripts"}

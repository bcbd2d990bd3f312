"""What a body uses of what a policy limits, field by field, and what of it is refused, with its line."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.plan.policy import Policy, rules, uses
from reconciler.plan.policy.model import allows_principal, allows_role, folded

IMAGE = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/build"
STORAGE = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/scripts"
BODY: dict[str, Any] = {
    "identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/ids/one": {}, "/ids/two": {}}},
    "properties": {
        "maximumConcurrency": 3,
        "organizationProfile": {
            "organizations": [
                {"url": "https://dev.azure.com/fabrikam", "projects": ["Web", "Api"], "openAccess": True},
                {"url": "https://dev.azure.com/contoso", "openAccess": False},
                {"url": "https://github.com/fabrikam", "repositories": ["https://github.com/fabrikam/web/"]},
            ],
            "permissionProfile": {"kind": "SpecificAccounts", "users": ["ann"], "groups": ["Builders", 7]},
        },
        "fabricProfile": {
            "networkProfile": {"subnetId": "/subnets/a"},
            "osProfile": {
                "logonType": "Interactive",
                "secretsManagementSettings": {"observedCertificates": ["https://v/one", 7, "https://v/two"]},
            },
            "sku": {"name": "D2", "vmSizes": [{"name": "D4"}, {"name": "D8"}]},
            "images": [
                {
                    "resourceId": IMAGE,
                    "provisioningScriptStorageAccountResourceId": f"{STORAGE}/",
                    "provisioningScriptEntryPoint": "/run.sh",
                    "provisioningScriptManagedIdentityClientId": "c11e47",
                },
                {"wellKnownImageName": "ubuntu-24.04"},
                {"wellKnownImageName": "alpine", "provisioningScriptEntryPoint": "run.sh"},
                "no image",
            ],
        },
    },
}
UPDATE = {
    "organizations": ["fabrikam", "contoso", "github.com/fabrikam"],
    "projects": ["fabrikam/Web", "fabrikam/Api", "contoso/*", "github.com/fabrikam/web"],
    "identities": ["SystemAssigned", "/ids/one", "/ids/two", "c11e47"],
    "subnets": ["/subnets/a"],
    "images": [IMAGE, "ubuntu-24.04", "alpine"],
    "certificates": ["https://v/one", "https://v/two"],
    "skus": ["D2", "D4", "D8"],
    "logon_types": ["Interactive"],
    "provisioning_scripts": [f"{STORAGE}/run.sh", "/run.sh"],
}
CREATION = {
    **UPDATE,
    "open_access": ["fabrikam/Web", "fabrikam/Api"],
    "inheritance": [],
    "principals": ["ann", "Builders"],
}
BARE: dict[str, list[str]] = {field: [] for field in UPDATE} | {"subnets": ["none"], "logon_types": ["Service"]}


def capitals(value: Any) -> Any:
    """The body with the names of its fields in another case, as ARM may have them."""
    if isinstance(value, dict):
        return {key if key.startswith("/") else key.upper(): capitals(one) for key, one in value.items()}
    return [capitals(one) for one in value] if isinstance(value, list) else value


def with_profile(**fields: Any) -> dict[str, Any]:
    profile = {**BODY["properties"]["organizationProfile"], **fields}
    return {**BODY, "properties": {**BODY["properties"], "organizationProfile": profile}}


@pytest.mark.parametrize("body", [BODY, capitals(BODY)])
def test_every_field_is_found_in_any_spelling(body: dict[str, Any]) -> None:
    assert uses.of_update(body) == UPDATE
    assert uses.of_creation(body) == CREATION
    assert uses.machines(body) == 3


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": []}, {"properties": {"fabricProfile": "x"}}])
def test_a_body_that_says_nothing_uses_the_defaults(body: dict[str, Any]) -> None:
    assert uses.of_update(body) == BARE
    assert uses.of_creation(body) == {**BARE, "open_access": [], "inheritance": [], "principals": []}
    assert uses.machines(body) is None


def test_a_field_that_is_there_twice_counts_twice() -> None:
    """Which of the two ARM takes is not known."""
    twice = {
        "properties": {
            "maximumConcurrency": 3,
            "MaximumConcurrency": 9,
            "fabricProfile": {"sku": {"name": "a", "Name": "b"}},
        }
    }

    assert uses.machines(twice) == 9
    assert uses.of_update(twice)["skus"] == ["a", "b"]


@pytest.mark.parametrize(("number", "read"), [(True, None), ("3", None), (None, None), (2.9, 2), (0, 0)])
def test_a_number_of_machines_is_a_number(number: Any, read: int | None) -> None:
    assert uses.machines({"properties": {"maximumConcurrency": number}}) == read


@pytest.mark.parametrize(
    ("identity", "used"),
    [
        ({"type": "SystemAssigned"}, ["SystemAssigned"]),
        (
            {"type": "systemassigned,userassigned", "userAssignedIdentities": ["/ids/one"]},
            ["SystemAssigned", "/ids/one"],
        ),
        ({"type": "UserAssigned", "userAssignedIdentities": "text"}, []),
        ({"type": "UserAssigned", "userAssignedIdentities": None}, []),
        ({"type": "None"}, []),
    ],
)
def test_identities_are_named_by_kind_and_id(identity: Any, used: list[str]) -> None:
    assert uses.of_update({"identity": identity})["identities"] == used


@pytest.mark.parametrize(
    ("kind", "inherits"), [("Inherit", True), ("INHERIT", True), ("CreatorOnly", False), (None, False)]
)
def test_a_creation_inherits_in_every_organization_or_in_none(kind: Any, inherits: bool) -> None:
    found = uses.of_creation(with_profile(permissionProfile={"kind": kind}))

    assert found["inheritance"] == (UPDATE["organizations"] if inherits else [])


@pytest.mark.parametrize(("value", "opens"), [(True, True), ("yes", True), (1, True), (False, False), (None, False)])
def test_open_access_is_whatever_is_not_closed(value: Any, opens: bool) -> None:
    body = with_profile(organizations=[{"url": "https://dev.azure.com/contoso", "openAccess": value}])

    assert uses.of_creation(body)["open_access"] == (["contoso/*"] if opens else [])


# --- what is refused --------------------------------------------------------------------------------------------


def refused(policy: Policy, before: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return list(rules.creation(policy, BODY) if before is None else rules.update(policy, before, BODY))


@pytest.mark.parametrize(
    ("field", "rule", "reasons"),
    [
        ("organizations", "policy-organizations",
         [f"the policy does not allow the organization {one}" for one in UPDATE["organizations"]]),
        ("projects", "policy-projects", [f"the policy does not allow the project {one}" for one in UPDATE["projects"]]),
        ("identities", "policy-identities",
         [f"the policy does not allow the identity {one}" for one in UPDATE["identities"]]),
        ("subnets", "policy-subnets", ["the policy does not allow the subnet /subnets/a"]),
        ("images", "policy-images", [f"the policy does not allow the image {one}" for one in UPDATE["images"]]),
        ("certificates", "policy-certificates",
         [f"the policy does not allow the certificate {one}" for one in UPDATE["certificates"]]),
        ("skus", "policy-skus", [f"the policy does not allow the size of machines {one}" for one in UPDATE["skus"]]),
        ("logon_types", "policy-logon-types", ["the policy does not allow the logon type Interactive"]),
        ("provisioning_scripts", "policy-provisioning-scripts",
         [f"the policy does not allow the provisioning script {one}" for one in UPDATE["provisioning_scripts"]]),
    ],
)  # fmt: skip
def test_what_the_policy_does_not_name_is_refused_value_by_value(field: str, rule: str, reasons: list[str]) -> None:
    named: dict[str, Any] = {field: tuple(UPDATE[field])}
    empty: dict[str, Any] = {field: ()}
    nothing, whole = Policy(**empty), Policy(**named)

    assert refused(nothing) == refused(nothing, {}) == [(rule, reason) for reason in reasons]
    assert refused(nothing, BODY) == refused(nothing, capitals(BODY)) == []
    assert refused(whole) == refused(whole, {}) == []


def test_a_creation_gives_what_the_policy_lets_it_give() -> None:
    assert refused(Policy(create_pools=False)) == [("policy-create-pools", "the policy does not let pools be created")]
    assert refused(Policy(open_access=("fabrikam/Web",))) == [
        ("policy-open-access", "the policy does not let open access be granted in fabrikam/Api")
    ]
    assert refused(Policy(principals=("ann",))) == [
        ("policy-principals", "the policy does not let Builders be granted anything")
    ]
    assert [reason for _, reason in refused(Policy(roles=("*/Administrator=ann",)))] == [
        f"the policy does not let Builders have the role Administrator in {name}" for name in UPDATE["organizations"]
    ]
    inherits = with_profile(permissionProfile={"kind": "Inherit"})
    assert list(rules.creation(Policy(inheritance=("contoso", "github.com/*")), inherits)) == [
        ("policy-inheritance", "the policy does not let roles be inherited in fabrikam")
    ]


def test_a_refusal_names_its_line_and_a_pool_that_no_entry_names_has_one_reason() -> None:
    lined = Policy(subnets=(), lines={"subnets": (7, 9)})
    unnamed = Policy(subnets=(), resolved=True, lines={"pools": (3,)})
    silent = Policy(subnets=(), resolved=True, unnamed=(5,))

    assert refused(lined) == [
        ("policy-subnets", "the policy does not allow the subnet /subnets/a (policy:7, policy:9)")
    ]
    assert refused(unnamed) == [("policy-pools", "no entry of the policy is about this pool (policy:3)")]
    assert refused(silent) == [
        ("policy-subnets", "the policy does not allow the subnet /subnets/a (policy:5 does not name it)")
    ]


@pytest.mark.parametrize(
    ("before", "most", "allowed"), [(0, 3, True), (0, 2, False), (3, 2, True), (2, 2, False), (4, 2, True)]
)
def test_machines_are_raised_to_the_most_and_kept_above_it(before: int, most: int, allowed: bool) -> None:
    body = {**BODY, "properties": {**BODY["properties"], "maximumConcurrency": before}}

    assert list(rules.update(Policy(max_concurrency=most), body, BODY)) == (
        [] if allowed else [("policy-max-concurrency", f"the policy allows {most} machines at most, not 3")]
    )


def test_a_pool_is_created_with_no_more_machines_than_the_most() -> None:
    one = {"properties": {"maximumConcurrency": 1}}
    too_many = ("policy-max-concurrency", "the policy allows 0 machines at most, not 1")

    assert refused(Policy(max_concurrency=3)) == []
    assert refused(Policy(max_concurrency=2)) == [
        ("policy-max-concurrency", "the policy allows 2 machines at most, not 3")
    ]
    assert list(rules.creation(Policy(max_concurrency=0), one)) == [too_many]
    assert list(rules.update(Policy(max_concurrency=0), {}, one)) == [too_many], "a body that said no number had none"


def test_a_slash_at_the_end_makes_no_other_resource() -> None:
    slashed = {**BODY, "identity": {**BODY["identity"], "userAssignedIdentities": {"/ids/one/": {}, "/ids/two": {}}}}

    assert refused(Policy(identities=()), slashed) == []
    assert list(rules.update(Policy(identities=()), BODY, slashed)) == []


@pytest.mark.parametrize(
    ("field", "named", "message"),
    [
        ("pools", "pool-1", "the policy does not allow the pool pool-1 (policy:4)"),
        ("subscriptions", "s1", "the policy does not allow the subscription s1 (policy:4)"),
        ("resource_groups", "rg", "the policy does not allow the resource group rg (policy:4)"),
    ],
)
def test_a_pool_is_written_where_the_policy_names_its_place(field: str, named: str, message: str) -> None:
    def found(*names: str) -> list[tuple[str, str]]:
        limits: dict[str, Any] = {field: names}
        return list(rules.place(Policy(**limits, lines={field: (4,)}), "pool-1", "s1", "rg"))

    assert found(named) == []
    assert found("another") == found() == [(f"policy-{field.replace('_', '-')}", message)]
    assert list(rules.place(Policy(), "pool-1", "s1", "rg")) == [], "what the policy does not limit is free"


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (("fabrikam/Builds#7",), True),
        (("fabrikam/*#7",), True),
        (("fabrikam/Builds",), False),
        (("fabrikam/Builds#8", "contoso/Builds#7", "fabrikam/Other#7"), False),
        ((), False),
        (None, True),
    ],
)
def test_an_agent_pool_is_taken_by_organization_name_and_number(
    patterns: tuple[str, ...] | None, allowed: bool
) -> None:
    message = "the policy does not let the agent pool fabrikam/Builds#7 be taken for the pool's own (policy:4)"
    policy = Policy(agent_pools=patterns, lines={"agent_pools": (4,)})

    found = list(rules.agent_pool(policy, "fabrikam", "Builds", 7))
    assert found == ([] if allowed else [("policy-agent-pools", message)])


def test_a_guest_is_granted_nothing_by_a_pattern_for_members() -> None:
    guest, members = "ann_contoso.com#EXT#@fabrikam.com", ("*@fabrikam.com",)

    assert list(rules.principal(Policy(principals=members, version=1), guest)) == []
    assert list(rules.principal(Policy(principals=members, version=2), guest)) == [
        ("policy-principals", f"the policy does not let {guest} be granted anything")
    ]


def test_a_role_is_refused_where_the_pattern_is_of_another_place() -> None:
    policy = Policy(roles=("fabrikam/Web/User=ann",))

    assert list(rules.role(policy, "fabrikam/Web", "User", "ann")) == []
    assert list(rules.role(policy, "fabrikam/Api", "User", "ann")) == [
        ("policy-roles", "the policy does not let ann have the role User in fabrikam/Api")
    ]


def test_a_project_that_all_projects_had_is_not_new() -> None:
    all_of_fabrikam = with_profile(organizations=[{"url": "https://dev.azure.com/Fabrikam"}])
    found = refused(Policy(projects=()), all_of_fabrikam)

    assert [reason for _, reason in found] == [
        "the policy does not allow the project contoso/*",
        "the policy does not allow the project github.com/fabrikam/web",
    ]


def test_a_repository_that_its_whole_organization_had_is_not_new() -> None:
    all_of_github = with_profile(organizations=[{"url": "https://github.com/fabrikam"}])
    found = refused(Policy(projects=()), all_of_github)

    assert not [reason for _, reason in found if "github.com" in reason]
    assert len(found) == 3


def test_two_profiles_of_permission_both_count() -> None:
    twice = with_profile(permissionProfile={"users": ["ann"]}, PermissionProfile={"groups": ["Builders"]})

    assert uses.of_creation(twice)["principals"] == ["ann", "Builders"]


@pytest.mark.parametrize(
    ("pattern", "place", "who", "allowed"),
    [
        ("fabrikam/User", "fabrikam", "ann", True),
        ("fabrikam/User=ann", "fabrikam", "ANN", True),
        ("fabrikam/User=ann", "fabrikam", "bob", False),
        ("fabrikam/User", "contoso", "ann", False),
        ("fabrikam/*/User", "fabrikam/Web", "ann", True),
        ("fabrikam/Reader", "fabrikam", "ann", False),
        ("fabrikam/User=a=b", "fabrikam", "a=b", True),
    ],
)
def test_a_role_is_allowed_by_place_and_by_person(pattern: str, place: str, who: str, allowed: bool) -> None:
    assert allows_role(("nowhere/*", pattern), place, "User", who) is allowed
    assert not allows_role((), place, "User", who)
    assert allows_role(None, place, "User", who)


def test_a_guest_is_matched_by_patterns_for_guests_alone() -> None:
    guest = "ann_contoso.com#EXT#@fabrikam.com"

    assert not allows_principal(("*@fabrikam.com",), guest, version=2)
    assert allows_principal(("*#ext#@fabrikam.com",), guest, version=2)
    assert not allows_principal(("*#ext#@contoso.com", "*"), guest, version=2)
    assert allows_principal(("*@fabrikam.com",), guest, version=1)
    assert allows_principal(None, guest, version=2)
    assert allows_principal(("*@fabrikam.com",), "bob@fabrikam.com", version=2)


def test_letters_are_folded_one_by_one() -> None:
    assert folded("ÄRGER Straße") == "ärger straße"
    assert folded("\u212aelvin") == "\u212aelvin", "the Kelvin sign is no k"
    assert folded("ABC") == "abc"

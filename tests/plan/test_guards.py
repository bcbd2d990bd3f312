"""Whole-plan guards: what no facet may do, whatever its own guard says. Each rule has the plan that it stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.guards import is_removal, organization_of, place_of, refuse
from reconciler.plan.model import Change, Detail, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    CreatePool,
    MovePool,
    OpenAccess,
    RoleAssignmentChange,
    UpdatePool,
)
from reconciler.spec.model import (
    Access,
    PermissionKind,
    PermissionProfile,
    PoolRoles,
)
from tests.plan.guarded import (
    ADMIN,
    CREATE,
    ORG,
    SPEC,
    TODAY,
    UPDATE,
    adding,
    arm,
    change,
    closing,
    grant,
    inheriting,
    itself,
    lowering,
    making,
    member,
    opening,
    pipeline,
    pool,
    provisioning,
    queue,
    removal,
    rules,
    used_by,
)


@pytest.mark.parametrize(
    "fine",
    [
        opening(),
        opening("dev"),
        opening("Ops"),
        closing(),
        closing("Both"),
        pipeline(3, number=3, authorized=False),
        lowering("carl@fabrikam.com", ADMIN, "User"),
        lowering("dora@fabrikam.com", "User", None),
        grant(),
        grant("ANN@fabrikam.com"),
        grant("Builders"),
        grant("[fabrikam-prime]\\platform"),
        removal(),
        making(),
        pipeline(1),
        grant("carl@fabrikam.com", queue("Roles"), "User"),
        inheriting("fabrikam-tailspin", on=False),
        provisioning(on=False),
        provisioning("fabrikam-tailspin"),
        itself(pool("fabrikam-tailspin")),
        arm(),
        arm(CREATE),
        arm(used_by("https://dev.azure.com/Fabrikam-Prime/")),
        arm(used_by("https://fabrikam-prime.visualstudio.com")),
    ],
    ids=lambda c: c.subject[:60],
)  # fmt: skip
def test_what_the_spec_names_and_the_policy_does_not_forbid_is_allowed(fine: Change) -> None:
    assert rules(fine) == []


@pytest.mark.parametrize(
    "wide",
    [
        opening("Elsewhere"),
        opening("Test"),
        grant("carl@fabrikam.com"),
        grant("carl@fabrikam.com", queue("Roles"), ADMIN),
        grant("carl@fabrikam.com", queue("dev"), "User"),
        grant("ann@fabrikam.com", queue("Roles"), "User"),
        grant("ann@fabrikam.com", role="Creator"),
        pipeline(2),
        provisioning(),
        provisioning("contoso"),
        opening("Web", "fabrikam-tailspin"),
        opening(organization="contoso"),
        closing(organization="contoso"),
        opening(organization=""),
        closing(""),
        grant("mallory@fabrikam.com"),
        grant("[fabrikam-prime]\\Platform", pool("fabrikam-tailspin")),
        inheriting(),
        inheriting("fabrikam-tailspin"),
        making("Elsewhere"),
        making("", "fabrikam-tailspin"),
        arm(UpdatePool("/subscriptions/other", {})),
        arm(UpdatePool("", {})),
        arm(used_by("https://dev.azure.com/contoso")),
    ],
    ids=lambda c: c.subject[:60],
)  # fmt: skip
def test_what_the_spec_does_not_name_is_refused(wide: Change) -> None:
    """Rule 12: never wider than the spec, whatever the diff says."""
    assert rules(wide) == ["not-in-spec"]


@pytest.mark.parametrize(
    ("narrow", "reason"),
    [
        (closing("Dev"), "the organization is open"),
        (closing("Ops"), "its exception opens it"),
        (closing("Web", "fabrikam-tailspin"), "open access is not managed there"),
        (pipeline(1, authorized=False), "it is listed by its id"),
        (pipeline("\\nightly", number=4, authorized=False), "it is listed by its path"),
        (pipeline(3, "Dev", authorized=False), "no list of that project is exclusive"),
        (removal("ann@fabrikam.com"), "the profile names her"),
        (removal("[fabrikam-prime]\\platform"), "the list names the group"),
        (
            change(RoleAssignmentChange(pool("fabrikam-tailspin"), "L8", "bob", ADMIN, None)),
            "no list is exclusive there",
        ),
        (change(RoleAssignmentChange(pool(), "L8", "bob", ADMIN, "Reader")), "the spec gives nobody that role"),
        (lowering("carl@fabrikam.com", "User", None), "he is listed"),
        (lowering("dora@fabrikam.com", ADMIN, "User"), "she is not listed for the lower role"),
        (lowering("dora@fabrikam.com", "User", None, "Dev"), "no list of that project is exclusive"),
        (inheriting(on=False), "inheritance is not managed there"),
        (provisioning("fabrikam-tailspin", on=False), "the spec has it on"),
    ],
)
def test_a_right_that_the_spec_does_not_take_away_stays(narrow: Change, reason: str) -> None:
    assert rules(narrow) == ["not-in-spec"], reason


def test_a_profile_of_named_accounts_is_a_list_that_can_be_exclusive() -> None:
    only = replace(SPEC, access=Access(roles=(PoolRoles(ORG, exclusive=True),)))

    assert rules(removal(), spec=only) == []
    assert rules(removal(), spec=replace(only, permission_profile=None)) == ["not-in-spec"]


@pytest.mark.parametrize("left_out", ["projects", "alias"])
def test_nothing_is_written_where_the_spec_is_silent_and_arm_was_not_read(left_out: str) -> None:
    """A spec that reaches the guards without ARM's values does not say which projects or which agent pool is meant."""
    silent = tuple(replace(one, silent=frozenset({left_out})) for one in SPEC.organizations)
    for write in (opening(), making(), closing("Test"), removal(), provisioning()):
        assert "unsettled" in rules(write, spec=replace(SPEC, organizations=silent))


def test_an_exception_past_its_last_day_names_nothing() -> None:
    assert rules(opening("Ops"), today=date(2026, 7, 1)) == ["not-in-spec"]
    assert refuse(SPEC, [opening("Ops")], Policy()) == ()


def test_the_operator_takes_a_role_only_where_something_is_taken_away() -> None:
    """Otherwise it has its rights from above, and a role of its own would be one that no spec asks for."""
    roles = SPEC.access.roles
    kept = replace(SPEC, access=replace(SPEC.access, roles=tuple(replace(one, exclusive=False) for one in roles)))

    assert rules(itself(pool()), spec=kept) == ["operator-itself"]
    assert rules(itself(pool())) == []
    assert rules(itself(pool("fabrikam-tailspin"), "Reader")) == ["operator-itself"]
    assert rules(itself(pool("fabrikam-tailspin"), None)) == ["operator-itself"]
    assert rules(itself(queue("Web", "fabrikam-tailspin"))) == ["operator-itself"]


@pytest.mark.parametrize(
    ("kind", "inherits"), [(PermissionKind.INHERIT, []), (PermissionKind.CREATOR_ONLY, ["not-in-spec"])]
)
def test_a_permission_profile_names_inheritance(kind: PermissionKind, inherits: list[str]) -> None:
    spec = replace(SPEC, permission_profile=PermissionProfile(kind))

    assert rules(inheriting(), spec=spec) == inherits


def test_without_any_profile_inheritance_is_not_named() -> None:
    spec = replace(SPEC, permission_profile=None)

    assert rules(inheriting(), spec=spec) == ["not-in-spec"]
    assert rules(grant(), spec=spec) == ["not-in-spec"]


@pytest.mark.parametrize(
    "ruin",
    [arm(MovePool(SPEC.pool_id, "location")), arm(UPDATE, Detail("location", "eastus", "westus", Risk.DESTROYS))],
)
def test_nothing_is_destroyed_or_replaced(ruin: Change) -> None:
    assert rules(ruin) == ["destroys"]


# --- policy ---

OPEN = {
    "properties": {
        "organizationProfile": {"organizations": [{"url": f"https://dev.azure.com/{ORG}", "openAccess": True}]}
    }
}


@pytest.mark.parametrize(
    ("policy", "refused", "rule"),
    [
        (Policy(subscriptions=("2*",)), closing(), "policy-subscriptions"),
        (Policy(resource_groups=("rg-test",)), arm(), "policy-resource-groups"),
        (Policy(organizations=("contoso",)), closing(), "policy-organizations"),
        (Policy(organizations=(ORG,)), adding("fabrikam-tailspin"), "policy-organizations"),
        (Policy(projects=(f"{ORG}/Test",)), opening(), "policy-projects"),
        (Policy(projects=(f"{ORG}/Test",)), closing("Both"), "policy-projects"),
        (Policy(projects=(f"{ORG}/*",)), adding("fabrikam-tailspin"), "policy-projects"),
        (Policy(principals=("*@contoso.com",)), grant(), "policy-principals"),
        (Policy(principals=("ann@*",)), arm(CREATE), "policy-principals"),
        (Policy(open_access=()), opening(), "policy-open-access"),
        (Policy(open_access=()), arm(CreatePool(SPEC.pool_id, OPEN)), "policy-open-access"),
        (Policy(create_pools=False), arm(CREATE), "policy-create-pools"),
        (Policy(), member(), "policy-materialise"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused(policy: Policy, refused: Change, rule: str) -> None:
    assert rules(refused, policy=policy) == [rule]


@pytest.mark.parametrize(
    ("policy", "fine"),
    [
        (Policy(subscriptions=("1*",), resource_groups=("RG-*",), organizations=("fabrikam-*",)), arm()),
        (Policy(projects=("fabrikam-*/*",)), adding("fabrikam-tailspin")),
        (Policy(organizations=(), projects=()), arm(used_by("https://dev.azure.com/fabrikam-tailspin"))),
        (Policy(principals=()), removal()),
        (Policy(principals=()), arm()),
        (Policy(open_access=()), closing()),
        (Policy(open_access=(), create_pools=False), arm()),
        (Policy(materialise=True), member()),
    ],
)
def test_what_the_policy_allows_is_allowed(policy: Policy, fine: Change) -> None:
    """Limits are on what is granted: removing is not limited, and neither is what a body merely carries on."""
    assert rules(fine, policy=policy) == []


def test_a_spec_without_a_profile_creates_under_any_policy_for_principals() -> None:
    spec = replace(SPEC, permission_profile=None)

    assert rules(arm(CREATE), spec=spec, policy=Policy(principals=())) == []


def test_with_more_removals_than_the_cap_nobody_is_removed() -> None:
    """Some of them would be arbitrary, and the rest would follow in the next run all the same."""
    removals = [removal(f"{name}@fabrikam.com") for name in "bcde"]

    assert rules(*removals, closing()) == ["role-removals"] * 4
    assert rules(*removals[:3]) == []


# --- one plan, one word ---


def test_two_changes_of_one_subject_are_refused() -> None:
    assert rules(opening(), opening()) == ["contradiction"] * 2


def test_no_plan_narrows_and_widens_the_same() -> None:
    one, other = opening("Both"), replace(closing("Both"), facet="other")

    assert rules(one, other, closing("Test")) == ["contradiction"] * 2


def test_one_person_under_two_names_is_one_person() -> None:
    by_mail, by_id = grant(who="L1"), removal("Ann", who="l1")

    assert rules(by_mail, by_id) == ["contradiction"] * 2
    assert rules(grant(who="L1"), removal("Ann", who="l2")) == []
    twice = rules(member(), removal("Ann@fabrikam.com"), policy=Policy(materialise=True))
    assert twice == ["contradiction", "not-in-spec"]


def test_a_queue_that_is_made_and_a_door_that_is_closed_are_two_things() -> None:
    assert rules(making("Test"), closing(), inheriting("fabrikam-tailspin", on=False)) == []


def test_a_queue_is_one_place_before_and_after_it_is_made_and_under_any_name() -> None:
    """Grant before revoke counts by place: by ids, since a project may be renamed during a run."""
    assert place_of(making("Dev")) == place_of(closing("Dev")) == place_of(grant(place=queue("Dev")))
    assert place_of(opening()) == place_of(change(OpenAccess(replace(queue(), project="Renamed"), allow=True)))
    assert place_of(opening()) != place_of(closing("Test"))
    assert place_of(removal()) == place_of(inheriting()) == place_of(member()) == pool()
    assert place_of(arm()) is None


def test_a_refusal_says_what_and_why_in_one_line() -> None:
    wide = replace(opening("Elsewhere"), kind="open access", subject="fabrikam-prime/Elsewhere")
    (refusal,) = refuse(SPEC, [wide], Policy())

    assert refusal.message == "open access fabrikam-prime/Elsewhere: the spec does not name the project Elsewhere"


def test_a_change_to_arm_has_no_organization() -> None:
    assert organization_of(arm()) is None
    assert organization_of(opening()) == ORG


MENU: list[Any] = [
    opening(), closing(), opening("Test"), closing("Test"), opening("Ops"), grant(), grant("mallory@fabrikam.com"),
    removal(), removal("carl@fabrikam.com"), removal("d@fabrikam.com"), removal("e@fabrikam.com"),
    removal("ann@fabrikam.com"), arm(), arm(MovePool(SPEC.pool_id, "location")), opening(organization="contoso"),
]  # fmt: skip


@given(st.lists(st.sampled_from(MENU), max_size=8), st.randoms())
def test_what_is_refused_does_not_depend_on_order(changes: list[Change], random: Any) -> None:
    shuffled = list(changes)
    random.shuffle(shuffled)

    def found(given: list[Change]) -> list[tuple[str, str]]:
        return sorted((refusal.change.id, refusal.rule) for refusal in refuse(SPEC, given, Policy(), today=TODAY))

    assert found(changes) == found(shuffled)


@given(st.lists(st.sampled_from(MENU), max_size=10))
def test_what_is_left_keeps_every_rule(changes: list[Change]) -> None:
    """Refused changes taken out, the guards have nothing more to say, and the cap holds."""
    refused = {id(refusal.change) for refusal in refuse(SPEC, changes, Policy(), today=TODAY)}
    left = [one for one in changes if id(one) not in refused]

    assert refuse(SPEC, left, Policy(), today=TODAY) == ()
    assert sum(map(is_removal, left)) <= Policy().max_role_removals
    assert len({one.id for one in left}) == len(left)


# --- a spec that names a part --------------------------------------------------------------------------------


def test_an_update_carries_organizations_on_that_the_spec_does_not_name() -> None:
    """A guard looks at what changes: with tags alone in the spec every change was refused."""
    tags_only = replace(SPEC, organizations=(), body={"tags": {"team": "build"}})
    target = used_by("https://dev.azure.com/fabrikam")

    assert rules(arm(target, Detail("tags.team", None, "build")), spec=tags_only) == []


@pytest.mark.parametrize("part", ["", "[fabrikam]", "[fabrikam].projects"])
def test_it_changes_nothing_about_them_and_creates_none(part: str) -> None:
    tags_only = replace(SPEC, organizations=(), body={"tags": {"team": "build"}})
    target = used_by("https://dev.azure.com/fabrikam")
    assert isinstance(target, UpdatePool)
    line = Detail(f"organizationProfile.organizations{part}", None, "all")

    assert rules(arm(target, line), spec=tags_only) == ["not-in-spec"]
    assert rules(arm(CreatePool(target.resource_id, target.body)), spec=tags_only) == ["not-in-spec"]


# --- GitHub -------------------------------------------------------------------------------------------------

GITHUB = {"url": "https://github.com/Fabrikam/", "repositories": ["https://github.com/fabrikam/web"]}
OF_GITHUB = replace(SPEC, organizations=(), body={"properties": {"organizationProfile": {"organizations": [GITHUB]}}})


@pytest.mark.parametrize(
    ("url", "policy", "refused"),
    [
        ("https://www.github.com/fabrikam", Policy(), []),
        ("https://github.com/contoso", Policy(), ["not-in-spec"]),
        ("https://dev.azure.com/fabrikam", Policy(), ["not-in-spec"]),
        ("https://github.com/fabrikam", Policy(organizations=("fabrikam",)), ["policy-organizations"]),
        ("https://github.com/fabrikam", Policy(organizations=("GitHub.com/fabrikam",)), []),
        ("https://github.com/fabrikam", Policy(projects=("github.com/fabrikam/api",)), ["policy-projects"]),
        ("https://github.com/fabrikam", Policy(projects=("github.com/fabrikam/w*",)), []),
    ],
)
def test_a_pool_of_github_is_held_against_spec_and_policy_too(url: str, policy: Policy, refused: list[str]) -> None:
    """Its organizations stand in the body alone; a name on GitHub is another owner's than the same one here."""
    body = {"properties": {"organizationProfile": {"organizations": [{**GITHUB, "url": url}]}}}
    put = arm(CreatePool(SPEC.pool_id, body))

    assert [one.rule for one in refuse(OF_GITHUB, [put], policy)] == refused

"""Whole-plan guards: what no facet may do, whatever its own guard says. Each rule has the plan that it stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents import Json
from reconciler.plan.guards import is_removal, organization_of, refuse
from reconciler.plan.model import Action, Change, Detail, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.spec.model import (
    Access,
    Mode,
    OpenAccessException,
    Organization,
    PermissionKind,
    PermissionProfile,
    PipelineGrant,
    PoolRoles,
    QueueRoles,
    Spec,
)

ORG = "fabrikam-prime"
SPEC = Spec(
    name="pool-1",
    subscription="11111111-2222-3333-4444-555555555555",
    resource_group="rg-build",
    mode=Mode.ENFORCE,
    body={},
    organizations=(
        Organization(ORG, "pool-1", ("Dev", "Test"), open_access=True),
        Organization("fabrikam-tailspin", "pool-1", (), open_access=None, auto_provision=True),
    ),
    permission_profile=PermissionProfile(PermissionKind.SPECIFIC_ACCOUNTS, ("ann@fabrikam.com",), ("Builders",)),
    access=Access(
        open_access=(
            OpenAccessException(ORG, "Ops", allow=True, until=date(2026, 6, 30)),
            OpenAccessException(ORG, "Test", allow=False),
        ),
        pipelines=(PipelineGrant(ORG, "Pipes", (1,)),),
        roles=(PoolRoles(ORG, ("[fabrikam-prime]\\Platform",)), PoolRoles("fabrikam-tailspin", inherit=False)),
        queue_roles=(QueueRoles(ORG, "Roles", {"User": ("carl@fabrikam.com",)}),),
    ),
)
TODAY = date(2026, 6, 1)


def change(risk: Risk = Risk.WIDENS, *, kind: str = "open access", subject: str = "", **args: Json) -> Change:
    action = Action.REMOVE if risk is Risk.NARROWS else Action.CREATE
    args = {"organization": ORG, **args}
    subject = subject or " ".join(map(str, args.values()))
    return Change("some", kind, subject, action, None, None, risk, Route.DEVOPS, args)


def opening(project: str = "Dev", **args: Json) -> Change:
    return change(project=project, projectId=f"id-{project}", queueId=7, **{"allow": True, **args})


def closing(project: str = "Dev", **args: Json) -> Change:
    args = {"project": project, "projectId": f"id-{project}", "queueId": 7, "allow": False, **args}
    return change(Risk.NARROWS, **args)


def grant(principal: str = "ann@fabrikam.com", **args: Json) -> Change:
    return change(kind="administrator", poolId=1, principal=principal, role="Administrator", **args)


def removal(principal: str = "bob@fabrikam.com", **args: Json) -> Change:
    return change(Risk.NARROWS, kind="administrator", poolId=1, principal=principal, role="Administrator", **args)


def arm(action: Action = Action.UPDATE, risk: Risk = Risk.NEUTRAL, **args: Json) -> Change:
    args = {"resourceId": SPEC.pool_id.upper(), "body": {}, **args}
    return Change("pool", "pool", "pool-1", action, None, None, risk, Route.ARM, args)


def rules(*changes: Change, spec: Spec = SPEC, policy: Policy | None = None, today: date = TODAY) -> list[str]:
    return [refusal.rule for refusal in refuse(spec, changes, policy or Policy(), today=today)]


@pytest.mark.parametrize(
    "fine",
    [
        opening(),
        opening("dev"),
        opening("Ops"),
        closing(),
        closing("Elsewhere"),
        grant(),
        grant("ANN@fabrikam.com"),
        grant("Builders"),
        grant("[fabrikam-prime]\\platform"),
        removal(),
        change(kind="queue", project="Test", projectId="t", poolId=1),
        change(kind="pipeline", project="Pipes", projectId="p", queueId=1, pipeline=1),
        change(kind="queue role", project="Roles", projectId="r", principal="carl@fabrikam.com", role="User"),
        change(Risk.NARROWS, kind="inheritance", poolId=1, inherit=False),
        change(Risk.NARROWS, kind="auto-provision", poolId=1, autoProvision=False),
        change(kind="auto-provision", poolId=1, autoProvision=True, organization="fabrikam-tailspin"),
        change(organization="fabrikam-tailspin", kind="administrator", poolId=1, identityId="me", itself=True),
        arm(),
        arm(Action.CREATE),
        arm(body={"properties": {"organizationProfile": {"organizations": [{"url": "https://dev.azure.com/Fabrikam-Prime/"}]}}}),
        arm(body={"properties": {"organizationProfile": {"organizations": [{"url": "https://fabrikam-prime.visualstudio.com"}]}}}),
    ],
    ids=lambda c: f"{c.kind} {c.subject}"[:60],
)  # fmt: skip
def test_what_the_spec_names_and_the_policy_does_not_forbid_is_allowed(fine: Change) -> None:
    assert rules(fine) == []


@pytest.mark.parametrize(
    "wide",
    [
        opening("Elsewhere"),
        opening("Test"),
        grant("carl@fabrikam.com"),
        change(kind="queue role", project="Roles", projectId="r", principal="carl@fabrikam.com", role="Administrator"),
        change(kind="queue role", project="dev", projectId="d", principal="carl@fabrikam.com", role="User"),
        change(kind="queue role", project="Roles", projectId="r", principal="ann@fabrikam.com", role="User"),
        change(kind="pipeline", project="Pipes", projectId="p", queueId=1, pipeline=2, pipelineId=2),
        change(kind="auto-provision", poolId=1, autoProvision=True),
        change(kind="auto-provision", poolId=1, autoProvision=True, organization="contoso"),
        opening("Web", organization="fabrikam-tailspin"),
        opening(organization="contoso"),
        closing(organization="contoso"),
        opening(organization=None),
        grant("mallory@fabrikam.com"),
        grant("[fabrikam-prime]\\Platform", organization="fabrikam-tailspin"),
        change(kind="administrator", poolId=1, role="Administrator"),
        change(kind="inheritance", poolId=1, inherit=True),
        change(kind="inheritance", poolId=1, inherit=True, organization="fabrikam-tailspin"),
        change(kind="something new", poolId=1),
        change(kind="queue", projectId="t", poolId=1),
        change(Risk.NARROWS, kind="open access", queueId=7),
        change(kind="queue", project="Elsewhere", projectId="e", poolId=1),
        arm(resourceId="/subscriptions/other"),
        arm(resourceId=None),
        arm(body={"properties": {"organizationProfile": {"organizations": [{"url": "https://dev.azure.com/contoso"}]}}}),
    ],
    ids=lambda c: f"{c.kind} {c.subject}"[:60],
)  # fmt: skip
def test_what_the_spec_does_not_name_is_refused(wide: Change) -> None:
    """Rule 12: never wider than the spec, whatever the diff says."""
    assert rules(wide) == ["not-in-spec"]


def test_an_exception_past_its_last_day_names_nothing() -> None:
    assert rules(opening("Ops"), today=date(2026, 7, 1)) == ["not-in-spec"]
    assert refuse(SPEC, [opening("Ops")], Policy()) == ()


def test_the_operator_takes_a_role_only_where_inheritance_goes_off() -> None:
    """Otherwise it has its rights from above, and a role of its own would be one that nobody asked for."""
    assert rules(change(kind="administrator", poolId=1, identityId="me", itself=True)) == ["operator-itself"]


@pytest.mark.parametrize(
    ("kind", "inherits"), [(PermissionKind.INHERIT, []), (PermissionKind.CREATOR_ONLY, ["not-in-spec"])]
)
def test_a_permission_profile_names_inheritance(kind: PermissionKind, inherits: list[str]) -> None:
    spec = replace(SPEC, permission_profile=PermissionProfile(kind))

    assert rules(change(kind="inheritance", poolId=1, inherit=True), spec=spec) == inherits


def test_without_any_profile_inheritance_is_not_named() -> None:
    spec = replace(SPEC, permission_profile=None)

    assert rules(change(kind="inheritance", poolId=1, inherit=True), spec=spec) == ["not-in-spec"]
    assert rules(grant(), spec=spec) == ["not-in-spec"]


@pytest.mark.parametrize(
    "ruin",
    [
        arm(risk=Risk.DESTROYS),
        arm(Action.REMOVE),
        change(Risk.DESTROYS, kind="queue", project="Dev", projectId="d"),
        replace(arm(), details=(Detail("location", "eastus", "westus", Risk.DESTROYS),)),
    ],
)
def test_nothing_is_destroyed_or_replaced(ruin: Change) -> None:
    assert rules(ruin) == ["destroys"]


# --- policy ---


@pytest.mark.parametrize(
    ("policy", "refused", "rule"),
    [
        (Policy(subscriptions=("2*",)), closing(), "policy-subscriptions"),
        (Policy(resource_groups=("rg-test",)), arm(), "policy-resource-groups"),
        (Policy(organizations=("contoso",)), closing(), "policy-organizations"),
        (Policy(organizations=(ORG,)), arm(), "policy-organizations"),
        (Policy(projects=(f"{ORG}/Test",)), opening(), "policy-projects"),
        (Policy(projects=(f"{ORG}/Test",)), closing(), "policy-projects"),
        (Policy(projects=(f"{ORG}/*",)), arm(), "policy-projects"),
        (Policy(principals=("*@contoso.com",)), grant(), "policy-principals"),
        (Policy(principals=("ann@*",)), arm(Action.CREATE), "policy-principals"),
        (Policy(open_access=False), opening(), "policy-open-access"),
        (Policy(open_access=False), arm(Action.CREATE), "policy-open-access"),
        (Policy(create_pools=False), arm(Action.CREATE), "policy-create-pools"),
        (Policy(), grant(materialise=True), "policy-materialise"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused(policy: Policy, refused: Change, rule: str) -> None:
    assert rules(refused, policy=policy) == [rule]


@pytest.mark.parametrize(
    ("policy", "fine"),
    [
        (Policy(subscriptions=("1*",), resource_groups=("RG-*",), organizations=("fabrikam-*",)), arm()),
        (Policy(projects=("fabrikam-*/*",)), arm()),
        (Policy(principals=()), removal()),
        (Policy(principals=()), arm()),
        (Policy(open_access=False), closing()),
        (Policy(open_access=False, create_pools=False), arm()),
        (Policy(materialise=True), grant(materialise=True)),
    ],
)
def test_what_the_policy_allows_is_allowed(policy: Policy, fine: Change) -> None:
    """Limits are on what is handed out: taking back is never held up by them."""
    assert rules(fine, policy=policy) == []


def test_a_spec_without_a_profile_creates_under_any_policy_for_principals() -> None:
    spec = replace(SPEC, permission_profile=None)

    assert rules(arm(Action.CREATE), spec=spec, policy=Policy(principals=())) == []


def test_with_more_removals_than_the_cap_nobody_is_removed() -> None:
    """Some of them would be arbitrary, and the rest would follow in the next run all the same."""
    removals = [removal(f"{name}@fabrikam.com") for name in "bcde"]

    assert rules(*removals, closing()) == ["role-removals"] * 4
    assert rules(*removals[:3]) == []


# --- one plan, one word ---


def test_two_changes_of_one_subject_are_refused() -> None:
    assert rules(opening(), opening()) == ["contradiction"] * 2


def test_no_plan_narrows_and_widens_the_same() -> None:
    one, other = replace(opening(), subject="a"), replace(closing(), subject="b", facet="other")

    assert rules(one, other, closing("Ops")) == ["contradiction"] * 2


def test_one_person_under_two_names_is_one_person() -> None:
    by_mail, by_id = grant(identityId="L1"), removal("Ann", identityId="l1")

    assert rules(by_mail, by_id) == ["contradiction"] * 2
    assert rules(grant(identityId="L1"), removal("Ann", identityId="l2")) == []


def test_a_queue_that_is_made_and_a_door_that_is_closed_are_two_things() -> None:
    made = change(kind="queue", project="Dev", projectId="id-Dev", poolId=1)

    assert rules(made, closing(), change(Risk.NARROWS, kind="inheritance", poolId=1, inherit=False)) == []


def test_a_refusal_says_what_and_why_in_one_line() -> None:
    (refusal,) = refuse(SPEC, [opening("Elsewhere")], Policy())

    assert refusal.message == (
        "open access fabrikam-prime Elsewhere id-Elsewhere 7 True: the spec does not name the project Elsewhere"
    )


def test_a_change_to_arm_has_no_organization() -> None:
    assert organization_of(arm()) is None
    assert organization_of(opening()) == ORG


MENU: list[Any] = [
    opening(), closing(), opening("Test"), closing("Test"), opening("Ops"), grant(), grant("mallory@fabrikam.com"),
    removal(), removal("carl@fabrikam.com"), removal("d@fabrikam.com"), removal("e@fabrikam.com"),
    removal("ann@fabrikam.com"), arm(), arm(Action.REMOVE), opening(organization="contoso"),
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
    """Its organizations stand in the body alone; a name on GitHub is somebody else's than the same one here."""
    put = arm(Action.CREATE, body={"properties": {"organizationProfile": {"organizations": [{**GITHUB, "url": url}]}}})

    assert [one.rule for one in refuse(OF_GITHUB, [put], policy)] == refused

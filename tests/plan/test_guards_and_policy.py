"""The policy is asked about the very place, person, role and pipeline that a change is about; the reason names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.plan.guards import place_of, refuse
from reconciler.plan.model import Change, Detail
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    CreatePool,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    ProjectPlace,
    UpdatePool,
)
from reconciler.spec.model import OpenAccessException, Organization, PermissionProfile, QueueRoles, Spec
from tests.plan.guarded import (
    ORG,
    SPEC,
    TODAY,
    arm,
    closing,
    grant,
    inheriting,
    itself,
    lowering,
    member,
    opening,
    pipeline,
    pool,
    provisioning,
    queue,
)

TAILSPIN = "fabrikam-tailspin"
NONE: tuple[str, ...] = ()


def messages(change: Change, policy: Policy | None = None, spec: Spec = SPEC) -> list[tuple[str, str]]:
    """Rule and reason, without the subject."""
    found = refuse(spec, [change], policy or Policy(), today=TODAY)
    return [(one.rule, one.message.partition(": ")[2]) for one in found]


USER = grant("carl@fabrikam.com", queue("Roles"), "User")


@pytest.mark.parametrize(
    ("change", "policy", "rule", "reason"),
    [
        (opening("Dev"), Policy(open_access=NONE), "policy-open-access",
         f"the policy does not let open access be granted in {ORG}/Dev"),
        (pipeline("\\Nightly"), Policy(pipelines=NONE), "policy-pipelines",
         f"the policy does not let the pipeline \\Nightly in, in {ORG}/Pipes"),
        (grant(), Policy(roles=NONE), "policy-roles",
         f"the policy does not let ann@fabrikam.com have the role Administrator in {ORG}"),
        (USER, Policy(roles=NONE), "policy-roles",
         f"the policy does not let carl@fabrikam.com have the role User in {ORG}/Roles"),
        (grant(), Policy(principals=NONE), "policy-principals",
         "the policy does not let ann@fabrikam.com be granted anything"),
        (member(), Policy(principals=NONE, materialise=True), "policy-principals",
         "the policy does not let ann@fabrikam.com be granted anything"),
        (member(), Policy(), "policy-materialise", f"the policy does not let ann@fabrikam.com be added to {ORG}"),
        (provisioning(TAILSPIN), Policy(version=2, projects=(f"{TAILSPIN}/Web",)), "policy-projects",
         f"the policy does not allow the project {TAILSPIN}/*"),
    ],
)  # fmt: skip
def test_a_refusal_by_policy_names_what_the_policy_lacks(
    change: Change, policy: Policy, rule: str, reason: str
) -> None:
    assert messages(change, policy) == [(rule, reason)]


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        (opening("Dev"), Policy(open_access=(f"{ORG}/Dev",))),
        (pipeline("\\Nightly"), Policy(pipelines=(f"{ORG}/Pipes/\\Nightly",))),
        (pipeline("\\Nightly", number=1), Policy(pipelines=(f"{ORG}/Pipes/1",))),
        (member(), Policy(principals=("ann@fabrikam.com",), materialise=True)),
        (provisioning(TAILSPIN), Policy(version=2, projects=(f"{TAILSPIN}/*",))),
        (provisioning(TAILSPIN), Policy(version=1, projects=(f"{TAILSPIN}/Web",))),
    ],
)
def test_what_the_policy_names_to_the_letter_is_enough(change: Change, policy: Policy) -> None:
    """Nothing more is asked than the place of the change; policy/v1 has no word on new projects."""
    assert messages(change, policy) == []


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        (opening("Test"), "not-in-spec", "the spec does not want open access there"),
        (pipeline("other"), "not-in-spec", "the spec does not name the pipeline other of Pipes"),
        (inheriting(ORG), "not-in-spec", f"the spec does not want roles inherited in {ORG}"),
        (provisioning(ORG), "not-in-spec", f"the spec does not want {ORG} to give the pool to every new project"),
        (grant("mallory@fabrikam.com"), "not-in-spec",
         "the spec does not name mallory@fabrikam.com for the role Administrator there"),
        (grant("carl@fabrikam.com", queue("Roles"), "Creator"), "not-in-spec",
         "the spec does not name carl@fabrikam.com for the role Creator there"),
        (grant(role="User"), "not-in-spec", "the spec does not name ann@fabrikam.com for the role User there"),
        (itself(queue("Dev")), "operator-itself",
         f"nothing is taken away in {ORG}: the operator needs no role of its own"),
    ],
)  # fmt: skip
def test_a_refusal_by_the_spec_names_what_the_spec_lacks(change: Change, rule: str, reason: str) -> None:
    assert messages(change) == [(rule, reason)]


def test_a_stranger_does_not_become_known() -> None:
    assert messages(member("mallory@fabrikam.com"), Policy(materialise=True)) == [
        ("not-in-spec", f"the spec does not name mallory@fabrikam.com in {ORG}")
    ]


def test_an_exception_counts_through_its_last_day() -> None:
    """«Ops» is open until the end of June, by an exception alone."""
    last, after = date(2026, 6, 30), date(2026, 7, 1)

    assert refuse(SPEC, [opening("Ops")], Policy(), today=last) == ()
    (refusal,) = refuse(SPEC, [opening("Ops")], Policy(), today=after)
    assert refusal.message.endswith("the spec does not name the project Ops")
    assert refuse(SPEC, [opening("Ops")], Policy()) == ()


def test_a_project_that_is_listed_is_open_by_an_exception_until_it_ends() -> None:
    closed = replace(
        SPEC,
        organizations=(replace(SPEC.organizations[0], open_access=False),),
        access=replace(SPEC.access, open_access=(OpenAccessException(ORG, "Dev", True, date(2026, 6, 30)),)),
    )

    assert refuse(closed, [opening("Dev")], Policy(), today=date(2026, 6, 30)) == ()
    assert len(refuse(closed, [opening("Dev")], Policy(), today=date(2026, 7, 1))) == 1


def test_a_place_is_an_organization_and_a_projects_id() -> None:
    assert place_of(opening("Dev")) == ProjectPlace(ORG, "id-Dev", "")
    assert place_of(opening("Dev", TAILSPIN)) == ProjectPlace(TAILSPIN, "id-Dev", "")


# --- a creation gives at once what the spec says, so the policy is asked about all of it -----------------------

CREATION = arm(CreatePool(SPEC.pool_id, {}))
WHOLE = Policy(
    organizations=(ORG, TAILSPIN),
    projects=(f"{ORG}/Dev", f"{ORG}/Test", f"{TAILSPIN}/*"),
    open_access=(f"{ORG}/Dev",),
    principals=("ann@fabrikam.com", "Builders"),
)


def test_a_creation_needs_each_place_and_person_of_the_spec_and_no_more() -> None:
    assert messages(CREATION, WHOLE) == []


@pytest.mark.parametrize(
    ("lacking", "rule", "reason"),
    [
        ({"organizations": (ORG,)}, "policy-organizations", f"the policy does not allow the organization {TAILSPIN}"),
        ({"projects": (f"{ORG}/Dev", f"{TAILSPIN}/*")}, "policy-projects",
         f"the policy does not allow the project {ORG}/Test"),
        ({"projects": (f"{ORG}/*", f"{TAILSPIN}/Web")}, "policy-projects",
         f"the policy does not allow the project {TAILSPIN}/*"),
        ({"open_access": (f"{ORG}/Test",)}, "policy-open-access",
         f"the policy does not let open access be granted in {ORG}/Dev"),
        ({"principals": ("Builders",)}, "policy-principals",
         "the policy does not let ann@fabrikam.com be granted anything"),
        ({"principals": ("ann@fabrikam.com",)}, "policy-principals",
         "the policy does not let Builders be granted anything"),
    ],
)  # fmt: skip
def test_a_creation_is_refused_for_the_first_that_lacks(lacking: dict[str, Any], rule: str, reason: str) -> None:
    assert messages(CREATION, replace(WHOLE, **lacking)) == [(rule, reason)]


# --- an update is asked about what its lines add ----------------------------------------------------------------

ENTRY = f"organizationProfile.organizations[{ORG}]"


def using(*projects: str, line: Detail) -> Change:
    organizations = [{"url": f"https://dev.azure.com/{ORG}", "projects": list(projects)}]
    return arm(
        UpdatePool(SPEC.pool_id, {"properties": {"organizationProfile": {"organizations": organizations}}}), line
    )


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (Detail(f"{ENTRY}.projects", ["Dev"], ["Dev", "Test"]), [f"{ORG}/Test"]),
        (Detail(f"{ENTRY}.projects", ["dev", "TEST"], ["Dev", "Test"]), []),
        (Detail(f"{ENTRY}.projects", ["Test"], ["Dev", "Test"]), []),
        (Detail(f"{ENTRY}.projects", None, ["Dev", "Test"]), []),
        (Detail(f"{ENTRY}.repositories", ["https://github.com/fabrikam/Dev/"], ["x"]), [f"{ORG}/Test"]),
        (Detail(f"{ENTRY}.repositories", ["https://github.com/fabrikam/Dev/", "a/b/Test"], ["x"]), []),
        (Detail(f"{ENTRY}.parallelism", 1, 2), []),
        (Detail("maximumConcurrency", ["Dev"], 2), []),
        (Detail(ENTRY, None, "Dev, Test"), [f"{ORG}/Test"]),
    ],
)
def test_projects_that_a_line_adds_are_asked_of_the_policy(line: Detail, refused: list[str]) -> None:
    """All projects became a list: that is fewer. What a list had before is not asked again, however it is written."""
    found = messages(using("Dev", "Test", line=line), Policy(projects=(f"{ORG}/Dev",)))

    assert found == [("policy-projects", f"the policy does not allow the project {one}") for one in refused]


# --- names of two organizations ---------------------------------------------------------------------------------


def test_a_grant_in_one_organization_or_project_is_none_in_another() -> None:
    both = replace(SPEC, organizations=(Organization(ORG, "p", (), None), Organization(TAILSPIN, "p", (), None)))

    assert messages(pipeline("\\Nightly", "Dev"), spec=both)[0][0] == "not-in-spec"
    elsewhere = PipelineAuthorization(queue("Pipes", TAILSPIN), 1, "\\Nightly", authorized=True)
    assert messages(replace(pipeline("\\Nightly"), target=elsewhere), spec=both)[0][0] == "not-in-spec"
    assert messages(USER, spec=both) == []
    for place in (queue("Dev"), queue("Roles", TAILSPIN)):
        assert messages(grant("carl@fabrikam.com", place, "User"), spec=both)[0][0] == "not-in-spec"


def test_an_exclusive_list_of_pipelines_is_that_of_its_project() -> None:
    """By number or by name: one that is listed either way stays."""
    assert messages(pipeline("gone", number=9, authorized=False)) == []
    kept = "the spec does not say that this right is removed"
    assert messages(pipeline("\\NIGHTLY", number=9, authorized=False)) == [("not-in-spec", kept)]
    assert messages(pipeline("gone", number=1, authorized=False)) == [("not-in-spec", kept)]
    assert messages(pipeline("gone", "Dev", number=9, authorized=False)) == [("not-in-spec", kept)]
    both = replace(SPEC, organizations=(Organization(ORG, "p", (), None), Organization(TAILSPIN, "p", (), None)))
    elsewhere = PipelineAuthorization(queue("Pipes", TAILSPIN), 9, "gone", authorized=False)
    assert messages(replace(pipeline("gone"), target=elsewhere), spec=both) == [("not-in-spec", kept)]


def test_the_operator_takes_a_role_on_the_queue_that_has_an_exclusive_list_alone() -> None:
    two = replace(SPEC, access=replace(SPEC.access, queue_roles=(
        QueueRoles(ORG, "Roles", {}, exclusive=True), QueueRoles(ORG, "Dev", {}), QueueRoles(TAILSPIN, "Web", {}),
    )))  # fmt: skip

    assert messages(itself(queue("Roles")), spec=two) == []
    for place in (queue("Dev"), queue("Web", TAILSPIN), queue("Roles", TAILSPIN)):
        assert messages(itself(place), spec=two)[0][0] == "operator-itself"


def test_new_projects_get_the_pool_only_where_the_spec_says_so_and_all_projects_use_it() -> None:
    for organization in (
        Organization(TAILSPIN, "p", ("Web",), None, auto_provision=True),
        Organization(TAILSPIN, "p", (), None, auto_provision=False),
        Organization(TAILSPIN, "p", (), None, auto_provision=None),
    ):
        spec = replace(SPEC, organizations=(organization,))
        assert messages(provisioning(TAILSPIN), spec=spec)[0][0] == "not-in-spec"


def test_a_person_may_be_named_on_the_queue_of_another_project() -> None:
    named = replace(SPEC, permission_profile=PermissionProfile(SPEC.permission_profile.kind))  # type: ignore[union-attr]

    assert messages(member("carl@fabrikam.com"), Policy(materialise=True), named) == []
    assert messages(grant("carl@fabrikam.com", pool()), spec=named)[0][0] == "not-in-spec"


KEPT = [("not-in-spec", "the spec does not say that this right is removed")]


def test_a_project_is_closed_where_the_organization_or_an_exception_says_so() -> None:
    def spec(open_access: bool | None, *exceptions: OpenAccessException) -> Spec:
        organization = replace(SPEC.organizations[0], open_access=open_access)
        return replace(SPEC, organizations=(organization,), access=replace(SPEC.access, open_access=exceptions))

    closed = OpenAccessException(ORG, "Dev", allow=False, until=TODAY)
    ended = replace(closed, until=date(2026, 5, 31))
    assert messages(closing("Dev"), spec=spec(False)) == []
    assert messages(closing("Dev"), spec=spec(True)) == messages(closing("Dev"), spec=spec(None)) == KEPT
    assert messages(closing("Dev"), spec=spec(True, closed)) == []
    assert messages(closing("Dev"), spec=spec(True, ended)) == KEPT
    assert messages(closing("Dev"), spec=spec(False, replace(closed, allow=True))) == KEPT
    assert messages(closing("Dev"), spec=spec(False, replace(ended, allow=True))) == []


def test_a_role_on_a_queue_is_lowered_to_what_its_own_list_says() -> None:
    """A list of another project, or another role of this one, lowers no role here."""
    lists = (
        QueueRoles(ORG, "Roles", {"User": ("carl@fabrikam.com",)}, exclusive=True),
        QueueRoles(ORG, "Dev", {"User": ("dave@fabrikam.com",)}, exclusive=True),
    )
    spec = replace(SPEC, access=replace(SPEC.access, queue_roles=lists))

    assert messages(lowering("carl@fabrikam.com", "Administrator", "User"), spec=spec) == []
    assert messages(lowering("carl@fabrikam.com", "Administrator", "Reader"), spec=spec) == KEPT
    assert messages(lowering("carl@fabrikam.com", "User", None), spec=spec) == KEPT
    assert messages(lowering("dave@fabrikam.com", "Administrator", "User"), spec=spec) == KEPT
    assert messages(lowering("dave@fabrikam.com", "User", None), spec=spec) == []


def test_a_role_that_is_not_recognised_is_refused_with_its_reason() -> None:
    def first(change: Change) -> str:
        return messages(change)[0][1]

    assert first(grant(place=OrganizationPlace(ORG))) == (
        "only onboarding assigns roles on all agent pools, for a person who may"
    )
    assert first(grant(who="")) == "it does not say whose role it is"
    assert first(grant(role="Overlord")) == "role Overlord is not known here"


def test_a_place_is_asked_of_spec_and_policy_and_named_in_the_refusal() -> None:
    nowhere = replace(opening(), target=OpenAccess(replace(queue(), organization=""), allow=True))
    unnamed = replace(opening(), target=OpenAccess(replace(queue(), project=""), allow=True))

    assert messages(nowhere)[0] == ("not-in-spec", "the spec does not name the organization (none given)")
    assert messages(opening(organization="contoso"))[0][1] == "the spec does not name the organization contoso"
    assert messages(unnamed)[0] == ("not-in-spec", "the change is about a project and does not name it")
    assert messages(opening("Dev"), Policy(projects=(f"{ORG}/Dev",))) == []
    assert messages(opening("Dev"), Policy(projects=(f"{ORG}/Test",))) == [
        ("policy-projects", f"the policy does not allow the project {ORG}/Dev")
    ]


def test_a_silent_organization_names_what_it_leaves_out() -> None:
    silent = replace(SPEC.organizations[0], silent=frozenset({"openAccess", "projects"}))
    spec = replace(SPEC, organizations=(silent,))

    assert messages(opening("Dev"), spec=spec)[0] == (
        "unsettled",
        f"the spec names no projects and openAccess for {ORG}, and ARM's were not read in this run",
    )


def test_an_exception_closes_until_its_last_day() -> None:
    until = OpenAccessException(ORG, "Dev", allow=False, until=TODAY)
    spec = replace(SPEC, access=replace(SPEC.access, open_access=(until,)))

    assert refuse(spec, [closing("Dev")], Policy(), today=TODAY) == ()
    assert len(refuse(spec, [closing("Dev")], Policy(), today=date(2026, 6, 2))) == 1
    assert refuse(spec, [closing("Dev")], Policy()) == ()


def test_the_operator_assigns_itself_administrator_and_nothing_else() -> None:
    assert messages(itself(pool(), "User"))[0] == (
        "operator-itself",
        "the operator assigns itself nothing but Administrator of an agent pool or a queue",
    )


@pytest.mark.parametrize(
    ("before", "added"), [("https://github.com/fabrikam/WebX/", []), ("https://github.com/fabrikam/Other", ["webx"])]
)
def test_a_repository_that_was_there_with_a_slash_at_its_end_is_not_new(before: str, added: list[str]) -> None:
    url = "https://github.com/fabrikam"
    listed = {"organizations": [{"url": url, "repositories": [f"{url}/webx"]}]}
    body = {"properties": {"organizationProfile": listed}}
    line = Detail("organizationProfile.organizations[github.com/fabrikam].repositories", [before], [f"{url}/webx"])
    change = Change("pool", "pool", "p", None, None, UpdatePool(SPEC.pool_id, body), (line,))
    spec = replace(
        SPEC, organizations=(Organization("github.com/fabrikam", "pool-1", (), open_access=None),), body=body
    )

    found = refuse(spec, [change], Policy(projects=()), today=TODAY)
    assert [one.message.rpartition("/")[2] for one in found if one.rule == "policy-projects"] == added

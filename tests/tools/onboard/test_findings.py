"""What an organization says, held against the requirements, where no emulated organization says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Forbidden, Unavailable
from reconciler.plan.rights.checks import CheckResult
from reconciler.plan.rights.required import RequirementKind
from reconciler.ports.devops import Entitlement, Group, Identity, Project, RoleAssignment, ServicePrincipal
from reconciler.spec.model import Mode
from reconciler.tools.onboard.findings import OnboardFinding, findings
from reconciler.tools.onboard.observe import OnboardRequest, OrganizationState

ME = "2d9f45ea-0000-67ad-b529-f5e729597004"
WEB = Project("c9ea1219-0000-5cea-b88b-031092b1f5dd", "Web")
READERS = Group("[Web]\\Readers", descriptor="vssgp.readers", project=WEB.id)
REQUEST = OnboardRequest("22222222-3333-4444-5555-666666666666", Mode.ENFORCE)
REPORT = replace(REQUEST, mode=Mode.REPORT)
STATE = OrganizationState(
    "prime",
    principal=ServicePrincipal(REQUEST.object_id, "", "Robot", "aadsp.robot"),
    identity_id=ME,
    entry=None,
    entitlement=Entitlement("express", "account", "active"),
    groups=(),
    visible=(WEB,),
    projects=(WEB,),
    hidden=(),
    directory=(Group("[prime]\\Web", descriptor="vssgp.other"), READERS),
    pools=(),
    queues={WEB.id: ()},
)


def role(name: str, who: str = ME, shown: str = "Robot") -> RoleAssignment:
    return RoleAssignment(Identity(who, shown), name, inherited=False)


def finding(kind: RequirementKind, state: OrganizationState, request: OnboardRequest = REQUEST) -> OnboardFinding:
    (found,) = [one for one in findings(request, state) if one.requirement.kind is kind]
    return found


@pytest.mark.parametrize(
    ("found", "result", "granted"),
    [
        (Entitlement("none", "msdn", "active"), CheckResult.OK, False),
        (Entitlement("something", "account", "active"), CheckResult.UNKNOWN, False),
        (Unavailable("no response"), CheckResult.UNKNOWN, False),
        (Entitlement("express", "account", "expired"), CheckResult.MISSING, False),
        (Entitlement("none", "account", "none"), CheckResult.MISSING, True),
        (Entitlement("stakeholder", "account", "active"), CheckResult.MISSING, True),
    ],
)
def test_an_access_level_is_granted_only_where_that_cannot_lower_it(
    found: Entitlement | Unavailable, result: CheckResult, granted: bool
) -> None:
    answer = finding(RequirementKind.ACCESS_LEVEL, replace(STATE, entitlement=found))

    assert (answer.result, answer.target is not None) == (result, granted)


def test_a_project_is_not_mistaken_for_an_organization_of_its_name() -> None:
    """Groups count by the project that they belong to, never by their name."""
    named_alike = Group("[Web]\\Readers", id="g", descriptor="vssgp.elsewhere")

    missing = finding(RequirementKind.PROJECT_READER, replace(STATE, groups=(named_alike,)))
    held = finding(RequirementKind.PROJECT_READER, replace(STATE, groups=(READERS,)))

    assert (missing.result, held.result) == (CheckResult.MISSING, CheckResult.OK)


def test_without_a_group_of_that_name_it_is_done_by_hand() -> None:
    """Default groups may be named in the organization's language."""
    answer = finding(
        RequirementKind.PROJECT_READER, replace(STATE, directory=(replace(READERS, name="[Web]\\Lecteurs"),))
    )

    assert (answer.result, answer.target) == (CheckResult.MISSING, None)
    assert "any other group of it" in answer.detail


def test_groups_that_cannot_be_read_leave_it_unknown() -> None:
    for unread in (replace(STATE, groups=Forbidden("no")), replace(STATE, directory=Unavailable("no"))):
        assert finding(RequirementKind.PROJECT_READER, unread).result is CheckResult.UNKNOWN


def test_a_role_of_its_own_counts_even_where_groups_cannot_be_read() -> None:
    unread = replace(STATE, groups=Forbidden("no"))

    held = finding(RequirementKind.POOL_ROLE, replace(unread, pools=(role("Administrator"),)))
    unknown = finding(RequirementKind.POOL_ROLE, unread)

    assert (held.result, unknown.result) == (CheckResult.OK, CheckResult.UNKNOWN)


def test_the_role_of_another_identity_is_none() -> None:
    state = replace(STATE, pools=(role("Administrator", who="someone", shown="[prime]\\Others"),))

    assert finding(RequirementKind.POOL_ROLE, state).result is CheckResult.MISSING


def test_readers_bring_their_role_only_to_an_identity_that_joins_them() -> None:
    """An identity that is in the project through another group does not join Readers."""
    readers = role("Reader", who="r", shown="[Web]\\Readers")
    state = replace(STATE, queues={WEB.id: (readers,)})
    contributors = Group("[Web]\\Contributors", descriptor="vssgp.contributors", project=WEB.id)
    inside = replace(state, directory=(READERS, contributors), groups=(contributors,))

    assert finding(RequirementKind.QUEUE_ROLE, state, REPORT).result is CheckResult.OK
    assert finding(RequirementKind.QUEUE_ROLE, inside, REPORT).result is CheckResult.MISSING


ADMINISTRATORS = "[prime]\\Project Collection Administrators"
VALID_USERS = "[prime]\\Project Collection Valid Users"
DIRECTORY = (READERS, Group(ADMINISTRATORS, descriptor="vssgp.pca"), Group(VALID_USERS, descriptor="vssgp.valid"))


@pytest.mark.parametrize(
    ("own", "result"),
    [
        (Group(ADMINISTRATORS, id="g", descriptor="vssgp.pca"), CheckResult.OK),
        (Group(ADMINISTRATORS, id="g", descriptor="vssgp.forged"), CheckResult.MISSING),
        (Group("[Web]\\Project Collection Administrators", id="g", descriptor="vssgp.web"), CheckResult.MISSING),
        (Group("[Web]\\x]\\Project Collection Administrators", id="g", descriptor="vssgp.x"), CheckResult.MISSING),
    ],
)
def test_a_group_of_a_project_makes_no_one_an_administrator_of_the_organization(
    own: Group, result: CheckResult
) -> None:
    """A project that is called like the organization may have a group of that very name."""
    forged = Group(ADMINISTRATORS, descriptor="vssgp.forged", project=WEB.id)
    state = replace(STATE, groups=(own,), directory=(*DIRECTORY, forged))

    assert finding(RequirementKind.POOL_ROLE, state).result is result


@pytest.mark.parametrize(
    ("more", "result"),
    [
        ((), CheckResult.OK),
        ((Group(VALID_USERS, descriptor="vssgp.forged", project=WEB.id),), CheckResult.MISSING),
    ],
)
def test_a_role_of_every_member_counts_where_one_group_has_that_name(
    more: tuple[Group, ...], result: CheckResult
) -> None:
    """Role assignments show names alone."""
    held = role("Administrator", "someone", VALID_USERS)
    state = replace(STATE, directory=(*DIRECTORY, *more), pools=(held,))

    assert finding(RequirementKind.POOL_ROLE, state).result is result


def test_readers_of_a_project_are_the_group_with_exactly_that_name() -> None:
    forged = Group("[Web]\\x]\\Readers", descriptor="vssgp.forged", project=WEB.id)
    answer = finding(RequirementKind.PROJECT_READER, replace(STATE, directory=(forged, READERS)))

    assert getattr(answer.target, "group_descriptor", None) == READERS.descriptor

"""From what is observed to steps: what is enough, what is not, and what nobody can know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Forbidden, Unavailable
from reconciler.ports.devops import Entitlement, Group, Identity, Project, RoleAssignment, ServicePrincipal
from reconciler.spec.model import Mode
from reconciler.tools.onboard.diff import excess, hidden, shut, steps
from reconciler.tools.onboard.requirements import OnboardRequest, OrganizationState
from reconciler.tools.onboard.step import Add, Assign, Join, OnboardStep, Raise, Standing, StepKind

ME = "2d9f45ea-0000-67ad-b529-f5e729597004"
WEB = Project("c9ea1219-0000-5cea-b88b-031092b1f5dd", "Web")
READERS = Group("[Web]\\Readers", descriptor="vssgp.readers", project=WEB.id)
ASKED = OnboardRequest("22222222-3333-4444-5555-666666666666", Mode.ENFORCE)
LOOK = replace(ASKED, mode=Mode.REPORT)
ROBOT = ServicePrincipal(ASKED.object_id, "", "Robot", "aadsp.robot")
BASIC = Entitlement("express", "account", "active")
SEEN = OrganizationState(
    "prime",
    principal=ROBOT,
    identity_id=ME,
    entitlement=BASIC,
    projects=(WEB,),
    directory=(Group("[prime]\\Web", descriptor="vssgp.other"), READERS),
    queues={WEB.id: ()},
)


def role(name: str, who: str = ME, shown: str = "Robot") -> RoleAssignment:
    return RoleAssignment(Identity(who, shown), name, inherited=False)


def step(kind: StepKind, seen: OrganizationState, asked: OnboardRequest = ASKED) -> OnboardStep:
    (found,) = [one for one in steps(asked, seen) if one.kind is kind]
    return found


@pytest.mark.parametrize(
    ("found", "standing", "act", "reason"),
    [
        (None, Standing.MISSING, Add("express"), "a stranger is added"),
        (Entitlement("none", "account", "none"), Standing.MISSING, Add("express"), "known, without a level"),
        (Entitlement("stakeholder", "account", "active"), Standing.MISSING, Raise("express"), "too little"),
        (BASIC, Standing.HELD, None, "Basic"),
        (Entitlement("earlyAdopter", "account", "pending"), Standing.HELD, None, "shown in place of Basic"),
        (Entitlement("Advanced", "account", "active"), Standing.HELD, None, "more, and left alone"),
        (Entitlement("none", "msdn", "active"), Standing.HELD, None, "a subscription brings it"),
        (Entitlement("platinum", "account", "active"), Standing.UNKNOWN, None, "may be more than Basic"),
        (Entitlement("express", "account", "disabled"), Standing.MISSING, None, "by hand alone"),
        (Unavailable("no answer"), Standing.UNKNOWN, None, "not asked is no answer"),
    ],
)
def test_an_access_level_is_given_only_where_that_cannot_lower_it(
    found: Entitlement | Unavailable | None, standing: Standing, act: object, reason: str
) -> None:
    answer = step(StepKind.MEMBER, replace(SEEN, entitlement=found))

    assert (answer.standing, answer.act) == (standing, act), reason


def test_steps_come_in_the_order_of_giving() -> None:
    assert [one.kind for one in steps(ASKED, SEEN)] == list(StepKind)
    assert [one.act for one in steps(ASKED, SEEN)] == [
        None,
        Join("vssgp.readers"),
        Assign("distributedtask.globalagentpoolrole", "0", "Administrator"),
        Assign("distributedtask.globalagentqueuerole", WEB.id, "Administrator"),
    ]


def test_a_project_is_told_from_an_organization_of_its_name() -> None:
    """Groups count by the project that they belong to, and never by a name that somebody chose."""
    named_alike = Group("[Web]\\Readers", id="g", descriptor="vssgp.elsewhere")

    assert step(StepKind.PROJECT, replace(SEEN, groups=(named_alike,))).standing is Standing.MISSING
    assert step(StepKind.PROJECT, replace(SEEN, groups=(READERS,))).detail == "in [Web]\\Readers"


def test_without_a_group_of_that_name_it_is_done_by_hand() -> None:
    """Default groups may be named in the organization's language."""
    other = replace(READERS, name="[Web]\\Lecteurs")
    answer = step(StepKind.PROJECT, replace(SEEN, directory=(other,)))

    assert (answer.standing, answer.act) == (Standing.MISSING, None)
    assert "any other of its groups" in answer.detail


def test_what_cannot_be_read_of_groups_is_not_guessed() -> None:
    for unread in (replace(SEEN, groups=Forbidden("no")), replace(SEEN, directory=Unavailable("no"))):
        assert step(StepKind.PROJECT, unread).standing is Standing.UNKNOWN


def test_a_role_of_its_own_counts_even_where_groups_cannot_be_read() -> None:
    unread = replace(SEEN, groups=Forbidden("no"))

    assert step(StepKind.POOLS, replace(unread, pools=(role("Administrator"),))).standing is Standing.HELD
    assert step(StepKind.POOLS, replace(unread, pools=())).standing is Standing.UNKNOWN
    assert step(StepKind.POOLS, replace(SEEN, pools=Forbidden("no"))).standing is Standing.UNKNOWN
    assert step(StepKind.QUEUES, replace(SEEN, queues={WEB.id: Forbidden("no")})).standing is Standing.UNKNOWN


@pytest.mark.parametrize("name", ["Reader", "User", "Service Account", "Administrator"])
def test_every_role_reads_and_only_one_administers(name: str) -> None:
    seen = replace(SEEN, pools=(role(name),))

    assert step(StepKind.POOLS, seen, LOOK).standing is Standing.HELD
    assert (step(StepKind.POOLS, seen).standing is Standing.HELD) == (name == "Administrator")


def test_the_role_of_somebody_else_is_nothing() -> None:
    seen = replace(SEEN, pools=(role("Administrator", who="someone", shown="[prime]\\Others"),))

    assert step(StepKind.POOLS, seen).standing is Standing.MISSING


def test_readers_bring_their_role_only_to_who_will_be_one_of_them() -> None:
    """Somebody who is in the project through another group is not put into Readers."""
    readers = role("Reader", who="r", shown="[Web]\\Readers")
    seen = replace(SEEN, queues={WEB.id: (readers,)})
    contributors = Group("[Web]\\Contributors", descriptor="vssgp.contributors", project=WEB.id)
    inside = replace(seen, directory=(READERS, contributors), groups=(contributors,))

    assert step(StepKind.QUEUES, seen, LOOK).standing is Standing.HELD
    assert step(StepKind.QUEUES, inside, LOOK).standing is Standing.MISSING


def test_what_is_too_much_is_told() -> None:
    seen = replace(SEEN, pools=(role("Administrator"),), queues={WEB.id: (role("Administrator"),)})

    assert len(list(excess(LOOK, seen))) == 2
    assert list(excess(ASKED, seen)) == []
    unread = replace(seen, queues={WEB.id: Forbidden("no")})
    assert len(list(excess(LOOK, unread))) == 1


def test_a_door_that_is_shut_is_one_step() -> None:
    told = shut(ASKED, "prime", Forbidden("organization prime: 401"))
    unseen = hidden(ASKED, "prime", WEB)

    assert (told.standing, told.detail) == (Standing.UNKNOWN, "organization prime: 401")
    assert (unseen.standing, unseen.place) == (Standing.UNKNOWN, "prime/Web")


def test_the_way_by_hand_is_told_only_where_something_is_left() -> None:
    missing = step(StepKind.PROJECT, SEEN).to_json()
    held = step(StepKind.MEMBER, SEEN).to_json()

    assert missing["byHand"] == "https://dev.azure.com/prime/Web/_settings/permissions, Readers, Members, Add"
    assert "byHand" not in held

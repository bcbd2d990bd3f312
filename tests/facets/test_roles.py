"""Administrators: who is given the role, who may lose it, and that an administrator is always left."""

from __future__ import annotations

import pytest

from reconciler.errors import Forbidden, ReconcilerError, Rejected
from reconciler.facets import roles
from reconciler.facets.roles import DesiredRoles
from reconciler.plan.model import Action, Change, GapKind, Risk, Route
from reconciler.plan.order import READS
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, RoleAssignmentChange
from reconciler.ports.devops import Identity
from reconciler.spec.model import PermissionKind, PermissionProfile, PoolRoles, Spec
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, settle, spec, specific
from tests.facets.world import OPERATOR, Org, World, person

ONLY = [roles.FACET]
ANN, BOB, EVE = person("ann"), person("bob"), person("eve")
PLATFORM = Identity("id-platform", "Platform", r"[fabrikam-prime]\Platform")
PEOPLE = [OPERATOR, ANN, BOB, EVE, PLATFORM]
CREATOR_ONLY = PermissionProfile(PermissionKind.CREATOR_ONLY)


def estate(*assigned: Identity, inherited: tuple[Identity, ...] = (OPERATOR,), inherits: bool = True) -> World:
    org = Org(
        people=list(PEOPLE),
        inherits=inherits,
        assigned={who.id: "Administrator" for who in assigned},
        inherited={who.id: "Administrator" for who in inherited},
    )
    return World({PRIME: org})


def only(*names: str, inherit: bool | None = None) -> Spec:
    """Exactly these administrators."""
    return spec(organization(), roles=[PoolRoles(PRIME, names, exclusive=True, inherit=inherit)])


def also(*names: str, inherit: bool | None = None) -> Spec:
    """These administrators among others."""
    return spec(organization(), roles=[PoolRoles(PRIME, names, inherit=inherit)])


def lines(changes: tuple[Change, ...]) -> list[str]:
    return [f"{c.kind} {c.subject.removeprefix(PRIME + ' ')}: {c.before} -> {c.after}" for c in changes]


# --- what is wanted -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "result", "reason"),
    [
        (spec(organization()), None, "nothing is named, nothing is managed"),
        (
            spec(organization(), profile=specific("ann@fabrikam.com", groups=["g"])),
            DesiredRoles(organization(), ("ann@fabrikam.com", "g")),
            "users and groups of SpecificAccounts hold for every organization",
        ),
        (
            spec(organization(), profile=specific("b"), roles=[PoolRoles(PRIME, ("A",)), PoolRoles(TAILSPIN, ("c",))]),
            DesiredRoles(organization(), ("A", "b")),
            "access.roles adds for its own organization",
        ),
        (
            spec(organization(), profile=specific("Ann"), roles=[PoolRoles(PRIME, ("ann",))]),
            DesiredRoles(organization(), ("Ann",)),
            "one spelling is enough",
        ),
        (
            spec(organization(), profile=specific("ann"), roles=[PoolRoles(PRIME, exclusive=True)]),
            DesiredRoles(organization(), ("ann",), exclusive=True),
            "SpecificAccounts is a list to be exclusive of",
        ),
        (
            spec(organization(), profile=CREATOR_ONLY, roles=[PoolRoles(PRIME, exclusive=True)]),
            DesiredRoles(organization(), inherit=False),
            "CreatorOnly is none: nobody knows who the creator was",
        ),
        (
            spec(organization(), roles=[PoolRoles(PRIME, (), exclusive=True)]),
            DesiredRoles(organization(), exclusive=True),
            "an empty list is wanted empty",
        ),
        (spec(organization(), roles=[PoolRoles(PRIME, inherit=True)]), None, "inheritance on needs no administrator"),
    ],
)
def test_two_places_say_who_administers(wanted: Spec, result: DesiredRoles | None, reason: str) -> None:
    desired = roles.parse(wanted, NOW)

    assert desired == ((result,) if result else None), reason


# --- what is given ------------------------------------------------------------------------------------


def test_a_missing_administrator_is_assigned_by_local_id() -> None:
    change = look(estate(), also("ann@fabrikam.com"), facets=ONLY).changes[0]

    assert (change.kind, change.subject) == ("administrator", "fabrikam-prime ann@fabrikam.com")
    assert (change.action, change.before, change.after) == (Action.CREATE, None, "Administrator")
    assert (change.risk, change.route) == (Risk.WIDENS, Route.DEVOPS)
    assert change.target == RoleAssignmentChange(
        AgentPoolPlace(PRIME, 7), "id-ann", "ann@fabrikam.com", before=None, after="Administrator"
    )


@pytest.mark.parametrize(
    ("world", "wanted", "planned", "reason"),
    [
        (estate(ANN), also("ANN@fabrikam.com"), [], "she is one already"),
        (estate(inherited=(OPERATOR, ANN)), also("ann@fabrikam.com"), [], "an inherited role suffices"),
        (
            estate(OPERATOR, inherited=(OPERATOR, ANN)),
            also("ann@fabrikam.com", inherit=False),
            ["administrator ann@fabrikam.com: inherited -> Administrator"],
            "where inheritance goes off it does not",
        ),
        (
            estate(OPERATOR, inherited=(OPERATOR, ANN), inherits=False),
            also("ann@fabrikam.com", inherit=False),
            ["administrator ann@fabrikam.com: None -> Administrator"],
            "where it is off already, nothing is inherited",
        ),
        (
            estate(),
            also("ann@fabrikam.com", "origin-ann"),
            ["administrator ann@fabrikam.com: None -> Administrator"],
            "two names of one person are one",
        ),
        (estate(OPERATOR), only("operator@fabrikam.com"), [], "the operator may be listed like anybody"),
        (
            estate(inherits=False, inherited=()),
            also("operator@fabrikam.com"),
            ["administrator operator@fabrikam.com: None -> Administrator"],
            "and where it is listed it is given what it lacks",
        ),
    ],
)
def test_roles_are_given_where_they_lack(world: World, wanted: Spec, planned: list[str], reason: str) -> None:
    assert lines(look(world, wanted, facets=ONLY).changes) == planned, reason


def test_a_lower_role_is_raised() -> None:
    world = estate()
    world.organizations[PRIME].assigned[ANN.id] = "Reader"

    change = look(world, also("ann@fabrikam.com"), facets=ONLY).changes[0]

    assert (change.action, change.before, change.after) == (Action.UPDATE, "Reader", "Administrator")


@pytest.mark.parametrize(
    ("world", "planned", "reason"),
    [
        (
            estate(),
            ["administrator operator@fabrikam.com: inherited -> Administrator"],
            "its own right would go with inheritance",
        ),
        (estate(OPERATOR), [], "it has one"),
        (
            estate(inherits=False),
            ["administrator operator@fabrikam.com: None -> Administrator"],
            "inheritance is off, and no right of it was read: another run may give it one",
        ),
    ],
)
def test_the_operator_assigns_itself_only_where_it_would_be_without(
    world: World, planned: list[str], reason: str
) -> None:
    seen = look(world, spec(organization(), profile=CREATOR_ONLY), facets=ONLY)

    assert (lines(seen.changes), seen.refusals) == (planned, ()), reason


def test_the_operators_own_assignment_claims_nothing_from_the_spec() -> None:
    """It is marked as such: a guard that looks for what the spec grants must not find it there."""
    change = look(estate(), spec(organization(), profile=CREATOR_ONLY), facets=ONLY).changes[0]

    assert change.target == RoleAssignmentChange(
        AgentPoolPlace(PRIME, 7), OPERATOR.id, "operator@fabrikam.com", "Administrator", "Administrator", itself=True
    )


# --- who is not known ---------------------------------------------------------------------------------


def test_somebody_unknown_is_made_a_member_first_and_an_administrator_on_the_next_pass() -> None:
    world = estate(OPERATOR)
    world.organizations[PRIME].entra = {"carol@fabrikam.com": person("carol")}
    wanted, policy = also("carol@fabrikam.com"), Policy(materialise=True)

    first = look(world, wanted, facets=ONLY, policy=policy)
    last = settle(world, wanted, facets=ONLY, policy=policy)

    assert lines(first.changes) == ["member carol@fabrikam.com: None -> member of the organization"]
    assert first.changes[0].risk is Risk.WIDENS
    assert first.changes[0].target == DirectoryEntry(AgentPoolPlace(PRIME, 7), "carol@fabrikam.com")
    assert [write[0] for write in world.writes] == ["materialise", "assign_role"]
    assert (last.changes, last.refusals) == ((), ())


def test_a_policy_that_makes_no_members_refuses_with_the_remedy() -> None:
    seen = look(estate(), also("carol@fabrikam.com"), facets=ONLY)

    assert (seen.changes, [refusal.rule for refusal in seen.refusals]) == ((), ["policy-materialise"])
    assert "add the account there, correct the spelling, or let the policy materialise it" in seen.refusals[0].message


def test_an_unknown_group_of_the_organization_is_for_a_person_to_mend() -> None:
    r"""Groups like [scope]\name live in Azure DevOps alone: no directory could bring one."""
    seen = look(estate(), also(r"[fabrikam-prime]\Plattform"), facets=ONLY, policy=Policy(materialise=True))

    assert seen.changes == ()
    assert [(gap.kind, gap.message) for gap in seen.gaps] == [
        (GapKind.DEGRADED, r"fabrikam-prime [fabrikam-prime]\Plattform: no group of this name is known there")
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(Rejected("ann: two people"), GapKind.DEGRADED), (Forbidden("prime: 403"), GapKind.UNKNOWN)],
)
def test_where_people_cannot_be_resolved_nothing_is_written(error: ReconcilerError, kind: GapKind) -> None:
    world = estate(BOB, EVE)
    world.organizations[PRIME].trouble = {"identities": error}

    seen = look(world, only("ann@fabrikam.com"), facets=ONLY)

    assert (seen.changes, [(gap.subject, gap.kind) for gap in seen.gaps]) == ((), [(PRIME, kind)])


# --- who is removed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "wanted", "planned", "reason"),
    [
        (
            estate(ANN, BOB),
            only("ann@fabrikam.com"),
            ["administrator bob@fabrikam.com: Administrator -> None"],
            "the list is exclusive",
        ),
        (estate(ANN, BOB), also("ann@fabrikam.com"), [], "without `exclusive` nobody loses anything"),
        (estate(ANN, inherited=(OPERATOR, BOB)), only("ann@fabrikam.com"), [], "what is inherited cannot be removed"),
        (estate(ANN, OPERATOR), only("ann@fabrikam.com"), [], "the operator is never removed"),
        (
            estate(ANN, PLATFORM),
            only(r"[fabrikam-prime]\Platform"),
            ["administrator ann@fabrikam.com: Administrator -> None"],
            "groups are listed by name and kept by id",
        ),
        (estate(OPERATOR, BOB), only(), ["administrator bob@fabrikam.com: Administrator -> None"], "empty is empty"),
    ],
)
def test_only_exclusive_lists_take_roles(world: World, wanted: Spec, planned: list[str], reason: str) -> None:
    assert lines(look(world, wanted, facets=ONLY).changes) == planned, reason


def test_other_roles_are_nobodys_business_here() -> None:
    world = estate(ANN)
    world.organizations[PRIME].assigned[BOB.id] = "Reader"

    assert look(world, only("ann@fabrikam.com"), facets=ONLY).changes == ()


def test_removal_narrows_and_names_whom() -> None:
    change = look(estate(ANN, BOB), only("ann@fabrikam.com"), facets=ONLY).changes[0]

    assert (change.action, change.risk) == (Action.REMOVE, Risk.NARROWS)
    assert change.target == RoleAssignmentChange(
        AgentPoolPlace(PRIME, 7), "id-bob", "bob@fabrikam.com", before="Administrator", after=None
    )


def test_two_accounts_of_one_name_are_told_apart() -> None:
    """A change's subject is its name in the stored state: two of them must not be one."""
    world = estate(ANN)
    for number in (1, 2):
        twin = Identity(f"id-twin-{number}", "Build Service")
        world.organizations[PRIME].people.append(twin)
        world.organizations[PRIME].assigned[twin.id] = "Administrator"

    changes = look(world, only("ann@fabrikam.com"), facets=ONLY).changes

    assert [c.subject.removeprefix(PRIME) for c in changes] == [
        " Build Service (id-twin-1)",
        " Build Service (id-twin-2)",
    ]


@pytest.mark.parametrize(
    ("world", "wanted", "rules", "reason"),
    [
        (estate(BOB), only(), ["last-administrator"], "nobody at all would be assigned"),
        (
            estate(OPERATOR, BOB),
            only("carol@fabrikam.com"),
            ["policy-materialise", "wanted-first"],
            "nobody who is wanted is there, and the one who is wanted is unknown",
        ),
    ],
)
def test_removals_wait_for_those_who_stay(world: World, wanted: Spec, rules: list[str], reason: str) -> None:
    assert sorted(refusal.rule for refusal in look(world, wanted, facets=ONLY).refusals) == rules, reason


def test_a_replaced_administrator_goes_once_the_new_one_is_seen() -> None:
    world = estate(BOB)

    planned = look(world, only("ann@fabrikam.com"), facets=ONLY)
    assert [(c.subject, c.awaits) for c in planned.changes] == [
        ("fabrikam-prime ann@fabrikam.com", ""),
        ("fabrikam-prime bob@fabrikam.com", "grants are verified"),
    ]
    last = settle(world, only("ann@fabrikam.com"), facets=ONLY)

    assert [write[::2] for write in world.writes] == [("assign_role", "id-ann"), ("remove_role", "id-bob")]
    assert (last.changes, last.refusals) == ((), ())


def test_one_dead_name_in_the_list_does_not_protect_an_intruder() -> None:
    """Ann is in place, so Eve can go, though Carol, whom the list names too, left the company."""
    seen = look(estate(ANN, EVE), only("ann@fabrikam.com", "carol@fabrikam.com"), facets=ONLY)

    assert lines(seen.changes) == ["administrator eve@fabrikam.com: Administrator -> None"]


def test_an_unresolved_address_keeps_the_account_that_signs_in_by_it() -> None:
    """The search may not find what the role assignments show."""
    world = estate(ANN)
    agent = Identity("id-agent", "Build agent", "Agent@fabrikam.com")
    world.organizations[PRIME].people.append(agent)
    world.organizations[PRIME].assigned[agent.id] = "Administrator"
    world.organizations[PRIME].not_found.add("agent@fabrikam.com")

    assert look(world, only("ann@fabrikam.com", "agent@fabrikam.com"), facets=ONLY).changes == ()


def test_an_unresolved_name_keeps_no_one_by_a_display_name() -> None:
    """People choose those: an intruder who is called like an employee who left goes all the same."""
    world = estate(ANN)
    eve = Identity("id-eve", "carol@fabrikam.com", "eve@fabrikam.com")
    world.organizations[PRIME].people.append(eve)
    world.organizations[PRIME].assigned[eve.id] = "Administrator"

    seen = look(world, only("ann@fabrikam.com", "carol@fabrikam.com"), facets=ONLY)
    assert "administrator eve@fabrikam.com: Administrator -> None" in lines(seen.changes)


def test_an_ambiguous_principal_is_a_blind_grant_and_stops_no_other_grant() -> None:
    """Nothing is taken away in its place, since the person who is meant may be the one who would lose the role."""
    world = estate(EVE)
    world.organizations[PRIME].people.append(ANN)
    world.organizations[PRIME].ambiguous["carol@fabrikam.com"] = Rejected("carol@fabrikam.com: fits 2 identities")

    seen = look(world, only("ann@fabrikam.com", "carol@fabrikam.com"), facets=ONLY)

    assert {line: change.awaits for line, change in zip(lines(seen.changes), seen.changes, strict=True)} == {
        "administrator ann@fabrikam.com: None -> Administrator": "",
        "administrator eve@fabrikam.com: Administrator -> None": READS,
    }
    assert [(gap.kind, gap.subject) for gap in seen.gaps] == [(GapKind.DEGRADED, f"{PRIME} carol@fabrikam.com")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"[{PRIME}]\\Nothing", "no group of this name is known there"),
        (f"Web Build Service ({PRIME})", "the first pipeline that runs creates it"),
    ],
)
def test_what_lives_in_azure_devops_alone_is_never_made_known(name: str, message: str) -> None:
    seen = look(estate(ANN), only("ann@fabrikam.com", name), facets=ONLY)

    assert seen.changes == ()
    assert [gap.message.rpartition("; ")[2].rpartition(": ")[2] for gap in seen.gaps] == [message]

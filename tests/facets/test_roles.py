"""Administrators: who is given the role, who may lose it, and that nobody is ever locked out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Forbidden, ReconcilerError, Rejected
from reconciler.facets import roles
from reconciler.facets.roles import Seen, Wanted
from reconciler.plan import Action, Change, GapKind, Risk, Route
from reconciler.policy import Policy
from reconciler.ports import Identity, RoleAssignment
from reconciler.spec.model import PermissionKind, PermissionProfile, PoolRoles, Spec
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, settle, spec, specific
from tests.facets.world import OPERATOR, POOL, Org, World, person

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
            Wanted(organization(), ("ann@fabrikam.com", "g")),
            "users and groups of SpecificAccounts hold for every organization",
        ),
        (
            spec(organization(), profile=specific("b"), roles=[PoolRoles(PRIME, ("A",)), PoolRoles(TAILSPIN, ("c",))]),
            Wanted(organization(), ("A", "b")),
            "access.roles adds for its own organization",
        ),
        (
            spec(organization(), profile=specific("Ann"), roles=[PoolRoles(PRIME, ("ann",))]),
            Wanted(organization(), ("Ann",)),
            "one spelling is enough",
        ),
        (
            spec(organization(), profile=specific("ann"), roles=[PoolRoles(PRIME, exclusive=True)]),
            Wanted(organization(), ("ann",), exclusive=True),
            "SpecificAccounts is a list to be exclusive of",
        ),
        (
            spec(organization(), profile=CREATOR_ONLY, roles=[PoolRoles(PRIME, exclusive=True)]),
            Wanted(organization(), inherit=False),
            "CreatorOnly is none: nobody knows who the creator was",
        ),
        (
            spec(organization(), roles=[PoolRoles(PRIME, (), exclusive=True)]),
            Wanted(organization(), exclusive=True),
            "an empty list is wanted empty",
        ),
        (spec(organization(), roles=[PoolRoles(PRIME, inherit=True)]), None, "inheritance on needs no administrator"),
    ],
)
def test_two_places_say_who_administers(wanted: Spec, result: Wanted | None, reason: str) -> None:
    desired = roles.parse(wanted, NOW)

    assert desired == ((result,) if result else None), reason


# --- what is given ------------------------------------------------------------------------------------


def test_a_missing_administrator_is_assigned_by_local_id() -> None:
    change = look(estate(), also("ann@fabrikam.com"), facets=ONLY).changes[0]

    assert (change.kind, change.subject) == ("administrator", "fabrikam-prime ann@fabrikam.com")
    assert (change.action, change.before, change.after) == (Action.CREATE, None, "Administrator")
    assert (change.risk, change.route) == (Risk.WIDENS, Route.DEVOPS)
    assert change.args == {
        "organization": PRIME,
        "poolId": 7,
        "principal": "ann@fabrikam.com",
        "identityId": "id-ann",
        "role": "Administrator",
    }


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
        (estate(inherits=False), [], "inheritance is off: either it has a right by other ways, or it cannot give one"),
    ],
)
def test_the_operator_assigns_itself_only_where_it_would_be_without(
    world: World, planned: list[str], reason: str
) -> None:
    seen = look(world, spec(organization(), profile=CREATOR_ONLY), facets=ONLY)

    assert (lines(seen.changes), seen.refusals) == (planned, ()), reason


def test_the_operators_own_assignment_claims_nothing_from_the_spec() -> None:
    """No principal and no role in it: a guard that looks for what the spec grants must not find this there."""
    change = look(estate(), spec(organization(), profile=CREATOR_ONLY), facets=ONLY).changes[0]

    assert change.args == {"organization": PRIME, "poolId": 7, "identityId": OPERATOR.id, "itself": True}


# --- who is not known ---------------------------------------------------------------------------------


def test_somebody_unknown_is_made_a_member_first_and_an_administrator_on_the_next_pass() -> None:
    world = estate(OPERATOR)
    world.organizations[PRIME].entra = {"carol@fabrikam.com": person("carol")}
    wanted, policy = also("carol@fabrikam.com"), Policy(materialise=True)

    first = look(world, wanted, facets=ONLY, policy=policy)
    last = settle(world, wanted, facets=ONLY, policy=policy)

    assert lines(first.changes) == ["member carol@fabrikam.com: None -> member of the organization"]
    assert first.changes[0].risk is Risk.WIDENS
    assert first.changes[0].args["materialise"] is True
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
    assert (change.args["principal"], change.args["identityId"]) == ("bob@fabrikam.com", "id-bob")


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
        (estate(BOB), only("ann@fabrikam.com"), ["last-administrator"], "ann is not seen assigned yet"),
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

    last = settle(world, only("ann@fabrikam.com"), facets=ONLY)

    assert [write[::2] for write in world.writes] == [("assign_role", "id-ann"), ("remove_role", "id-bob")]
    assert (last.changes, last.refusals) == ((), ())


def test_one_dead_name_in_the_list_does_not_protect_an_intruder() -> None:
    """Ann is in place, so Eve can go, though Carol, whom the list names too, left the company."""
    seen = look(estate(ANN, EVE), only("ann@fabrikam.com", "carol@fabrikam.com"), facets=ONLY)

    assert lines(seen.changes) == ["administrator eve@fabrikam.com: Administrator -> None"]


def test_somebody_who_answers_to_an_unresolved_name_is_kept() -> None:
    """A service principal's name may not resolve though its assignment stands there, by that very name."""
    world = estate(ANN)
    agent = Identity("id-agent", "build-agent")
    world.organizations[PRIME].people.append(agent)
    world.organizations[PRIME].assigned[agent.id] = "Administrator"

    assert look(world, only("ann@fabrikam.com", "Build-Agent"), facets=ONLY).changes == ()


# --- the guard alone ----------------------------------------------------------------------------------


def seen_page(*assigned: Identity, detaching: bool = False, known: tuple[Identity, ...] = (ANN,)) -> Seen:
    page = tuple(RoleAssignment(who, "Administrator", inherited=False) for who in assigned)
    return Seen(PRIME, POOL, OPERATOR, True, page, {who.unique_name: who for who in known}, (), detaching)


GRANT = roles.diff((Wanted(organization(), ("ann@fabrikam.com",)),), (seen_page(),))[0]
REMOVAL = roles.diff((Wanted(organization(), ("ann@fabrikam.com",), exclusive=True),), (seen_page(ANN, BOB),))[0]
ITSELF = roles.diff((Wanted(organization(), inherit=False),), (seen_page(detaching=True),))[0]
MEMBER = roles.diff((Wanted(organization(), ("carol",)),), (replace(seen_page(), unknown=("carol",)),))[0]


@pytest.mark.parametrize(
    ("change", "args", "rule", "reason"),
    [
        (GRANT, {"organization": TAILSPIN}, "unseen-pool", "an organization that was not read"),
        (GRANT, {"poolId": 8}, "unseen-pool", "another agent pool"),
        (GRANT, {"identityId": EVE.id}, "unknown-identity", "somebody whom no principal of the spec resolved to"),
        (GRANT, {"role": "Creator"}, "role-not-managed", "another role"),
        (REMOVAL, {"identityId": OPERATOR.id}, "operator-itself", "the operator"),
        (REMOVAL, {"identityId": EVE.id}, "not-assigned", "somebody who was not seen assigned"),
        (ITSELF, {}, "operator-itself", "inheritance does not go off"),
        (MEMBER, {}, "unknown-identity", "nobody unknown was read"),
    ],
)
def test_the_guard_trusts_no_diff(change: Change, args: dict[str, object], rule: str, reason: str) -> None:
    forged = replace(change, args={**change.args, **args})

    refusals = roles.guard((seen_page(ANN, BOB),), [forged], Policy(materialise=True))

    assert [refusal.rule for refusal in refusals] == [rule], reason


def test_the_guard_lets_through_what_the_reading_asks_for() -> None:
    seen = replace(seen_page(ANN, BOB, detaching=True), unknown=("carol",))

    assert roles.guard((seen,), [GRANT, REMOVAL, ITSELF, MEMBER], Policy(materialise=True)) == []


def test_a_removal_of_the_operator_does_not_count_against_another() -> None:
    forged = replace(REMOVAL, args={**REMOVAL.args, "identityId": OPERATOR.id})

    refusals = roles.guard((seen_page(OPERATOR, BOB),), [forged, REMOVAL], Policy())

    assert [refusal.change.args["identityId"] for refusal in refusals] == [OPERATOR.id]


# --- properties ---------------------------------------------------------------------------------------

somebody = st.sampled_from([OPERATOR, ANN, BOB, EVE, PLATFORM])
role_lines = st.lists(
    st.builds(RoleAssignment, somebody, st.sampled_from(["Administrator", "Reader"]), st.booleans()),
    unique_by=lambda line: (line.identity.id, line.inherited),
)
principals = st.lists(
    st.sampled_from(
        ["ann@fabrikam.com", "origin-ann", "bob@fabrikam.com", "carol@fabrikam.com", "operator@fabrikam.com"]
    ),
    unique=True,
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Wanted, Seen]:
    """A desire, and what observing for it may come to."""
    wanted = Wanted(
        organization(), tuple(draw(principals)), draw(st.booleans()), draw(st.sampled_from([None, True, False]))
    )
    inherits = draw(st.booleans())
    page = tuple(line for line in draw(role_lines) if inherits or not line.inherited)
    names = {name: who for who in PEOPLE for name in (who.unique_name, who.origin_id) if name}
    known = {name: names[name] for name in wanted.administrators if name in names}
    unknown = tuple(name for name in wanted.administrators if name not in names)
    return wanted, Seen(PRIME, POOL, OPERATOR, inherits, page, known, unknown, inherits and wanted.inherit is False)


def apply_to(seen: Seen, changes: list[Change]) -> Seen:
    """The page after the changes; a new member is known by the name it was made for."""
    assigned = {line.identity.id: line for line in seen.assignments if not line.inherited}
    known = dict(seen.known)
    people = {who.id: who for who in PEOPLE}
    for change in changes:
        if change.kind == "member":
            known[change.args["principal"]] = person("carol")
        elif change.action is Action.REMOVE:
            del assigned[change.args["identityId"]]
        else:
            who = people.get(change.args["identityId"]) or person("carol")
            assigned[who.id] = RoleAssignment(who, "Administrator", inherited=False)
    inherited = [line for line in seen.assignments if line.inherited]
    unknown = tuple(name for name in seen.unknown if name not in known)
    return replace(seen, assignments=(*assigned.values(), *inherited), known=known, unknown=unknown)


@given(cases())
def test_applying_the_difference_gives_what_is_wanted(case: tuple[Wanted, Seen]) -> None:
    wanted, seen = case
    desired = (wanted,)

    once = apply_to(seen, list(roles.diff(desired, (seen,))))
    after = apply_to(once, list(roles.diff(desired, (once,))))

    listed = {who.id for who in after.known.values()}
    enough = set(after.assigned()) | (set() if wanted.inherit is False else after.inheriting())
    assert roles.diff(desired, (after,)) == []
    assert listed <= enough
    assert not wanted.exclusive or set(after.assigned()) <= listed | {OPERATOR.id}
    assert wanted.exclusive or set(seen.assigned()) <= set(after.assigned())


@given(cases())
def test_nobody_is_locked_out(case: tuple[Wanted, Seen]) -> None:
    """Even where every grant of the plan fails: an administrator counts when it is seen."""
    wanted, seen = case
    changes = list(roles.diff((wanted,), (seen,)))
    refused = [refusal.change for refusal in roles.guard((seen,), changes, Policy(materialise=True))]
    removals = [c for c in changes if c not in refused and c.action is Action.REMOVE]

    after = apply_to(seen, removals)

    assert not removals or after.assigned()
    assert (OPERATOR.id in after.assigned()) is (OPERATOR.id in seen.assigned())


@given(cases())
def test_what_is_given_widens_and_what_is_taken_narrows(case: tuple[Wanted, Seen]) -> None:
    wanted, seen = case

    for change in roles.diff((wanted,), (seen,)):
        assert (change.risk is Risk.NARROWS) is (change.action is Action.REMOVE)
        assert change.action is not Action.REMOVE or wanted.exclusive


@given(cases().flatmap(lambda case: st.tuples(st.just(case), st.permutations(case[1].assignments))))
def test_the_order_of_reading_and_of_the_spec_does_not_matter(
    orders: tuple[tuple[Wanted, Seen], list[RoleAssignment]],
) -> None:
    (wanted, seen), page = orders
    turned = replace(wanted, administrators=wanted.administrators[::-1])
    shuffled = replace(seen, assignments=tuple(page), unknown=seen.unknown[::-1])

    assert roles.diff((wanted,), (seen,)) == roles.diff((turned,), (shuffled,))


@given(cases())
def test_subjects_are_unique(case: tuple[Wanted, Seen]) -> None:
    names = [change.id for change in roles.diff((case[0],), (case[1],))]

    assert len(names) == len(set(names))

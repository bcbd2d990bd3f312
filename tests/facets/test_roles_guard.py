"""The guard over administrators, and the properties of their diff: an administrator is always left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facets import roles
from reconciler.facets.roles import DesiredRoles, ObservedRoles
from reconciler.facets.support.lockout import Standing
from reconciler.facets.support.observing import target_of
from reconciler.plan import order
from reconciler.plan.model import Action, Change, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AgentPoolPlace,
    DirectoryEntry,
    Inheritance,
    OrganizationPlace,
    RoleAssignmentChange,
    Target,
)
from reconciler.ports.devops import Identity, RoleAssignment
from reconciler.spec.model import PoolRoles, Spec
from reconciler.survey.operators import Operators
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, spec
from tests.facets.world import OPERATOR, POOL, Org, World, person

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")
PLATFORM = Identity("id-platform", "Platform", r"[fabrikam-prime]\Platform")
ALONE = Operators(OPERATOR, (OPERATOR,))
PEOPLE = [OPERATOR, ANN, BOB, EVE, PLATFORM]


def seen_page(*assigned: Identity, detaching: bool = False, known: tuple[Identity, ...] = (ANN,)) -> ObservedRoles:
    page = tuple(RoleAssignment(who, "Administrator", inherited=False) for who in assigned)
    names = {who.unique_name: who for who in known}
    return ObservedRoles(PRIME, POOL, Standing(ALONE), True, page, names, (), detaching)


GRANT = roles.diff((DesiredRoles(organization(), ("ann@fabrikam.com",)),), (seen_page(),))[0]
REMOVAL = roles.diff((DesiredRoles(organization(), ("ann@fabrikam.com",), exclusive=True),), (seen_page(ANN, BOB),))[0]
ITSELF = roles.diff((DesiredRoles(organization(), inherit=False),), (seen_page(detaching=True),))[0]
MEMBER = roles.diff((DesiredRoles(organization(), ("carol",)),), (seen_page()._replace(unknown=("carol",)),))[0]
GIVEN, TAKEN = target_of(GRANT, RoleAssignmentChange), target_of(REMOVAL, RoleAssignmentChange)


@pytest.mark.parametrize(
    ("change", "target", "rule", "reason"),
    [
        (GRANT, replace(GIVEN, place=AgentPoolPlace(TAILSPIN, 7)), "unseen-pool", "an organization that was not read"),
        (GRANT, replace(GIVEN, place=AgentPoolPlace(PRIME, 8)), "unseen-pool", "another agent pool"),
        (GRANT, replace(GIVEN, place=OrganizationPlace(PRIME)), "unseen-pool", "all agent pools"),
        (GRANT, replace(GIVEN, identity_id=EVE.id), "unknown-identity", "whom no principal of the spec resolved to"),
        (GRANT, replace(GIVEN, after="Creator"), "role-not-managed", "another role"),
        (GRANT, Inheritance(AgentPoolPlace(PRIME, 7), on=False), "unrecognised", "another kind of write"),
        (REMOVAL, replace(TAKEN, identity_id=OPERATOR.id), "operator-itself", "the operator"),
        (REMOVAL, replace(TAKEN, identity_id=EVE.id), "not-assigned", "somebody who was not seen assigned"),
        (ITSELF, ITSELF.target, "operator-itself", "inheritance does not go off"),
        (MEMBER, MEMBER.target, "unknown-identity", "nobody unknown was read"),
    ],
)
def test_the_guard_trusts_no_diff(change: Change, target: Target, rule: str, reason: str) -> None:
    forged = replace(change, target=target)

    refusals = roles.guard((seen_page(ANN, BOB),), [forged], Policy(materialise=True))

    assert [refusal.rule for refusal in refusals] == [rule], reason


def test_the_guard_lets_through_what_the_reading_asks_for() -> None:
    seen = seen_page(ANN, BOB, detaching=True)._replace(unknown=("carol",))

    assert roles.guard((seen,), [GRANT, REMOVAL, ITSELF, MEMBER], Policy(materialise=True)) == []


def test_a_removal_of_the_operator_does_not_count_against_another() -> None:
    forged = replace(REMOVAL, target=replace(TAKEN, identity_id=OPERATOR.id))

    refusals = roles.guard((seen_page(OPERATOR, BOB),), [forged, REMOVAL], Policy())

    assert [refusal.change for refusal in refusals] == [forged]


def test_an_organization_that_is_not_managed_is_left_alone_though_it_was_read() -> None:
    assert roles.diff((DesiredRoles(organization(TAILSPIN), (), exclusive=True),), (seen_page(ANN, BOB),)) == []


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
def cases(draw: st.DrawFn) -> tuple[DesiredRoles, ObservedRoles]:
    """A desire, and what observing for it may come to."""
    wanted = DesiredRoles(
        organization(), tuple(draw(principals)), draw(st.booleans()), draw(st.sampled_from([None, True, False]))
    )
    inherits = draw(st.booleans())
    page = tuple(line for line in draw(role_lines) if inherits or not line.inherited)
    names = {name: who for who in PEOPLE for name in (who.unique_name, who.origin_id) if name}
    known = {name: names[name] for name in wanted.administrators if name in names}
    unknown = tuple(name for name in wanted.administrators if name not in names)
    return wanted, ObservedRoles(
        PRIME, POOL, Standing(ALONE), inherits, page, known, unknown, inherits and wanted.inherit is False
    )


def apply_to(seen: ObservedRoles, changes: list[Change]) -> ObservedRoles:
    """The page after the changes; a new member is known by the name it was made for."""
    assigned = {line.identity.id: line for line in seen.assignments if not line.inherited}
    known = dict(seen.known)
    people = {who.id: who for who in PEOPLE}
    for change in changes:
        match change.target:
            case DirectoryEntry(principal=name):
                known[name] = person("carol")
            case RoleAssignmentChange(after=None, identity_id=identity):
                del assigned[identity]
            case RoleAssignmentChange(after=str() as role, identity_id=identity):
                who = people.get(identity) or person("carol")
                assigned[who.id] = RoleAssignment(who, role, inherited=False)
    inherited = [line for line in seen.assignments if line.inherited]
    unknown = tuple(name for name in seen.unknown if name not in known)
    return seen._replace(assignments=(*assigned.values(), *inherited), known=known, unknown=unknown)


@given(cases())
def test_applying_the_difference_gives_what_is_wanted(case: tuple[DesiredRoles, ObservedRoles]) -> None:
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
def test_nobody_is_locked_out(case: tuple[DesiredRoles, ObservedRoles]) -> None:
    """Even where every grant of the plan fails: nothing is removed where a grant is missing."""
    wanted, seen = case
    changes = list(roles.diff((wanted,), (seen,)))
    refused = [refusal.change for refusal in roles.guard((seen,), changes, Policy(materialise=True))]
    allowed = [change for change in changes if change not in refused]
    removals = [c for c in allowed if c.action is Action.REMOVE and not c.awaits]
    removals = [] if any(order.grants_role(change) for change in allowed) else removals

    after = apply_to(seen, removals)

    assert not removals or after.assigned()
    assert (OPERATOR.id in after.assigned()) is (OPERATOR.id in seen.assigned())


@given(cases())
def test_what_is_given_widens_and_what_is_taken_narrows(case: tuple[DesiredRoles, ObservedRoles]) -> None:
    wanted, seen = case

    for change in roles.diff((wanted,), (seen,)):
        assert (change.risk is Risk.NARROWS) is (change.action is Action.REMOVE)
        assert change.action is not Action.REMOVE or wanted.exclusive


@given(cases().flatmap(lambda case: st.tuples(st.just(case), st.permutations(case[1].assignments))))
def test_the_order_of_reading_and_of_the_spec_does_not_matter(
    orders: tuple[tuple[DesiredRoles, ObservedRoles], list[RoleAssignment]],
) -> None:
    (wanted, seen), page = orders
    turned = wanted._replace(administrators=wanted.administrators[::-1])
    shuffled = seen._replace(assignments=tuple(page), unknown=seen.unknown[::-1])

    assert roles.diff((wanted,), (seen,)) == roles.diff((turned,), (shuffled,))


@given(cases())
def test_subjects_are_unique(case: tuple[DesiredRoles, ObservedRoles]) -> None:
    names = [change.id for change in roles.diff((case[0],), (case[1],))]

    assert len(names) == len(set(names))


# --- rights by groups ---------------------------------------------------------------------------------------------


def team(*assigned: Identity, empty: bool = False) -> World:
    """The operator administers as a member of a group, or that group has no members."""
    held = {who.id: "Administrator" for who in (*assigned, PLATFORM)}
    org = Org(people=list(PEOPLE), inherits=False, assigned=held, inherited={})
    org.members = {PLATFORM.id: set() if empty else {OPERATOR.id}}
    return World({PRIME: org})


def exclusive(*names: str) -> Spec:
    return spec(organization(), roles=[PoolRoles(PRIME, names, exclusive=True)])


def test_the_operator_has_a_role_of_its_own_before_its_group_loses_it() -> None:
    seen = look(team(ANN), exclusive("ann@fabrikam.com"), facets=[roles.FACET])

    given, taken = (target_of(one, RoleAssignmentChange) for one in seen.changes)
    assert (given.identity_id, given.itself, given.after) == (OPERATOR.id, True, "Administrator")
    assert (taken.identity_id, taken.after) == (PLATFORM.id, None)
    assert seen.refusals == ()
    own = look(team(ANN, OPERATOR), exclusive("ann@fabrikam.com"), facets=[roles.FACET])
    assert [one.narrows for one in own.changes] == [True], "it has one"


def test_what_groups_mean_is_read_where_rights_are_taken_away() -> None:
    """It costs a read each, and decides nothing where a list only adds."""

    def standing(world: World, wanted: Spec) -> Standing:
        desired = roles.FACET.parse(wanted, NOW)
        assert desired is not None
        (state,) = roles.FACET.observe(wanted, desired, world).value
        found: Standing = state.standing
        return found

    taking, through = exclusive("ann@fabrikam.com"), {OPERATOR.id: frozenset({PLATFORM.id})}
    off = spec(organization(), roles=[PoolRoles(PRIME, inherit=False)])
    on = spec(organization(), roles=[PoolRoles(PRIME, ("ann@fabrikam.com",), inherit=True)])
    adding = spec(organization(), roles=[PoolRoles(PRIME, ("ann@fabrikam.com",))])
    assert standing(team(ANN), taking).groups == through
    assert standing(team(ANN, empty=True), taking).empty == {PLATFORM.id}
    assert standing(team(ANN), off).groups == through
    assert standing(team(ANN, OPERATOR, empty=True), off).empty == frozenset(), "the operator stays by itself"
    assert standing(team(ANN), on).groups == {}
    assert standing(team(BOB), adding).groups == {}
    assert standing(team(ANN), exclusive("ann@fabrikam.com", r"[fabrikam-prime]\Platform")).groups == {}

"""Administrators of an agent pool: which words a refusal has, what waits for whom, and what an operator keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from reconciler.errors import Unavailable
from reconciler.facets import roles
from reconciler.facets.roles import DesiredRoles, ObservedRoles
from reconciler.facets.support.lockout import Standing
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Change
from reconciler.plan.order import GRANTS, REMEDY
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, Inheritance, RoleAssignmentChange
from reconciler.ports.devops import Identity, RoleAssignment
from reconciler.spec.model import PoolRoles
from reconciler.survey.operators import Operators
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, spec
from tests.facets.test_roles_guard import ALONE, ANN, BOB, EVE, GRANT, ITSELF, MEMBER, PLATFORM, REMOVAL, seen_page
from tests.facets.world import OPERATOR, POOL, Org, World, person

LAPTOP, OTHER = person("laptop"), person("other")
STANDS_IN = Operators(LAPTOP, (LAPTOP,), named=False)
EXCLUSIVE = DesiredRoles(organization(), ("ann@fabrikam.com",), exclusive=True)
OFF = DesiredRoles(organization(), inherit=False)
NOTE = "the operator itself, before anything is taken away"


def inherited(*who: Identity) -> tuple[RoleAssignment, ...]:
    return tuple(RoleAssignment(one, "Administrator", inherited=True) for one in who)


def refused(state: ObservedRoles, *changes: Change) -> list[tuple[str, str]]:
    return [(one.rule, one.message.partition(": ")[2]) for one in roles.guard((state,), changes, Policy())]


def planned(wanted: DesiredRoles, state: ObservedRoles) -> list[Change]:
    return list(roles.diff((wanted,), (state,)))


def removals(changes: Iterable[Change]) -> list[tuple[str, str]]:
    return [(one.subject, one.awaits) for one in changes if one.after is None]


def test_each_organization_has_its_changes() -> None:
    desired = (EXCLUSIVE, EXCLUSIVE._replace(organization=organization(TAILSPIN)))
    pages = (seen_page(), seen_page()._replace(organization=TAILSPIN))

    assert [change.subject for change in roles.diff(desired, pages)] == [
        f"{PRIME} ann@fabrikam.com",
        f"{TAILSPIN} ann@fabrikam.com",
    ]


@pytest.mark.parametrize(
    ("state", "changes", "expected"),
    [
        (seen_page(), [replace(ITSELF, target=replace(target_of(ITSELF, RoleAssignmentChange), identity_id=EVE.id))],
         ("operator-itself", f"this identity is not named as an operator; {REMEDY}")),
        (seen_page()._replace(standing=Standing(STANDS_IN)),
         [replace(ITSELF, target=replace(target_of(ITSELF, RoleAssignmentChange), identity_id=LAPTOP.id))],
         ("operator-itself", f"this identity is not named as an operator; {REMEDY}")),
        (seen_page(), [ITSELF], ("operator-itself", "an operator is assigned only before something is taken away")),
        (seen_page()._replace(inherits=False), [ITSELF], None),
        (seen_page(detaching=True), [ITSELF], None),
        (seen_page(OPERATOR, ANN, BOB), [ITSELF, REMOVAL], None),
        (seen_page(), [replace(GRANT, target=replace(target_of(GRANT, RoleAssignmentChange), identity_id=EVE.id))],
         ("unknown-identity", "this identity is none of those that the spec's principals resolved to")),
        (seen_page(OPERATOR), [REMOVAL],
         ("not-assigned", "this identity was not read as an assigned administrator")),
        (seen_page(BOB)._replace(standing=Standing(ALONE, collection=ALONE.ids)), [REMOVAL],
         ("last-administrator", "no assigned administrator would remain of those that were read")),
        (seen_page(), [replace(GRANT, target=Inheritance(AgentPoolPlace(PRIME, 7), on=False))],
         ("unrecognised", "a Inheritance is not written here")),
    ],
)  # fmt: skip
def test_the_guard_says_why(state: ObservedRoles, changes: list[Change], expected: tuple[str, str] | None) -> None:
    assert refused(state, *changes) == ([expected] if expected else [])


def test_an_inherited_right_of_the_operator_counts_while_it_stays() -> None:
    """Its group may go then; not where the same plan switches inheritance off."""
    state = seen_page(ANN, BOB)._replace(standing=Standing(ALONE, {OPERATOR.id: frozenset({BOB.id})}))
    state = state._replace(assignments=(*state.assignments, *inherited(OPERATOR)))

    assert refused(state, REMOVAL) == []
    assert [rule for rule, _ in refused(state._replace(detaching=True), REMOVAL)] == ["operator-locked-out"]


def test_the_group_through_which_the_operator_administers_stays() -> None:
    in_group = Standing(ALONE, {OPERATOR.id: frozenset({BOB.id})})

    assert refused(seen_page(ANN, BOB)._replace(standing=in_group), REMOVAL) == [
        ("operator-locked-out", "the operator operator@fabrikam.com administers this through it, and in no other way")
    ]


def lost(*names: str, assigned: tuple[Identity, ...] = (BOB,)) -> ObservedRoles:
    """No listed name is known, but for those of `seen_page`."""
    return seen_page(*assigned)._replace(unknown=names, standing=Standing(ALONE, collection=ALONE.ids))


@pytest.mark.parametrize(
    ("state", "awaits"),
    [
        (lost("carol@fabrikam.com"), GRANTS),
        (lost("carol@fabrikam.com", assigned=(ANN, BOB)), ""),
        (lost("[fabrikam-prime]\\Missing"), ""),
        (lost(), ""),
    ],
)
def test_a_removal_waits_for_one_who_becomes_known_in_this_run(state: ObservedRoles, awaits: str) -> None:
    assert removals(planned(EXCLUSIVE, state)) == [(f"{PRIME} bob@fabrikam.com", awaits)]


def test_a_removal_waits_only_for_an_entry_of_the_same_plan() -> None:
    state, waiting = lost("carol", assigned=(BOB, EVE)), replace(REMOVAL, awaits=GRANTS)
    alone = ("wanted-first", "none of the listed administrators is assigned yet, and carol is unknown")

    materialising = Policy(materialise=True)
    assert roles.guard((state,), [waiting, MEMBER], materialising) == []
    assert refused(state, waiting) == [alone]
    assert refused(state, REMOVAL, MEMBER)[0] == alone


def test_who_is_called_like_a_listed_one_is_told_apart() -> None:
    twin = replace(BOB, id="id-twin", unique_name=ANN.unique_name)

    subjects = [change.subject for change in planned(EXCLUSIVE, seen_page(twin)) if change.after is None]
    assert subjects == [f"{PRIME} ann@fabrikam.com (id-twin)"]


def test_named_operators_are_assigned_before_anything_is_taken_and_who_stands_in_is_not() -> None:
    both = seen_page(OPERATOR, detaching=True)._replace(standing=Standing(Operators(OPERATOR, (OPERATOR, OTHER))))
    (assigned,) = planned(OFF, both)
    assert (assigned.subject, assigned.note) == (f"{PRIME} other@fabrikam.com", NOTE)

    stands_in = seen_page(BOB, detaching=True)._replace(standing=Standing(STANDS_IN))
    assert planned(OFF, stands_in) == []
    assert {change.note for change in planned(EXCLUSIVE, stands_in)} == {""}
    assert GRANT.note == ""


def test_an_empty_list_asks_for_no_identities_and_gaps_stand_under_their_facet() -> None:
    org = Org(people=[OPERATOR, PLATFORM], assigned={OPERATOR.id: "Administrator"})
    wanted = [PoolRoles(PRIME, inherit=False)]
    world = World({PRIME: replace(org, trouble={"identities": Unavailable("asked in vain")})})
    assert look(world, spec(organization(), roles=wanted), facets=[roles.FACET]).gaps == ()

    lost_group = spec(organization(), roles=[PoolRoles(PRIME, administrators=("[x]\\Missing",))])
    blind = World({PRIME: replace(org, trouble={"agent_pool": Unavailable("503")})})
    for found in (
        look(World({PRIME: org}), lost_group, facets=[roles.FACET]),
        look(blind, lost_group, facets=[roles.FACET]),
    ):
        assert [gap.facet for gap in found.gaps] == ["roles"]


def test_what_was_read_says_whether_the_pool_inherits() -> None:
    wanted = spec(organization(), roles=[PoolRoles(PRIME, administrators=("ann@fabrikam.com",))])
    desired = roles.parse(wanted, NOW) or ()

    for inherits in (True, False):
        world = World({PRIME: Org(people=[OPERATOR, ANN], inherits=inherits)})
        (state,) = roles.observe(wanted, desired, world).value
        assert (state.inherits, state.pool) == (inherits, POOL)

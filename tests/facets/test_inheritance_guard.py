"""The inheritance switch: what its guard is handed directly, for operators who are named and for one who stands in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.facets import inheritance
from reconciler.facets.inheritance import DesiredInheritance, ObservedInheritance
from reconciler.facets.support.lockout import Standing
from reconciler.plan.model import Change
from reconciler.plan.order import GRANTS, REMEDY
from reconciler.plan.policy import Policy
from reconciler.ports.devops import Identity
from reconciler.spec.model import PermissionKind, PermissionProfile
from reconciler.survey.operators import Operators
from tests.facets.frame import NOW, PRIME, organization, spec
from tests.facets.world import OPERATOR, POOL, Org, World, person

LAPTOP, OTHER = person("laptop"), person("other")
TEAM = Identity("id-team", "Team", f"[{PRIME}]\\Team")
EMPTY = Identity("id-empty", "Empty", f"[{PRIME}]\\Empty")
NAMED = Operators(OPERATOR, (OPERATOR, OTHER))
STANDS_IN = Operators(LAPTOP, (LAPTOP,), named=False)
IN_GROUPS = Standing(STANDS_IN, {LAPTOP.id: frozenset({TEAM.id, EMPTY.id})}, empty=frozenset({EMPTY.id}))
HEAD = f"{PRIME}: inheritance stays on"
OFF = spec(organization(), profile=PermissionProfile(PermissionKind.CREATOR_ONLY))


def seen(standing: Standing | None = None, *assigned: str) -> ObservedInheritance:
    return ObservedInheritance(PRIME, POOL, True, False, standing, frozenset(assigned))


def off(state: ObservedInheritance) -> Change:
    (change,) = inheritance.diff((DesiredInheritance(organization(), inherit=False),), (state,))
    return change


def refused(state: ObservedInheritance, change: Change | None = None) -> list[tuple[str, str]]:
    refusals = inheritance.guard((state,), [change or off(state)], Policy())
    assert all(one.change == (change or off(state)) for one in refusals)
    return [(one.rule, one.message) for one in refusals]


def test_nothing_is_switched_off_before_the_operators_were_read() -> None:
    assert refused(seen()) == [("operator-unknown", f"{HEAD}: the operators were not read")]
    assert seen().needs() == ()


def test_nothing_is_switched_off_while_an_operator_is_not_known() -> None:
    unknown = Standing(Operators(LAPTOP, ()))

    assert refused(seen(unknown)) == [("operator-unknown", f"{HEAD}: no operator is known; {REMEDY}")]


def test_it_waits_for_the_assignment_of_each_operator_and_says_whose() -> None:
    state = seen(Standing(NAMED), OPERATOR.id)
    change = off(state)

    assert (change.awaits, change.needs) == (GRANTS, ((OTHER.id,),))
    assert refused(state) == [], "the assignment of the same plan is read back first"
    at_once = (
        f"{HEAD} until other@fabrikam.com is read as an assigned administrator of agent pool {POOL.name}; {REMEDY}"
    )
    assert refused(state, replace(change, awaits="")) == [("operator-itself", at_once)]
    assert refused(state, replace(change, needs=())) == [("operator-itself", at_once)]
    assert refused(seen(Standing(NAMED), OPERATOR.id, OTHER.id)) == []


def test_a_group_counts_for_one_that_stands_in_unless_it_is_empty() -> None:
    assert refused(seen(IN_GROUPS, TEAM.id)) == []
    assert seen(IN_GROUPS, EMPTY.id).outside() == [LAPTOP]
    assert seen(IN_GROUPS, EMPTY.id).needs() == ((LAPTOP.id, EMPTY.id, TEAM.id),)


def test_what_was_not_read_is_refused_in_words() -> None:
    change = off(seen(Standing(NAMED), OPERATOR.id, OTHER.id))

    (refusal,) = inheritance.guard((), [change], Policy())
    assert (refusal.change, refusal.message) == (change, f"{PRIME}: nothing that was read requires this")


def test_an_organization_that_is_not_managed_is_left() -> None:
    assert inheritance.diff((), (seen(),)) == []


def test_switching_it_on_needs_no_administrator() -> None:
    state = seen(Standing(NAMED))._replace(inherits=False, wanted=True)

    (change,) = inheritance.diff((DesiredInheritance(organization(), inherit=True),), (state,))
    assert (change.note, change.needs, change.awaits) == ("", (), "")


@pytest.mark.parametrize(
    ("operators", "assigned", "outside"),
    [
        (STANDS_IN, {TEAM.id: "Administrator"}, []),
        (STANDS_IN, {EMPTY.id: "Administrator"}, [LAPTOP]),
        (STANDS_IN, {}, [LAPTOP]),
        (Operators(LAPTOP, (LAPTOP,)), {TEAM.id: "Administrator"}, [LAPTOP]),
        (Operators(LAPTOP, (LAPTOP,)), {LAPTOP.id: "Administrator"}, []),
    ],
)
def test_groups_are_read_for_one_that_stands_in(
    operators: Operators, assigned: dict[str, str], outside: list[Identity]
) -> None:
    """Who is named needs an assignment of its own, so its groups are not even read."""
    people = [OPERATOR, LAPTOP, TEAM, EMPTY]
    members = {TEAM.id: {LAPTOP.id}, EMPTY.id: set[str]()}
    org = Org(people=people, members=members, assigned=assigned, operators=operators)

    desired = inheritance.parse(OFF, NOW) or ()
    (state,) = inheritance.observe(OFF, desired, World({PRIME: org})).value

    assert state.outside() == outside
    assert state.standing is not None
    assert bool(state.standing.groups) is not operators.named
    if not operators.named and assigned:
        assert state.standing.empty == {EMPTY.id} & assigned.keys()

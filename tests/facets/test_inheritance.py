"""The inheritance switch: what decides it, and that the operator never locks itself out with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Unavailable
from reconciler.facets import inheritance
from reconciler.facets.inheritance import DesiredInheritance, ObservedInheritance
from reconciler.facets.support.lockout import Standing
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import Action, Change, GapKind, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, AutoProvision, Inheritance, Target
from reconciler.spec.model import PermissionKind, PermissionProfile, PoolRoles
from reconciler.survey.operators import Operators
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, settle, spec, specific
from tests.facets.world import OPERATOR, POOL, Org, World, person

ONLY = [inheritance.FACET]
ANN = person("ann")
ALONE = Operators(OPERATOR, (OPERATOR,))
CREATOR_ONLY = PermissionProfile(PermissionKind.CREATOR_ONLY)
INHERIT = PermissionProfile(PermissionKind.INHERIT)


def apply_to(observed: inheritance.Observed, changes: list[Change]) -> inheritance.Observed:
    result = {one.place.organization: one.on for one in (target_of(change, Inheritance) for change in changes)}
    return tuple(seen._replace(inherits=result.get(seen.organization, seen.inherits)) for seen in observed)


@pytest.mark.parametrize(
    ("profile", "roles", "wanted", "reason"),
    [
        (CREATOR_ONLY, [], False, "CreatorOnly wants it off"),
        (INHERIT, [], True, "Inherit wants it on"),
        (specific("ann@fabrikam.com"), [], None, "of SpecificAccounts the documentation says nothing"),
        (None, [], None, "what the spec does not name is not managed"),
        (INHERIT, [PoolRoles(PRIME, inherit=False)], False, "access.roles decides where it speaks"),
        (CREATOR_ONLY, [PoolRoles(PRIME, inherit=True)], True, "in both directions"),
        (INHERIT, [PoolRoles(TAILSPIN, inherit=False)], True, "for its own organization"),
        (None, [PoolRoles(PRIME, inherit=True), PoolRoles(PRIME, inherit=False)], False, "off wins over on"),
    ],
)
def test_what_is_wanted(
    profile: PermissionProfile | None, roles: list[PoolRoles], wanted: bool | None, reason: str
) -> None:
    desired = inheritance.parse(spec(organization(), profile=profile, roles=roles), NOW)

    assert (desired[0].inherit if desired else None) is wanted, reason


def test_it_is_switched_off_where_the_operator_stays_an_administrator() -> None:
    world = World({PRIME: Org(assigned={OPERATOR.id: "Administrator"})})

    change = look(world, spec(organization(), profile=CREATOR_ONLY), facets=ONLY).changes[0]

    assert (change.kind, change.subject, change.action) == ("inheritance", PRIME, Action.UPDATE)
    assert (change.before, change.after, change.risk) == ("on", "off", Risk.NARROWS)
    assert change.target == Inheritance(AgentPoolPlace(PRIME, 7), on=False)
    assert change.note == "only assigned administrators remain"


def test_it_is_switched_on_again() -> None:
    world = World({PRIME: Org(inherits=False, assigned={OPERATOR.id: "Administrator"})})
    wanted = spec(organization(), profile=INHERIT)

    change = look(world, wanted, facets=ONLY).changes[0]

    assert (change.before, change.after, change.risk) == ("off", "on", Risk.WIDENS)
    assert settle(world, wanted, facets=ONLY).changes == ()
    assert world.organizations[PRIME].inherits


@pytest.mark.parametrize(
    ("org", "reason"),
    [
        (Org(), "nobody administers it by assignment"),
        (Org(people=[OPERATOR, ANN], assigned={ANN.id: "Administrator"}), "the operator would be locked out"),
        (Org(assigned={OPERATOR.id: "Reader"}), "another role is not enough"),
        (Org(inherited={OPERATOR.id: "Administrator"}), "what is inherited goes with the switch"),
    ],
)
def test_it_stays_on_where_switching_off_would_lock_the_operator_out(org: Org, reason: str) -> None:
    seen = look(World({PRIME: org}), spec(organization(), profile=CREATOR_ONLY), facets=ONLY)

    assert (seen.changes, [r.rule for r in seen.refusals]) == ((), ["operator-itself"]), reason
    assert "the operator's own assignment is not part of this plan" in seen.refusals[0].message


def test_one_organization_without_an_answer_does_not_stop_the_other() -> None:
    world = World({PRIME: Org(trouble={"inheritance": Unavailable("no answer")}), TAILSPIN: Org(inherits=False)})

    seen = look(world, spec(organization(), organization(TAILSPIN), profile=INHERIT), facets=ONLY)

    assert [change.subject for change in seen.changes] == [TAILSPIN]
    assert [(gap.subject, gap.kind) for gap in seen.gaps] == [(PRIME, GapKind.UNKNOWN)]


def test_assignments_are_read_only_where_the_switch_shall_go_off() -> None:
    """A converged estate costs no reading of roles for this."""
    world = World({PRIME: Org(inherits=False, trouble={"role_assignments": Unavailable("asked in vain")})})

    assert look(world, spec(organization(), profile=CREATOR_ONLY), facets=ONLY).gaps == ()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Inheritance(AgentPoolPlace(TAILSPIN, 7), on=True), "an organization that was not read"),
        (Inheritance(AgentPoolPlace(PRIME, 8), on=True), "another pool"),
        (Inheritance(AgentPoolPlace(PRIME, 7), on=False), "the other direction"),
        (AutoProvision(AgentPoolPlace(PRIME, 7), on=True), "another switch of the same pool"),
    ],
)
def test_a_guard_lets_only_through_what_was_read_for_it(target: Target, reason: str) -> None:
    seen = ObservedInheritance(PRIME, POOL, inherits=False, wanted=True)
    change = replace(inheritance.diff((DesiredInheritance(organization(), inherit=True),), (seen,))[0], target=target)

    assert [r.rule for r in inheritance.guard((seen,), [change], Policy())] == ["inheritance-not-wanted"], reason


seen_pools = st.tuples(st.booleans(), st.booleans(), st.sets(st.sampled_from([OPERATOR.id, ANN.id])))


def _observed(parts: list[tuple[bool, bool, set[str]]]) -> inheritance.Observed:
    return tuple(
        ObservedInheritance(f"org-{n}", POOL, inherits, wanted, Standing(ALONE), frozenset(assigned))
        for n, (inherits, wanted, assigned) in enumerate(parts)
    )


observations = st.lists(seen_pools, max_size=4).map(_observed)


def desired_of(observed: inheritance.Observed) -> inheritance.Desired:
    return tuple(DesiredInheritance(organization(seen.organization), seen.wanted) for seen in observed)


@given(observations)
def test_applying_the_difference_gives_what_is_wanted(observed: inheritance.Observed) -> None:
    desired = desired_of(observed)

    after = apply_to(observed, list(inheritance.diff(desired, observed)))

    assert [seen.inherits for seen in after] == [seen.wanted for seen in observed]
    assert inheritance.diff(desired, after) == []


@given(observations)
def test_no_pool_is_left_without_the_operator(observed: inheritance.Observed) -> None:
    changes = list(inheritance.diff(desired_of(observed), observed))
    refused = [refusal.change for refusal in inheritance.guard(observed, changes, Policy())]

    after = apply_to(observed, [change for change in changes if change not in refused and not change.awaits])

    turned_off = [new for old, new in zip(observed, after, strict=True) if old.inherits and not new.inherits]
    assert all(OPERATOR.id in seen.assigned for seen in turned_off)
    assert all(change.risk is Risk.NARROWS for change in refused)


@given(observations.flatmap(lambda seen: st.tuples(st.just(seen), st.permutations(seen))))
def test_the_order_of_reading_does_not_matter(orders: tuple[inheritance.Observed, list[ObservedInheritance]]) -> None:
    observed, shuffled = orders
    desired = desired_of(observed)

    assert inheritance.diff(desired, observed) == inheritance.diff(desired[::-1], tuple(shuffled))

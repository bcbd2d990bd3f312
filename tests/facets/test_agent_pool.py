"""The agent pool's own flag: as the spec says it, and not managed where the spec says nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facets import agent_pool
from reconciler.facets.agent_pool import ObservedAgentPool
from reconciler.plan.model import Action, Change, GapKind, Risk, Route
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, AutoProvision, Inheritance, Target
from reconciler.spec.model import Organization
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, settle, spec
from tests.facets.world import POOL, Org, World

ONLY = [agent_pool.FACET]
OFF = replace(POOL, auto_provision=False)


def wants(on: bool | None, name: str = PRIME) -> Organization:
    return replace(organization(name), auto_provision=on)


def test_new_projects_get_a_queue_where_the_spec_says_so() -> None:
    change = look(World({PRIME: Org(pools=[OFF])}), spec(wants(True)), facets=ONLY).changes[0]

    assert (change.kind, change.subject, change.action) == ("auto-provision", PRIME, Action.UPDATE)
    assert (change.before, change.after, change.risk, change.route) == ("off", "on", Risk.WIDENS, Route.DEVOPS)
    assert change.target == AutoProvision(AgentPoolPlace(PRIME, 7), on=True)


def test_new_projects_get_none_where_the_spec_says_so() -> None:
    """Also beside a list of projects: an administrator of a queue that is not listed could let a pipeline in."""
    wanted = replace(wants(False), projects=("Web",))

    change = look(World({PRIME: Org(pools=[POOL])}), spec(wanted), facets=ONLY).changes[0]

    assert (change.before, change.after, change.risk, change.narrows) == ("on", "off", Risk.NARROWS, True)
    assert change.target == AutoProvision(AgentPoolPlace(PRIME, 7), on=False)


def test_a_spec_that_says_nothing_of_it_leaves_the_flag_alone() -> None:
    """Also where all projects use the pool: `queues` makes what is missing, so nothing depends on the flag."""
    assert agent_pool.parse(spec(organization(), organization(TAILSPIN, "Web")), NOW) is None


@pytest.mark.parametrize("on", [True, False])
def test_switching_it_settles(on: bool) -> None:
    world = World({PRIME: Org(pools=[replace(POOL, auto_provision=not on)]), TAILSPIN: Org()})

    assert settle(world, spec(wants(on), organization(TAILSPIN)), facets=ONLY).changes == ()
    assert world.writes == [("set_auto_provision", PRIME, on)]


def test_an_answer_that_does_not_say_is_no_answer() -> None:
    world = World({PRIME: Org(pools=[replace(POOL, auto_provision=None)])})

    seen = look(world, spec(wants(True)), facets=ONLY)

    assert (seen.changes, [(gap.subject, gap.kind) for gap in seen.gaps]) == ((), [(PRIME, GapKind.UNKNOWN)])


def planned(on: bool) -> Change:
    return agent_pool.diff((wants(on),), (ObservedAgentPool(PRIME, POOL, provisions=not on, wanted=on),))[0]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (AutoProvision(AgentPoolPlace(TAILSPIN, 7), on=True), "an organization that was not read"),
        (AutoProvision(AgentPoolPlace(PRIME, 8), on=True), "another pool"),
        (AutoProvision(AgentPoolPlace(PRIME, 7), on=False), "the opposite of what it was read for"),
        (Inheritance(AgentPoolPlace(PRIME, 7), on=True), "another switch of the same pool"),
    ],
)
def test_a_guard_lets_only_through_what_was_read_for_it(target: Target, reason: str) -> None:
    seen = (ObservedAgentPool(PRIME, OFF, provisions=False, wanted=True),)
    change = replace(planned(True), target=target)

    assert [r.rule for r in agent_pool.guard(seen, [change], Policy())] == ["auto-provision-not-wanted"], reason


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=4))
def test_one_change_for_each_flag_that_is_not_as_wanted_in_whatever_order(flags: list[tuple[bool, bool]]) -> None:
    observed = tuple(ObservedAgentPool(f"org-{n}", POOL, on, wanted) for n, (on, wanted) in enumerate(flags))
    desired = tuple(wants(seen.wanted, seen.organization) for seen in observed)

    changes = agent_pool.diff(desired, observed)

    assert [change.subject for change in changes] == [s.organization for s in observed if s.provisions != s.wanted]
    assert agent_pool.diff(desired[::-1], observed[::-1]) == changes
    assert agent_pool.guard(observed, changes, Policy()) == []
    assert agent_pool.diff(desired, tuple(replace(seen, provisions=seen.wanted) for seen in observed)) == []


@given(st.lists(st.booleans(), max_size=4), st.booleans())
def test_a_guard_trusts_no_diff(wanted: list[bool], on: bool) -> None:
    """Whatever is asked of a pool, only the switch that its reading wants goes through."""
    observed = tuple(ObservedAgentPool(f"org-{n}", POOL, not wish, wish) for n, wish in enumerate(wanted))
    asked = [
        replace(planned(on), subject=s.organization, target=AutoProvision(AgentPoolPlace(s.organization, 7), on))
        for s in observed
    ]

    refused = {refusal.change.subject for refusal in agent_pool.guard(observed, asked, Policy())}

    assert refused == {seen.organization for seen in observed if seen.wanted is not on}

"""The agent pool's own flag: on where all projects are wanted, and nobody's business elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facets import agent_pool
from reconciler.facets.agent_pool import Seen
from reconciler.plan import Action, GapKind, Risk, Route
from reconciler.policy import Policy
from tests.facets.frame import NOW, PRIME, TAILSPIN, look, organization, settle, spec
from tests.facets.world import POOL, Org, World

ONLY = [agent_pool.FACET]
OFF = replace(POOL, auto_provision=False)


def test_new_projects_get_a_queue_where_all_projects_are_wanted() -> None:
    change = look(World({PRIME: Org(pools=[OFF])}), spec(organization()), facets=ONLY).changes[0]

    assert (change.kind, change.subject, change.action) == ("auto-provision", PRIME, Action.UPDATE)
    assert (change.before, change.after, change.risk, change.route) == ("off", "on", Risk.WIDENS, Route.DEVOPS)
    assert change.args == {"organization": PRIME, "poolId": 7, "autoProvision": True}


def test_a_list_of_projects_leaves_the_flag_alone() -> None:
    """Whoever made the pool may want it, and a queue alone lets no pipeline in."""
    for pool in (POOL, OFF):
        assert agent_pool.parse(spec(organization(PRIME, "Web")), NOW) is None, pool


def test_switching_it_on_settles() -> None:
    world = World({PRIME: Org(pools=[OFF]), TAILSPIN: Org()})

    assert settle(world, spec(organization(), organization(TAILSPIN)), facets=ONLY).changes == ()
    assert world.writes == [("set_auto_provision", PRIME, True)]


def test_an_answer_that_does_not_say_is_no_answer() -> None:
    world = World({PRIME: Org(pools=[replace(POOL, auto_provision=None)])})

    seen = look(world, spec(organization()), facets=ONLY)

    assert (seen.changes, [(gap.subject, gap.kind) for gap in seen.gaps]) == ((), [(PRIME, GapKind.UNKNOWN)])


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"organization": TAILSPIN, "poolId": 7, "autoProvision": True}, "an organization that was not read"),
        ({"organization": PRIME, "poolId": 8, "autoProvision": True}, "another pool"),
        ({"organization": PRIME, "poolId": 7, "autoProvision": False}, "nothing ever switches it off"),
    ],
)
def test_a_guard_lets_only_through_what_was_seen_off(args: dict[str, object], reason: str) -> None:
    seen = (Seen(PRIME, OFF, provisions=False),)
    change = replace(agent_pool.diff((organization(),), seen)[0], args=args)

    assert [r.rule for r in agent_pool.guard(seen, [change], Policy())] == ["auto-provision-not-wanted"], reason


@given(st.lists(st.booleans(), max_size=4))
def test_one_change_for_each_flag_that_is_off_in_whatever_order(flags: list[bool]) -> None:
    observed = tuple(Seen(f"org-{n}", POOL, on) for n, on in enumerate(flags))
    desired = tuple(organization(seen.organization) for seen in observed)

    changes = agent_pool.diff(desired, observed)

    assert [change.subject for change in changes] == [seen.organization for seen in observed if not seen.provisions]
    assert agent_pool.diff(desired[::-1], observed[::-1]) == changes
    assert agent_pool.guard(observed, changes, Policy()) == []
    assert agent_pool.diff(desired, tuple(replace(seen, provisions=True) for seen in observed)) == []

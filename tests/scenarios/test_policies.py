"""What the deployment allows: spec authors are less trusted than the operator, and their specs are held against it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.engine import Outcome
from tests.scenarios.drafts import (
    ANN,
    BOB,
    ENTRA_GROUP,
    POOL,
    PRIME,
    ROBOT,
    TAILSPIN,
    ZOE,
    managed,
)
from tests.scenarios.world import World, rules

ADMINISTRATORS = {"operator", "ann"}
NOBODY = "nobody@fabrikam.com"
GRAPH = ("graph.users.create", "graph.groups.create")
"""Refused where no directory knows the name; asked again after hours."""


def prime_roles(*administrators: str, **more: Any) -> dict[str, Any]:
    """What the spec says of the agent pool in one organization."""
    return {"roles": [{"organization": PRIME, "administrators": list(administrators), **more}]}


def _drift_of_every_kind(world: World) -> None:
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who="ann")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")


@pytest.mark.parametrize(
    ("text", "rule", "left"),
    [
        ("organizations: [fabrikam-tailspin]\n", "policy-organizations", "fabrikam-prime is not allowed"),
        ("projects: ['fabrikam-prime/*']\n", "policy-projects", "no project of fabrikam-tailspin is allowed"),
        ("principals: ['bob@*']\n", "policy-principals", "ann may be granted nothing"),
        ("openAccess: false\n", "policy-open-access", "nothing may be opened"),
        ("subscriptions: []\n", "policy-subscriptions", "the pool's own subscription is not allowed"),
        ("resourceGroups: [rg-other]\n", "policy-resource-groups", "the pool's own group is not allowed"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused_and_shown(world: World, text: str, rule: str, left: str) -> None:
    """Spec authors are less trusted than the operator: a spec beyond the policy is a refusal in the plan."""
    _drift_of_every_kind(world)
    world.policy(text)

    result = world.settle()[POOL]

    assert rule in rules(result.plan), left
    assert result.outcome is Outcome.STALLED
    world.never_in_sync(POOL, Outcome.STALLED, because=left)


def test_a_policy_without_open_access_still_closes(world: World) -> None:
    """What narrows is allowed: a policy is there to prevent, not to preserve what should not be."""
    _drift_of_every_kind(world)
    world.policy("openAccess: false\n")

    world.settle()

    assert world.truth.opened(PRIME, POOL)["fabrikam-dev"] is False
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is False
    world.never_in_sync(POOL, Outcome.STALLED, because="the policy lets nothing be opened")


def test_a_policy_without_creation_makes_no_pool(nothing: World) -> None:
    """A misspelt name would otherwise be a new pool, and a bill."""
    nothing.policy("createPools: false\n")

    results = nothing.sweep()

    assert rules(results[POOL].plan) == ["policy-create-pools"]
    assert nothing.writes() == []
    for name in results:
        nothing.never_in_sync(name, Outcome.STALLED, because="the policy does not allow creating pools")


def test_a_person_the_organization_does_not_know_is_refused_without_leave(world: World) -> None:
    """Adding people to an organization costs money and opens doors: only a policy that says so lets it be done."""
    world.spec(managed(access=prime_roles(ANN, ZOE, inherit=False)))

    result = world.settle()[POOL]

    assert rules(result.plan) == ["policy-materialise"]
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="nobody may be added to the organization")


@pytest.mark.parametrize(
    ("principal", "name"),
    [(ZOE, "zoe"), (ENTRA_GROUP, "platform-team"), (ROBOT, "robot")],
    ids=["user", "group", "service-principal"],
)
def test_a_principal_the_organization_does_not_know_is_added_with_leave(
    world: World, principal: str, name: str
) -> None:
    """Made known first, given the role by the local id that came of it: an Entra id would be answered with 200."""
    world.policy("materialise: true\n")
    world.spec(managed(access=prime_roles(ANN, principal, exclusive=True, inherit=False)))

    world.settle()

    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS | {name}


def test_somebody_whom_not_even_entra_knows_keeps_the_pool_out_of_sync(world: World) -> None:
    """A slip of the pen in an address is told, and everybody else is served."""
    world.policy("materialise: true\n")
    world.spec(managed(access=prime_roles(ANN, BOB, "nobody@fabrikam.com", inherit=False)))

    result = world.settle()[POOL]

    assert result.outcome is not Outcome.IN_SYNC
    assert world.truth.administrators(PRIME, POOL) >= ADMINISTRATORS | {"bob"}
    assert "nobody@fabrikam.com" in str(result.failures)
    world.never_in_sync(POOL, Outcome.STALLED, because="nobody of this name exists", tries=GRAPH)


def test_somebody_whom_not_even_entra_knows_costs_a_sweep_two_reads_and_no_write(world: World) -> None:
    """Three refused writes and a second look at the whole pool, in every sweep, for one dead name would be too dear."""
    world.policy("materialise: true\n")
    administrators = prime_roles(ANN, BOB, inherit=False)
    world.spec(managed(access=administrators))
    world.settle()
    quiet = counted(world)
    world.spec(managed(access=prime_roles(ANN, BOB, NOBODY, inherit=False)))
    world.settle()

    resting = counted(world)

    assert (resting["reads"] - quiet["reads"], resting["writes"], quiet["writes"]) == (2, 0, 0)
    world.later(timedelta(hours=1).total_seconds())
    assert counted(world)["writes"] == 3, "an hour later everything that may take the name is asked again"
    world.never_in_sync(POOL, Outcome.STALLED, because="nobody of this name exists", tries=GRAPH)


def counted(world: World) -> dict[str, int]:
    """Counters of one sweep."""
    world.do.reset_log()
    world.sweep()
    return dict(world.do.counters()["total"])

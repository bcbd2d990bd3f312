"""What is read before it is needed: one round trip in place of several, and never more calls than without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Barrier

import pytest

from reconciler.errors import Forbidden, NotReady
from reconciler.spec.model import Access, Mode, Organization, PoolRoles, Spec
from reconciler.survey import SharedSurvey
from tests.estate import Estate

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ORG = "fabrikam-prime"


def spec(name: str) -> Spec:
    organization = Organization(ORG, name, (), open_access=True)
    return Spec(name, SUBSCRIPTION, "rg-build", Mode.ENFORCE, {}, (organization,))


def meet(barrier: Barrier, names: set[str]) -> Callable[[str, tuple[object, ...]], None]:
    """Calls of these names wait for each other: one after another they would never end."""

    def before(name: str, _args: tuple[object, ...]) -> None:
        if name in names:
            barrier.wait()

    return before


def test_what_every_look_asks_first_is_asked_while_arm_answers() -> None:
    """One round trip in place of five: what a repair waits for."""
    estate = Estate()
    estate.add(ORG, 1, 1)
    one = replace(spec("pool-1"), access=Access(roles=(PoolRoles(ORG, ("ann@fabrikam.com",)),)))
    survey = SharedSurvey.about(estate.readers, [one])
    together = Barrier(5, timeout=30)
    first = {"arm pool", "agent pools", "projects", "me", "inheritance"}
    estate.before = meet(together, first)

    survey.arm_pool(one)
    pool = survey.agent_pool(ORG, "pool-1")

    assert survey.projects(ORG)
    assert survey.me(ORG).id
    assert survey.inheritance(ORG, pool) is True
    assert {name: estate.calls[name] for name in first} == dict.fromkeys(first, 1)


def test_what_nobody_manages_is_not_asked_ahead() -> None:
    """Rights that a deployment does not use, it does not need."""
    estate = Estate()
    estate.add(ORG, 1, 1)
    survey = SharedSurvey.about(estate.readers, [spec("pool-1")])
    survey.arm_pool(spec("pool-1"))
    survey.projects(ORG)
    survey.agent_pool(ORG, "pool-1")

    assert not {"me", "inheritance"} & set(estate.calls)


def test_hidden_projects_and_roles_are_read_beside_each_other_and_once() -> None:
    """They need the list of agent pools and nothing else, so they do not wait for the queues."""
    estate = Estate()
    estate.add(ORG, 1, 1)
    one = replace(spec("pool-1"), access=Access(roles=(PoolRoles(ORG, ("ann@fabrikam.com",)),)))
    survey = SharedSurvey.about(estate.readers, [one])
    together = Barrier(2, timeout=30)
    estate.before = meet(together, {"known projects", "roles"})

    survey.begin([one])
    pool = survey.agent_pool(ORG, "pool-1")

    assert survey.hidden_projects(ORG) == ()
    survey.role_assignments(ORG, "distributedtask.agentpoolrole", str(pool.id))
    assert (estate.calls["known projects"], estate.calls["roles"]) == (1, 1)


def test_nothing_of_a_pool_that_is_not_there_is_read_ahead() -> None:
    """As without reading ahead: what is asked of a pool begins with its being there."""
    estate = Estate()
    estate.add(ORG, 1, 1)
    one = replace(spec("pool-9"), access=Access(roles=(PoolRoles(ORG, ("ann@fabrikam.com",)),)))
    survey = SharedSurvey.about(estate.readers, [one])
    survey.begin([one])

    with pytest.raises(NotReady):
        survey.agent_pool(ORG, "pool-9")
    survey.projects(ORG)
    survey.me(ORG)
    for _ in range(2):  # once every lane is free, nothing is on its way any more
        free = Barrier(4, timeout=30)
        survey._lanes.each(ORG, lambda _: free.wait(), range(4))  # noqa: B023 - done within the round

    assert not {"known projects", "roles"} & set(estate.calls)


def test_what_fails_ahead_is_told_to_whoever_asks() -> None:
    estate = Estate()
    estate.add(ORG, 1, 1)

    def refuse(name: str, args: tuple[object, ...]) -> None:
        if name == "projects":
            raise Forbidden("projects: 403")

    estate.before = refuse
    survey = SharedSurvey.about(estate.readers, [spec("pool-1")])
    survey.arm_pool(spec("pool-1"))

    with pytest.raises(Forbidden, match="projects: 403"):
        survey.projects(ORG)
    assert survey.agent_pool(ORG, "pool-1").id


def test_the_roles_of_a_batch_are_read_side_by_side() -> None:
    """A hundred pools of a sweep would otherwise be a hundred round trips, one after another."""
    estate = Estate()
    estate.add(ORG, 4, 1)
    roles = Access(roles=(PoolRoles(ORG, ("ann@fabrikam.com",)),))
    specs = [replace(spec(f"pool-{number}"), access=roles) for number in range(1, 5)]
    survey = SharedSurvey.about(estate.readers, specs)
    together = Barrier(4, timeout=30)
    estate.before = meet(together, {"roles"})

    for one in specs:
        pool = survey.agent_pool(ORG, one.name)
        survey.role_assignments(ORG, "distributedtask.agentpoolrole", str(pool.id))

    assert estate.calls["roles"] == 4

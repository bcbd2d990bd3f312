"""A read that failed is not an absence: on what could not be read nothing is written, and everything else goes on.

Every read route of a run, and every way in which a read fails; `make soak` plays each with each. The faults hit one organization, or one pool's resource;
the other organization and the other pool must not notice. Which routes there are is compared with the request log.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import start
from reconciler.engine import Outcome, Result
from reconciler.engine.status import ConditionKind, Truth
from reconciler.plan.model import GapKind
from tests.examples import crossed, some
from tests.scenarios.drafts import POOL, PRIME, RELEASE, TAILSPIN, estate, managed, organization
from tests.scenarios.world import World, summary

SWEEP_ROUTES = (
    "accesscontrollists.query",
    "authorizedresources.list",
    "connectiondata.get",
    "identities.read",
    "pipelinepermissions.get",
    "pools.list",
    "projects.list",
    "queues.list",
    "roleassignments.list",
)
"""Reads of Azure DevOps in a run of one pool."""
ALL_PROJECTS_ROUTE = "graph.groups.list"
"""Read where all projects use the pool: it is how those are counted which the operator cannot see."""
ARM_ROUTES = ("Pools_Get", "Pools_ListBySubscription")
KINDS = ("401", "403", "500", "503", "203", "429", "truncated", "refused", "retry-after", "timeout-before")
ASKS_FOR_QUIET = {"429", "503", "retry-after"}
QUIET = 900.0
"""Seconds of Retry-After: longer than any call waits."""

WRITES_OF = {
    "queues": {"queues.add"},
    "open_access": {"pipelinepermissions.update"},
    "roles": {"roleassignments.set"},
    "inheritance": set(),
    "pool": {"Pools_CreateOrUpdate"},
}


def drift(world: World, *, queue: bool = False) -> None:
    """Something to do on every facet of one organization, and one thing in the other; with a missing queue if wanted."""
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    if queue:
        world.by_hand("delete-queue", organization=PRIME, pool=POOL, project="fabrikam-test")
        world.apply()  # a missing queue is waited for once: from now on it is made
        world.restart()
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who="ann")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.reset_log()


def never_claimed(result: Result) -> None:
    """Whatever could not be read, the pool is not reported as in sync."""
    ready = result.status.condition(ConditionKind.READY)
    assert ready is not None
    assert ready.status is not Truth.TRUE, summary({POOL: result})
    assert result.outcome not in {Outcome.IN_SYNC, Outcome.APPLIED}, summary({POOL: result})


def test_the_routes_below_are_those_of_a_run(world: World) -> None:
    """A route that is added to the program has to be added here."""
    drift(world)
    world.settle()
    read = {entry["route"] for entry in world.do.requests() if not entry["write"]}

    assert read - {"locations.options"} == {*SWEEP_ROUTES, ALL_PROJECTS_ROUTE, *ARM_ROUTES}


@pytest.mark.soaked
@pytest.mark.parametrize(("route", "kind"), crossed(SWEEP_ROUTES, KINDS, one_of=9))
def test_a_failing_read_of_one_organization_stops_that_part_alone(world: World, route: str, kind: str) -> None:
    """Nothing is decided on what was not seen; the other organization is repaired meanwhile; later all converges."""
    if route == "pipelinepermissions.get":
        world.switch(
            devops__authorized_resources="incomplete"
        )  # else the list proves enough, and pairs need not be read
    world.only(POOL)
    drift(world, queue=route in {"pools.list", "projects.list", "queues.list"})
    if kind == "timeout-before":
        world.patience(0.4)
    world.do.fault(kind, route=route, count=None, organization=PRIME, seconds=QUIET if kind in ASKS_FOR_QUIET else 1)

    result = world.apply()

    never_claimed(result)
    assert result.planned is not None
    if kind == "retry-after":
        assert not any(PRIME in entry["path"] for entry in world.writes()), "the organization asked for quiet"
        again(world)
        return
    blind = {gap.facet for gap in result.planned.gaps if gap.kind is GapKind.UNKNOWN and PRIME in gap.subject}
    assert blind, summary({POOL: result})
    written = {entry["route"] for entry in world.writes() if PRIME in entry["path"]}
    whole = {facet for facet in blind if any(g.facet == facet and g.subject == PRIME for g in result.planned.gaps)}
    for facet in whole:
        assert not written & WRITES_OF[facet], f"{facet} was written blindly; {summary({POOL: result})}"
    if kind in ASKS_FOR_QUIET:
        assert not written, "the organization asked for quiet"
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True, "the other organization went on"

    again(world)


@pytest.mark.soaked
@pytest.mark.parametrize("kind", some(KINDS, one_of=3))
def test_where_hidden_projects_cannot_be_counted_nobody_claims_that_all_are_served(world: World, kind: str) -> None:
    """All projects are wanted, and how many there are is not known: the other organization goes on."""
    world.only(POOL)
    drift(world)
    if kind == "timeout-before":
        world.patience(0.4)
    world.do.fault(kind, route=ALL_PROJECTS_ROUTE, count=None, seconds=QUIET if kind in ASKS_FOR_QUIET else 1)

    never_claimed(world.apply())

    assert world.truth.administrators(PRIME, POOL) == {"operator", "ann"}
    again(world)


def again(world: World) -> None:
    """All is well once more, and the program finds it out by itself."""
    world.do.clear_faults()
    world.patience(30)
    world.later(QUIET)
    world.sweep()


@pytest.mark.soaked
@pytest.mark.parametrize("kind", some(["403", "500", "203", "429", "truncated", "refused", "timeout-before"], one_of=3))
def test_a_service_that_does_not_say_what_it_serves_is_not_guessed_at(tmp_path: Path, kind: str) -> None:
    """The package asks first which routes there are, once for each address; so this takes a fresh address."""
    with start(estate()) as running:
        world = World(running, tmp_path)
        world.spec(managed())
        world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
        world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
        if kind == "timeout-before":
            world.patience(0.4)
        world.do.fault(kind, route="locations.options", count=None, organization=PRIME, seconds=QUIET)

        result = world.apply()

        never_claimed(result)
        assert not any(PRIME in entry["path"] for entry in world.writes())
        assert world.truth.opened(TAILSPIN, POOL)["Web"] is True
        again(world)
        world.finish()
        world.close()


@pytest.mark.soaked
@pytest.mark.parametrize("kind", some(KINDS, one_of=3))
def test_a_failing_read_of_a_pool_s_resource_stops_that_resource_alone(world: World, kind: str) -> None:
    """The pool of which nothing is known is neither created nor changed, on neither plane; its neighbour goes on.

    Whose its agent pools are is known only where ARM was read, whatever the spec names.
    """
    drift(world)
    projects = ["fabrikam-dev", "fabrikam-test"]
    tailspin = organization(TAILSPIN, open_access=True, alias=POOL)
    world.spec(
        managed(
            tailspin=tailspin,
            prime=organization(PRIME, projects, open_access=False, parallelism=5, alias=POOL),
        )
    )
    if kind == "timeout-before":
        world.patience(0.4)
    world.do.fault(kind, route="Pools_Get", path=f"*/{POOL}", count=None, seconds=QUIET)

    result, other = world.apply(), world.apply(RELEASE)

    never_claimed(result)
    assert other.outcome is Outcome.IN_SYNC
    if kind == "retry-after":
        assert world.routes() == ["Pools_CreateOrUpdate"], "it was read; Azure DevOps waits for the operation"
    else:
        assert world.routes() == []

    again(world)
    world.settle()


@pytest.mark.soaked
@pytest.mark.parametrize(
    "kind", some([kind for kind in KINDS if kind not in {"timeout-before", "retry-after"}], one_of=3)
)
def test_a_failing_list_of_pools_makes_nobody_create_one(world: World, kind: str) -> None:
    """The list of a subscription serves many pools at once: an empty one must not be many creations."""
    world.do.fault(kind, route="Pools_ListBySubscription", count=None, seconds=QUIET)

    results = world.sweep()

    assert world.writes() == []
    blind = kind not in {"401", "403"}  # rights on resource groups alone: each pool is then read by itself
    assert all((result.outcome is not Outcome.IN_SYNC) is blind for result in results.values()), summary(results)


def test_an_operation_that_cannot_be_asked_about_is_not_begun_a_second_time(world: World) -> None:
    """While it is not known how the first one ends, a second one would only be refused, or worse, carried out."""
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=5)))
    world.switch(arm__update_seconds=600)
    world.apply()
    for kind in ("500", "503", "429", "truncated", "refused"):
        world.do.clear_faults()
        world.do.fault(kind, route="OperationStatuses_Get", count=None, seconds=QUIET)
        result = world.apply()
        assert result.outcome in {Outcome.FAILED, Outcome.PROGRESSING}, kind
        assert world.routes() == ["Pools_CreateOrUpdate"], kind

    world.do.clear_faults()
    world.do.settle()
    world.settle()


def test_an_operation_that_is_forgotten_is_over_and_the_resource_tells_the_rest(world: World) -> None:
    """A signed URL that is no longer valid must not hold a pool for ever."""
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=5)))
    world.apply()
    world.do.settle()
    world.do.fault("404", route="OperationStatuses_Get", count=None)

    assert world.apply().outcome in {Outcome.IN_SYNC, Outcome.APPLIED}


def test_one_pool_s_trouble_is_not_its_neighbour_s(world: World) -> None:
    """In a sweep with shared reads a failed read of one project is a gap of the pools that use it, and of no others."""
    dev = next(p["id"] for p in world.truth.organization(PRIME)["projects"] if p["name"] == "fabrikam-dev")
    world.do.fault("500", route="queues.list", path=f"*{dev}*", count=None)

    results = world.sweep()

    never_claimed(results[POOL])
    assert results[RELEASE].outcome is Outcome.IN_SYNC
    assert world.writes() == []

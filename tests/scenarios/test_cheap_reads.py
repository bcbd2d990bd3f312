"""What a converged estate costs, and that cheapness never claims more than was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.estates import Size, estate, specs
from emulator import Running
from reconciler.engine import Outcome
from reconciler.spec.loader import load
from tests.examples import tries
from tests.scenarios import drafts
from tests.scenarios.drafts import PRIME, TAILSPIN
from tests.scenarios.world import World, summary

PROJECTS = {TAILSPIN: ("Web", "Mobile", "Data"), PRIME: ("fabrikam-dev", "fabrikam-test")}
ORGANIZATION = "fabrikam-00"


def sweep_of(world: World, size: Size) -> dict[str, int]:
    """Counters of one sweep of an estate of that size, after one sweep that showed the list to be complete."""
    world.do.replace(estate(size))
    world.restart()
    (world.folder / "state.db").unlink(missing_ok=True)
    world.only_these([json.loads(text) for text in specs(size).values()])
    world.sweep()
    world.do.reset_log()
    results = world.sweep()
    assert {result.outcome for result in results.values()} == {Outcome.IN_SYNC}, summary(results)
    return dict(world.do.counters()["total"])


def test_a_converged_sweep_grows_with_projects_plus_pools(world: World) -> None:
    """Not with projects times pools: twenty pools of five hundred projects would be ten thousand reads."""
    pools, projects = 6, 30
    small = sweep_of(world, Size(pools, projects))
    large = sweep_of(world, Size(2 * pools, projects))

    assert small["reads"] <= 2 * projects + 2 * pools + 20, "2N + 2P + 20"
    assert large["reads"] - small["reads"] <= 2 * pools, "doubling P adds at most 2 calls a pool"
    assert small["writes"] == large["writes"] == 0


def test_looking_for_hidden_projects_costs_one_read_for_five_hundred_groups(world: World) -> None:
    """Beyond 2N + 2P + 20 in a large organization, but one per cent of it; once for all pools of a batch."""
    projects = 1500
    world.do.replace(estate(Size(2, projects)))
    world.restart()
    survey = world.parts.planner.survey(load(specs(Size(2, projects))).specs)
    survey.projects(ORGANIZATION)
    world.do.reset_log()

    for _ in range(2):
        assert survey.hidden_projects(ORGANIZATION) == ()

    groups = 5 * projects + 3  # five in each project of the emulator, three in the organization
    assert world.do.counters()["total"]["reads"] == -(-groups // 500) == 16
    world.do.reset()
    world.restart()


def test_a_sweep_opens_few_connections(world: World) -> None:
    """Connections stay open and are shared: a service that sees hundreds of them slows the caller."""
    size = Size(4, 20, organizations=2)
    world.do.replace(estate(size))
    world.restart()
    world.only_these([json.loads(text) for text in specs(size).values()])
    world.do.reset_log()

    world.sweep()

    opened = world.do.counters()
    assert 1 < opened["total"]["connections"] <= 8 * 2, "four an organization, and those of ARM"
    assert 0 < opened["devops"]["connections"] <= 8


@pytest.mark.parametrize("answers", ["complete", "incomplete", "refused"])
def test_an_opened_queue_is_found_however_the_list_answers(world: World, answers: str) -> None:
    """Complete, it is believed in time; incomplete, it is caught lying; refused, every pair is read."""
    world.switch(devops__authorized_resources=answers)
    world.sweep()
    world.by_hand("open-access", organization=PRIME, pool=drafts.POOL, project="fabrikam-test")
    world.by_hand("close-access", organization=TAILSPIN, pool=drafts.POOL, project="Mobile")

    world.settle()

    assert world.truth.opened(PRIME, drafts.POOL)["fabrikam-test"] is False
    assert world.truth.opened(TAILSPIN, drafts.POOL)["Mobile"] is True


def test_a_list_that_begins_to_lie_is_caught_by_the_sweeps(world: World) -> None:
    """It was shown complete once; a rotating sample of every sweep keeps asking, and withdraws the trust."""
    for _ in range(3):
        world.sweep()
    world.switch(devops__authorized_resources="incomplete")
    world.by_hand("open-access", organization=PRIME, pool=drafts.POOL, project="fabrikam-dev")
    for _ in range(8):
        world.sweep()

    assert world.disagreements() == []


def test_a_list_that_begins_to_lie_is_caught_where_everything_is_wanted_closed(world: World) -> None:
    """No pair is wanted open that could show the gap: so pairs that are wanted closed are read in turn."""
    closed = drafts.managed(tailspin=drafts.organization(TAILSPIN, open_access=False))
    world.sweep()
    world.spec(closed)
    world.settle()
    world.switch(devops__authorized_resources="incomplete")
    world.by_hand("open-access", organization=TAILSPIN, pool=drafts.POOL, project="Data")
    for _ in range(8):
        world.sweep()

    assert world.disagreements() == []


people = st.lists(st.sampled_from(["ann", "bob", "operator"]), unique=True)


@st.composite
def estates(draw: st.DrawFn) -> dict[str, Any]:
    """Both planes, as any hands could have left them."""
    found = drafts.estate()
    for one in found["organizations"]:
        pool = one["agentPools"][0]
        pool["inherit"] = draw(st.booleans())
        pool["roles"] = {"Administrator": draw(people)}
        names = draw(st.lists(st.sampled_from(PROJECTS[one["name"]]), unique=True))
        pool["queues"] = [{"project": name, "openAccess": draw(st.booleans())} for name in sorted(names)]
    found["subscriptions"][0]["pools"][0]["properties"]["maximumConcurrency"] = draw(st.sampled_from([4, 5]))
    return found


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    """Any spec about the same two organizations."""
    flag = st.sampled_from([True, False, None])
    administrators = draw(st.lists(st.sampled_from([drafts.ANN, drafts.BOB]), unique=True, min_size=1))
    roles: dict[str, Any] = {"organization": PRIME, "administrators": administrators, "exclusive": draw(st.booleans())}
    inherit = draw(flag)
    if inherit is not None:
        roles["inherit"] = inherit
    return drafts.managed(
        tailspin=drafts.organization(TAILSPIN, open_access=draw(flag)),
        prime=drafts.organization(PRIME, list(PROJECTS[PRIME]), open_access=draw(flag)),
        access={"roles": [roles]},
    )


SWITCHES = {
    "devops.authorized-resources": st.sampled_from(["complete", "incomplete", "refused"]),
    "devops.inheritance-off": st.sampled_from(["drops", "copies"]),
    "devops.own-pool-role": st.sampled_from(["accepted", "refused"]),
    "devops.open-access-write": st.sampled_from(["applied", "lost-once"]),
    "devops.write-lag": st.sampled_from([0.0, 4.0]),
    "devops.permissions-of-missing-queue": st.sampled_from(["empty", "not-found"]),
    "devops.name-filter": st.sampled_from(["exact", "prefix"]),
    "arm.hide-permission-profile": st.sampled_from(["with-static-ip", "always"]),
    "arm.echo-defaults": st.sampled_from(["with-static-ip", "always"]),
}


@settings(max_examples=tries(6, soaked=12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=estates(), wish=wishes(), switches=st.fixed_dictionaries(SWITCHES), evidence=st.booleans())
def test_in_sync_is_never_said_wrongly(
    world: World, left: dict[str, Any], wish: dict[str, Any], switches: dict[str, Any], evidence: bool
) -> None:
    """Whatever the estate, the spec and the behaviour of the planes: in sync means that a second opinion agrees.

    With and without what earlier runs learned of the list of authorized resources. (A list that was complete and then
    begins to lie is another story, above: the sample of each sweep finds it out, not the first look.)
    """
    world.do.reset()
    world.only_these([wish])
    for name, value in switches.items():
        world.do.switch(name, value)
    if evidence:
        world.sweep()
    world.do.replace(left)
    world.do.settle()
    world.restart()
    for _ in range(6):
        plan = world.plan()
        assert not plan.in_sync or world.disagreements() == [], (left, wish, switches)
        result = world.apply()
        good = result.outcome in {Outcome.IN_SYNC, Outcome.APPLIED}
        assert not good or world.disagreements() == [], (left, wish, switches)
        if good:
            break
        world.later((result.next_look or 0) + 1)
        world.do.settle()
    # The end of this story is told here, for each example.
    world.do.reset()
    world.restart()
    (world.folder / "state.db").unlink(missing_ok=True)
    world.only_these([drafts.managed(), drafts.release()])


def test_the_benchmark_s_estate_is_in_sync_with_its_specs(running: Running, tmp_path: Path) -> None:
    """Figures of an estate that drifted would be figures of something else."""
    size = Size(2, 3)
    running.do.reset()
    running.do.replace(estate(size))
    world = World(running, tmp_path)
    world.only_these([json.loads(text) for text in specs(size).values()])
    world.finish()
    world.close()
    assert len(load(specs(size)).specs) == 2
    assert world.truth.organization(ORGANIZATION)["projects"]

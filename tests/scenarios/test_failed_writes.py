"""Faults in the middle of writes: whatever broke, a later run converges, nothing is done twice, no right is lost early.

Each route that is written to, by each way in which a write goes wrong: it never arrived, it arrived and the answer was
lost, it was refused, the service asked for quiet. Then processes that die, lie, lag and lose their lease.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from reconciler.engine import Outcome, waits
from reconciler.errors import LeaseHeld, NotEffective
from tests.examples import crossed
from tests.forking import run
from tests.scenarios.almanac import ahead_of
from tests.scenarios.drafts import (
    ANN,
    BOB,
    POOL,
    PRIME,
    ROLES,
    TAILSPIN,
    ZOE,
    estate,
    managed,
    organization,
)
from tests.scenarios.world import World

ROOT = Path(__file__).parents[2]
ROUTES = (
    "Pools_CreateOrUpdate",
    "pools.update",
    "queues.add",
    "pipelinepermissions.update",
    "roleassignments.set",
    "roleassignments.change",
    "graph.users.create",
)
KINDS = ("refused", "timeout-before", "timeout-after", "500", "409", "429", "403", "503", "truncated")
HAPPENED = {"timeout-after", "truncated"}
QUIET = 900.0


def much_to_do(world: World, *, arm: bool = False) -> None:
    """Work for every route: a queue to make, doors to open and close, people to add and remove; with a pool to update.

    An update makes the missing queue by itself, so it comes with none of ours.
    """
    world.switch(arm__update_seconds=0)
    world.only(POOL)
    left = estate()
    left["organizations"][0]["agentPools"][0]["autoProvision"] = False
    world.do.replace(left)
    world.policy("materialise: true\n")
    administrators = {"organization": PRIME, "administrators": [ANN, BOB, ZOE], "exclusive": True, "inherit": False}
    world.spec(
        managed(
            prime=organization(
                PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=3 if arm else 2
            ),
            access={
                "roles": [administrators, *ROLES[1:]],
                "agentPools": [{"organization": TAILSPIN, "autoProvision": True}],
            },
        )
    )
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("delete-queue", organization=TAILSPIN, pool=POOL, project="Data")
    world.do.reset_log()


def nobody_was_locked_out(world: World) -> None:
    """At every stop: the operator and those who were to stay administer both agent pools."""
    for name in (PRIME, TAILSPIN):
        assert {"operator", "ann"} <= world.truth.administrators(name, POOL)


def test_the_routes_below_are_those_that_are_written_to(world: World) -> None:
    """A write that is added to the program has to be added here."""
    much_to_do(world)
    world.settle()
    written = set(world.routes())
    much_to_do(world, arm=True)
    world.settle()

    assert written | set(world.routes()) == set(ROUTES)


@pytest.mark.soaked
@pytest.mark.parametrize(("route", "kind"), crossed(ROUTES, KINDS, one_of=7))
def test_a_write_that_goes_wrong_is_mended_by_a_later_run(world: World, route: str, kind: str) -> None:
    """No double effect, and grants stay before revocations, also where an answer was lost."""
    much_to_do(world, arm=route == "Pools_CreateOrUpdate")
    if kind.startswith("timeout"):
        world.patience(0.6)
    world.do.fault(kind, route=route, count=2, seconds=QUIET if kind in {"429", "503"} else 1)

    first = world.apply()
    nobody_was_locked_out(world)
    world.restart()
    world.later(max(first.next_look or 0, 60))
    world.do.settle()
    world.apply()
    nobody_was_locked_out(world)
    world.do.clear_faults()
    world.patience(30)
    world.later(QUIET + waits.FIRST.total_seconds())
    world.settle()

    pools = world.truth.organization(TAILSPIN)["agentPools"]
    assert [pool["name"] for pool in pools] == [POOL], "a queue made by name alone makes a pool"
    queues = [queue["project"] for queue in pools[0]["queues"]]
    assert sorted(queues) == ["Data", "Mobile", "Web"]
    assert world.truth.administrators(PRIME, POOL) == {"operator", "ann", "bob", "zoe"}


@pytest.mark.parametrize("kind", ["timeout-after", "truncated"])
def test_a_grant_whose_answer_was_lost_is_seen_and_not_given_again(world: World, kind: str) -> None:
    """The write was carried out: the proof finds it, and the run goes on as if the answer had come."""
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.patience(0.6)
    world.do.fault(kind, route="pipelinepermissions.update")

    result = world.apply()

    assert result.outcome is Outcome.APPLIED
    assert world.routes() == ["pipelinepermissions.update"]


DYING = """
import os, sys
from datetime import UTC, datetime, timedelta
from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.engine.events import Applied, Applying
from reconciler.config.settings import Settings
from reconciler.spec.loader import load

SystemClock.now = lambda self: datetime.now(UTC) + timedelta(seconds=float(sys.argv[2]))  # the scenario's time
writes = 0


def listen(event):
    global writes
    if isinstance(event, Applying):
        if writes == int(sys.argv[1]):
            os._exit(9)
        writes += 1


app = bootstrap.build(Settings.read(), listen)
app.safety.create()
for spec in load(app.source.snapshot().files).specs:
    app.reconciler.reconcile(spec, "r")
"""


@pytest.mark.parametrize("after", [0, 1, 2, 4])
def test_a_process_that_dies_between_two_writes_leaves_too_many_rights(world: World, after: int) -> None:
    """Killed without a word, its lease still held: the next process waits for the lease, and then goes on."""
    much_to_do(world)
    specs = world.write_specs()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    environment = {**kept, **world.environment(), "RECONCILER_SPECS": str(specs), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DYING, str(after), str(ahead_of(world.running))]
    died = run(command, env=environment, timeout=500, check=False, capture_output=True)
    assert died.returncode == 9, died.stderr.decode()[-2000:]
    assert len(world.writes()) == after
    nobody_was_locked_out(world)

    held = world.apply()
    assert [type(failure.error) for failure in held.failures] == [LeaseHeld]
    assert len(world.writes()) == after
    world.later(61)
    world.do.settle()
    world.settle()
    nobody_was_locked_out(world)


def test_a_write_without_effect_is_an_error_of_its_own_and_then_repaired(world: World) -> None:
    """The service says 200 and does nothing: only a fresh read tells, and it is done again until it is so."""
    world.switch(devops__open_access_write="lost-once")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    first = world.apply()
    second = world.apply()

    assert first.outcome is not Outcome.APPLIED
    assert first.outcome is not Outcome.IN_SYNC
    assert second.outcome is Outcome.APPLIED
    assert world.routes() == ["pipelinepermissions.update"] * 2


def test_a_write_that_never_has_an_effect_ends_as_not_effective(world: World) -> None:
    """Three times yes and nothing is to be seen: that is told as what it is, never as success."""
    world.switch(devops__write_lag=1_000_000)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.settle()

    results = [world.apply() for _ in range(3)]

    assert [result.outcome for result in results] == [Outcome.PROGRESSING, Outcome.PROGRESSING, Outcome.FAILED]
    assert [type(failure.error) for failure in results[-1].failures] == [NotEffective]


@pytest.mark.parametrize("lag", [3, 40])
def test_reads_that_lag_behind_writes_are_waited_for(world: World, lag: float) -> None:
    """What was written and is not visible yet is not written a second time at once, nor believed before it is seen."""
    world.switch(devops__write_lag=lag)
    administrators = {"organization": PRIME, "administrators": [BOB], "exclusive": True, "inherit": False}
    world.spec(managed(access={"roles": [administrators, *ROLES[1:]]}))
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.settle()

    first = world.apply()

    assert first.outcome is Outcome.PROGRESSING
    assert "ann" in world.truth.administrators(PRIME, POOL), "bob is not yet seen, so ann stays"
    world.settle()
    assert world.truth.administrators(PRIME, POOL) == {"operator", "bob"}


@pytest.mark.parametrize("second", ["refused", "accepted"])
def test_a_write_while_somebody_else_s_operation_runs_waits_for_it(world: World, second: str) -> None:
    """A person pressed «Apply» in the portal: the operator does not write over it, whatever ARM would let it."""
    world.switch(arm__concurrent_write=second, arm__update_seconds=300)
    wider = organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=5)
    world.spec(managed(prime=wider))
    world.apply()
    (world.folder / "state.db").unlink()
    world.restart()
    world.spec(managed(prime={**wider, "parallelism": 6}))

    result = world.apply()

    assert world.routes() == ["Pools_CreateOrUpdate"]
    assert result.outcome is Outcome.PROGRESSING
    world.do.settle()
    world.settle()
    assert world.truth.resource(POOL)["properties"]["maximumConcurrency"] == 8


def test_an_operation_that_is_refused_as_one_too_many_is_tried_again(world: World) -> None:
    """Between the read and the write another writer began: 409, and the next run finds it done."""
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=5)))
    world.do.fault("409", route="Pools_CreateOrUpdate", count=1)

    first = world.apply()

    assert first.outcome in {Outcome.FAILED, Outcome.STALLED}
    world.later(60)
    world.settle()


def test_a_worker_that_lost_its_lease_writes_nothing_more(world: World) -> None:
    """Another took over while this one was slow: two of them writing would undo each other's order."""
    much_to_do(world)
    other = World(world.running, world.folder)
    parts = world.parts
    taken: list[object] = []

    def slow(event: object) -> None:
        if type(event).__name__ == "Applied" and not taken:
            world.clock.skip(100)
            other.clock.skip(100)
            taken.append(other.leases.acquire(POOL, 60))

    world.listen = slow
    result = world.apply()

    assert taken
    assert [type(failure.error) for failure in result.failures] == [LeaseHeld]
    assert len(world.writes()) == 1
    assert parts is world.parts
    world.listen = lambda _: None
    world.later(120)
    world.do.settle()
    world.settle()
    other.close()


def test_the_budget_ends_a_run_at_a_step_and_the_next_goes_on(world: World) -> None:
    """The platform kills what takes too long: the run stops by itself before, between two writes."""
    much_to_do(world)
    world.listen = lambda event: world.clock.skip(100) if type(event).__name__ == "Applied" else None

    first = world.apply()

    assert first.outcome is Outcome.PROGRESSING
    assert 0 < len(world.writes()) < 6
    nobody_was_locked_out(world)
    world.listen = lambda _: None
    world.settle()

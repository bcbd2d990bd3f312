"""Facts outlive a message: what is fresh enough is not read again, what is too old or was touched is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reconciler.engine import Planner
from reconciler.errors import Throttled
from reconciler.plan.policy import Policy
from reconciler.ports.clock import MARGIN
from reconciler.ports.devops import Queue
from reconciler.survey import ListEvidence, SharedSurvey, scopes
from reconciler.survey.demand import Demand
from reconciler.survey.evidence import Evidence
from reconciler.survey.rotation import Feed, Rotation
from tests.estate import Estate
from tests.keeping import HandClock
from tests.survey.test_shared import ORG, spec, sweep

PROJECTS = 12
SHOWN = {ORG: ListEvidence(agreed=24, longest=10)}
"""A list that was shown to be complete: nothing is tried, so each read is one for its fact."""


class Process:
    """Planners of one process, over an estate of two pools, if nothing else is said."""

    def __init__(self, pools: int = 2, projects: int = PROJECTS) -> None:
        self.estate, self.clock = Estate(), HandClock()
        self.estate.add(ORG, pools, projects)
        self.specs = [spec(f"pool-{number + 1}") for number in range(pools)]
        for one in self.specs:
            self.estate.arm[one.pool_id.casefold()] = {"id": one.pool_id}
        self.evidence = Evidence(self.clock.now)
        self.evidence.name(self.specs, "c0ffee")
        self.planner = Planner((), self.estate.readers, Policy(), self.clock, evidence=self.evidence)

    def now(self) -> datetime:
        return self.clock.now()

    def demand(self, *about: scopes.Scope, put: datetime | None = None) -> Demand:
        put = put or self.now()
        return Demand(put, put, about)

    def look(self, demand: Demand | None, pools: int = 2) -> SharedSurvey:
        """A message about the first pools, which asks what facets ask of each."""
        survey = self.planner.survey(self.specs[:pools], SHOWN, demand=demand)
        sweep(self.estate, survey, pools)
        return survey

    def reads(self, demand: Demand | None, pools: int = 2) -> dict[str, int]:
        self.estate.calls.clear()
        self.look(demand, pools)
        return {kind: count for kind, count in self.estate.calls.items() if count}


@pytest.fixture
def process() -> Process:
    process = Process()
    process.look(None)
    process.clock.seconds += 60
    return process


def test_a_message_without_a_scope_reads_nothing_that_is_young_enough(process: Process) -> None:
    assert process.reads(process.demand()) == {}


def test_facts_beyond_the_maximum_age_are_read_again(process: Process) -> None:
    process.clock.seconds += 4 * 3600

    assert process.reads(process.demand())["queues"] == PROJECTS


def test_a_request_for_one_project_reads_that_project_alone(process: Process) -> None:
    project = process.estate.projects[ORG][3]

    assert process.reads(process.demand(scopes.project(ORG, project.name))) == {"queues": 1, "authorized": 1}
    process.clock.seconds += 1
    assert process.reads(process.demand(scopes.project(ORG, project.id))) == {"queues": 1, "authorized": 1}


def test_a_request_for_a_pool_reads_all_of_it_and_a_second_one_put_meanwhile_reads_nothing(process: Process) -> None:
    first = process.demand(scopes.pool("pool-1"))

    found = process.reads(first, 1)

    assert found["queues"] == found["authorized"] == PROJECTS
    assert process.reads(process.demand(scopes.pool("pool-1"), put=first.put), 1) == {}


def test_what_was_read_while_a_message_waited_counts_for_it_and_what_was_read_before_it_does_not(
    process: Process,
) -> None:
    put = process.now()
    process.clock.seconds += MARGIN.total_seconds() + 1
    process.look(None)
    process.clock.seconds += 600

    received = process.now()
    assert process.reads(Demand(received, put, (scopes.pool("pool-1"),)), 1) == {}
    assert process.reads(Demand(received, received, (scopes.pool("pool-1"),)), 1) != {}


def test_a_pool_of_its_own_shares_its_lists_with_the_others(process: Process) -> None:
    """A list that was read for one pool must not stand for two, and one for two serves each of them."""
    process.clock.seconds += 4 * 3600

    alone = process.reads(process.demand(), 1)
    assert alone["queues"] == PROJECTS
    assert "queues" not in process.reads(process.demand())

    process.evidence.name([*process.specs, spec("pool-3")], "another commit")
    process.estate.add(ORG, 3, PROJECTS)
    process.clock.seconds += 1
    assert process.reads(process.demand(scopes.agent_pools(ORG)))["queues"] == PROJECTS


def test_a_hint_ages_what_it_is_about_for_every_message(process: Process) -> None:
    process.evidence.hint(scopes.project(ORG, process.estate.projects[ORG][0].id), process.now())

    assert process.reads(process.demand()) == {"queues": 1, "authorized": 1}
    assert process.reads(process.demand()) == {}


def test_a_write_empties_the_evidence_too_and_a_read_before_it_is_not_kept(process: Process) -> None:
    project = process.estate.projects[ORG][0].id
    process.look(process.demand()).forget(ORG, project)

    assert process.reads(process.demand()) == {"queues": 1, "authorized": 1}


def test_reads_before_a_write_are_made_afresh_and_serve_the_others(process: Process) -> None:
    fresh = process.look(process.demand()).fresh()
    process.estate.calls.clear()
    sweep(process.estate, fresh, 2)

    assert process.estate.calls["queues"] == PROJECTS
    assert process.reads(process.demand(put=process.now())) == {}


def test_an_error_stays_in_its_message_and_an_older_fact_stays_known(process: Process) -> None:
    project = process.estate.projects[ORG][0]

    def throttled(name: str, args: tuple[object, ...]) -> None:
        if name == "queues" and project.id in args:
            raise Throttled("429", retry_after=30)

    process.estate.before = throttled
    survey = process.look(process.demand(scopes.project(ORG, project.id)))
    pool = survey.agent_pool(ORG, "pool-1")
    process.estate.before = lambda _name, _args: None

    assert isinstance(survey.queues(ORG, [project], pool)[project.id], Throttled)
    assert process.reads(process.demand()) == {}
    again = process.look(process.demand(scopes.project(ORG, project.id)))
    assert isinstance(again.queues(ORG, [project], pool)[project.id], Queue)


def test_a_resync_in_a_steady_state_costs_a_sixteenth_of_the_projects_and_the_lists_of_the_organization() -> None:
    process = Process(20, 500)
    process.look(None, 20)
    counts = []
    for _ in range(20):
        process.clock.seconds += 900
        now = process.now()
        process.evidence.heard(ORG, Feed(now, timedelta(minutes=2), whole=True))
        rotation = Rotation(timedelta(minutes=15), process.evidence.max_age, process.evidence.quiet())
        counts.append(sum(process.reads(Demand.of_sweep(now, now, rotation), 20).values()))

    assert sum(counts[:16]) / 16 <= 110
    assert sum(counts[4:]) / 16 <= 110
    assert max(counts) <= 200


@pytest.mark.parametrize("seconds", [-700, 700])
def test_what_was_read_before_the_clock_was_set_is_read_again(seconds: float) -> None:
    """Found by the simulation: a pool that did not exist 400 s ago was created again, over the one that is there now."""
    process = Process()
    stopwatch = 0.0
    process.evidence = process.planner.evidence = Evidence(process.clock.now, monotonic=lambda: stopwatch)
    process.look(None)
    stopwatch += 60
    process.clock.seconds += 60
    assert process.reads(process.demand()) == {}

    process.clock.seconds += seconds

    assert process.reads(process.demand())["queues"] == PROJECTS
    assert process.reads(process.demand()) == {}

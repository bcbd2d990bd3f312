"""A feed that leaves out changes is found out by what is read in turn, and does not count for a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.ports.devops import Project, Queue
from reconciler.survey import scopes
from reconciler.survey.demand import Demand
from reconciler.survey.feeds import DAY, LAG
from reconciler.survey.rotation import Feed, Rotation
from tests.examples import tries
from tests.survey.test_evidence import Process
from tests.survey.test_shared import ORG

QUARTER, MAX_AGE = timedelta(minutes=15), timedelta(hours=1)


class Sweeps(Process):
    """Sweeps each quarter of an hour over an organization with a feed, which is read a minute before."""

    def __init__(self) -> None:
        super().__init__()
        self.sweep()

    def sweep(self) -> int:
        """Reads of project facts."""
        self.clock.seconds += 60
        self.hear()
        now = self.now()
        rotation = Rotation(QUARTER, MAX_AGE, self.evidence.quiet())
        found = self.reads(Demand.of_sweep(now, now, rotation))
        self.clock.seconds += QUARTER.total_seconds() - 60
        return found.get("queues", 0) + found.get("authorized", 0)

    def hear(self) -> bool:
        return self.evidence.heard(ORG, Feed(self.now(), timedelta(minutes=5), whole=True))

    def toggle(self, project: Project) -> None:
        """A person opens or closes the queue of the first pool."""
        self.estate.open ^= {q.id for q in self.estate.queues[ORG] if (q.project_id, q.pool_id) == (project.id, 1)}

    def agrees(self, project: Project) -> bool:
        """Whether a message without a scope takes that queue for what it is."""
        survey = self.planner.survey(self.specs, demand=self.demand())
        pool = survey.agent_pool(ORG, "pool-1")
        queue = survey.queues(ORG, [project], pool)[project.id]
        assert isinstance(queue, Queue)
        return survey.open_access(ORG, {queue: True})[queue] is (queue.id in self.estate.open)


def whole(sweeps: Sweeps) -> int:
    return 2 * len(sweeps.estate.projects[ORG])


def test_changes_that_the_feed_left_out_make_every_sweep_read_everything_for_a_day() -> None:
    sweeps = Sweeps()
    assert sweeps.sweep() < whole(sweeps)
    for project in sweeps.estate.projects[ORG][:4]:
        sweeps.toggle(project)
    for _ in range(8):
        sweeps.sweep()

    assert ORG in sweeps.evidence.distrusted()
    assert sweeps.sweep() == whole(sweeps)
    sweeps.clock.seconds += DAY.total_seconds()
    sweeps.sweep()
    assert sweeps.evidence.distrusted() == {}
    assert sweeps.sweep() < whole(sweeps)


@pytest.mark.parametrize("late", [timedelta(), LAG - QUARTER])
def test_a_change_that_is_announced_is_no_gap_even_if_it_is_announced_late(late: timedelta) -> None:
    sweeps = Sweeps()
    changed = sweeps.estate.projects[ORG][:4]
    for project in changed:
        sweeps.toggle(project)
    for number in range(12):
        if QUARTER * number == late:
            for project in changed:
                sweeps.evidence.hint(scopes.project(ORG, project.id), sweeps.now())
        sweeps.sweep()

    assert sweeps.evidence.distrusted() == {}


def test_what_was_written_here_and_what_no_feed_announces_is_no_gap() -> None:
    sweeps = Sweeps()
    for project in sweeps.estate.projects[ORG]:
        survey = sweeps.look(sweeps.demand())
        sweeps.toggle(project)
        survey.forget(ORG, project.id)
    sweeps.estate.queues[ORG] = [replace(queue, name="renamed") for queue in sweeps.estate.queues[ORG]]
    for _ in range(8):
        sweeps.sweep()

    assert sweeps.evidence.distrusted() == {}


def test_without_a_feed_nothing_is_counted() -> None:
    process = Process()
    for _ in range(3):
        process.look(process.demand(scopes.organization(ORG)))
        process.estate.open.clear() if process.estate.open else process.estate.open.add(1)
        process.clock.seconds += 60

    assert process.evidence.distrusted() == {}
    assert process.evidence.quiet() == frozenset()


HINTS = st.sampled_from(["silent", "announced", "late", "lying", "twice"])


@settings(max_examples=tries(20, soaked=40), deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 11), HINTS), min_size=4, max_size=16))
def test_whatever_a_feed_says_no_drift_stays_unseen_beyond_the_maximum_age(steps: list[tuple[int, str]]) -> None:
    """One change before each sweep; the feed announces it, or another one, or later, or twice, or never."""
    sweeps = Sweeps()
    projects = sweeps.estate.projects[ORG]
    later: list[Project] = []
    unseen: dict[str, float] = {}
    for number, feed in steps:
        changed = projects[number]
        sweeps.toggle(changed)
        unseen.setdefault(changed.id, sweeps.clock.seconds)
        now = {"announced": [changed], "twice": [changed, changed], "lying": [projects[-1]]}.get(feed, [])
        for one in (*later, *now):
            sweeps.evidence.hint(scopes.project(ORG, one.id), sweeps.now())
        later = [changed] if feed == "late" else []
        looked = sweeps.clock.seconds + 60
        sweeps.sweep()
        unseen = {one.id: unseen[one.id] for one in projects if one.id in unseen and not sweeps.agrees(one)}
        assert all(looked - since <= MAX_AGE.total_seconds() for since in unseen.values())

"""Before a write, what it rests on is read afresh, and nothing else; what is known of other places stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

import pytest

from reconciler.engine import Outcome, Planner, Result
from reconciler.engine.fresh import outdated
from reconciler.engine.status import PoolStatus, Run
from reconciler.plan.model import Gap, GapKind, Plan
from reconciler.spec.model import Organization, Spec
from reconciler.survey import ListEvidence, scopes
from reconciler.survey.demand import Demand
from reconciler.survey.evidence import Evidence
from reconciler.survey.scopes import Scope
from tests.engine.stage import ORG, SPEC, Stage, converged
from tests.keeping import START

OTHER = replace(SPEC, name="pool-2", organizations=(Organization(ORG, "pool-2", (), open_access=True),))
PROJECTS = 30


@dataclass
class LongLived(Stage):
    """A stage whose process remembers."""

    lists: dict[str, ListEvidence] = field(default_factory=lambda: {ORG: ListEvidence(agreed=24, longest=9)})

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence(self.clock.now)

    @property
    def planner(self) -> Planner:
        return Planner(self.facets, self.estate.readers, self.policy, self.clock, evidence=self.evidence)

    def message(self, specs: Iterable[Spec], *about: Scope, whole: bool = False) -> tuple[list[Result], Counter[str]]:
        """The runs of a message about these scopes, and what it read."""
        batch = list(specs)
        self.evidence.name([SPEC, OTHER], "c0ffee")
        self.estate.calls.clear()
        now = self.clock.now()
        survey = self.planner.survey(batch, self.lists, demand=None if whole else Demand(now, now, about))
        return [self.run(one, survey=survey) for one in batch], Counter(self.estate.calls)


@pytest.fixture
def stage() -> LongLived:
    stage = LongLived()
    stage.estate.add(ORG, 2, PROJECTS)
    for one in (SPEC, OTHER):
        stage.estate.arm[one.pool_id.casefold()] = {"id": one.pool_id, "name": one.name}
    results, _ = stage.message([SPEC, OTHER], whole=True)
    assert [one.outcome for one in results] == [Outcome.IN_SYNC, Outcome.IN_SYNC]
    stage.clock.seconds += 600
    return stage


def close(stage: LongLived, at: int, pool: int = 1) -> Scope:
    """A person closes the queue of a pool in one project."""
    project = stage.estate.projects[ORG][at]
    queue = next(q for q in stage.estate.queues[ORG] if (q.project_id, q.pool_id) == (project.id, pool))
    stage.estate.open.discard(queue.id)
    return scopes.project(ORG, project.id, queue=queue.id)


def test_a_queue_that_was_closed_by_hand_is_found_opened_and_verified_in_a_few_calls(stage: LongLived) -> None:
    about = close(stage, 3)

    (result,), reads = stage.message([SPEC], about)

    assert result.outcome is Outcome.APPLIED
    assert [write[0] for write in stage.estate.writes] == ["open access"]
    assert reads.total() + len(stage.estate.writes) <= 12
    assert reads["authorized"] + reads["permissions"] + reads["queues"] <= 6


def test_of_a_batch_the_pool_that_writes_reads_again_what_the_write_rests_on_alone(stage: LongLived) -> None:
    about = close(stage, 3, pool=2)

    results, reads = stage.message([SPEC, OTHER], about)

    assert [one.outcome for one in results] == [Outcome.IN_SYNC, Outcome.APPLIED]
    assert reads["queues"] <= 2
    assert reads["authorized"] <= 4
    assert reads["agent pools"] == reads["projects"] == 1


def test_a_project_that_nobody_announced_waits_for_a_look_at_it(stage: LongLived) -> None:
    about = close(stage, 3)
    close(stage, 5)

    _, reads = stage.message([SPEC], about)
    assert reads["authorized"] <= 3

    results, _ = stage.message([SPEC], scopes.organization(ORG))
    assert [one.outcome for one in results] == [Outcome.APPLIED]
    assert len(stage.estate.writes) == 2


def test_other_changes_that_come_up_rest_on_facts_of_their_own(stage: LongLived) -> None:
    """The pool's own document is read again with each write, and here it brings up another one."""
    tagged = replace(SPEC, body={"tags": "blue"})
    stage.estate.arm[SPEC.pool_id.casefold()] |= {"tags": "blue"}
    stage.message([tagged, OTHER], whole=True)
    stage.clock.seconds += 600
    stage.estate.arm[SPEC.pool_id.casefold()] |= {"tags": "red"}

    (result, _), reads = stage.message([tagged, OTHER], close(stage, 3))

    assert result.outcome is Outcome.APPLIED
    assert sorted(str(write[0]) for write in stage.estate.writes) == ["open access", "put"]
    assert reads["queues"] <= 4


def test_what_is_known_and_outdated_writes_nothing(stage: LongLived) -> None:
    """Evidence says closed; by now another process has opened it."""
    about = close(stage, 3)
    project = stage.estate.projects[ORG][3]
    survey = stage.planner.survey(
        [SPEC, OTHER], stage.lists, demand=Demand(stage.clock.now(), stage.clock.now(), (about,))
    )
    pool = survey.agent_pool(ORG, "pool-1")
    queue = survey.queues(ORG, [project], pool)[project.id]
    assert survey.open_access(ORG, {queue: True}) == {queue: False}  # type: ignore[dict-item]
    stage.estate.open.add(queue.id)  # type: ignore[union-attr]
    stage.clock.seconds += 60

    (result, _), reads = stage.message([SPEC, OTHER])

    assert result.outcome is Outcome.IN_SYNC
    assert stage.estate.writes == []
    assert reads["authorized"] == 1


def test_where_another_process_has_seen_more_only_what_is_older_than_that_is_read_again(stage: LongLived) -> None:
    elsewhere = LongLived(estate=stage.estate, clock=stage.clock, shelf=stage.shelf, desk=stage.desk)
    stage.clock.seconds += 600
    stage.message([SPEC], scopes.project(ORG, stage.estate.projects[ORG][0].id))
    elsewhere.message([SPEC, OTHER], whole=True)
    stage.clock.seconds += 60

    (result,), reads = stage.message([SPEC])

    assert result.outcome is Outcome.IN_SYNC
    assert reads["queues"] == reads["authorized"] == PROJECTS - 1


LATER, LAST = START + timedelta(minutes=1), START + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("kind", "subject", "run", "before"),
    [
        (None, "", None, None),
        (None, "", LATER, LATER),
        (None, "", START, None),
        (GapKind.NOT_READY, ORG, None, LAST),
        (GapKind.NOT_READY, ORG, LATER, LAST),
        (GapKind.NOT_READY, f"{ORG}/web", None, None),
        (GapKind.NOT_READY, f"{ORG}/web", LATER, LATER),
        (GapKind.UNKNOWN, ORG, None, None),
    ],
)
def test_facts_older_than_another_run_or_than_the_request_for_a_missing_agent_pool_do_not_count(
    kind: GapKind | None, subject: str, run: datetime | None, before: datetime | None
) -> None:
    stage = converged()
    view = stage.planner.survey([SPEC])
    status = PoolStatus("pool-1", run=Run(START, START, "in-sync", facts_read=run) if run else None)
    gaps = (Gap("doors", subject, kind, "NotReady", "x"),) if kind else ()
    plan = Plan("pool-1", "c0ffee", gaps=gaps)
    view.requested = LAST

    assert outdated(status, view, plan) is None, "nothing was read"
    stage.planner.plan(SPEC, view, "c0ffee")
    assert view.oldest == START
    assert outdated(status, view, plan) == before
    view.requested = None
    assert outdated(status, view, plan) == (run if run == LATER else None)

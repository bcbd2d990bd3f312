"""A request is covered by the facts of its scope, as far as a run judged them: computed, and nowhere stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.spec.model import Organization
from reconciler.survey import scopes
from tests.survey.test_evidence import PROJECTS, Process
from tests.survey.test_shared import ORG


@pytest.fixture
def process() -> Process:
    """Both pools were judged by one look."""
    process = Process()
    survey = process.look(None)
    for one in process.specs:
        survey.judged(one)
    return process


def test_a_judged_pool_was_seen_when_its_oldest_fact_was_read(process: Process) -> None:
    seen = process.now()
    process.clock.seconds += 60

    assert process.evidence.seen(process.specs[0], [scopes.pool("pool-1")]) == seen
    assert process.evidence.seen(process.specs[0], [scopes.project(ORG, "project-3")]) == seen


def test_one_project_that_was_read_later_covers_requests_about_it_and_about_nothing_else(process: Process) -> None:
    before = process.now()
    process.clock.seconds += 60
    process.look(process.demand(scopes.project(ORG, "project-3")))

    for one in process.specs:
        assert process.evidence.seen(one, [scopes.project(ORG, "project-3")]) == process.now()
        assert process.evidence.seen(one, [scopes.pool(one.key)]) == before
        assert process.evidence.seen(one, [scopes.project(ORG, "project-3"), scopes.projects(ORG)]) == before


def test_what_changed_since_covers_nothing_until_a_run_of_the_pool_judged_it(process: Process) -> None:
    """The look of another pool may have read a project that was closed by hand meanwhile."""
    process.clock.seconds += 60
    about = [scopes.project(ORG, "project-3")]
    process.estate.open.clear()
    survey = process.look(process.demand(*about))
    survey.judged(process.specs[0])

    assert process.evidence.seen(process.specs[0], about) == process.now()
    assert process.evidence.seen(process.specs[1], about) is None


def test_a_hint_a_write_or_another_spec_takes_the_cover_away(process: Process) -> None:
    first, second = process.specs
    project = process.estate.projects[ORG][0]
    process.clock.seconds += 60
    process.evidence.hint(scopes.project(ORG, project.id), process.now())
    assert process.evidence.seen(first, [scopes.project(ORG, project.id)]) is None

    other = [scopes.project(ORG, process.estate.projects[ORG][1].name)]
    process.look(process.demand()).forget(ORG, process.estate.projects[ORG][1].id)
    assert process.evidence.seen(second, other) is None
    survey = process.look(process.demand())
    assert process.evidence.seen(second, other) is None
    survey.judged(second)
    assert process.evidence.seen(second, other) == process.now()

    another = replace(first, organizations=(Organization(ORG, "pool-1", (), open_access=False),))
    assert process.evidence.seen(another, [scopes.project(ORG, "project-9")]) is None


def test_what_was_never_read_or_never_judged_covers_nothing() -> None:
    process = Process()
    process.look(None)

    assert process.evidence.seen(process.specs[0], [scopes.pool("pool-1")]) is None
    survey = process.planner.survey(process.specs[:1], demand=None)
    survey.judged(process.specs[0])
    assert process.evidence.seen(process.specs[0], [scopes.project("fabrikam-tailspin", "Web")]) is None
    assert len(process.estate.projects[ORG]) == PROJECTS

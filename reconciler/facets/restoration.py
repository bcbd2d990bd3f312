"""Approvals and checks that queues had before their pool was replaced: on the new queues, before these are opened.

They go with the old queue, and no spec names them. So they are read before the deletion, stored with the note of it
(`reconciler.survey.owed`), and are desired state until each was found on the new queue. Meanwhile the project gets no
access: the facets of open access and of single pipelines wait for them. Afterwards checks are not managed.

Pipelines whose definition names an old queue by its id are changed to the new one, where the spec says
`repairDefinitions: true` and they have no secret variables. That gates nothing: such a pipeline has no queue before.

A check that a person added or changed meanwhile counts as the one of its kind, whatever its settings are. One of the
operator that has other settings is a gap: a person has to correct it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotFound, NotReady, ReconcilerError, Rejected
from reconciler.facets.support.observing import each, gap, queue_place, reach, target_of
from reconciler.facets.support.replacement import checks
from reconciler.plan.model import Change, Gap, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import QueuePlace, RepairedPipeline, RestoredCheck
from reconciler.ports.devops import Project, Queue, QueueCheck
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey
from reconciler.survey.owed import Owed, OwedCheck, OwedPipeline

NAME = "restoration"
_NOTE = "as before the replacement"


@dataclass(frozen=True, slots=True)
class Missing:
    """A check that the queue of one project is owed and does not have."""

    owed: OwedCheck
    place: QueuePlace
    queue: str

    @property
    def target(self) -> RestoredCheck:
        """The write that adds it."""
        return RestoredCheck(self.place, self.queue, {
            "type": {"id": self.owed.type_id, "name": self.owed.kind},
            "settings": dict(self.owed.settings),
            "timeout": self.owed.timeout,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broken:
    """A pipeline whose definition names the old queue."""

    owed: OwedPipeline
    place: QueuePlace

    @property
    def target(self) -> RepairedPipeline:
        """The write that changes it."""
        return RepairedPipeline(self.place, self.owed.pipeline_id, self.owed.path, self.owed.queue_id)


Observed = tuple[Missing | Broken, ...]


def parse(spec: Spec, now: datetime) -> Spec:  # noqa: ARG001 - what is owed is not in the spec
    """Every pool: what one is owed stands in the note of its deletion, whatever the spec says by now."""
    return spec


def observe(spec: Spec, desired: Spec, survey: Survey) -> Observation[Observed]:  # noqa: ARG001 - one spec
    """What is owed and missing; reads nothing for a pool that is owed nothing."""
    owed = {one.organization for one in survey.debts.owed}
    if not owed:
        return Observation(())
    known = {one.name for one in spec.organizations}
    for one in survey.debts.owed:
        dropped = isinstance(one, OwedPipeline) and not spec.repair_definitions
        if dropped or one.organization not in known:
            survey.debts.paid(one)  # the spec does not want it any more, or the pool is not used there
    organizations = [(one, one) for one in spec.organizations if one.name in owed]
    return each(NAME, (spec, survey), organizations, lambda one: _read(one, survey))


def diff(desired: Spec, observed: Observed) -> Sequence[Change]:  # noqa: ARG001 - all of it was observed
    """One check after the other."""
    changes: list[Change] = []
    count: Counter[str] = Counter()
    for one in observed:
        if isinstance(one, Broken):
            changes.append(_repair(one))
            continue
        text = checks.described(one.owed.check)
        subject = f"{one.owed.organization}/{one.place.project} {text}"
        count[subject] += 1
        twin = f" #{count[subject]}" if count[subject] > 1 else ""
        changes.append(Change(NAME, "check", f"{subject}{twin}", None, text, one.target, note=_NOTE))
    return changes


def _repair(one: Broken) -> Change:
    subject = f"{one.owed.organization}/{one.place.project} {one.owed.path}"
    before, after = f"queue {one.owed.queue_id}", f"queue {one.place.queue_id}"
    return Change(NAME, "pipeline queue", subject, before, after, one.target, note="its definition names it by id")


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse every check, and every edit of a pipeline, that is not owed to a queue that was read."""
    owed = [one.target for one in observed]
    return [
        Refusal(change, "not-owed", f"{change.subject}: nothing that was read requires this")
        for change in changes
        if change.target not in owed
    ]


def apply(change: Change, writers: Writers) -> None:
    """Add the check, or change the definition."""
    if isinstance(change.target, RepairedPipeline):
        place, pipeline = change.target.place, change.target.pipeline_id
        old, new = change.target.old_queue_id, place.queue_id
        writers.devops.repoint_pipeline(place.organization, place.project_id, pipeline, old, new)
        return
    target = target_of(change, RestoredCheck)
    place, kind = target.place, target.check["type"]
    check = QueueCheck(0, kind["name"], target.check["settings"], target.check["timeout"], kind["id"])
    writers.devops.add_check(place.organization, place.project_id, place.queue_id, target.queue, check)


# --- observe ------------------------------------------------------------------------------------------


def _read(organization: Organization, survey: Survey) -> Observation[Observed]:
    name, debts = organization.name, survey.debts
    visible = {project.id: project for project in survey.projects(name)}
    projects: dict[str, list[Owed]] = {}
    for one in debts.outstanding:
        if one.organization == name:
            projects.setdefault(one.project_id, []).append(one)
    pool = survey.agent_pool(name, organization.agent_pool)
    queues = survey.queues(name, [visible[one] for one in projects if one in visible], pool)
    within = {project.id for project in reach(NAME, organization, list(visible.values())).value}
    found: list[Missing | Broken] = []
    gaps: list[Gap] = []
    for key, owed in projects.items():
        subject = f"{name}/{owed[0].project}"
        try:
            queue = _queue(survey, owed[0], queues.get(key), wanted=key in within, visible=key in visible)
            if queue is None or queue.id == owed[0].queue_id:
                _paid(survey, owed)
                continue
            project = visible[key]
            pipelines = [one for one in owed if isinstance(one, OwedPipeline)]
            if len(pipelines) < len(owed):
                found += _compare(survey, project, queue, [one for one in owed if isinstance(one, OwedCheck)])
            if pipelines:
                subject = f"{subject} pipelines"
                found += _broken(survey, project, queue, pipelines)
        except ReconcilerError as error:
            gaps.append(gap(NAME, subject, error))
    return Observation(tuple(found), tuple(gaps))


def _broken(survey: Survey, project: Project, queue: Queue, owed: Sequence[OwedPipeline]) -> Iterator[Broken]:
    """Pipelines that name the old queue still; the others were changed, or are gone."""
    organization = owed[0].organization
    for one in owed:
        old = replace(queue, id=one.queue_id)
        if one.pipeline_id in {user.id for user in survey.queue_uses(organization, old, only="pipelines").pipelines}:
            yield Broken(one, queue_place(organization, project, queue))
        else:
            survey.debts.paid(one)


def _queue(
    survey: Survey, owed: Owed, answer: Queue | ReconcilerError | None, *, wanted: bool, visible: bool
) -> Queue | None:
    """The queue of the project; None where there is none, and none is created."""
    subject = f"{owed.organization}/{owed.project}"
    if not visible:
        if any(one.id == owed.project_id for one in survey.hidden_projects(owed.organization)):
            raise NotFound(f"{subject}: the project is hidden, so its approvals and checks cannot be added again")
        return None
    if isinstance(answer, ReconcilerError):
        raise answer
    if answer is None and wanted:
        raise NotReady(f"{subject}: approvals and checks are added after its queue exists")
    return answer


def _compare(survey: Survey, project: Project, queue: Queue, owed: Sequence[OwedCheck]) -> list[Missing]:
    """Pair what is owed with what is there, exact ones first; raises where the operator's own check differs."""
    organization = owed[0].organization
    left = list(survey.queue_uses(organization, queue, only="checks").checks)
    unmatched = []
    for one in owed:
        found = next((check for check in left if checks.there(one.check, check)), None)
        if found is None:
            unmatched.append(one)
        else:
            left.remove(found)
            survey.debts.paid(one)
    missing = []
    me = survey.me(organization).id if unmatched else ""
    for one in unmatched:
        similar = [check for check in left if checks.alike(one.check, check)]
        by_others = [check for check in similar if check.changed_by not in ("", me) and not check.disabled]
        if by_others:
            left.remove(by_others[0])
            survey.debts.paid(one)
        elif similar:
            there, before = checks.described(similar[0]), checks.described(one.check)
            raise Rejected(
                f"{organization}/{project.name}: the queue has {there}; before the replacement it had {before}; "
                "correct it by hand, the project gets no access before"
            )
        else:
            missing.append(Missing(one, queue_place(organization, project, queue), queue.name))
    return missing


def _paid(survey: Survey, owed: Iterable[Owed]) -> None:
    for one in owed:
        survey.debts.paid(one)


FACET: Facet[Spec, Observed] = Facet(
    name=NAME,
    title="approvals and checks of a pool that was replaced",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)

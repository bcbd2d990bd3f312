"""The explanation, and its two forms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.documents import Json
from reconciler.plan import render
from reconciler.plan.model import Change, Gap, Plan, Refusal
from reconciler.plan.targets import (
    CreatePool,
    NewQueue,
    OpenAccess,
    PipelineAuthorization,
    ProjectPlace,
    QueuePlace,
    UpdatePool,
)
from reconciler.spec import effective
from reconciler.spec.model import Mode, OpenAccessException
from reconciler.tools.explain.question import Question
from reconciler.tools.explain.steps import NAMES, ExplainStep, State

FORMAT = "reconciler/explanation/v1"
_MARKS = {State.HOLDS: "+", State.MISSING: "-", State.DOUBTFUL: "!", State.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether it may run, why, and what the operator will do."""

    question: Question
    steps: tuple[ExplainStep, ...]
    wants: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    """What the operator would do about this project, in order, with what follows from a creation."""
    refusals: tuple[Refusal, ...] = ()
    gaps: tuple[Gap, ...] = ()
    advice: tuple[str, ...] = ()
    """What a person can do so that it runs; empty where it may, or where the operator will do it."""
    held: tuple[str, ...] = ()
    """What holds changes of the pool back: modes, pauses, windows, with their ends."""

    @property
    def missing(self) -> ExplainStep | None:
        """The first step that is missing, else the first that could not be read; None where there is none."""
        of = [[step for step in self.steps if step.state is state] for state in (State.MISSING, State.UNKNOWN)]
        return next((step for found in of for step in found), None)

    @property
    def may(self) -> bool | None:
        """Whether it may run now; None where that could not be read. Roles do not decide it."""
        first = self.missing
        if first is None or first.name == NAMES[-1]:
            return True
        return False if first.state is State.MISSING else None

    def text(self) -> str:
        """For people."""
        return "\n".join(render.clean(line) for line in self._lines())

    def to_json(self) -> dict[str, Json]:
        """For programs."""
        first = self.missing
        return {
            "format": FORMAT,
            "pool": self.question.spec.name,
            "organization": self.question.organization.name,
            "project": self.question.project,
            "pipeline": self.question.pipeline,
            "may": self.may,
            "firstMissing": first.name if first else None,
            "steps": [
                {"name": s.name, "state": s.state.value, "says": s.says, "by": s.by, "on": s.on} for s in self.steps
            ],
            "wants": list(self.wants),
            "changes": [change.to_json() for change in self.changes],
            "refusals": [{"change": r.change.id, "rule": r.rule, "message": r.message} for r in self.refusals],
            "notApplied": list(self.held),
            "advice": list(self.advice),
            "gaps": [{"facet": g.facet, "kind": g.kind.value, "message": g.message} for g in self.gaps],
        }

    def _lines(self) -> Iterator[str]:
        yield f"{self._who()}: {self._verdict()}"
        width = max(map(len, NAMES))
        for step in self.steps:
            author = f"; opened by {step.by or 'an unnamed identity'}" if step.by or step.on else ""
            when = f" on {step.on}" if step.on else ""
            yield f"  {_MARKS[step.state]} {step.name:<{width}}  {step.says}{author}{when}"
        yield "the spec says:"
        yield from (f"  {line}" for line in self.wants)
        yield "the operator:"
        yield from (f"  {line}" for line in dict.fromkeys(self._outlook()))
        if self.advice:
            yield "to let it run:"
            yield from (f"  {line}" for line in self.advice)

    def _who(self) -> str:
        which = "" if self.question.pipeline is None else f" pipeline {self.question.pipeline}"
        return f"{self.question.place}{which} on {self.question.spec.name}"

    def _verdict(self) -> str:
        first = self.missing
        if self.may:
            return "may run" if self.question.pipeline is not None else "every pipeline may run"
        assert first is not None  # noqa: S101 - for the type checker: without one it may run
        if self.may is None:
            return f"unknown whether it may run; {first.name} could not be read"
        return f"may not run; first missing: {first.name}"

    def _outlook(self) -> Iterator[str]:
        yield from (render.summary(change) + _note(change) for change in self.changes)
        yield from (f"! refuses {one.change.kind} {one.change.subject}: {one.message}" for one in self.refusals)
        yield from (f"? {one.message}" for one in self.gaps)
        yield from self.held
        if not (self.changes or self.refusals or self.gaps):
            yield "has nothing to do here: in sync with the spec"


def explanation_of(question: Question, steps: Sequence[ExplainStep], plan: Plan, now: datetime) -> Explanation:
    """`plan` is the pool's; what is about other projects is left out."""
    bare = Explanation(question, tuple(steps), spec_says(question, now), held=plan.not_applied)
    changes = tuple(change for change in plan.all_changes if _concerns(question, change))
    return replace(
        bare,
        changes=changes,
        refusals=tuple(refusal for refusal in plan.refusals if _concerns(question, refusal.change)),
        gaps=tuple(gap for gap in plan.gaps if not gap.foreseen and _near(question, gap)),
        advice=() if bare.may else advised(question, bare.missing, changes, now),
    )


def _note(change: Change) -> str:
    parts = [
        change.note,
        f"after {change.awaits}" if change.awaits else "",
        f"waited for once: {change.wait_once}" if change.wait_once else "",
    ]
    return f" ({', '.join(filter(None, parts))})" if any(parts) else ""


def _concerns(question: Question, change: Change) -> bool:
    place = change.place
    if place is None:
        return True
    if place.organization != question.organization.name:
        return False
    if isinstance(place, QueuePlace | ProjectPlace):
        return place.project.casefold() == question.project.casefold()
    return True


def _near(question: Question, gap: Gap) -> bool:
    """Gaps of the pool and of its prerequisites, of the organization, and of the project itself."""
    subject = gap.subject.casefold()
    organization, _, rest = subject.partition("/")
    name = organization.partition(" ")[0]
    if organization == question.spec.key or name not in {one.name for one in question.spec.organizations}:
        return True
    if rest:
        return subject.removesuffix(" renamed") == question.place.casefold()
    return name == question.organization.name


def spec_says(question: Question, now: datetime) -> tuple[str, ...]:
    """One sentence for each thing that the spec says; `now` decides which exceptions count."""
    return (*_reach(question), *_access(question, now), *_pipelines(question), *_people(question), *_mode(question))


def _reach(question: Question) -> Iterator[str]:
    organization = question.organization
    if question.project.casefold() in organization.without_queue:
        yield f"{question.place} is left as it is, by access.withoutQueue: no queue is created there"
    elif "projects" in organization.silent:
        yield f"the spec names no projects of {organization.name}: those that ARM has count, and they were not read"
    elif not organization.projects:
        yield f"all projects of {organization.name} use the pool, also those created later"
        if organization.auto_provision is not None:
            yield f"autoProvision of {organization.name} is {_word(organization.auto_provision)}"
    elif question.project in organization.projects:
        yield f"{question.place} uses the pool"
    else:
        yield f"{question.place} is not among the projects that use the pool: {', '.join(organization.projects)}"


def _access(question: Question, now: datetime) -> Iterator[str]:
    name = question.organization.name
    in_force = effective.exceptions(question.spec, name, now).get(question.project.casefold())
    if in_force:
        yield f"open access is {_word(in_force.allow)} by an exception{_until(in_force)}{_reason(in_force)}"
    flag = question.organization.open_access
    behind = "; the exception counts before it" if in_force else ""
    yield f"open access is not managed in {name}" if flag is None else f"openAccess of {name} is {_word(flag)}{behind}"
    for one in question.spec.access.open_access:
        if _about(question, one.organization, one.project) and one.until and one.until < now.astimezone(UTC).date():
            yield f"the exception {_word(one.allow)} ended on {one.until.isoformat()}{_reason(one)}"


def _pipelines(question: Question) -> Iterator[str]:
    for grant in question.spec.access.pipelines:
        if _about(question, grant.organization, grant.project):
            alone = " and no others" if grant.exclusive else ""
            yield f"pipelines authorized individually{alone}: {', '.join(map(str, grant.pipelines)) or 'none'}"


def _people(question: Question) -> Iterator[str]:
    spec, name = question.spec, question.organization.name
    people, exclusive, inherit = effective.administration(spec, name)
    if people:
        alone = " and no others" if exclusive else ""
        yield f"administrators of the agent pool{alone}: {', '.join(people)}"
    if inherit is not None:
        yield f"inheritance of roles is {'on' if inherit else 'off'}"


def _mode(question: Question) -> Iterator[str]:
    spec = question.spec
    reason = f": {spec.reason}" if spec.reason else ""
    if spec.mode is Mode.REPORT:
        yield f"mode is report, so differences are shown and nothing is written{reason}"
    elif spec.mode is Mode.PAUSE:
        yield f"mode is pause until {spec.until}, so differences are shown and nothing is written{reason}"


def _about(question: Question, organization: str, project: str) -> bool:
    return organization == question.organization.name and project.casefold() == question.project.casefold()


def _word(allow: bool) -> str:
    return "on" if allow else "off"


def _until(one: OpenAccessException) -> str:
    return f" until {one.until.isoformat()}" if one.until else ""


def _reason(one: OpenAccessException) -> str:
    return f" ({one.reason})" if one.reason else ""


_RESOURCE, _AGENT_POOL, _PROJECT, _QUEUE, _AUTHORIZATION, _ROLES = NAMES


def advised(question: Question, first: ExplainStep | None, changes: Sequence[Change], now: datetime) -> tuple[str, ...]:
    """Sentences in the imperative; none where it may run, or where the operator is about to make it so."""
    if first is None:
        return ()
    if first.state is State.UNKNOWN or first.name == _PROJECT:
        return (f"find out which right is missing: mdp-reconciler doctor {question.spec.name}",)
    if first.name == _ROLES or not first.found:
        return ()
    own = any(_makes(change, first.name) for change in changes)
    return tuple(_awaited(question, now) if own else _edit(question, first.name))


def _makes(change: Change, step: str) -> bool:
    """Whether a change is what the step waits for."""
    makes = {
        _RESOURCE: (CreatePool, UpdatePool),
        _AGENT_POOL: (CreatePool,),
        _QUEUE: (NewQueue,),
        _AUTHORIZATION: (OpenAccess, PipelineAuthorization),
    }
    narrows = step in (_QUEUE, _AUTHORIZATION) and change.narrows
    return isinstance(change.target, makes[step]) and not narrows


def _awaited(question: Question, now: datetime) -> Iterator[str]:
    if question.spec.paused_on(now.astimezone(UTC).date()):
        yield f"the pool is paused until {question.spec.until}: end it in {question.spec.path}, or do it by hand"
    if question.spec.mode is Mode.REPORT:
        yield f"set mode: enforce in {question.spec.path}, or do by hand what the operator shows"


def _edit(question: Question, step: str) -> Iterator[str]:
    organization, path = question.organization, question.spec.path
    name = question.project.casefold()
    if organization.projects and name not in map(str.casefold, organization.projects):
        yield f"add {question.project} to the projects of {organization.name} in {path}"
    elif step == _QUEUE and name in organization.without_queue:
        yield f"remove {question.place} from access.withoutQueue in {path}"
    elif step == _AUTHORIZATION:
        yield f"allow it in {path}: {_opening(question)}"
    elif step in (_RESOURCE, _AGENT_POOL):
        yield f"find out which right is missing: mdp-reconciler doctor {question.spec.name}"


def _opening(question: Question) -> str:
    """The narrowest first."""
    pipeline = question.pipeline if question.pipeline is not None else "the pipeline"
    exception = f"{{ project: {question.place}, allow: true, reason: … }}"
    return f"{pipeline} under access.pipelines, or for all pipelines {exception} under access.openAccess"

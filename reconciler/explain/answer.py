"""The whole answer, and its two forms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler import render
from reconciler.explain.advice import advised
from reconciler.explain.asked import Question
from reconciler.explain.trail import NAMES, State, Step
from reconciler.explain.wanted import wanted
from reconciler.plan import Change, Gap, Json, Plan, Refusal, Route

FORMAT = "reconciler/explanation/v1"
_MARKS = {State.HOLDS: "+", State.MISSING: "-", State.DOUBTFUL: "!", State.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """May it run, why, and what becomes of it."""

    question: Question
    steps: tuple[Step, ...]
    wants: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    """What the operator would do about this project, in order."""
    refusals: tuple[Refusal, ...] = ()
    gaps: tuple[Gap, ...] = ()
    advice: tuple[str, ...] = ()
    """What somebody can do so that it runs; empty where it may, or will by itself."""
    planned: bool = True
    """False where the pool is paused, so that nothing is known of what would be done."""

    @property
    def missing(self) -> Step | None:
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
            "advice": list(self.advice),
            "gaps": [{"facet": g.facet, "kind": g.kind.value, "message": g.message} for g in self.gaps],
        }

    def _lines(self) -> Iterator[str]:
        yield f"{self._who()}: {self._verdict()}"
        width = max(map(len, NAMES))
        for step in self.steps:
            author = f"; opened by {step.by or 'somebody unnamed'}" if step.by or step.on else ""
            when = f" on {step.on}" if step.on else ""
            yield f"  {_MARKS[step.state]} {step.name:<{width}}  {step.says}{author}{when}"
        yield "the spec wants:"
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
        assert first is not None  # noqa: S101 - told to the type checker: without one it may run
        if self.may is None:
            return f"not known whether it may run; {first.name} could not be read"
        return f"may not run; first missing: {first.name}"

    def _outlook(self) -> Iterator[str]:
        yield from (render.summary(change) + _note(change) for change in self.changes)
        yield from (f"! refuses {one.change.kind} {one.change.subject}: {one.message}" for one in self.refusals)
        yield from (f"? {one.message}" for one in self.gaps)
        if not self.planned:
            yield "plans nothing: the pool is paused"
        elif not (self.changes or self.refusals or self.gaps):
            yield "has nothing to do here: it is as the spec wants it"


def explained(question: Question, steps: Sequence[Step], plan: Plan | None, now: datetime) -> Explanation:
    """`plan` is the pool's; what is about other projects is left out. None: nothing is planned, the pool is paused."""
    bare = Explanation(question, tuple(steps), wanted(question, now), planned=plan is not None)
    if plan is None:
        paused = f"the pool is paused until {question.spec.until}: end it in {question.spec.path}, or do it by hand"
        return replace(bare, advice=() if bare.may else (paused,))
    changes = tuple(change for change in plan.changes if _concerns(question, change))
    return replace(
        bare,
        changes=changes,
        refusals=tuple(refusal for refusal in plan.refusals if _concerns(question, refusal.change)),
        gaps=tuple(gap for gap in plan.gaps if _near(question, gap)),
        advice=() if bare.may else advised(question, bare.missing, changes),
    )


def _note(change: Change) -> str:
    parts = [part for part in (change.note, f"waited for once: {change.wait_once}" if change.wait_once else "") if part]
    return f" ({', '.join(parts)})" if parts else ""


def _concerns(question: Question, change: Change) -> bool:
    if change.route is Route.ARM:
        return True
    if change.args.get("organization") != question.organization.name:
        return False
    project = change.args.get("project")
    return project is None or str(project).casefold() == question.project.casefold()


def _near(question: Question, gap: Gap) -> bool:
    """Gaps of the pool and of what lies around it, of the organization, and of the project itself."""
    subject = gap.subject.casefold()
    organization, _, rest = subject.partition("/")
    name = organization.partition(" ")[0]
    if organization == question.spec.key or name not in {one.name for one in question.spec.organizations}:
        return True
    if rest:
        return subject.removesuffix(" renamed") == question.place.casefold()
    return name == question.organization.name

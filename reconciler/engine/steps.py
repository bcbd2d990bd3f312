"""Apply and prove: the only place where anything is written.

Before every single write the lease is checked. A change that fails stops neither its neighbours nor other
organizations; an organization that asks for fewer calls gets no further write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.engine.events import Applied, Applying, Event, Failed, PassStarted, Proved, Proving, Waiting
from reconciler.engine.memory import Memory
from reconciler.engine.planner import Planner
from reconciler.engine.run_state import RunState
from reconciler.engine.status import Finding, InFlight, Truth
from reconciler.engine.stored import Replacing
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.engine.verdict import summary
from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change
from reconciler.plan.targets import AgentPoolPlace, OrganizationPlace, ProjectPlace, QueuePlace
from reconciler.ports.azure import Pending
from reconciler.ports.readers_writers import Writers


class Steps:
    """The passes of one run."""

    def __init__(
        self, planner: Planner, writers: Writers, memory: Memory, tenure: Tenure, listen: Callable[[Event], None]
    ) -> None:
        self._planner = planner
        self._writers = writers
        self._memory = memory
        self._tenure = tenure
        self._listen = listen
        self._facets = {facet.name: facet for facet in planner.facets}

    def run(self, work: RunState, limits: RunLimits) -> None:
        """Pass after pass until nothing can be done now, the budget ends, or an operation is in flight."""
        for number in range(1, limits.passes + 1):
            for change in work.notice():
                self._listen(Waiting(work.spec.name, change))
            changes = work.next_changes()
            if not changes:
                return
            self._begin(work)
            self._listen(PassStarted(work.spec.name, number, work.plan, len(changes)))
            written = self._apply(work, changes)
            if written:
                self._prove(work, written)
            if work.pending or work.exhausted:
                return

    def _begin(self, work: RunState) -> None:
        """Write down what is attempted before it is: a run that dies shows what it was about."""
        if work.begun:
            return
        work.begun = True
        found = Finding(Truth.FALSE, "OutOfSync", summary(work.plan), in_motion="Progressing")
        status = replace(self._memory.status, attempted=work.revision, path=work.spec.path)
        self._memory.save(status.found(found, self._planner.clock.now()))

    def _apply(self, work: RunState, changes: Sequence[Change]) -> list[Change]:
        """Write one change after the other; returns those that have to be looked at again."""
        written: list[Change] = []
        for index, change in enumerate(changes, 1):
            # One step at least is made in every run, or a slow estate would be planned for ever.
            work.exhausted = bool(work.tried) and self._tenure.exhausted
            if work.exhausted or work.pending:
                break
            if not work.allowed_now(change):
                continue
            self._tenure.check()
            self._note(work, change)
            self._listen(Applying(work.spec.name, index, len(changes), change))
            try:
                pending = self._write(change)
            except ReconcilerError as error:
                work.failure(change, error)
                self._listen(Failed(work.spec.name, change, error))
            else:
                work.wrote(change)
                self._listen(Applied(work.spec.name, index, len(changes), change, pending is not None))
                if pending is not None:
                    self._keep(work, change, pending)
                    continue
            written.append(change)
        return written

    def _write(self, change: Change) -> Pending | None:
        about = {
            "reconciler.facet": change.facet,
            "reconciler.action": change.action.value,
            "reconciler.risk": change.risk.value,
        }
        with self._planner.telemetry.span("write", attributes=about) as span:
            pending = self._facets[change.facet].apply(change, self._writers)
            if pending is not None:
                span.set("reconciler.pending", True)
            return pending

    def _note(self, work: RunState, change: Change) -> None:
        """Write down what is about to be destroyed before it is: whoever comes next makes it anew and says why."""
        if change.destroys:
            now = self._planner.clock.now()
            note = Replacing(change.facet, f"{change.subject}: {change.before} → {change.after}", work.revision, now)
            self._memory.save(replace(self._memory.status, replacing=note))

    def _keep(self, work: RunState, change: Change, pending: Pending) -> None:
        """Store the operation at once: a run that dies now must not lose it."""
        work.pending = InFlight(
            url=pending.url,
            description=pending.description,
            facet=change.facet,
            change=change.id,
            retry_after=pending.retry_after,
            since=self._planner.clock.now(),
        )
        work.plan = work.plan.with_allowed([other for other in work.plan.changes if other.id != change.id])
        self._memory.save(replace(self._memory.status, pending=work.pending))

    def _prove(self, work: RunState, written: list[Change]) -> None:
        """Read again what was touched. In sync is something seen, never something written."""
        self._listen(Proving(work.spec.name, tuple(written)))
        for change in written:
            _forget(work, change)
        with self._planner.telemetry.span("prove", attributes={"reconciler.written": len(written)}) as span:
            plan = self._planner.plan(work.spec, work.survey, work.revision)
            seen = work.prove(plan, written)
            span.set("reconciler.proved", len(seen))
        self._listen(Proved(work.spec.name, tuple(seen)))


def _forget(work: RunState, change: Change) -> None:
    match change.place:
        case QueuePlace() as place:
            work.survey.forget(place.organization, place.project_id, place.queue_id)
        case ProjectPlace() as place:
            work.survey.forget(place.organization, place.project_id)
        case OrganizationPlace() | AgentPoolPlace() as place:
            work.survey.forget(place.organization)
        case None:
            work.survey.forget()

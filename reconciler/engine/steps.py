"""Apply and verify: the only place where anything is written.

Before every single write the lease is checked. A change that fails stops neither its neighbours nor other
organizations; an organization that asks for fewer calls gets no further write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.engine import causes
from reconciler.engine.causes import Occurrence
from reconciler.engine.events import Applied, Applying, Event, Failed, PassStarted, Verified, Verifying, Waiting
from reconciler.engine.gate import WriteGate
from reconciler.engine.memory import Memory
from reconciler.engine.naming import NameRules, without_names
from reconciler.engine.notices import beginning
from reconciler.engine.planner import Planner
from reconciler.engine.proofs import Ownership
from reconciler.engine.recorder import Recorder
from reconciler.engine.run_state import RunState
from reconciler.engine.status import InFlight
from reconciler.engine.stored import Replacing
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.engine.verdict import out_of_sync
from reconciler.engine.waits import reaches_devops
from reconciler.engine.without_effect import lines_of
from reconciler.errors import ReconcilerError, Unavailable
from reconciler.plan.model import Change
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import AgentPoolPlace, OrganizationPlace, ProjectPlace, QueuePlace, ReplacePool, UpdatePool
from reconciler.ports import pacing
from reconciler.ports.azure import Pending
from reconciler.ports.pacing import Priority
from reconciler.ports.readers_writers import Writers
from reconciler.survey.owed import Debts, Owed, owed_of


class Steps:
    """The passes of one run."""

    def __init__(
        self,
        planner: Planner,
        writers: Writers,
        memory: Memory,
        tenure: Tenure,
        listen: Callable[[Event], None],
        *,
        recorder: Recorder,
        gate: Callable[[], WriteGate],
        names: NameRules,
    ) -> None:
        """`gate`: what the modes allow now; called before each write."""
        self._planner = planner
        self._writers = writers
        self._memory = memory
        self._tenure = tenure
        self._listen = listen
        self._recorder = recorder
        self._gate = gate
        self._names = names
        self._facets = {facet.name: facet for facet in planner.facets}

    @pacing.at_least(Priority.EVENT)
    def run(self, run: RunState, limits: RunLimits) -> None:
        """Pass after pass until nothing can be done now, the budget ends, or an operation is in flight."""
        self._record(run)
        try:
            self._passes(run, limits)
        finally:
            run.unrecorded = self._recorder.flush()

    def _passes(self, run: RunState, limits: RunLimits) -> None:
        for number in range(1, limits.passes + 1):
            for change in run.left_to_azure():
                self._listen(Waiting(run.basis.spec.name, change))
            changes = run.next_changes()
            if not changes:
                return
            if number == 1:
                self._begin(run, changes)
            self._listen(PassStarted(run.basis.spec.name, number, run.plan, len(changes)))
            written = self._apply(run, changes)
            if written:
                self._verify(run, written)
            self._recorder.flush()
            if run.pending or run.exhausted:
                return

    def _begin(self, run: RunState, changes: Sequence[Change]) -> None:
        """Store what is attempted before it is: a run that dies shows what it was about."""
        basis, known = run.basis, self._memory.status
        cause = basis.cause(run.plan)
        status = replace(
            known,
            attempted=basis.revision,
            path=basis.spec.path,
            cause=cause,
            verified=known.verified and known.verified.before_writing(basis.digest),
        )
        if cause is SyncCause.DRIFT:
            status = replace(status, notices=beginning(known.notices, changes, named=self._names.telemetry))
        found = causes.finding([Occurrence(causes.BEGUN, out_of_sync(cause, run.plan))])
        self._memory.save(status.found(found, self._planner.clock.now()))

    def _apply(self, run: RunState, changes: Sequence[Change]) -> list[Change]:
        """Write one change after the other; returns those that have to be read again."""
        written: list[Change] = []
        for index, change in enumerate(changes, 1):
            # One step at least is made in every run, or a slow estate would only ever be planned.
            run.exhausted = bool(run.attempts) and self._tenure.exhausted
            if run.exhausted or run.pending:
                break
            run.gate = self._gate()
            if not run.still_allowed(change):
                continue
            self._tenure.check()
            if (refused := self._recorded(run, change)) is not None:
                run.attempted(change, refused, sent=False)
                self._listen(Failed(run.basis.spec.name, change, refused, self._recorder.entry(change), sent=False))
                continue
            if self._too_late(run, change):
                continue
            self._note(run, change)
            self._listen(Applying(run.basis.spec.name, index, len(changes), change))
            run.sending = change
            try:
                run.basis.claims.before_write(change, run.basis.spec, run.basis.survey, self._planner.clock)
                if self._too_late(run, change):
                    run.sending = None
                    continue
                pending = self._write(change)
            except ReconcilerError as error:
                run.attempted(change, error)
                self._recorder.result(change, error)
                self._listen(Failed(run.basis.spec.name, change, error, self._recorder.entry(change)))
            else:
                run.attempted(change)
                self._recorder.result(change, pending=pending is not None)
                entry = self._recorder.entry(change)
                self._listen(Applied(run.basis.spec.name, index, len(changes), change, pending is not None, entry))
                if pending is not None:
                    self._keep(run, change, pending)
                    continue
            written.append(change)
        return written

    def _recorded(self, run: RunState, change: Change) -> ReconcilerError | None:
        """Record the intent of a write; why that is not possible, or too late for a cap, and nothing goes out."""
        try:
            self._recorder.intend(change)
        except ReconcilerError as error:
            return error
        try:
            overtaken = run.basis.caps.overtaken(change, run.basis.policy)
        except ReconcilerError as error:
            self._recorder.withdrawn(change, error)
            return error
        if overtaken:
            self._recorder.withdrawn(change, Unavailable(overtaken))
            return Unavailable(f"{change.kind} {change.subject}: {overtaken}")
        return None

    def _too_late(self, run: RunState, change: Change) -> bool:
        """Whether a window closed while a change was recorded: it does not go out, and its entry says so."""
        now = self._planner.clock.now()
        run.gate = run.gate.at(now)
        setting = run.held(change)
        if setting is None:
            return False
        self._recorder.withdrawn(change, Unavailable(str(setting)))
        return True

    def _write(self, change: Change) -> Pending | None:
        subject = change.subject if self._names.telemetry else without_names(change, change.subject)
        about = {
            "reconciler.facet": change.facet,
            "reconciler.action": change.action.value,
            "reconciler.risk": change.risk.value,
            "reconciler.subject": f"{change.kind} {subject}",
            "reconciler.entry": self._recorder.entry(change),
        }
        with self._planner.telemetry.span("write", attributes=about) as span:
            pending = self._facets[change.facet].apply(change, self._writers)
            if pending is not None:
                span.set("reconciler.pending", True)
            return pending

    def _record(self, run: RunState) -> None:
        """Record the agent pools that were proven to be the pool's own."""
        spec, claims = run.basis.spec, run.basis.claims
        found = self._planner.ownership(spec, run.basis.survey, claims).found()
        claims.record(spec, (one for one in found.values() if isinstance(one, Ownership)))

    def _note(self, run: RunState, change: Change) -> None:
        """Store what is about to be destroyed before it is: the next run creates it again and says why."""
        if change.destroys:
            now = self._planner.clock.now()
            what = f"{change.subject}: {change.before} → {change.after}"
            note = Replacing(change.facet, what, run.basis.revision, now, owed_by(change))
            run.basis.survey.debts = Debts(note.owed)
            self._memory.save(replace(self._memory.status, replacing=note))

    def _keep(self, run: RunState, change: Change, pending: Pending) -> None:
        """Store the operation at once: a run that dies now must not lose it."""
        run.pending = InFlight(
            url=pending.url,
            description=pending.description,
            facet=change.facet,
            change=change.id,
            retry_after=pending.retry_after,
            since=self._planner.clock.now(),
            lines=lines_of(change),
            spec=run.basis.digest,
            record=self._recorder.reference(change),
        )
        run.plan = run.plan.with_allowed([other for other in run.plan.changes if other.id != change.id])
        self._memory.save(replace(self._memory.status, pending=run.pending))

    def _verify(self, run: RunState, written: list[Change]) -> None:
        """Read again what was touched. In sync is what was read, never what was written."""
        self._listen(Verifying(run.basis.spec.name, tuple(written)))
        for change in written:
            _forget(run, change)
        run.basis.caps.forget()
        with self._planner.telemetry.span("verify", attributes={"reconciler.written": len(written)}) as span:
            basis = run.basis
            plan = self._planner.plan(basis.spec, basis.survey, basis.revision, basis.claims, caps=basis.caps)
            self._record(run)
            seen = run.verify(plan, written)
            span.set("reconciler.verified", len(seen))
        self._recorder.proof(written, seen)
        self._listen(Verified(run.basis.spec.name, tuple(seen)))


def owed_by(change: Change) -> tuple[Owed, ...]:
    """What a deletion takes and a later run adds again."""
    restores = change.target.restores if isinstance(change.target, ReplacePool) else ()
    return tuple(one for one in map(owed_of, restores) if one is not None)


def _forget(run: RunState, change: Change) -> None:
    match change.place:
        case QueuePlace() as place:
            run.basis.survey.forget(place.organization, place.project_id, place.queue_id)
        case ProjectPlace() as place:
            run.basis.survey.forget(place.organization, place.project_id)
        case OrganizationPlace() | AgentPoolPlace() as place:
            run.basis.survey.forget(place.organization)
        case None if isinstance(change.target, UpdatePool) and not reaches_devops(change):
            run.basis.survey.forget_arm(run.basis.spec)
        case None:
            run.basis.survey.forget()

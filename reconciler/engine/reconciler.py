"""One pool, one lease: read what is in flight, plan, apply, verify, and store the result.

The plan is made under the lease under which it is applied, and from reads of that time: a survey that was shared by a
batch is good enough to see that nothing is to be done, and for nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.engine import ending, waits, without_effect
from reconciler.engine.attribution import Attribution
from reconciler.engine.events import Event, Quarantined, ignore
from reconciler.engine.fights import Fights
from reconciler.engine.gate import WriteGate, gate_of
from reconciler.engine.memory import Memory, load_evidence, load_status, save_evidence
from reconciler.engine.naming import DEFAULT_NAMES, NameRules
from reconciler.engine.ownership import Claims
from reconciler.engine.planner import Planner
from reconciler.engine.recorder import Recorder, RunFacts
from reconciler.engine.renewal import Wait
from reconciler.engine.result import Failure, Result
from reconciler.engine.run_state import RunBasis, RunState
from reconciler.engine.spending import cap_check
from reconciler.engine.steps import Steps
from reconciler.engine.stored import Rest
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.engine.written_fields import values_of
from reconciler.errors import LeaseHeld, ReconcilerError, Refused, SpecInvalid
from reconciler.plan.caps import CapCheck
from reconciler.plan.model import Plan
from reconciler.ports.readers_writers import Writers
from reconciler.ports.stores import Gates, Leases, StateStore
from reconciler.ports.write_log import WriteLog
from reconciler.safety import Safety, SafetyFacts, Unknown
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey


@dataclass(frozen=True, slots=True)
class Approval:
    """What an administrator approved: a plan by its hash, or, after the first run of it, the plan itself."""

    plan_hash: str | None = None
    begun: Plan | None = None
    as_planned: bool = False
    """Whether the first plan of this run is what was approved: it is shown before anything is written."""

    @property
    def given(self) -> bool:
        """Whether the run makes the approved changes alone."""
        return self.plan_hash is not None or self.begun is not None or self.as_planned


class Reconciler:
    """Brings both planes in sync with a spec, and verifies it."""

    def __init__(  # noqa: PLR0917 - the parts of the program, put together in one place
        self,
        planner: Planner,
        writers: Writers,
        state: StateStore,
        leases: Leases,
        limits: RunLimits | None = None,
        listen: Callable[[Event], None] = ignore,
        gates: Gates | None = None,
        *,
        record: WriteLog,
        safety: Safety | None = None,
        wait: Wait = threading.Event.wait,
        names: NameRules = DEFAULT_NAMES,
    ) -> None:
        """`gates`: joined before anything is read; None: each process knows its own throttling alone.

        `record`: holds the intent of every write before it goes out.
        `safety`: what the deployment's owner allows; None: this run belongs to no deployment.
        `wait`: between two renewals of a lease. `names`: where people may be named.
        """
        self.planner = planner
        self.limits = limits or RunLimits()
        self._writers = writers
        self._state = state
        self._leases = leases
        self._listen = listen
        self._gates = gates
        self._record = record
        self._safety = safety
        self._wait = wait
        self._names = names
        self._recorded: set[str] = set()
        """Organizations in which this process recorded its identity."""

    def survey(self, specs: Iterable[Spec]) -> SharedSurvey:
        """The shared reads of a batch, with stored evidence: for a resync, or a plan of many pools."""
        batch = tuple(specs)
        self._join(batch)
        return self.planner.survey(batch, load_evidence(self._state, batch))

    def reconcile(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey | None = None,
        plan_hash: str | None = None,
        *,
        approved: Plan | None = None,
        as_planned: bool = False,
        requested: datetime | None = None,
        specs_read: datetime | None = None,
        trigger: str = "",
    ) -> Result:
        """Bring one pool as far in sync as it can be brought now.

        `survey`: shared reads of the batch; without one the pool is read by itself. `plan_hash`: the approved plan;
        where it is another one nothing is written, and changes that are not in it are left. `approved`: the plan that
        an earlier run of the same approval began; changes that are not in it are left. `as_planned`: nothing is
        written but what the first plan of this run shows. `requested`: when a person or a program requested this
        run; writes that were rejected before are then sent again. `specs_read`: when the read of the specs began;
        without it the run ends no request. `trigger`: what caused it, for the record. Errors of the state store leave
        this function; those of the two planes are in the result. A bug is not caught.
        """
        about = {"reconciler.pool": spec.key, "reconciler.revision": revision}
        with self.planner.telemetry.span("reconcile", attributes=about) as span:
            frame = ending.Frame(
                spec, revision, self.planner.clock, self.limits, span.traceparent, requested, specs_read, trigger
            )
            result = self._reconcile(frame, survey, Approval(plan_hash, approved, as_planned))
            span.set("reconciler.result", result.outcome.value)
            for failure in result.failures[:1]:
                span.fail(failure.error.reason, str(failure.error))
            return result

    def _reconcile(self, frame: ending.Frame, survey: SharedSurvey | None, approval: Approval) -> Result:
        spec = frame.spec
        self._join((spec,))
        taken = self.planner.clock.monotonic()
        try:
            lease = self._leases.acquire(spec.key, self.limits.lease)
        except LeaseHeld as error:
            return ending.lost(frame, load_status(self._state, spec.key), error)
        try:
            tenure = Tenure(lease, self.planner.clock, self.limits, taken=taken, wait=self._wait)
            with tenure.kept():
                return self._held(frame, Memory(self._state, spec.key, tenure), tenure, survey, approval)
        except LeaseHeld as error:
            # Another worker's state now: it is read, and not written over.
            return ending.lost(frame, load_status(self._state, spec.key), error)
        finally:
            with suppress(ReconcilerError):  # a lease that cannot be released runs out
                lease.release()

    def _join(self, specs: Iterable[Spec]) -> None:
        if self._gates is not None:
            self._gates.join(sorted({organization.name for spec in specs for organization in spec.organizations}))

    def _held(
        self,
        frame: ending.Frame,
        memory: Memory,
        tenure: Tenure,
        survey: SharedSurvey | None,
        approval: Approval,
    ) -> Result:
        if ending.paused(frame):
            return ending.suspended(frame, memory)
        status = memory.status
        failed: tuple[str, Failure] | None = None
        if status.pending is not None:
            state = waits.read_operation(self.planner.readers.arm, status.pending, frame.started, self.limits)
            if not state.over:
                return ending.in_flight(frame, memory, status.pending, state)
            if state.error is not None:
                failed = (status.pending.change, Failure(None, state.error))
        facts = self.facts(frame.spec)
        gate, claims = gate_of(frame.spec, facts), Claims(facts, self._safety)
        if gate.waiting is not None:
            frame, survey = replace(frame, spec=gate.spec), None  # the batch's survey is about the other spec
        try:
            caps = self.caps(frame.spec, facts, frame.started)
            run = self._planned(frame, memory, survey, failed, approval, gate=gate, claims=claims, caps=caps)
        except SpecInvalid as error:
            return ending.invalid(frame, memory, error)
        self._record_operators(run)
        return self._apply(frame, memory, tenure, run, approval.plan_hash)

    def _record_operators(self, run: RunState) -> None:
        """Record who the deployed service is, where this run read it: runs from elsewhere protect that identity."""
        if self._safety is None or not self.planner.operators.deployed:
            return
        for name in sorted({one.name for one in run.basis.spec.organizations} - self._recorded):
            caller = run.basis.survey.people(name).caller()
            if caller is None:
                continue
            with suppress(ReconcilerError):  # the service knows itself; the next run records it
                self._safety.record_operator(name, caller.id, caller.display_name or caller.unique_name)
                self._recorded.add(name)

    def facts(self, spec: Spec) -> SafetyFacts:
        """The safety facts of a pool, read now."""
        if self._safety is None:
            return SafetyFacts()
        return self._safety.read(spec.key, [one.name for one in spec.organizations])

    def caps(self, spec: Spec, facts: SafetyFacts, now: datetime | None = None) -> CapCheck:
        """What the caps count for a pool, from the record, and what the owner approved beyond them."""
        found = cap_check(self._record, spec, facts, self.planner.clock, self.planner.policy_digest, now=now)
        return replace(found, fought=self._fights(spec).held)

    def _fights(self, spec: Spec) -> Fights:
        return Fights(self._state, self._record, spec, self.planner.clock)

    def claims(self, spec: Spec, facts: SafetyFacts | None = None) -> Claims:
        """What is known of the agent pools of a pool, read now; a plan by it is what a run would begin with."""
        return Claims(facts or self.facts(spec), self._safety)

    def _gate_now(self, gate: WriteGate) -> WriteGate:
        """The same gate with the modes of this moment."""
        if self._safety is None:
            return gate
        return replace(gate, modes=self._safety.modes(gate.spec.key, [one.name for one in gate.spec.organizations]))

    def _planned(
        self,
        frame: ending.Frame,
        memory: Memory,
        survey: SharedSurvey | None,
        failed: tuple[str, Failure] | None,
        approval: Approval,
        *,
        gate: WriteGate,
        claims: Claims,
        caps: CapCheck,
    ) -> RunState:
        """Plan; on reads of its own where anything would be written, or where a later run has read than the batch.

        `failed`: an earlier operation.
        """
        spec = frame.spec
        shared = survey or self.planner.survey([spec], load_evidence(self._state, [spec]), sample=0)
        view = shared.knowing(spec, memory.status.remembered, memory.status.owed)
        plan = self.planner.plan(spec, view, frame.revision, claims, caps=caps)
        first = approval.plan_hash is not None  # an approval sends once more what rests; its later runs do not
        rests, rules = {} if first else memory.status.resting, frame.rest_rules()
        ended = memory.status.pending if failed is None else None

        def not_sent(plan: Plan) -> tuple[dict[str, Rest], dict[str, ReconcilerError]]:
            """By id the changes that rest; and all that are not sent, with why."""
            held = waits.resting_changes(plan, rests, rules)
            count = without_effect.counted(memory.status, ended, plan, rules.digest)
            spent = {} if first else without_effect.resting(plan, count, self.limits)
            return held, {**{name: rest.error for name, rest in held.items()}, **spent}

        held, unsent = not_sent(plan)
        fresh = survey is None and not shared.trusting
        writes = any(one.id not in unsent and not one.awaits and gate.held(one) is None for one in plan.changes)
        before = memory.status.run.facts_read if memory.status.run is not None else None
        late = before is not None and view.oldest is not None and view.oldest < before
        if not fresh and (writes or late):
            view = view.fresh([spec])
            plan = self.planner.plan(spec, view, frame.revision, claims, caps=caps)
            held, unsent = not_sent(plan)
        allowed = (approval.begun or plan) if approval.given else None
        ineffective = without_effect.counted(memory.status, ended, plan, rules.digest)
        policy = self.planner.policy.for_pool(spec.name)
        basis = RunBasis(
            spec, frame.revision, memory.status, policy, view, plan, allowed, failed, rules.digest, ineffective, held,
            caps, gate, claims,
        )  # fmt: skip
        run = RunState(basis, plan)
        if gate.closed is None:
            for change in (one for one in plan.changes if one.id in unsent):
                run.attempted(change, unsent[change.id], sent=False)
        return run

    def _apply(
        self, frame: ending.Frame, memory: Memory, tenure: Tenure, run: RunState, plan_hash: str | None
    ) -> Result:
        refused, planned = None, run.basis.planned.hash
        recorder = self._recorder(frame, run)
        if (operation := memory.status.pending) is not None:
            failed = run.basis.failed_operation
            recorder.operation_over(operation, failed[1].error if failed else None, run.plan)
        if plan_hash not in (None, planned):
            refused = Refused(f"{frame.spec.name}: the plan is {planned}, approved was {plan_hash}; nothing is written")
        elif run.gate.closed is None:
            steps = Steps(
                self.planner, self._writers, memory, tenure, self._listen,
                recorder=recorder, gate=lambda: self._gate_now(run.gate), names=self._names,
            )  # fmt: skip
            try:
                steps.run(run, self.limits)
            except LeaseHeld:
                raise
            except BaseException:  # a stop from outside, or a bug: it is not handled here, its truth is stored
                if run.attempts or run.sending:
                    with suppress(ReconcilerError):
                        ending.interrupted(frame, memory, run)
                raise
        run.unrecorded = recorder.flush()
        if run.attempts:
            fights, sent = self._fights(frame.spec), [one.change for one in run.attempts.values() if one.sent]
            for text in fights.note(one for one in sent if recorder.blamed(one) or fights.held(one)):
                self._listen(Quarantined(frame.spec.name, text))
        self._release_undone(frame, run)
        result = ending.judged(frame, memory, run, refused)
        save_evidence(self._state, run.basis.survey.learned())
        return result

    def _release_undone(self, frame: ending.Frame, run: RunState) -> None:
        """Hold nothing back any longer with which the spec agrees: everything was read, and nothing plans it."""
        undone = run.gate.undone
        if self._safety is None or isinstance(undone, Unknown) or not undone.fields or run.plan.gaps or frame.undoing:
            return
        shown = [*run.plan.all_changes, *(one.change for one in run.plan.refusals)]
        planned = {name for change in shown for name in values_of(change)}
        if agreed := undone.fields.keys() - planned:
            with suppress(ReconcilerError):  # the next run does it
                self._safety.release_undone(frame.spec.key, agreed)

    def _recorder(self, frame: ending.Frame, run: RunState) -> Recorder:
        facts = RunFacts(
            frame.spec, frame.revision, run.basis.planned.hash, self.planner.policy_digest, frame.started,
            frame.trigger, run.basis.cause(run.plan).value, frame.trace, self._names.record,
        )  # fmt: skip
        blame = Attribution(self._state, frame.spec, run.basis.survey, run.basis.cause(run.plan)).blame
        return Recorder(self._record, facts, self.planner.clock, blame)

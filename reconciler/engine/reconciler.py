"""One pool, one lease: read what is in flight, plan, apply, verify, and store the result.

The plan is made under the lease under which it is applied, and from reads of that time: a survey that was shared by a
batch is good enough to see that nothing is to be done, and for nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime

from reconciler.engine import ending, waits, without_effect
from reconciler.engine.attribution import Attribution
from reconciler.engine.events import Event, Quarantined, ignore
from reconciler.engine.fights import Fights
from reconciler.engine.fresh import outdated, replanned
from reconciler.engine.gate import WriteGate, gate_now, goes_out
from reconciler.engine.look import OrganizationLook, at_rest, held, with_hot
from reconciler.engine.memory import Memory, UnsavedStatus, load_evidence, load_status, save_evidence
from reconciler.engine.naming import DEFAULT_NAMES, NameRules
from reconciler.engine.operators import OperatorRecords
from reconciler.engine.ownership import Claims
from reconciler.engine.packed import Packed, organization_of
from reconciler.engine.planner import Planner
from reconciler.engine.recorder import Recorder, RunFacts
from reconciler.engine.renewal import Wait
from reconciler.engine.result import Failure, Result
from reconciler.engine.run_state import Approval, RunBasis, RunState
from reconciler.engine.snapshots import Snapshots
from reconciler.engine.spending import cap_check
from reconciler.engine.status import PoolStatus
from reconciler.engine.steps import Steps
from reconciler.engine.stored import Rest
from reconciler.engine.telling import told
from reconciler.engine.tenure import RunLimits, Tenure, holder_now
from reconciler.engine.undoing import release_agreed
from reconciler.errors import LeaseHeld, ReconcilerError, Refused, SpecInvalid
from reconciler.plan.caps import CapCheck
from reconciler.plan.model import Plan
from reconciler.ports.readers_writers import Writers
from reconciler.ports.stores import Gates, Leases, StateStore, look_document
from reconciler.ports.write_log import WriteLog
from reconciler.safety import Safety, SafetyFacts
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.demand import Demand


class _NotSettled(Exception):
    """Something would be written, or has to be read again: that takes the pool's lease."""


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
        holder: str = "another worker",
        names: NameRules = DEFAULT_NAMES,
    ) -> None:
        """`gates`: joined before anything is read; None: each process knows its own throttling alone.

        `record`: holds the intent of every write before it goes out.
        `safety`: what the deployment's owner allows; None: this run belongs to no deployment.
        `wait`: between two renewals of a lease. `holder`: how other workers name this one. `names`: where people may
        be named.
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
        self._holder = holder
        self._snapshots = Snapshots(state, planner.evidence)
        self._names = names
        self._operators = OperatorRecords(safety, planner)
        """Organizations in which this process recorded its identity."""

    def survey(self, specs: Iterable[Spec], demand: Demand | None = None, *, sample: int = 1) -> SharedSurvey:
        """The shared reads of a batch, with stored evidence: for a resync, or a plan of many pools.

        `demand`: how fresh facts have to be that are known already; None: all are read.
        """
        batch = tuple(specs)
        self._join(batch)
        return self.planner.survey(batch, self._snapshots.load(batch), sample=sample, demand=demand)

    @contextmanager
    def look(self, specs: Sequence[Spec], demand: Demand | None = None, *, shared: bool) -> Iterator[OrganizationLook]:
        """A look at the pools of one message, whose facts are as fresh as it demands.

        `shared`: under the organization's lease; `LeaseHeld` where another worker has it, by whom and until when.
        """
        if not shared or not specs:
            yield OrganizationLook(self, self.survey(specs, demand, sample=0) if specs and demand is not None else None)
            return
        organization, clock = organization_of(specs), self.planner.clock
        name = look_document(organization)
        with held(
            name, self._leases, holder_now(self._holder, clock), clock=clock, limits=self.limits, wait=self._wait
        ) as tenure:
            packed = Packed(self._state, self._safety, organization, tenure)
            survey = self.survey(specs, demand and with_hot(demand, specs, packed, clock.now()))
            try:
                yield OrganizationLook(self, survey, packed)
            finally:
                self._snapshots.save(specs, survey.learned())
                packed.save()

    def reconcile(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey | None = None,
        plan_hash: str | None = None,
        *,
        packed: Packed | None = None,
        approved: Plan | None = None,
        as_planned: bool = False,
        requested: datetime | None = None,
        specs_read: datetime | None = None,
        trigger: str = "",
    ) -> Result:
        """Bring one pool as far in sync as it can be brought now.

        `survey`: shared reads of the batch; without one the pool is read by itself. `packed`: what its look knows of
        its status. `plan_hash`: the approved plan; where it is another one nothing is written, and changes that are
        not in it are left. `approved`: the plan that an earlier run of the same approval began; changes that are not
        in it are left. `as_planned`: nothing is written but what the first plan of this run shows. `requested`: when
        a caller requested this run; rejected writes are then sent again. `specs_read`: when the read of the specs
        began; without it the run ends no request. `trigger`: what caused it, for the record. Errors of the state
        store are raised, those of the two planes are in the result. A bug is not caught.
        """
        about = {"reconciler.pool": spec.key, "reconciler.revision": revision}
        with self.planner.telemetry.span("reconcile", attributes=about) as span:
            frame = ending.Frame(
                spec, revision, self.planner.clock, self.limits, span.traceparent, requested, specs_read, trigger
            )
            result = self._reconcile(frame, survey, Approval(plan_hash, approved, as_planned), packed)
            span.set("reconciler.result", result.outcome.value)
            for failure in result.failures[:1]:
                span.fail(failure.error.reason, str(failure.error))
            return result

    def unchanged(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey,
        packed: Packed,
        *,
        trace: str = "",
        requested: datetime | None = None,
        specs_read: datetime | None = None,
    ) -> Result | None:
        """The result of a run that finds all as the stored status says, and stores nothing; None: `reconcile` it.

        Nothing of it decides a write: what would be written is planned again, under the lease and on new reads.
        """
        before = packed.status(spec.key)
        frame = ending.Frame(spec, revision, self.planner.clock, self.limits, trace, requested, specs_read)
        if before is None or not at_rest(before):
            return None
        draft = UnsavedStatus(before)
        facts, owner = self.facts(spec, packed.safety), None
        if packed.safety is not None:
            owner = packed.safety.owner_of_agent_pool
        gate, claims = gate_now(self.planner, spec, facts, before), Claims(facts, owner=owner)
        if gate.waiting is not None:
            return None
        try:
            caps = self.caps(spec, facts, frame.started)
            run = self._planned(
                frame, before, survey, None, Approval(), gate=gate, claims=claims, caps=caps, settled=True
            )
        except (SpecInvalid, _NotSettled):
            return None
        if self.planner.ownership(spec, run.basis.survey, claims).unrecorded():
            return None
        self._operators.record(run, packed.safety)
        result = ending.judged(frame, draft, run, None, told(self._state, spec, run, named=self._names.telemetry))
        if result.next_look is not None or not draft.settled:
            return None
        packed.move(spec.key, result.status)
        return result

    def _reconcile(
        self, frame: ending.Frame, survey: SharedSurvey | None, approval: Approval, packed: Packed | None
    ) -> Result:
        spec = frame.spec
        self._join((spec,))
        taken = self.planner.clock.monotonic()
        try:
            lease = self._leases.acquire(spec.key, self.limits.lease, holder_now(self._holder, self.planner.clock))
        except LeaseHeld as error:
            return ending.lost(frame, load_status(self._state, spec.key), error)
        try:
            tenure = Tenure(lease, self.planner.clock, self.limits, taken=taken, wait=self._wait)
            with tenure.kept():
                memory = Memory(self._state, spec.key, tenure, packed)
                return self._held(frame, memory, tenure, survey, approval)
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
        status = memory.status
        failed: tuple[str, Failure] | None = None
        if status.pending is not None:
            state = waits.read_operation(self.planner.readers.arm, status.pending, frame.started, self.limits)
            if not state.over:
                return ending.in_flight(frame, memory, status.pending, state)
            if state.error is not None:
                failed = (status.pending.change, Failure(None, state.error))
        facts = self.facts(frame.spec)
        gate, claims = gate_now(self.planner, frame.spec, facts, status), Claims(facts, self._safety)
        if gate.waiting is not None:
            frame, survey = replace(frame, spec=gate.spec), None  # the batch's survey is about the other spec
        try:
            caps = self.caps(frame.spec, facts, frame.started)
            run = self._planned(frame, status, survey, failed, approval, gate=gate, claims=claims, caps=caps)
        except SpecInvalid as error:
            return ending.invalid(frame, memory, error)
        self._operators.record(run)
        return self._apply(frame, memory, tenure, run, approval.plan_hash)

    def facts(self, spec: Spec, safety: Safety | None = None) -> SafetyFacts:
        """The safety facts of a pool, read now; `safety`: as a look at many pools reads them."""
        safety = safety or self._safety
        if safety is None:
            return SafetyFacts()
        return safety.read(spec.key, [one.name for one in spec.organizations])

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
        """The same gate with the modes and pauses of this moment."""
        gate = gate.at(self.planner.clock.now())
        if self._safety is None:
            return gate
        return replace(gate, modes=self._safety.modes(gate.spec.key, [one.name for one in gate.spec.organizations]))

    def _planned(
        self,
        frame: ending.Frame,
        status: PoolStatus,
        survey: SharedSurvey | None,
        failed: tuple[str, Failure] | None,
        approval: Approval,
        *,
        gate: WriteGate,
        claims: Claims,
        caps: CapCheck,
        settled: bool = False,
    ) -> RunState:
        """Plan; on reads of its own where anything would be written, or where a later run has read than the batch.

        `failed`: an earlier operation. `settled`: for a run that writes nothing; `_NotSettled` where it would.
        """
        spec = frame.spec
        shared = survey or self.planner.survey([spec], load_evidence(self._state, [spec]), sample=0)
        view = shared.knowing(spec, status.remembered, status.owed)

        def planned(on: SharedSurvey) -> Plan:
            return self.planner.plan(spec, on, frame.revision, claims, caps=caps)

        plan = planned(view)
        first = approval.plan_hash is not None  # an approval sends once more what rests; its later runs do not
        rests, rules = {} if first else status.resting, frame.rest_rules()
        ended = status.pending if failed is None else None

        def not_sent(plan: Plan) -> tuple[dict[str, Rest], dict[str, ReconcilerError]]:
            """By id the changes that rest; and all that are not sent, with why."""
            held = waits.resting_changes(plan, rests, rules)
            count = without_effect.counted(status, ended, plan, rules.digest)
            spent = {} if first else without_effect.resting(plan, count, self.limits)
            return held, {**{name: rest.error for name, rest in held.items()}, **spent}

        held, unsent = not_sent(plan)
        fresh = survey is None and not shared.trusting
        writes = any(one.id not in unsent and not one.awaits and goes_out(gate, one, plan) for one in plan.changes)
        before = outdated(status, view, plan)
        if settled and (writes or before):
            raise _NotSettled
        if not fresh and (writes or before):
            view, plan = replanned(spec, view, plan, planned, before)
            held, unsent = not_sent(plan)
        allowed = (approval.begun or plan) if approval.given else None
        ineffective = without_effect.counted(status, ended, plan, rules.digest)
        policy = self.planner.policy.for_pool(spec.name)
        basis = RunBasis(
            spec, frame.revision, status, policy, view, plan, allowed, failed, rules.digest, ineffective, held,
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
        quarantined: list[str] = []
        if run.attempts:
            fights, sent = self._fights(frame.spec), [one.change for one in run.attempts.values() if one.sent]
            quarantined = fights.note(one for one in sent if recorder.blamed(one) or fights.held(one))
            for text in quarantined:
                self._listen(Quarantined(frame.spec.name, text))
        release_agreed(self._safety, run, undoing=frame.undoing)
        said = told(self._state, frame.spec, run, recorder.actors, named=self._names.telemetry, fights=quarantined)
        result = ending.judged(frame, memory, run, refused, said)
        save_evidence(self._state, run.basis.survey.learned())
        return result

    def _recorder(self, frame: ending.Frame, run: RunState) -> Recorder:
        facts = RunFacts(
            frame.spec, frame.revision, run.basis.planned.hash, self.planner.policy_digest, frame.started,
            frame.trigger, run.basis.cause(run.plan).value, frame.trace, self._names.record,
        )  # fmt: skip
        blame = Attribution(self._state, frame.spec, run.basis.survey, run.basis.cause(run.plan)).blame
        return Recorder(self._record, facts, self.planner.clock, blame)

"""The whole program against the whole emulator, over HTTP and the real SDKs, in the words of a story.

A `World` is a folder of specs, a state file, a clock that can be pushed ahead, and the emulator behind three URLs.
The parts are those of `reconciler.bootstrap`, but for two things that a test has no time for: the sleeping between
two tries, which pushes the clock instead, and the clock itself.

Every scenario ends in `finish`: one more sweep, which must cost no write. A scenario that must not converge says so
by `never_in_sync`, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from emulator import Running
from reconciler import bootstrap
from reconciler.adapters import credentials
from reconciler.adapters.arm.pools import Arm, ArmWrites
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import CallLimits
from reconciler.adapters.devops.reads import DevOps, DevOpsWrites
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import Timing
from reconciler.config.settings import Settings
from reconciler.documents import moment
from reconciler.engine import Outcome, Planner, Reconciler, Result, RunLimits
from reconciler.engine.approving import ApprovedAgentPool, approve_agent_pool
from reconciler.engine.events import Event, ignore
from reconciler.facets.registry import FACETS
from reconciler.plan.model import Plan
from reconciler.ports.readers_writers import Readers, Writers
from reconciler.ports.stores import Leases
from reconciler.safety import Safety
from reconciler.spec.loader import load
from reconciler.spec.model import Mode, Spec
from reconciler.survey.capabilities.answers import Capabilities, CapabilityAnswer, OrganizationAnswers
from reconciler.survey.operators import OperatorNames
from tests.scenarios.almanac import Almanac, ahead_of
from tests.scenarios.drafts import POOL, PRIME, TAILSPIN
from tests.scenarios.truth import Truth

Json = Any
QUIET = 2
OVERDUE = 4
"""Runs without a write until something that is awaited is overdue."""
ROUNDS = 12
"""Runs after which a scenario that still moves does not settle."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The program, put together."""

    session: Session
    arm: Arm
    planner: Planner
    reconciler: Reconciler
    store: bootstrap.Store
    safety: Safety

    def close(self) -> None:
        """Let connections and files go, as the end of a process does."""
        self.session.close()
        self.arm.close()
        self.store.close()


class World:
    """Specs, both planes, a state file and a clock."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running = running
        self.do = running.do
        self.folder = folder
        self.clock = Almanac(ahead_of(running))
        self.listen: Callable[[Event], None] = ignore
        self._patience = 30.0
        self._policy = ""
        self.capabilities = Capabilities()
        self.operators = OperatorNames(deployed=True)
        """Set before the first run: by default it is the deployed service that runs."""
        self._specs: dict[str, Spec] = {}
        self._documents: dict[str, Json] = {}
        self._revision = 0
        self._parts: Parts | None = None
        self._unsettled: dict[str, tuple[Outcome, str]] = {}
        self._tried: set[str] = set()

    # --- what is wanted ----------------------------------------------------------------------------------

    def spec(self, *documents: Json) -> None:
        """Commit specs; each replaces the one with its name."""
        self._revision += 1
        for document in documents:
            name = document["name"]
            loaded = load({f"{name}.json": json.dumps(document).encode()})
            assert not loaded.problems, [str(problem) for problem in loaded.problems]
            self._specs[name] = loaded.specs[0]
            self._documents[name] = document

    def only(self, pool: str) -> None:
        """One pool is the whole story."""
        self._specs = {pool: self._specs[pool]}
        self._documents = {pool: self._documents[pool]}

    def only_these(self, documents: Sequence[Json]) -> None:
        """Other specs in place of all."""
        self._specs.clear()
        self._documents.clear()
        self.spec(*documents)

    def policy(self, text: str) -> None:
        """What this deployment allows, as YAML; counts from the next run on."""
        self._policy = text
        self.restart()

    def told(self, **answers: str) -> None:
        """What the file of capabilities says of every organization, true or not; counts from the next run on."""
        words = {
            name.replace("_", "-"): (word, "seen yes" if word == "complete" else "seen no")
            for name, word in answers.items()
        }
        found = {
            name: CapabilityAnswer.model_validate(
                {"verdict": verdict, "answer": word, "evidence": {"counts": {"agreed": 24}}}
            )
            for name, (word, verdict) in words.items()
        }
        asked = OrganizationAnswers(asked=moment(self.clock.now().replace(microsecond=0)), answers=found)
        self.capabilities = Capabilities(organizations=dict.fromkeys((TAILSPIN, PRIME), asked))
        self.restart()

    def marked(self, mark: str) -> None:
        """`probe` saw this mark on three agent pools of Managed DevOps Pools, and on no other."""
        answer = {"verdict": "seen yes", "answer": "marked", "evidence": {"counts": {"pools": 3, mark: 3}}}
        found = {"agent-pool-marks": CapabilityAnswer.model_validate(answer)}
        asked = OrganizationAnswers(asked=moment(self.clock.now().replace(microsecond=0)), answers=found)
        self.capabilities = Capabilities(organizations=dict.fromkeys((TAILSPIN, PRIME), asked))
        self.restart()

    def never_in_sync(self, pool: str, outcome: Outcome, *, because: str, tries: Sequence[str] = ()) -> None:
        """The last sweep of this scenario ends otherwise than in sync; it costs no write all the same.

        `tries`: routes of writes that are refused each time, and that a run may try again.
        """
        assert because
        self._unsettled[pool] = (outcome, because)
        self._tried |= set(tries)

    # --- what is done ------------------------------------------------------------------------------------

    @property
    def revision(self) -> str:
        """The commit."""
        return f"{self._revision:040x}"

    @property
    def specs(self) -> tuple[Spec, ...]:
        """All pools."""
        return tuple(self._specs[name] for name in sorted(self._specs))

    @property
    def parts(self) -> Parts:
        """The running program."""
        if self._parts is None:
            self._parts = self._built()
        return self._parts

    @property
    def leases(self) -> Leases:
        """Leases; each call of `acquire` is another worker's."""
        return self.parts.store.leases

    def write_specs(self) -> Path:
        """The specs as files, for a process of its own."""
        folder = self.folder / "specs"
        folder.mkdir(exist_ok=True)
        for name, document in self._documents.items():
            (folder / f"{name}.json").write_text(json.dumps(document))
        return folder

    def rewrite_state(self, old: str, new: str) -> None:
        """Another tool edits the pool's document: one text in it becomes another."""
        store = self.parts.store
        name = f"pools/{POOL}"
        document = store.state.load(name)
        assert document is not None
        text = json.dumps(document.body)
        assert old in text
        store.state.save(name, json.loads(text.replace(old, new)), document.etag)

    def restart(self) -> None:
        """A new process: nothing is remembered but what the state file holds."""
        if self._parts is not None:
            self._parts.close()
        self._parts = None

    def forget_state(self) -> None:
        """A new process, without any saved state."""
        self.restart()
        (self.folder / "state.db").unlink()

    def patience(self, seconds: float) -> None:
        """How long an answer is waited for: short where none will come."""
        self._patience = seconds
        self.restart()

    def plan(self, pool: str = POOL) -> Plan:
        """What would be done, by an object that cannot write."""
        spec = self._specs[pool]
        return self.parts.planner.plan(spec, self.parts.planner.survey([spec]), self.revision)

    def apply(self, pool: str = POOL, **approval: Any) -> Result:
        """One run of one pool."""
        return self.parts.reconciler.reconcile(self._specs[pool], self.revision, **approval)

    def approve(self, organization: str, number: int, pool: str = POOL) -> ApprovedAgentPool:
        """The owner approves an agent pool."""
        parts = self.parts
        return approve_agent_pool(parts.planner, parts.safety, self._specs[pool], (organization, number), "dan")

    def sweep(self, *but: str) -> dict[str, Result]:
        """One run of every pool but these, with shared reads."""
        reconciler = self.parts.reconciler
        specs = [spec for spec in self.specs if spec.name not in but]
        survey = reconciler.survey(specs)
        return {spec.name: reconciler.reconcile(spec, self.revision, survey) for spec in specs}

    def settle(self, quiet_runs: int = QUIET) -> dict[str, Result]:
        """Run the pools whose runs ask for it, with time passing in between; gives the last results.

        Ends where no run asks any more, or where what is asked for does not come: so many runs without a write.
        """
        quiet, results = 0, dict[str, Result]()
        for _ in range(ROUNDS):
            before = len(self.writes())
            results |= self.sweep(*(name for name, result in results.items() if result.next_look is None))
            looks = [result.next_look for result in results.values() if result.next_look is not None]
            quiet = quiet + 1 if len(self.writes()) == before else 0
            if not looks or quiet == quiet_runs:
                return results
            self.later(max(looks) + 1)
            self.do.settle()
        raise AssertionError(f"after {ROUNDS} runs still: {summary(results)}")

    def later(self, seconds: float) -> None:
        """Time passes, for the program and for both planes."""
        self.clock.skip(seconds)
        self.do.advance(seconds)

    def by_hand(self, what: str, **arguments: Json) -> Json:
        """A person changes something in a web page."""
        return self.do.edit(what, **arguments)

    def switch(self, **switches: bool | float | str) -> None:
        """A plane behaves so: ``devops__write_lag=5`` is the switch ``devops.write-lag``."""
        for name, value in switches.items():
            self.do.switch(name.replace("__", ".", 1).replace("_", "-"), value)

    # --- what is seen ------------------------------------------------------------------------------------

    @property
    def truth(self) -> Truth:
        """Both planes as they are."""
        return Truth(self.do.state())

    @property
    def today(self) -> date:
        """The program's date."""
        return self.clock.now().date()

    def writes(self) -> list[dict[str, Json]]:
        """Writes since the log was emptied, in order."""
        return [entry for entry in self.do.requests() if entry["write"]]

    def routes(self) -> list[str]:
        """Names of the routes written to, in order."""
        return [entry["route"] for entry in self.writes()]

    def disagreements(self, pool: str = POOL) -> list[str]:
        """What is not as the spec says, by the second opinion."""
        return self.truth.disagreements(self._specs[pool], self.today)

    # --- how it ends -------------------------------------------------------------------------------------

    def finish(self) -> None:
        """A second run with nothing in its way: it writes nothing, and says in sync where both planes agree."""
        self.do.clear_faults()
        self.do.settle()
        self.later(7200)
        self.do.reset_log()
        results = self.sweep()
        refused = {entry["route"] for entry in self.writes() if entry["status"] >= 400} & self._tried
        written = [(entry["route"], entry["body"]) for entry in self.writes() if entry["route"] not in refused]
        assert written == [], f"the second run wrote: {written}; {summary(results)}"
        for spec in self.specs:
            self._ended(spec, results[spec.name])

    def close(self) -> None:
        """End the program."""
        self.restart()

    def _tell(self, event: Event) -> None:
        self.listen(event)

    def _ended(self, spec: Spec, result: Result) -> None:
        usual = (Outcome.IN_SYNC, "every scenario ends in sync")
        if spec.mode is Mode.PAUSE and result.outcome is Outcome.SUSPENDED:
            return
        outcome, why = self._unsettled.get(spec.name, usual)
        assert result.outcome is outcome, f"{why}: {summary({spec.name: result})}"
        if outcome is Outcome.IN_SYNC:
            assert self.disagreements(spec.name) == []

    def _built(self) -> Parts:
        settings = Settings.read(self.environment())
        endpoints = (settings.arm_endpoint, settings.devops_endpoint, settings.identity_endpoint)
        credential = credentials.static(settings.arm_token.reveal(), settings.devops_token.reveal(), endpoints)
        time_of = Timing(self.clock.skip, self.clock.monotonic, self.clock.wall, lambda: 0.5)
        session = Session(
            credential,
            Endpoints(settings.devops_endpoint, settings.identity_endpoint, allow_loopback=True),
            timing=time_of,
            limits=CallLimits(read=self._patience, parallel=settings.parallel),
        )
        arm = Arm(
            settings.arm_endpoint,
            credential.for_azure(),
            allow_loopback=True,
            clock=self.clock,
            timeout=self._patience,
        )
        store = bootstrap.store(settings, self.clock)
        policy, believe = bootstrap.policy(settings), self.capabilities.beliefs
        readers = Readers(arm, DevOps(session))
        planner = Planner(FACETS, readers, policy, self.clock, believe=believe, operators=self.operators)
        writers = Writers(ArmWrites(arm), DevOpsWrites(session))
        safety = Safety(store.safety, self.clock, settings.mode)
        safety.create()
        parts = (planner, writers, store.state, store.leases, RunLimits(), self._tell)
        reconciler = Reconciler(*parts, record=store.record, safety=safety)
        return Parts(session, arm, planner, reconciler, store, safety)

    def environment(self) -> dict[str, str]:
        """Settings of the program, as a process would find them."""
        path = self.folder / "policy.yaml"
        if self._policy:
            path.write_text(self._policy)
        return {
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": self.running.arm,
            "RECONCILER_DEVOPS_ENDPOINT": self.running.devops,
            "RECONCILER_ARM_TOKEN": self.running.tokens["arm"],
            "RECONCILER_DEVOPS_TOKEN": self.running.tokens["devops"],
            "RECONCILER_STATE": str(self.folder / "state.db"),
            **({"RECONCILER_POLICY": str(path)} if self._policy else {}),
        }


def summary(results: Mapping[str, Result]) -> str:
    """Results on one line, for a failing test."""
    return "; ".join(
        f"{name} {result.outcome}: "
        f"{[change.id for change in result.plan.changes] if result.plan else None}"
        f" gaps {[(gap.facet, gap.subject, gap.reason, gap.message) for gap in result.plan.gaps] if result.plan else None}"
        f" refused {[(one.rule, one.change.id) for one in result.plan.refusals] if result.plan else None}"
        f" failed {[str(failure.error) for failure in result.failures]}"
        for name, result in results.items()
    )


def ids(plan: Plan | None) -> list[str]:
    """Ids of the changes of a plan, in order."""
    assert plan is not None
    return [change.id for change in plan.changes]


def gaps(plan: Plan | None) -> set[tuple[str, str, str]]:
    """Facet, subject and kind of what could not be planned."""
    assert plan is not None
    return {(gap.facet, gap.subject, gap.kind.value) for gap in plan.gaps}


def rules(plan: Plan | None) -> list[str]:
    """Rules by which changes were refused."""
    assert plan is not None
    return sorted({refusal.rule for refusal in plan.refusals})


def positions(routes: Sequence[str], name: str) -> list[int]:
    """Where a route stands among others."""
    return [index for index, route in enumerate(routes) if route == name]

"""One pool, its estate and a reconciler, so that a test begins with what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.engine import Planner, Reconciler, Result, RunLimits
from reconciler.engine.events import Event
from reconciler.engine.status import Condition, ConditionKind
from reconciler.errors import ReconcilerError
from reconciler.plan.model import Plan
from reconciler.plan.policy import Policy
from reconciler.safety import Safety
from reconciler.spec.model import Access, Mode, Organization, PoolRoles, Spec
from tests.estate import Estate
from tests.keeping import Desk, HandClock, Ledger, Shelf
from tests.small_facets import FACETS, SCOPE

ORG, OTHER = "fabrikam-prime", "fabrikam-tailspin"
SPEC = Spec(
    name="pool-1",
    subscription="11111111-2222-3333-4444-555555555555",
    resource_group="rg-build",
    mode=Mode.ENFORCE,
    body={},
    organizations=(Organization(ORG, "pool-1", (), open_access=True),),
    path="pools/pool-1.yaml",
)


def admins(*names: str, spec: Spec = SPEC, organization: str = ORG) -> Spec:
    return replace(spec, access=Access(roles=(PoolRoles(organization, names, exclusive=True),)))


@dataclass
class Stage:
    estate: Estate = field(default_factory=Estate)
    clock: HandClock = field(default_factory=HandClock)
    shelf: Shelf = field(default_factory=Shelf)
    desk: Desk = field(default_factory=Desk)
    ledger: Ledger = field(default_factory=Ledger)
    policy: Policy = field(default_factory=Policy)
    limits: RunLimits = field(default_factory=RunLimits)
    facets: Sequence[Any] = FACETS
    events: list[Event] = field(default_factory=list)

    @property
    def planner(self) -> Planner:
        return Planner(self.facets, self.estate.readers, self.policy, self.clock)

    @property
    def reconciler(self) -> Reconciler:
        writers = self.estate.writers
        return Reconciler(
            self.planner, writers, self.shelf, self.desk, self.limits, self.events.append, record=self.ledger
        )

    def plan(self, spec: Spec = SPEC) -> Plan:
        return self.planner.plan(spec, self.planner.survey([spec]), "c0ffee")

    def run(self, spec: Spec = SPEC, revision: str = "c0ffee", **options: Any) -> Result:
        """One run; afterwards the log of writes is the test's to read."""
        return self.reconciler.reconcile(spec, revision, **{"specs_read": self.clock.now(), **options})

    def settle(self, spec: Spec = SPEC, revision: str = "c0ffee") -> Result:
        """Runs until no further read is due, at most ten."""
        for _ in range(10):
            result = self.run(spec, revision)
            if result.next_look is None:
                return result
            self.clock.seconds += result.next_look
        raise AssertionError(f"still {result.outcome} after ten runs")

    def hold(self, *names: str, organization: str = ORG) -> None:
        """These are administrators."""
        self.estate.roles[organization, SCOPE, "1"] = dict.fromkeys(names, "Administrator")

    def holders(self, organization: str = ORG) -> set[str]:
        return set(self.estate.roles.get((organization, SCOPE, "1"), {}))

    def fail(self, name: str, error: BaseException, *, about: str = "") -> None:
        """From now on this call, or those of them that are about this, are answered so."""
        before = self.estate.before

        def answer(called: str, args: tuple[object, ...]) -> None:
            before(called, args)
            if called == name and (not about or about in map(str, args)):
                raise error

        self.estate.before = answer

    @contextmanager
    def failing(self, name: str, error: ReconcilerError, *, about: str = "") -> Iterator[None]:
        before = self.estate.before
        self.fail(name, error, about=about)
        yield
        self.estate.before = before


@dataclass
class GuardedStage(Stage):
    """A stage with a safety store."""

    safe: Shelf = field(default_factory=Shelf)

    @property
    def safety(self) -> Safety:
        return Safety(self.safe, self.clock)

    @property
    def reconciler(self) -> Reconciler:
        parts = (self.planner, self.estate.writers, self.shelf, self.desk, self.limits, self.events.append)
        return Reconciler(*parts, record=self.ledger, safety=self.safety)


def converged(projects: int = 3, **options: Any) -> Stage:
    """One organization, as the spec wants it."""
    stage = Stage(**options)
    stage.estate.add(ORG, 1, projects)
    stage.estate.arm[SPEC.pool_id.casefold()] = {"id": SPEC.pool_id, "tags": {}}
    return stage


def second_run_writes_nothing(stage: Stage, spec: Spec = SPEC) -> None:
    stage.estate.writes.clear()
    stage.settle(spec)
    assert stage.estate.writes == []


def without_first_queue() -> Stage:
    stage = converged()
    stage.estate.queues[ORG] = stage.estate.queues[ORG][1:]
    return stage


def condition(result: Result, kind: ConditionKind) -> Condition:
    found = result.status.condition(kind)
    assert found is not None
    return found

"""Builds the program: the part that reads and plans, and the part that applies."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.connections import (
    Believe,
    beliefs,
    connect,
    credential_of,
    planner_of,
    policy,
    readers_of,
    telemetry,
)
from reconciler.bootstrap.operators import operator_names, operator_names_of_plan
from reconciler.bootstrap.specs import source
from reconciler.bootstrap.stores import store
from reconciler.config.settings import NamesIn, Settings
from reconciler.plan.policy import Policy
from reconciler.ports.budgets import INTERVAL
from reconciler.ports.clock import Clock
from reconciler.ports.readers_writers import Readers, Writers
from reconciler.ports.specs import SpecSource
from reconciler.ports.stores import Leases, MessageQueues, StateStore, StoreOwnership
from reconciler.ports.write_log import WriteLog
from reconciler.safety import Safety
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.evidence import Evidence
from reconciler.survey.operators import OperatorNames
from reconciler.telemetry import NO_TELEMETRY, Calls, Telemetry

if TYPE_CHECKING:
    from reconciler.adapters.devops.audit import DevOpsAuditLog
    from reconciler.config.triggers import Hosting
    from reconciler.engine import Planner, Reconciler
    from reconciler.engine.events import Event


@dataclass(frozen=True)
class Look:
    """What planning needs. Holds nothing that could write."""

    source: SpecSource
    readers: Readers
    clock: Clock
    policy: Policy
    believe: Believe
    operators: OperatorNames
    start_sign_in: Callable[[], None] = field(repr=False)
    """Request tokens while specs are read; raises nothing."""
    sign_in: Callable[[], None] = field(repr=False)
    """Wait for the token that every run needs: a missing sign-in is one error, raised here."""
    close: Callable[[], None] = field(repr=False)
    """Close connections."""
    margin: timedelta = timedelta()
    """How much older than its ARM pool an agent pool may be."""

    @cached_property
    def planner(self) -> Planner:
        """The planner; engine and facets are imported here, while the first requests of `survey` are on their way."""
        from reconciler.engine import Planner  # noqa: PLC0415 - as said
        from reconciler.facets.registry import FACETS  # noqa: PLC0415

        return Planner(
            FACETS,
            self.readers,
            self.policy,
            self.clock,
            margin=self.margin,
            believe=self.believe,
            operators=self.operators,
        )

    def survey(self, specs: Sequence[Spec]) -> SharedSurvey:
        """The shared reads of these specs, as `Planner.survey` makes them."""
        made = SharedSurvey.about(self.readers, specs)
        return made.believing(self.believe(self.clock.now()), self.operators)


@dataclass(frozen=True, slots=True)
class App:
    """What applying needs."""

    source: SpecSource
    planner: Planner
    reconciler: Reconciler
    state: StateStore
    safety: Safety
    leases: Leases
    queues: MessageQueues
    """The store itself: it names queues."""
    clock: Clock
    telemetry: Telemetry
    record: WriteLog
    """The record of writes."""
    ownership: StoreOwnership
    """Which deployment the stores belong to."""
    sign_in: Callable[[], None] = field(repr=False)
    """Wait for the token that every run needs: a missing sign-in is one error, raised here."""
    close: Callable[[], None] = field(repr=False)
    """Close connections and files."""


def look(settings: Settings) -> Look:
    """What reading and planning need."""
    clock = SystemClock()
    planes = connect(settings, clock)
    allowed, believe = policy(settings), beliefs(settings)
    readers, operators = readers_of(settings, planes), operator_names_of_plan(settings, allowed)
    start, sign_in = planes.credential.start_sign_in, planes.credential.sign_in
    margin = timedelta(seconds=settings.agent_pool_margin)
    return Look(source(settings), readers, clock, allowed, believe, operators, start, sign_in, planes.close, margin)


def build(
    settings: Settings,
    listen: Callable[[Event], None] = lambda _: None,
    *,
    watch: Telemetry | None = None,
    service: bool = False,
    clock: Clock | None = None,
    interval: float = INTERVAL,
) -> App:
    """What applying needs; `listen` receives events, and `watch` telemetry (None: as the settings say).

    `clock`: None for the system's.
    `service`: no person runs it, so it writes nothing until the owner has set a mode; its identity is an operator.
    `interval`: seconds between two full resyncs.
    """
    from reconciler.adapters.arm.pools import ArmWrites  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.closings import GateClosings  # noqa: PLC0415
    from reconciler.adapters.devops.writes import DevOpsWrites  # noqa: PLC0415
    from reconciler.engine import NameRules, Reconciler, RunLimits  # noqa: PLC0415

    clock = clock or SystemClock()
    watch = watch or telemetry(settings)
    kept = store(settings, clock, watch)
    closings = GateClosings(kept.state, clock, watch, interval)
    planes = connect(settings, clock, closings.gates, watch)
    safety = Safety(kept.safety, clock, settings.mode, service=service)
    planner = planner_of(settings, planes, clock, watch)
    planner.operators = operator_names(settings, planner.policy, safety.documents, service=service)
    if service:
        planner.evidence = Evidence(clock.now, timedelta(seconds=settings.max_age), watch, clock.monotonic)
    writers = Writers(arm=ArmWrites(planes.arm), devops=DevOpsWrites(planes.devops))
    limits = RunLimits(budget=settings.budget, wait_once=settings.wait_once)
    reconciler = Reconciler(
        planner, writers, kept.state, kept.leases, limits, listen, closings, record=kept.record, safety=safety,
        holder=f"{socket.gethostname()}, process {os.getpid()}",
        names=NameRules(record=settings.names is not NamesIn.OFF, telemetry=settings.names is NamesIn.ON),
    )  # fmt: skip

    def close() -> None:
        planes.close()
        kept.close()
        watch.close()

    sign_in, owner = planes.credential.sign_in, kept.ownership
    return App(
        source(settings), planner, reconciler, kept.state, safety, kept.leases, kept, clock, watch, kept.record, owner,
        sign_in, close,
    )  # fmt: skip


def audit(settings: Settings, hosting: Hosting, watch: Telemetry = NO_TELEMETRY) -> DevOpsAuditLog:
    """The audit logs of organizations: another host, so another session."""
    from reconciler.adapters.devops.audit import DevOpsAuditLog  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.endpoints import Endpoints  # noqa: PLC0415
    from reconciler.adapters.devops.exchange import CallLimits  # noqa: PLC0415
    from reconciler.adapters.devops.session import Session  # noqa: PLC0415

    place = hosting.audit_endpoint
    endpoints = Endpoints(place, place, allow_loopback=settings.allow_loopback)
    limits, calls = CallLimits(read=settings.http_timeout), Calls("audit", watch)
    return DevOpsAuditLog(Session(credential_of(settings), endpoints, limits=limits, calls=calls))

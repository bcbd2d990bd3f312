"""Builds the triggers' context from the settings, once in a process: the triggers' counterpart of `bootstrap`."""

from __future__ import annotations

import threading
from datetime import timedelta

from reconciler import bootstrap
from reconciler.config.settings import NamesIn, Settings, environment
from reconciler.config.triggers import Hosting, state
from reconciler.documents import Json
from reconciler.engine import load_status
from reconciler.engine.approving import ApprovedAgentPool, approve_agent_pool
from reconciler.engine.attribution import Attribution
from reconciler.engine.gate import annotated, gate_now
from reconciler.engine.ownership import Claims
from reconciler.plan.render import to_json
from reconciler.ports.clock import Clock
from reconciler.ports.stores import MessageQueues
from reconciler.service.catalogue import Catalogue
from reconciler.service.events.feed import FeedReader
from reconciler.service.events.sweeps import Sweeps
from reconciler.service.http.approvals import ApprovalContext
from reconciler.service.notify.flush import Flush, Receivers
from reconciler.service.notify.waiting import NoticeOutbox
from reconciler.service.page.links import repository_of
from reconciler.service.queue.outbox import Outbox
from reconciler.service.queue.worker import Worker
from reconciler.service.triggers import logs
from reconciler.service.triggers.context import TriggerContext, TriggerOptions
from reconciler.spec.model import Spec
from reconciler.telemetry import Telemetry

BEFORE_TIMEOUT = 290.0
"""Seconds: the platform ends a function after 300 (`functionTimeout` in host.json), and putting back takes a moment."""

_once = threading.Lock()
_opened: list[TriggerContext] = []


def trigger_context() -> TriggerContext:
    """The context of this process, from its environment. Raises `SettingsInvalid`."""
    with _once:  # a cold start receives several messages at once
        if not _opened:
            given = environment()
            _opened.append(build(Settings.read(given, beneath=state(given)), Hosting.read(given)))
        return _opened[0]


def use(opened: TriggerContext) -> None:
    """Make `trigger_context` return this one: for a host with settings beyond the environment."""
    with _once:
        _opened[:] = [opened]


def build(
    settings: Settings, hosting: Hosting, telemetry: Telemetry | None = None, clock: Clock | None = None
) -> TriggerContext:
    """A new context; `clock`: None for the system's."""
    said = logs.writes(names=settings.names is NamesIn.ON)
    app = bootstrap.build(settings, said, watch=telemetry, service=True, clock=clock, interval=hosting.sweep_seconds)
    logs.policy(app.planner.policy)
    catalogue = Catalogue(app.source, app.clock)
    queues: MessageQueues = app.queues
    outbox = Outbox(queues.named(hosting.work_queue), queues.named(hosting.sweep_queue), app.state, app.clock)
    begin = max(5.0, BEFORE_TIMEOUT - settings.budget)
    known = app.planner.evidence
    turns = None if known is None else Sweeps(
        FeedReader(app.state, known, app.clock), timedelta(seconds=hosting.sweep_seconds), known.max_age
    )  # fmt: skip
    notices = NoticeOutbox(app.state, outbox.events, app.clock, app.telemetry) if hosting.notify else None
    receivers = Receivers(hosting.notify, bootstrap.notice_sender(app.clock), hosting.page, app.ownership.name)
    flush = Flush(app.state, app.leases, outbox.events, app.clock, app.telemetry, receivers, logs.notices)
    worker = Worker(
        catalogue, app.reconciler, app.state, outbox, app.clock, app.telemetry, logs.run, begin,
        evidence=known, sweeps=turns, notices=notices,
    )  # fmt: skip

    def plan(spec: Spec, revision: str) -> Json:
        status = load_status(app.state, spec.key)
        survey = app.reconciler.survey([spec]).knowing(spec, status.remembered, status.owed)
        facts = app.reconciler.facts(spec)
        caps = app.reconciler.caps(spec, facts)
        plan = app.planner.plan(spec, survey, revision, Claims(facts, app.safety), caps=caps)
        plan = annotated(plan, gate_now(app.planner, spec, facts, status))
        cause = status.sync_cause(spec, app.clock.now(), plan)
        return to_json(Attribution(app.state, spec, survey, cause).remarks(plan), cause)

    def approve(spec: Spec, place: tuple[str, int], by: str) -> ApprovedAgentPool:
        return approve_agent_pool(app.planner, app.safety, spec, place, by)

    audit, options = bootstrap.audit(settings, hosting, app.telemetry), _options(settings, hosting)
    return TriggerContext(
        catalogue,
        worker,
        outbox,
        app.state,
        app.safety,
        app.leases,
        queues,
        app.clock,
        app.telemetry,
        plan,
        ApprovalContext(catalogue, app.planner, app.safety, app.state),
        approve,
        audit,
        app.record,
        options,
        app.ownership,
        notices,
        flush.run,
    )


def _folder(specs: str) -> str:
    folder = specs.partition("#")[2].partition(":")[2].strip("/")
    return f"{folder}/" if folder else ""


def _options(settings: Settings, hosting: Hosting) -> TriggerOptions:
    return TriggerOptions(
        ref=settings.specs.partition("#")[2].partition(":")[0],
        sweep_seconds=hosting.sweep_seconds,
        max_age=settings.max_age,
        github_secrets=tuple(secret.reveal() for secret in hosting.github_secrets),
        azure_repos_secrets=tuple(secret.reveal() for secret in hosting.azure_repos_secrets),
        role=hosting.app_role,
        plans=hosting.plans,
        repository=repository_of(settings.specs),
        folder=_folder(settings.specs),
        platform_authenticates=hosting.platform_authenticates,
        capabilities=bootstrap.capabilities(settings),
        capabilities_days=settings.capabilities_days,
        names=settings.names is not NamesIn.OFF,
    )

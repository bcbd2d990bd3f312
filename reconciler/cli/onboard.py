"""`onboard`: what the operator's identity lacks in organizations, as a plan, and with ``--apply`` granting it.

The one command that grants rights to the operator, hence the one that acts as the caller and never as the operator.
Without ``--apply`` it holds nothing that could write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli import plan as plans
from reconciler.cli import results
from reconciler.cli.apply import PlanHash
from reconciler.cli.apply_run import ApplyRun
from reconciler.cli.codes import DONE, ERROR, PENDING, STOPPED, worst
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Verbose, plan_hash_of
from reconciler.cli.progress import ProgressDisplay
from reconciler.cli.run_reporter import RunReporter
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, settings_of
from reconciler.cli.stopping import StopRequest, stop_on_signals
from reconciler.config.settings import PREFIX
from reconciler.engine import Planner, Reconciler, Result, RunLimits
from reconciler.engine.events import Applied, Event, PassStarted
from reconciler.errors import NotFound, Refused, Throttled
from reconciler.plan import render
from reconciler.plan.model import Change, GapKind, Plan
from reconciler.plan.sync import SyncCause
from reconciler.spec.model import Mode, Spec
from reconciler.spec.names import organization_key
from reconciler.tools.onboard import Onboarding, OnboardingReaders, OnboardRequest, refuse

PATIENCE = 2.0
"""Seconds until a write that failed transiently, or is not visible yet, is tried and read again."""
LIMITS = RunLimits(lag=PATIENCE, writes=10)
_BLIND_PAUSE = 30.0
"""Seconds to wait where the service asks for fewer calls and does not say for how long."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class InMode(StrEnum):
    """The mode whose rights are granted."""

    REPORT = "report"
    ENFORCE = "enforce"


Organizations = Annotated[
    list[str],
    typer.Argument(metavar="ORGANIZATION...", help="Organizations by name, as in https://dev.azure.com/NAME."),
]
IdentityId = Annotated[
    str,
    typer.Option(
        "--identity", metavar="OBJECT_ID",
        help="Object id of the operator's service principal (enterprise application) or managed identity.",
    ),
]  # fmt: skip
ForMode = Annotated[InMode, typer.Option("--mode", help="Grant what this mode requires, and no more.")]
Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project", metavar="[ORGANIZATION/]PROJECT", show_default=False,
        help="Only these projects; repeat it for several. Default: all that you can see.",
    ),
]  # fmt: skip
Apply = Annotated[
    bool, typer.Option("--apply", help="Grant what is missing, and read it back. Without it nothing is written.")
]
RecordFile = Annotated[
    Path,
    typer.Option(
        "--record", metavar="FILE",
        help="Where grants are recorded while no state of a deployment is named; `history import` adds it later.",
    ),
]  # fmt: skip
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for the services in all.")
]


def onboard(
    organizations: Organizations,
    *,
    identity: IdentityId,
    mode: ForMode = InMode.REPORT,
    project: Projects = None,
    apply: Apply = False,
    plan_hash: PlanHash = "",
    policy: Policy = "",
    timeout: Timeout = 120.0,
    record: RecordFile = Path("onboarding.record"),
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Plan the rights that the operator's identity lacks, and with --apply grant them, as yourself.

    Never takes anything away, never lowers an access level. Exits with 2 if something is still missing.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(policy=policy)
    if settings.client_id and settings.client_id.lower() == identity.strip().lower():
        raise Refused(
            f"--identity: {identity} is {PREFIX}CLIENT_ID, a client id; the object id is required: "
            f"az ad sp show --id {identity} --query id"
        )
    wanted = tuple(dict.fromkeys(one.strip() for one in project or ()))
    request = OnboardRequest(_object_id(identity), Mode(mode.value), wanted)
    names = tuple(dict.fromkeys(organization_key(one) for one in organizations))
    plan_hash = plan_hash_of(plan_hash)
    if plan_hash and (len(names) != 1 or not apply):
        raise typer.BadParameter("needs --apply, and a plan is of one organization", param_hint="--plan-hash")
    with (
        closing(bootstrap.onboarding(settings, write=apply, record=record)) as tools,
        stop_on_signals() as stop,
        screen.progress("reading", None) as track,
    ):
        tools.sign_in()
        call, end, stopped = _Call(request, tools, track, stop), tools.clock.monotonic() + timeout, False
        try:
            call.plan(names, end)
            if apply:
                stopped = call.apply(names, end, plan_hash or None)
        except KeyboardInterrupt:
            stopped = True
    if apply:
        results.show(call.results, output, screen)
    else:
        plans.show([(one, SyncCause.UNKNOWN) for one in call.plans], output, screen)
    if tools.writers is not None and (path := tools.writers.record_file) is not None and path.exists():
        screen.note(
            f"recorded in {path}; add it to the deployment's record with `mdp-reconciler history import {path}`"
        )
    codes = [*map(_code, call.results)] if apply else [*map(plans.exit_code, call.plans)]
    for line in call.unverified():
        screen.note(f"written, not read back: {line}")
    if stopped:
        screen.note(f"stopped; grants written: {len(call.written)}")
        codes.append(STOPPED)
    elif not apply and any(one.changes for one in call.plans):
        screen.note("nothing was written; --apply grants what you may grant")
    return worst(codes)


def _object_id(text: str) -> str:
    if not _ID.fullmatch(text.strip()):
        raise typer.BadParameter(
            "not an id; the object id of the enterprise application has the form 11111111-2222-3333-4444-555555555555: "
            "az ad sp show --id CLIENT_ID --query id",
            param_hint="--identity",
        )
    return text.strip().lower()


def _code(result: Result) -> int:
    """1 where a grant failed or something could not be read, 2 where something is missing or not visible yet."""
    left = result.plan
    if result.failures or left is None or any(gap.kind is GapKind.UNKNOWN for gap in left.gaps):
        return ERROR
    return DONE if left.in_sync else PENDING


class _Call:
    """All organizations of one call: all are read before anything is written."""

    def __init__(
        self, request: OnboardRequest, tools: bootstrap.OnboardingAccess, track: ProgressDisplay, stop: StopRequest
    ) -> None:
        readers = OnboardingReaders(tools.readers.devops, tools.members)
        self._tools, self._track, self._stop = tools, track, stop
        self._onboarding = Onboarding(request, readers, tools.policy, tools.writers.members if tools.writers else None)
        self._planner = Planner(
            self._onboarding.facets(), tools.readers, tools.policy, tools.clock, refuse=refuse, margin=None
        )
        self.plans: list[Plan] = []
        self.results: list[Result] = []
        self.written: list[tuple[str, Change]] = []

    def plan(self, names: Sequence[str], end: float) -> None:
        """Plan every organization. Errors of the request itself are raised, before anything is written."""
        for name in names:
            self._track.now(f"{name}: reading")
            self.plans.append(self._planned(self._onboarding.spec(name), end))
        for gap in (gap for plan in self.plans for gap in plan.gaps if gap.reason == Refused.__name__):
            raise Refused(gap.message)
        if unmatched := self._onboarding.unmatched():
            raise NotFound(f"project {', '.join(unmatched)}: not in {', '.join(names)}, or hidden from you")

    def _planned(self, spec: Spec, end: float) -> Plan:
        """One plan; where the service asks for fewer calls, again once it admits them and there is time."""
        while True:
            self._stop.check()
            plan = self._planner.plan(spec, self._planner.survey([spec]), "")
            throttled = [gap.retry_after or _BLIND_PAUSE for gap in plan.gaps if gap.reason == Throttled.__name__]
            if not throttled or self._tools.clock.monotonic() + max(throttled) > end:
                return plan
            self._track.now(f"{spec.name}: waiting for the service")
            self._stop.wait(max(throttled))

    def apply(self, names: Sequence[str], end: float, plan_hash: str | None) -> bool:
        """Grant what is missing; whether Ctrl-C ended it."""
        writing = self._tools.writers
        assert writing is not None  # noqa: S101 - composed with --apply
        reporter = RunReporter(LIMITS.lag)
        reporter.bind(self._track, self._stop)

        if held := writing.held(names):
            raise Refused(f"nothing is granted: {'; '.join(held)}")

        def listen(event: Event) -> None:
            if isinstance(event, Applied):
                self.written.append((event.pool, event.change))
            reporter(event)
            if isinstance(event, PassStarted | Applied) and (held := writing.held(names)):
                self._track.line(f"nothing more is granted: {'; '.join(held)}")
                raise KeyboardInterrupt

        store, specs = writing.store, tuple(map(self._onboarding.spec, names))
        reconciler = Reconciler(
            self._planner, writing.writers, store.state, store.leases, LIMITS, listen, record=writing.record
        )
        selection = Selection(specs, (), "", 0, named=True)
        running = ApplyRun(
            reconciler, selection, reporter, self._track, self._stop, patience=PATIENCE, trigger="onboard"
        )
        # An approval is of one plan, so it is good for one run: what is left after it is planned and approved again.
        left = 0.0 if plan_hash else max(0.0, end - self._tools.clock.monotonic())
        try:
            return running.until(left, plan_hash)
        finally:
            self.results = running.results()

    def unverified(self) -> list[str]:
        """Grants that were written and that no read has shown, for people."""
        shown = {(result.pool, change.id) for result in self.results for change in result.verified}
        good = {result.pool for result in self.results if result.plan is not None and result.plan.in_sync}
        left = [(name, change) for name, change in self.written if name not in good and (name, change.id) not in shown]
        return list(dict.fromkeys(f"{name}: {render.summary(change)}" for name, change in left))

"""`onboard`: what the operator's identity needs in organizations, and with ``--apply`` giving it.

The one command that gives the operator rights, hence the one that acts as the person who calls and never as the
operator. Without ``--apply`` it holds nothing that could write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import STOPPED, worst
from reconciler.cli.onboard_shown import code_of, show
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Verbose
from reconciler.cli.screen import Screen, Track
from reconciler.cli.selection import settings_of
from reconciler.cli.stopping import Stop, stopping
from reconciler.config.settings import PREFIX
from reconciler.errors import Refused, Throttled
from reconciler.spec.model import Mode
from reconciler.spec.names import organization_key
from reconciler.tools.onboard import (
    BLIND_PAUSE,
    Giving,
    OnboardingReaders,
    OnboardingWriters,
    OnboardRequest,
    OnboardStep,
    OrganizationReader,
    View,
    unknown_projects,
)

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class InMode(StrEnum):
    """For which mode rights are given."""

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
ForMode = Annotated[InMode, typer.Option("--mode", help="Give what this mode needs, and no more.")]
Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project", metavar="[ORGANIZATION/]PROJECT", show_default=False,
        help="Only these projects, as often as you like; none for all that you can see.",
    ),
]  # fmt: skip
Apply = Annotated[
    bool, typer.Option("--apply", help="Give what is missing, and look again. Without it nothing is written.")
]
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
    policy: Policy = "",
    timeout: Timeout = 120.0,
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Say what the operator's identity lacks in organizations, and with --apply give it, as yourself.

    Never takes anything away, never lowers an access level. Ends with 2 where something is still missing.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(policy=policy)
    if settings.client_id and settings.client_id.lower() == identity.lower():
        raise Refused(
            f"--identity: {identity} is {PREFIX}CLIENT_ID, a client id; what is needed is the object id: "
            f"az ad sp show --id {identity} --query id"
        )
    asked = OnboardRequest(
        _object_id(identity), Mode(mode.value), tuple(dict.fromkeys(one.strip() for one in project or ()))
    )
    names = list(dict.fromkeys(_name(one) for one in organizations))
    with (
        closing(bootstrap.onboarding(settings, write=apply)) as tools,
        stopping() as stop,
        screen.progress("reading", None) as track,
    ):
        run = _Run(asked, tools, timeout, track, stop)
        stopped = run.through(names)
    show(run.views, asked, applied=apply, output=output, screen=screen)
    return worst([*(code_of(view) for view in run.views), *([STOPPED] if stopped else [])])


def _object_id(text: str) -> str:
    if not _ID.fullmatch(text.strip()):
        raise typer.BadParameter(
            "no id; the object id of the enterprise application has the form 11111111-2222-3333-4444-555555555555: "
            "az ad sp show --id CLIENT_ID --query id",
            param_hint="--identity",
        )
    return text.strip().lower()


def _name(text: str) -> str:
    """A name, also where the address was given."""
    return organization_key(text)


class _Run:
    """All organizations of one call: all are looked at before anything is written."""

    def __init__(
        self, asked: OnboardRequest, tools: bootstrap.Onboarding, timeout: float, track: Track, stop: Stop
    ) -> None:
        self._asked = asked
        self._tools = tools
        self._track = track
        self._stop = stop
        self._timeout = timeout
        self._end = tools.clock.monotonic() + timeout
        self._views: dict[str, View] = {}

    @property
    def views(self) -> Sequence[View]:
        """What is known now, in the order asked for."""
        return list(self._views.values())

    def through(self, names: Sequence[str]) -> bool:
        """Look, and give where something can write; whether Ctrl-C ended it."""
        sources = OnboardingReaders(self._tools.devops, self._tools.members, self._tools.inspector)
        lookouts = [OrganizationReader(self._asked, name, sources, self._tools.policy) for name in names]
        try:
            for one in lookouts:
                self._track.now(f"{one.organization}: reading")
                self._views[one.organization] = self._patiently(one)
            unknown_projects(self._asked, lookouts)
            if self._tools.writers is not None:
                for one in lookouts:
                    self._give(
                        one, Giving(self._asked.object_id, one, OnboardingWriters(*self._tools.writers), self._tell)
                    )
        except KeyboardInterrupt:
            return True
        return False

    def _patiently(self, lookout: OrganizationReader) -> View:
        while True:
            self._stop.check()
            try:
                return lookout.look()
            except Throttled as error:
                if not self._waited(error.retry_after or BLIND_PAUSE, lookout.organization):
                    return lookout.shut(error)

    def _give(self, lookout: OrganizationReader, giving: Giving) -> None:
        name = lookout.organization
        while True:
            self._stop.check()
            try:
                done = giving.round()
                self._views[name], wait = done.view, done.wait
            except Throttled as error:
                wait = error.retry_after or BLIND_PAUSE
            if wait is None or (wait and not self._waited(wait, name)):
                break
        self._views[name] = giving.end(self._views[name], self._timeout)

    def _waited(self, seconds: float, name: str) -> bool:
        """Wait, unless the time that this call has is up before."""
        if self._tools.clock.monotonic() + seconds > self._end:
            return False
        self._track.now(f"{name}: waiting for the service", f"; looking again in {seconds:.0f} s")
        self._stop.wait(seconds)
        return True

    def _tell(self, step: OnboardStep) -> None:
        self._stop.check()
        self._track.now(f"{step.place}: giving {step.what}")

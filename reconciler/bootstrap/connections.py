"""Connections to both planes, and what a planner is made of: credential, telemetry, the deployment's files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reconciler import __version__
from reconciler.adapters.clock import SystemClock
from reconciler.config.agent import user_agent
from reconciler.config.settings import PREFIX, CredentialKind, Settings, SettingsInvalid, TelemetryKind, unless_said
from reconciler.errors import NotFound
from reconciler.plan.policy import Policy, load
from reconciler.ports.clock import Clock
from reconciler.ports.notices import NoticeSender
from reconciler.ports.readers_writers import Readers
from reconciler.telemetry import NO_TELEMETRY, Bounded, Calls, Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from reconciler.adapters.arm.pools import Arm
    from reconciler.adapters.credentials import Credential
    from reconciler.adapters.devops.session import Session
    from reconciler.adapters.devops.throttling import ThrottlingGates
    from reconciler.engine import Planner
    from reconciler.survey.capabilities import Beliefs
    from reconciler.survey.capabilities.answers import Capabilities


Believe: TypeAlias = "Callable[[datetime], Mapping[str, Beliefs]]"
"""What is believed of each organization at a moment."""


@dataclass(frozen=True, slots=True)
class Planes:
    """The connections to both services, shared by readers and writers."""

    arm: Arm
    devops: Session
    credential: Credential

    def close(self) -> None:
        """Let connections go."""
        self.arm.close()
        self.devops.close()


def telemetry(settings: Settings) -> Telemetry:
    """The telemetry of the settings; nothing of OpenTelemetry is imported where it is off."""
    if settings.telemetry is TelemetryKind.OFF:
        return NO_TELEMETRY
    from reconciler.adapters.telemetry import exporters  # noqa: PLC0415 - see the package's docstring

    about, monotonic = exporters.resource(__version__, settings.instance), SystemClock().monotonic
    if settings.telemetry is TelemetryKind.CONSOLE:
        return Bounded(exporters.console(about, monotonic))
    if settings.telemetry is TelemetryKind.OTLP:
        return Bounded(exporters.otlp(about, monotonic))
    unless_said(exporters.QUIET)
    tokens = None if settings.credential is CredentialKind.STATIC else credential_of(settings).for_azure()
    return Bounded(exporters.azure(settings.insights, tokens, about, monotonic))


def policy(settings: Settings) -> Policy:
    """The policy of this deployment; the default where there is no file. `NotFound` where the file is missing."""
    if settings.policy is None:
        return Policy()
    try:
        text = settings.policy.read_bytes()
    except OSError as error:
        raise NotFound(
            f"{PREFIX}POLICY: {settings.policy}: {error.strerror}; without the policy nothing is applied"
        ) from None
    return load(text)


def capabilities(settings: Settings) -> Capabilities:
    """The results of `probe`; none without a file. `NotFound` where the file is missing."""
    from reconciler.survey.capabilities.answers import Capabilities  # noqa: PLC0415 - builds models

    return Capabilities() if settings.capabilities is None else capabilities_at(settings.capabilities)


def capabilities_at(path: Path) -> Capabilities:
    """Those of a file. `SettingsInvalid` with a line for each problem of it."""
    from reconciler.survey.capabilities.document import CapabilitiesInvalid, load  # noqa: PLC0415 - builds models

    try:
        return load(str(path), path.read_bytes())
    except OSError as error:
        hint = "write it with `probe`, or unset the variable"
        raise NotFound(f"{PREFIX}CAPABILITIES: {path}: {error.strerror}; {hint}") from None
    except CapabilitiesInvalid as error:
        raise SettingsInvalid(error.problems) from None


def planner_of(settings: Settings, planes: Planes, clock: Clock, watch: Telemetry = NO_TELEMETRY) -> Planner:
    """The planner over these connections, with what the deployment allows and knows."""
    from reconciler.engine import Planner  # noqa: PLC0415 - see the package's docstring
    from reconciler.facets.registry import FACETS  # noqa: PLC0415

    readers = readers_of(settings, planes)
    margin = timedelta(seconds=settings.agent_pool_margin)
    known = beliefs(settings)
    return Planner(FACETS, readers, policy(settings), clock, margin=margin, believe=known, telemetry=watch)


def readers_of(settings: Settings, planes: Planes) -> Readers:
    """What reads over these connections."""
    from reconciler.adapters.devops.reads import DevOps  # noqa: PLC0415 - see the package's docstring

    if not settings.prerequisites:
        return Readers(planes.arm, DevOps(planes.devops), None, settings.parallel)
    from reconciler.adapters.arm.inspection import AzureResources  # noqa: PLC0415

    resources = AzureResources(planes.arm, planes.devops)
    return Readers(planes.arm, DevOps(planes.devops), resources, settings.parallel)


def beliefs(settings: Settings) -> Believe:
    """What follows from the capabilities file; without one, conservative defaults apply and no model is built."""
    if settings.capabilities is None:
        return lambda _: {}
    return partial(capabilities(settings).beliefs, days=settings.capabilities_days)


def connect(
    settings: Settings,
    clock: Clock,
    gates: ThrottlingGates | None = None,
    watch: Telemetry = NO_TELEMETRY,
    *,
    gets_alone: bool = False,
) -> Planes:
    """Both planes; `gets_alone`: any other method than GET is refused."""
    from reconciler.adapters.arm.pools import Arm  # noqa: PLC0415 - see the package's docstring

    credential = credential_of(settings)
    return Planes(
        Arm(
            settings.arm_endpoint,
            credential.for_azure(),
            allow_loopback=settings.allow_loopback,
            clock=clock,
            timeout=settings.http_timeout,
            calls=Calls("arm", watch),
            gets_alone=gets_alone,
        ),
        session_for(
            settings,
            credential,
            (settings.devops_endpoint, settings.identity_endpoint),
            gates,
            watch,
            gets_alone=gets_alone,
        ),
        credential,
    )


def session_for(
    settings: Settings,
    credential: Credential,
    hosts: tuple[str, str],
    gates: ThrottlingGates | None,
    watch: Telemetry = NO_TELEMETRY,
    *,
    gets_alone: bool = False,
) -> Session:
    """A session for two hosts of Azure DevOps: that of the organizations, and that of their identities."""
    from reconciler.adapters.devops.endpoints import Endpoints  # noqa: PLC0415
    from reconciler.adapters.devops.exchange import CallLimits  # noqa: PLC0415
    from reconciler.adapters.devops.session import Session  # noqa: PLC0415 - see the package's docstring

    endpoints = Endpoints(*hosts, allow_loopback=settings.allow_loopback)
    limits = CallLimits(read=settings.http_timeout, parallel=settings.parallel)
    calls, agent = Calls("devops", watch), user_agent(settings.deployment)
    return Session(credential, endpoints, gates=gates, calls=calls, limits=limits, gets_alone=gets_alone, agent=agent)


def credential_of(settings: Settings) -> Credential:
    """Where tokens come from."""
    from reconciler.adapters import credentials  # noqa: PLC0415 - see the package's docstring

    if settings.credential is CredentialKind.MANAGED:
        return credentials.managed(settings.client_id)
    if settings.credential is CredentialKind.PAT:
        return credentials.pat(settings.pat.reveal())
    if settings.credential is CredentialKind.STATIC:
        endpoints = (
            settings.arm_endpoint,
            settings.devops_endpoint,
            settings.identity_endpoint,
            settings.members_endpoint,
        )
        return credentials.static(settings.arm_token.reveal(), settings.devops_token.reveal(), endpoints)
    return credentials.default(settings.client_id)


def notice_sender(clock: Clock) -> NoticeSender:
    """Sends notices to people."""
    from reconciler.adapters.webhooks import WebhookSender  # noqa: PLC0415 - see the package's docstring

    return WebhookSender(clock.now)

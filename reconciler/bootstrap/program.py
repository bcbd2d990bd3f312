"""Builds the program: the part that reads and plans, and the part that applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.connections import connect, credential_of, planner_of, telemetry
from reconciler.bootstrap.stores import store
from reconciler.config.settings import PREFIX, Settings
from reconciler.config.triggers import Hosting
from reconciler.engine import Planner, Reconciler, RunLimits
from reconciler.engine.events import Event
from reconciler.errors import SpecInvalid
from reconciler.ports.clock import Clock
from reconciler.ports.readers_writers import Writers
from reconciler.ports.specs import SpecSource
from reconciler.ports.stores import Leases, MessageQueues, StateStore
from reconciler.telemetry import NO_TELEMETRY, Calls, Telemetry

if TYPE_CHECKING:
    from reconciler.adapters.devops.audit import DevOpsAuditLog


@dataclass(frozen=True, slots=True)
class Look:
    """What planning needs. Holds nothing that could write."""

    source: SpecSource
    planner: Planner
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Close connections."""


@dataclass(frozen=True, slots=True)
class App:
    """What applying needs."""

    source: SpecSource
    planner: Planner
    reconciler: Reconciler
    state: StateStore
    leases: Leases
    queues: MessageQueues
    """The store itself: it names queues."""
    clock: Clock
    telemetry: Telemetry
    close: Callable[[], None] = field(repr=False)
    """Close connections and files."""


def source(settings: Settings) -> SpecSource:
    """The source of specs. `SpecInvalid` where it is not set or invalid."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring

    if not settings.specs:
        raise SpecInvalid(f"{PREFIX}SPECS: not set; name a folder or a git repository there, or by --specs")
    location = git.Location.parse(_rooted(settings.specs))
    authorization = git_authorization(settings, location.place if location.remote else "")
    return git.source(
        location, access=git.RemoteAccess(authorization=authorization, allow_loopback=settings.allow_loopback)
    )


def git_authorization(settings: Settings, url: str) -> Callable[[], str] | None:
    """The Git token if one is set; for Azure Repos the identity for Azure DevOps; None otherwise."""
    from reconciler.adapters.git import source as git  # noqa: PLC0415 - see the package's docstring

    if settings.git_token:
        return git.basic(settings.git_token.reveal)
    ours, theirs = urlsplit(settings.devops_endpoint), urlsplit(url)
    if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc):
        return credential_of(settings).devops_header
    return None


def look(settings: Settings) -> Look:
    """What reading and planning need."""
    clock = SystemClock()
    planes = connect(settings, clock)
    return Look(source(settings), planner_of(settings, planes, clock), clock, planes.close)


def build(
    settings: Settings, listen: Callable[[Event], None] = lambda _: None, *, watch: Telemetry | None = None
) -> App:
    """What applying needs; `listen` receives events, and `watch` telemetry (None: as the settings say)."""
    from reconciler.adapters.arm.pools import ArmWrites  # noqa: PLC0415 - see the package's docstring
    from reconciler.adapters.devops.throttling import GateClosings  # noqa: PLC0415
    from reconciler.adapters.devops.writes import DevOpsWrites  # noqa: PLC0415

    clock = SystemClock()
    kept = store(settings, clock)
    watch = watch or telemetry(settings)
    closings = GateClosings(kept.state, clock, watch)
    planes = connect(settings, clock, closings.gates, watch)
    planner = planner_of(settings, planes, clock, watch)
    writers = Writers(arm=ArmWrites(planes.arm), devops=DevOpsWrites(planes.devops))
    limits = RunLimits(budget=settings.budget, wait_once=settings.wait_once)
    reconciler = Reconciler(planner, writers, kept.state, kept.leases, limits, listen, closings)

    def close() -> None:
        planes.close()
        kept.close()
        watch.close()

    return App(source(settings), planner, reconciler, kept.state, kept.leases, kept, clock, watch, close)


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


def _rooted(specs: str) -> str:
    """A folder inside a repository, with a ref, as the repository and the folder in it."""
    place, mark, behind = specs.partition("#")
    folder = Path(place)
    if not mark or "://" in place or not folder.is_dir():
        return specs
    ref, _, prefix = behind.partition(":")
    for root in (folder.resolve(), *folder.resolve().parents):
        if (root / ".git").exists():
            inside = folder.resolve().relative_to(root).as_posix()
            return f"{root}#{ref}:{'/'.join(part for part in (inside, prefix) if part not in ('', '.'))}"
    return specs

"""Puts the program together: the only place that knows which adapter stands behind which port.

`look` gives what reading and planning need and nothing that could write; `build` adds writers, state and leases. An
adapter is imported when it is needed: the SDKs behind some take longer to import than a plan takes to make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from reconciler.adapters.clock import SystemClock
from reconciler.engine import Limits, Planner, Reconciler, load_status
from reconciler.engine.events import Event
from reconciler.errors import Forbidden, NotFound, SpecInvalid
from reconciler.hosting import Hosting
from reconciler.inspection import ArmInspector, DevOpsInspector
from reconciler.policy import Policy
from reconciler.ports import Clock, Leases, MessageQueue, MessageQueues, Readers, SpecSource, StateStore, Writers
from reconciler.settings import PREFIX, CredentialKind, Settings
from reconciler.spec.model import Spec
from reconciler.status import PoolStatus, Remembered

if TYPE_CHECKING:
    from reconciler.adapters.arm import Arm
    from reconciler.adapters.audit import AuditLog
    from reconciler.adapters.credentials import Credential
    from reconciler.adapters.gate import Gates
    from reconciler.adapters.session import Session
    from reconciler.adapters.storage import Account


@dataclass(frozen=True, slots=True)
class Look:
    """What planning needs. Holds nothing that could write."""

    source: SpecSource
    planner: Planner
    clock: Clock
    close: Callable[[], None] = field(repr=False)
    """Let connections go."""


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
    close: Callable[[], None] = field(repr=False)
    """Let connections and files go."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What people's questions need: readers, and inspectors beside them. Holds nothing that could write."""

    planner: Planner
    clock: Clock
    arm: ArmInspector
    devops: DevOpsInspector


class Store(Protocol):
    """State, leases and queues, wherever they are kept."""

    @property
    def state(self) -> StateStore:
        """Documents."""

    @property
    def leases(self) -> Leases:
        """One holder for each key."""

    def named(self, queue: str) -> MessageQueue:
        """A queue by name."""

    def close(self) -> None:
        """Let connections and files go."""


@dataclass(frozen=True, slots=True)
class _Planes:
    """The connections to both services, shared by readers and writers."""

    arm: Arm
    devops: Session

    def close(self) -> None:
        """Let connections go."""
        self.arm.close()
        self.devops.close()


def source(settings: Settings) -> SpecSource:
    """Where specs come from. `SpecInvalid` where that is not set or makes no sense."""
    from reconciler.adapters import git  # noqa: PLC0415 - see the module's docstring

    if not settings.specs:
        raise SpecInvalid(f"{PREFIX}SPECS: not set; name a folder or a git repository there, or by --specs")
    location = git.Location.parse(_rooted(settings.specs))
    authorization = git_authorization(settings, location.place if location.remote else "")
    return git.source(location, access=git.Access(authorization=authorization, allow_loopback=settings.allow_loopback))


def git_authorization(settings: Settings, url: str) -> Callable[[], str] | None:
    """The git token where one is set; towards Azure Repos, who we are towards Azure DevOps; nobody otherwise."""
    from reconciler.adapters import git  # noqa: PLC0415 - see the module's docstring

    if settings.git_token:
        return git.basic(settings.git_token.reveal)
    ours, theirs = urlsplit(settings.devops_endpoint), urlsplit(url)
    if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc):
        return _credential(settings).devops_header
    return None


def look(settings: Settings) -> Look:
    """What reading and planning need."""
    clock = SystemClock()
    planes = _planes(settings, clock)
    return Look(source(settings), _planner(settings, planes, clock), clock, planes.close)


def tools(settings: Settings) -> Tools:
    """What `explain`, `import` and `doctor` need; specs are not asked for."""
    from reconciler.adapters.arm_inspection import ArmInspection  # noqa: PLC0415 - see the module's docstring
    from reconciler.adapters.devops_inspection import DevOpsInspection  # noqa: PLC0415

    clock = SystemClock()
    planes = _planes(settings, clock)
    inspectors = ArmInspection(planes.arm), DevOpsInspection(planes.devops)
    return Tools(_planner(settings, planes, clock), clock, *inspectors)


def build(settings: Settings, listen: Callable[[Event], None] = lambda _: None) -> App:
    """What applying needs; `listen` is told what happens."""
    from reconciler.adapters.arm import ArmWrites  # noqa: PLC0415 - see the module's docstring
    from reconciler.adapters.devops_writes import DevOpsWrites  # noqa: PLC0415
    from reconciler.adapters.gate_closings import GateClosings  # noqa: PLC0415

    clock = SystemClock()
    kept = store(settings, clock)
    closings = GateClosings(kept.state, clock)
    planes = _planes(settings, clock, closings.gates)
    planner = _planner(settings, planes, clock)
    writers = Writers(arm=ArmWrites(planes.arm), devops=DevOpsWrites(planes.devops))
    limits = Limits(budget=settings.budget, wait_once=settings.wait_once)
    reconciler = Reconciler(planner, writers, kept.state, kept.leases, limits, listen, closings)

    def close() -> None:
        planes.close()
        kept.close()

    return App(source(settings), planner, reconciler, kept.state, kept.leases, kept, clock, close)


def store(settings: Settings, clock: Clock) -> Store:
    """State, leases and queues: in a storage account where the setting names one, in a SQLite file otherwise."""
    if in_storage(settings.state):
        from reconciler.adapters.storage import Storage  # noqa: PLC0415 - see the module's docstring

        return Storage(_account(settings), allow_loopback=settings.allow_loopback)
    from reconciler.adapters.local import Local  # noqa: PLC0415 - see the module's docstring

    path = Path(settings.state)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Forbidden(f"{PREFIX}STATE: {path.parent}: {error.strerror}") from None
    return Local(path, clock)


def audit(settings: Settings, hosting: Hosting) -> AuditLog:
    """The audit logs of organizations: another host, hence a session of its own."""
    from reconciler.adapters.audit import AuditLog  # noqa: PLC0415 - see the module's docstring
    from reconciler.adapters.session import Session  # noqa: PLC0415
    from reconciler.adapters.session_endpoints import Endpoints  # noqa: PLC0415
    from reconciler.adapters.session_wire import Limits as CallLimits  # noqa: PLC0415

    place = hosting.audit_endpoint
    endpoints = Endpoints(place, place, allow_loopback=settings.allow_loopback)
    return AuditLog(Session(_credential(settings), endpoints, limits=CallLimits(read=settings.http_timeout)))


def in_storage(state: str) -> bool:
    """Whether the setting names a storage account: by the URL of its blobs, or by a connection string."""
    return bool(re.match(r"https?://|[A-Za-z]+=", state))


def _account(settings: Settings) -> Account:
    """Blobs and queues of one account; the queues' URL stands behind that of the blobs, or follows from it."""
    from reconciler.adapters.storage import Account  # noqa: PLC0415 - see the module's docstring

    if "://" not in settings.state.partition("=")[0]:
        return Account(connection=settings.state)
    blobs, _, given = settings.state.partition(" ")
    queues = given.strip() or blobs.replace(".blob.", ".queue.", 1)
    if queues == blobs:
        raise SpecInvalid(f"{PREFIX}STATE: a storage account is named by the URL of its blobs, https://NAME.blob.…")
    return Account(blob_url=blobs, queue_url=queues, credential=_credential(settings).for_azure())


def statuses(settings: Settings) -> tuple[PoolStatus, ...]:
    """What is stored of every pool, sorted; nothing is made where nothing was stored yet."""
    if not in_storage(settings.state) and not Path(settings.state).exists():
        return ()
    with closing(store(settings, SystemClock())) as kept:
        stored = [(name.removeprefix("pools/"), kept.state.load(name)) for name in kept.state.names("pools/")]
    return tuple(PoolStatus.from_json(key, document.body) for key, document in stored if document is not None)


def remembered(settings: Settings, specs: Iterable[Spec]) -> Mapping[str, Remembered]:
    """Which ids the names of these specs had at the last run, by the pool's key; nothing is made, as in `statuses`."""
    if not in_storage(settings.state) and not Path(settings.state).exists():
        return {}
    with closing(store(settings, SystemClock())) as kept:
        return {spec.key: load_status(kept.state, spec.key).remembered for spec in specs}


def policy(settings: Settings) -> Policy:
    """The policy of this deployment; the default where there is no file. `NotFound` where the file is missing."""
    from reconciler import policy as policies  # noqa: PLC0415 - beside the function's name

    if settings.policy is None:
        return Policy()
    try:
        text = settings.policy.read_bytes()
    except OSError as error:
        raise NotFound(
            f"{PREFIX}POLICY: {settings.policy}: {error.strerror}; without its policy nothing is done"
        ) from None
    return policies.load(text)


def _planner(settings: Settings, planes: _Planes, clock: Clock) -> Planner:
    from reconciler.adapters.devops import DevOps  # noqa: PLC0415 - see the module's docstring
    from reconciler.facets import FACETS  # noqa: PLC0415

    return Planner(FACETS, Readers(arm=planes.arm, devops=DevOps(planes.devops)), policy(settings), clock)


def _planes(settings: Settings, clock: Clock, gates: Gates | None = None) -> _Planes:
    from reconciler.adapters.arm import Arm  # noqa: PLC0415 - see the module's docstring
    from reconciler.adapters.session import Session  # noqa: PLC0415
    from reconciler.adapters.session_endpoints import Endpoints  # noqa: PLC0415
    from reconciler.adapters.session_wire import Limits as CallLimits  # noqa: PLC0415

    credential = _credential(settings)
    loopback = settings.allow_loopback
    return _Planes(
        Arm(
            settings.arm_endpoint,
            credential.for_azure(),
            allow_loopback=loopback,
            clock=clock,
            timeout=settings.http_timeout,
        ),
        Session(
            credential,
            Endpoints(settings.devops_endpoint, settings.identity_endpoint, allow_loopback=loopback),
            gates=gates,
            limits=CallLimits(read=settings.http_timeout, parallel=settings.parallel),
        ),
    )


def _credential(settings: Settings) -> Credential:
    from reconciler.adapters import credentials  # noqa: PLC0415 - see the module's docstring

    if settings.credential is CredentialKind.MANAGED:
        return credentials.managed(settings.client_id)
    if settings.credential is CredentialKind.PAT:
        return credentials.pat(settings.pat.reveal())
    if settings.credential is CredentialKind.STATIC:
        endpoints = (settings.arm_endpoint, settings.devops_endpoint, settings.identity_endpoint)
        return credentials.static(settings.arm_token.reveal(), settings.devops_token.reveal(), endpoints)
    return credentials.default(settings.client_id)


def _rooted(specs: str) -> str:
    """A folder inside a repository, asked for at a ref, as the repository and the folder in it."""
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

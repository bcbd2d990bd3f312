"""What the triggers share, built once in a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.documents import Json
from reconciler.engine import load_status
from reconciler.engine.status import PoolStatus
from reconciler.errors import ReconcilerError
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Leases, MessageQueues, StateStore, StoreOwnership
from reconciler.ports.write_log import WriteLog
from reconciler.safety import Safety
from reconciler.service.catalogue import Catalogue
from reconciler.service.events.audit import Own
from reconciler.service.events.echoes import Echoes
from reconciler.service.http.agent_pools import Approve
from reconciler.service.http.approvals import ApprovalContext
from reconciler.service.notify.waiting import NoticeOutbox
from reconciler.service.page.pictures import Pictures
from reconciler.service.queue.outbox import Outbox
from reconciler.service.queue.worker import Worker
from reconciler.service.triggers.overdue import ResyncWatch
from reconciler.spec.model import Spec
from reconciler.survey.capabilities.answers import LASTS, Capabilities
from reconciler.survey.demand import MAX_AGE
from reconciler.survey.names import RememberedNames
from reconciler.telemetry import Telemetry


class AuditLog(Protocol):
    """The audit log of an organization."""

    def entries(self, organization: str, cursor: str) -> tuple[list[Json], str, bool]:
        """Entries after a cursor (at first a moment, ISO 8601), oldest first, each once, and the next cursor.

        Third, whether there were more than one read returns: the older ones were left out and will not be read.

        Raises `Forbidden` or `NotFound` where the organization has no auditing or denies access to it.
        """


@dataclass(frozen=True, slots=True)
class TriggerOptions:
    """The deployment's settings for triggers."""

    ref: str = ""
    """Branch or tag that specs come from; empty: the default branch."""
    sweep_seconds: float = 900.0
    """Time over which a full resync is spread: the interval of its timer."""
    max_age: float = MAX_AGE.total_seconds()
    """Seconds after which a fact is read again at the latest."""
    github_secrets: tuple[str, ...] = field(default=(), repr=False)
    azure_repos_secrets: tuple[str, ...] = field(default=(), repr=False)
    role: str = ""
    """App role that callers of the HTTP interface need; empty: function keys alone."""
    platform_authenticates: bool = False
    """Whether App Service's authentication is on."""
    serves: bool = False
    """Whether `serve` runs the triggers: its key, or loopback, is what lets a reader of the pages in."""
    plans: bool = True
    """Whether this app reads the two planes: the ingress app does not."""
    repository: str = ""
    """Where the specs come from, without user and password; empty for a folder."""
    folder: str = ""
    """Their folder there, with a slash at its end; empty for the root."""
    capabilities: Capabilities = field(default_factory=Capabilities)
    """Results of `probe`; `health` reports their age."""
    capabilities_days: float = LASTS
    names: bool = True
    """Whether people may be named in the state."""


@dataclass(frozen=True, slots=True)
class TriggerContext:
    """The parts."""

    catalogue: Catalogue
    worker: Worker
    outbox: Outbox
    state: StateStore
    safety: Safety
    leases: Leases
    queues: MessageQueues
    """By name: the same store that state and leases are in."""
    clock: Clock
    telemetry: Telemetry
    plan: Callable[[Spec, str], Json]
    """Plans, with readers only."""
    approvals: ApprovalContext
    approve_agent_pool: Approve
    """Records the owner's approval of an agent pool."""
    audit: AuditLog
    record: WriteLog
    """The record of writes, to be read."""
    options: TriggerOptions
    ownership: StoreOwnership
    """Which deployment state and messages belong to."""
    notices: NoticeOutbox | None = None
    """Takes notices to people; None: no receiver is set."""
    flush: Callable[[], None] = lambda: None
    """Sends the notices that wait."""
    watch: ResyncWatch = field(default_factory=ResyncWatch)
    pictures: Pictures = field(default_factory=Pictures)
    """What the status page remembers between two requests."""

    def remembered(self, key: str) -> RememberedNames:
        """What the names of a pool's spec stood for in its last run."""
        return load_status(self.state, key).remembered

    def hand_over(self, statuses: Iterable[PoolStatus]) -> None:
        """Hand over the notices of statuses that were stored."""
        if self.notices is not None:
            self.notices.hand_over(statuses)

    @property
    def own(self) -> Own:
        """How the operator's own changes are told from those of others."""
        return Own(self._operator, Echoes(self.record).left)

    def _operator(self, organization: str) -> str:
        """The local id that the deployed service recorded of itself, lower case; empty where it is not known."""
        try:
            found = self.safety.recorded_operators().get(organization)
        except ReconcilerError:
            return ""
        return found.id.lower() if found is not None else ""

"""What a spec says, as immutable values: the only form in which the rest of the program sees it.

The loader builds these from YAML after every rule has been checked, so nothing half-valid exists. A field that the
file does not name is None or missing here and is not managed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

ARM_API_VERSION = "2026-06-02"
"""The newest stable version of the ARM document, which this release knows and uses unless a spec says otherwise."""

PARTS = (
    "pool", "agentPool", "queues", "restoration", "openAccess", "pipelines", "queueRoles", "inheritance", "roles",
)  # fmt: skip
"""The managed parts, as the fields of a spec are spelled; the facets that write have these names in words."""


class Mode(StrEnum):
    """How far the operator may go for one pool."""

    ENFORCE = "enforce"
    REPORT = "report"
    """Plan only."""
    PAUSE = "pause"
    """Planned and reported, and nothing written, until a date."""


class WriteMode(StrEnum):
    """How far writing goes in a deployment, above every spec; the strictest first (`reconciler.safety`)."""

    STOP = "stop"
    """Nothing is written, and health says so: something is wrong."""
    REPORT = "report"
    """Nothing is written; plans are made and reported."""
    APPROVED = "approved"
    """Drift is corrected to the spec that was approved last; another spec waits for approval."""
    ENFORCE = "enforce"

    @property
    def rank(self) -> int:
        """The smaller, the stricter."""
        return list(WriteMode).index(self)

    @property
    def writes(self) -> bool:
        """Whether anything may be written at all."""
        return self in (WriteMode.APPROVED, WriteMode.ENFORCE)


class PermissionKind(StrEnum):
    """`organizationProfile.permissionProfile.kind`."""

    INHERIT = "Inherit"
    CREATOR_ONLY = "CreatorOnly"
    SPECIFIC_ACCOUNTS = "SpecificAccounts"


@dataclass(frozen=True, slots=True)
class PermissionProfile:
    """Who administers the agent pools, in ARM's words."""

    kind: PermissionKind
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """One Azure DevOps organization of a pool."""

    name: str
    """Bare and lower case: ``fabrikam-prime``, taken from either form of its URL."""
    agent_pool: str
    """Name of the agent pool there: the organization's alias, else the profile's, else the resource's name."""
    projects: tuple[str, ...]
    """Project names; empty: all projects, also those created tomorrow."""
    open_access: bool | None
    """None: not managed (but for `access.openAccess`)."""
    parallelism: int | None = None
    without_queue: frozenset[str] = frozenset()
    """Projects, case-folded, that are left as they are: no queue is made, and none is looked at."""
    auto_provision: bool | None = None
    """Whether the agent pool shall give a queue to each new project at once; None: not managed."""
    silent: frozenset[str] = frozenset()
    """Those of `projects` and `alias` that neither the file nor, in this run, ARM has said (`reconciler.spec.settled`).
    Nothing is read or written in Azure DevOps for such an organization; the values above are those of a creation."""
    leaving: bool = False
    """Whether ARM deletes the pool, as far as this run has read."""


@dataclass(frozen=True, slots=True)
class OpenAccessException:
    """A dated or undated exception for one project to the organization's flag."""

    organization: str
    project: str
    allow: bool
    until: date | None = None
    """Last day (UTC) on which it counts; afterwards the organization's flag counts again."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PipelineGrant:
    """Single pipelines that may use the queue of one project."""

    organization: str
    project: str
    pipelines: tuple[str | int, ...]
    r"""Path (``\release\nightly``) or id."""
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class PoolRoles:
    """Administrators and inheritance of the agent pool in one organization."""

    organization: str
    administrators: tuple[str, ...] | None = None
    exclusive: bool = False
    inherit: bool | None = None


@dataclass(frozen=True, slots=True)
class QueueRoles:
    """Roles on one project's queue; None: that role is not managed."""

    organization: str
    project: str
    roles: Mapping[str, tuple[str, ...]]
    """``Reader``, ``User``, ``Creator``, ``Administrator`` → principals."""
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What ARM has no words for."""

    open_access: tuple[OpenAccessException, ...] = ()
    pipelines: tuple[PipelineGrant, ...] = ()
    roles: tuple[PoolRoles, ...] = ()
    queue_roles: tuple[QueueRoles, ...] = ()


@dataclass(frozen=True, slots=True)
class Disruption:
    """How long a change that recycles agents waits until no machine is at work."""

    at_most: timedelta = timedelta(days=1)
    proceed: bool = True
    """Whether the change is made when that time is over; else it is not made, and a person has to act."""


def _no_line(paths: Sequence[str]) -> int:  # noqa: ARG001 - the spec is of no file
    return 0


@dataclass(frozen=True, slots=True)
class SpecPause:
    """Fields of the pool that are not written until a day, by its own spec."""

    fields: tuple[str, ...]
    """As `reconciler.spec.parts` knows them; empty: the whole pool."""
    until: date | None
    """The last day, in UTC; None: without an end."""
    reason: str = ""

    def counts_on(self, day: date) -> bool:
        """Whether it counts on this day (UTC). After its last day a pause is over by itself."""
        return self.until is None or day <= self.until

    @property
    def end(self) -> datetime | None:
        """The moment at which it is over: midnight after its last day, in UTC."""
        if self.until is None or self.until == date.max:
            return None
        return datetime.combine(self.until + timedelta(days=1), time(), UTC)


@dataclass(frozen=True)
class Spec:
    """One pool, as git wants it."""

    name: str
    subscription: str
    """Lower-case guid."""
    resource_group: str
    mode: Mode
    body: Mapping[str, Any]
    """The ARM body, canonical shape and property names, holding exactly what the file names (defaults are not
    filled in): location, tags, identity, properties. Never written to."""
    organizations: tuple[Organization, ...] = ()
    """Azure DevOps organizations; empty for a GitHub pool."""
    permission_profile: PermissionProfile | None = None
    access: Access = field(default_factory=Access)
    disruption: Disruption | None = None
    """None: agents are recycled without waiting."""
    replace: bool = False
    """Whether the pool may be deleted and created again where only a new one can have what the spec says. The policy
    has to agree (`reconciler.plan.policy`)."""
    repair_definitions: bool = False
    """Whether definitions of pipelines that name a queue of a replaced pool by its id are changed to the new one."""
    arm_api_version: str = ""
    """A newer version of the ARM document for this pool; empty: `ARM_API_VERSION`. The policy has to allow it."""
    until: date | None = None
    """For `mode: pause`: last day on which it is paused."""
    reason: str = ""
    pauses: tuple[SpecPause, ...] = ()
    """Of single fields; that of the whole pool is in `mode`, `until` and `reason`."""
    path: str = ""
    """File below the prefix."""
    blob: str = field(default="", compare=False)
    """Git's id of the file's content, also where the file is in no repository."""
    lines: Callable[[Sequence[str]], int] = field(default=_no_line, compare=False, repr=False)
    """The line of the first of some dotted paths that its document has; 0 for none (`source.DocumentLines`)."""

    def with_organizations(self, organizations: tuple[Organization, ...]) -> Spec:
        """The same spec with these: each plan begins with it, so no field is set one by one, as `replace` does."""
        made = object.__new__(Spec)
        vars(made).update(vars(self), organizations=organizations)
        return made

    def pauses_on(self, day: date) -> tuple[SpecPause, ...]:
        """The pauses that count on this day (UTC), that of the whole pool first."""
        whole = (SpecPause((), self.until, self.reason),) if self.mode is Mode.PAUSE else ()
        return tuple(one for one in (*whole, *self.pauses) if one.counts_on(day))

    def paused_on(self, day: date) -> bool:
        """Whether the spec pauses the whole pool on this day (UTC)."""
        return any(not one.fields for one in self.pauses_on(day))

    @property
    def mode_line(self) -> int:
        """Line of `mode` in the file; 0: not named."""
        return self.lines(("mode",))

    @property
    def api_version(self) -> str:
        """The version of the ARM document with which the pool is read and written."""
        return self.arm_api_version or ARM_API_VERSION

    @property
    def key(self) -> str:
        """The pool's key: pool names are unique in all of Azure, case aside (ARM document, name of a pool)."""
        return self.name.lower()

    @property
    def pool_id(self) -> str:
        """ARM resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.DevOpsInfrastructure/pools/{self.name}"
        )

"""The seams to everything outside: two services that are read and written, git, state, leases, work, time.

A port speaks the domain's words; HTTP, SDKs and storage formats stay behind it. Readers and writers are separate
types, so that planning holds no object that could write. Each method is one request (or the pages of one list),
never sleeps longer than a short retry, and raises only errors of `reconciler.errors`.

Organizations are given by their bare, lower-case name, projects by id (projects are renamed), people by the
organization's local id (an Entra id in its place is answered with 200 and count 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from reconciler.plan import Json
from reconciler.surroundings import Surroundings

# --- what is read ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pending:
    """A long operation that was started and is not waited for."""

    url: str = field(repr=False)
    """The operation's own URL, signed query included; passed on unchanged. May grant: never printed or logged."""
    retry_after: float
    """Seconds until it is worth looking."""
    description: str
    """For people: ``update of pool fabrikam-managed-pool``."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation URL says now."""

    state: str
    """``running``, ``succeeded``, ``failed`` (cancelled counts as failed), or ``gone``: the service keeps it no longer,
    and only the resource itself still tells how it ended."""
    code: str = ""
    message: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class AgentPool:
    """An agent pool of an organization."""

    id: int
    name: str
    auto_provision: bool | None = None
    """Whether new projects get a queue of it; None where the answer does not say."""
    facts: Mapping[str, Json] | None = None
    """The raw document; opaque, for `explain` alone."""


@dataclass(frozen=True, slots=True)
class Project:
    """A well-formed project that the identity can see."""

    id: str
    name: str
    now: str = ""
    """Its new name, where it was renamed since the spec named it; `name` is then the one that the spec has."""


@dataclass(frozen=True, slots=True)
class Queue:
    """An agent pool as one project has it."""

    id: int
    name: str
    project_id: str
    pool_id: int


@dataclass(frozen=True, slots=True)
class PipelinePermissions:
    """Who in a project may use a queue."""

    all_pipelines: bool
    """Open access."""
    pipelines: frozenset[int] = frozenset()
    """Single pipelines that are authorized, whether or not open access is on."""
    authorized_by: str = ""
    """Display name of who opened it, where the service says."""
    authorized_on: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of a project (a build definition)."""

    id: int
    path: str
    r"""From the top: ``\release\nightly``."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody or something that an organization knows."""

    id: str
    """Local id (storage key) in this organization, lower case."""
    display_name: str
    unique_name: str = ""
    """Address, or ``[scope]\\name`` of a group."""
    descriptor: str = ""
    """Subject descriptor (``aad.…``); opaque."""
    origin_id: str = ""
    """Entra object id, lower case, where there is one."""


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """One line of a pool's or queue's security page."""

    identity: Identity
    role: str
    """``Administrator``, ``Reader``, … as the service names it."""
    inherited: bool


# --- the two planes -----------------------------------------------------------------------------------


class ArmReader(Protocol):
    """Reads `Microsoft.DevOpsInfrastructure/pools`; documents are raw ARM bodies at the pinned api-version."""

    def pool(self, pool_id: str) -> dict[str, Json] | None:
        """The pool at this resource id, or None where ARM answers 404."""

    def pools(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All pools of a subscription, all pages."""

    def machines(self, pool_id: str) -> Sequence[str]:
        """Status of each machine of the pool, as the service spells it: ``Ready``, ``Allocated``."""

    def operation(self, url: str) -> Operation:
        """State of a long operation that an `ArmWriter` started."""


class ArmWriter(Protocol):
    """Writes pools."""

    def put(self, pool_id: str, body: Mapping[str, Json]) -> Pending | None:
        """Create or replace the pool; None where it was done at once. Strips what is read-only, nothing else."""

    def delete(self, pool_id: str) -> Pending | None:
        """Delete the pool, with its agent pools and all that hangs on them; None where there is none any more."""


class DevOpsReader(Protocol):
    """Reads organizations, one request a call. `reconciler.survey` shares and parallelises these reads."""

    def me(self, organization: str) -> Identity:
        """The identity that we are in this organization."""

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        """All automation pools that the identity can see; a pool without View right is simply missing."""

    def projects(self, organization: str) -> Sequence[Project]:
        """All well-formed projects that the identity can see, all pages."""

    def known_projects(self, organization: str) -> Sequence[Project]:
        """Projects by the groups of theirs that the organization's directory lists, hidden ones included."""

    def deleted_projects(self, organization: str) -> frozenset[str]:
        """Ids of projects that were deleted and can still be restored: their groups may be listed yet."""

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """The project's queues of these pools."""

    def queues_everywhere(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """The queues of these pools in all projects, where the organization offers that; `Rejected` where not."""

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        """Ids of queues in the project's list of authorized resources.

        Being in it proves open access; missing from it proves nothing until the list was shown to be complete.
        """

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        """Open access and single authorizations of one queue. No existence test: an unknown id may look closed."""

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """All pipelines of the project that the identity can see, all pages; a hidden folder is simply missing."""

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """Role assignments, for example scope ``distributedtask.agentpoolrole``, resource ``"7"``."""

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        """Inheritance switch of agent pools by pool id, one ACL read. A pool that is missing inherits."""

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity]:
        r"""Resolve addresses, ``[scope]\name``, or Entra object ids; a principal nobody knows is missing.

        An answer that fits several identities is `Rejected`, never a guess.
        """


class DevOpsWriter(Protocol):
    """Writes to organizations, one write a call, each safe to repeat."""

    def create_queue(self, organization: str, project_id: str, pool_id: int, name: str) -> Queue:
        """Add the pool to a project, without open access. Always by pool id: by name alone a pool would be made."""

    def set_open_access(self, organization: str, project_id: str, queue_id: int, allow: bool) -> None:
        """Let all pipelines of the project use the queue, or no longer."""

    def authorize_pipeline(
        self, organization: str, project_id: str, queue_id: int, pipeline_id: int, authorized: bool
    ) -> None:
        """Let one pipeline use the queue, or no longer; others and open access stay as they are."""

    def set_auto_provision(self, organization: str, pool_id: int, on: bool) -> None:
        """Whether a queue of the agent pool is made in every project that comes to be."""

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        """Give one role; `NotEffective` where the service answers 200 and assigned nobody."""

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        """Take an assigned role away."""

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        """Switch inheritance of a resource of a role scope."""

    def materialise(self, organization: str, principal: str) -> Identity:
        """Make an Entra user, group or service principal known to the organization."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Everything planning holds."""

    arm: ArmReader
    devops: DevOpsReader
    around: Surroundings | None = None
    """None: this deployment looks at nothing beside its pools."""


@dataclass(frozen=True, slots=True)
class Writers:
    """What applying holds in addition."""

    arm: ArmWriter
    devops: DevOpsWriter


# --- git ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The spec files at one commit."""

    revision: str
    """Full commit id; empty for a plain folder that git does not keep."""
    files: Mapping[str, bytes]
    """Path below the prefix → content."""
    stale: str = ""
    """Why this is the last good commit and not the newest; empty where it is the newest."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Path → why it is not in `files` although its name is that of a spec: too large, a symbolic link, too deep.
    To be shown like any other problem of the specs: a pool described there goes unmanaged."""


class SpecSource(Protocol):
    """Where specs come from."""

    def snapshot(self) -> Snapshot:
        """The files at the ref's commit; an unchanged head costs one round trip.

        A failing git gives the last good commit with `stale` set; without one it raises.
        """


# --- state, leases, work ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """A stored JSON document and the tag of this version."""

    body: Json
    etag: str


def pool_document(key: str) -> str:
    """Name of the state document of the pool with this key: the one document that the pool's lease guards."""
    return f"pools/{key}"


class StateStore(Protocol):
    """Small JSON documents by name (``pools/fabrikam-managed-pool``), each replaced whole."""

    def load(self, name: str) -> Document | None:
        """The document, or None."""

    def save(self, name: str, body: Json, etag: str | None) -> str:
        """Store and return the new tag; `LeaseHeld` where `etag` (None: must be new) is no longer true.

        `LeaseHeld` too where somebody else holds the lease of the pool whose document this is, or where the lease
        that this store's own `Leases` gave out for it was lost.
        """

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents that begin so, sorted."""


class Lease(Protocol):
    """The right to write to one pool, for a while."""

    def renew(self) -> None:
        """Prolong it; `LeaseHeld` where it was lost."""

    def release(self) -> None:
        """Give it back; harmless where it was lost."""


class Leases(Protocol):
    """One holder for each key, across processes."""

    def acquire(self, key: str, seconds: float) -> Lease:
        """Take the lease or raise `LeaseHeld`. Lasts 15 to 60 seconds, whatever is asked: renew in time."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was taken from a queue and is hidden from others for a while."""

    id: str
    text: str
    inserted: datetime
    """When the store accepted it, by the store's clock."""
    attempts: int
    """How often it was taken, this time included."""
    receipt: str
    """Opaque handle for `ack` and `hide`."""


class MessageQueue(Protocol):
    """Messages of text.

    Delivery is at least once and in no promised order. A message that was taken too often without an `ack` moves to
    a second queue of the same kind, the poison queue, which keeps its messages for as long as it takes.
    """

    def put(self, text: str, *, delay: float = 0.0) -> None:
        """Add a message, not visible before `delay` seconds (seven days at most; more is cut)."""

    def take(self, count: int, hide: float) -> Sequence[Message]:
        """Take up to `count` messages and hide them for `hide` seconds; those not acknowledged then come again.

        At least a second, whatever is asked: Azure Storage takes no less (Microsoft Learn, Get Messages). A message is
        given back at once by `hide`.
        """

    def hide(self, message: Message, seconds: float) -> Message:
        """Hide a taken message for that long from now, 0 to give it back; the answer carries the new receipt.

        `LeaseHeld` where another took it in the meantime.
        """

    def ack(self, message: Message) -> None:
        """Done: remove it. Harmless where it was taken by another in the meantime."""

    def length(self) -> int:
        """About how many messages there are, hidden ones included."""


class MessageQueues(Protocol):
    """Queues by name; they are made when first needed."""

    def named(self, queue: str) -> MessageQueue:
        """The queue of this name (lower case, digits, hyphens); ``<name>-poison`` is its poison queue."""


class Gates(Protocol):
    """When organizations may be called again. Azure DevOps counts by identity, whichever worker calls."""

    def join(self, organizations: Iterable[str]) -> None:
        """Honour what other workers were told by these organizations. Cheap; trouble with it is no trouble of a run."""


class Clock(Protocol):
    """Tells the time; the core has no other source of it."""

    def now(self) -> datetime:
        """Aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds, for durations."""


Progress = Iterable[str]
"""Lines for people while something takes long."""

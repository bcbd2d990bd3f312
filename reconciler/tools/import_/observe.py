"""Reads the pools of some subscriptions and what Azure DevOps has of each, one fact after another.

A fact that cannot be read becomes an `UnreadFact` beside the others: one failed list, hidden project or dead
organization stops nothing else, and nothing is taken for absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar

from reconciler.documents import Json
from reconciler.errors import ReconcilerError, Rejected
from reconciler.ports.devops import AgentPool, Identity, PipelinePermissions, Project, Queue, RoleAssignment
from reconciler.ports.readers_writers import Readers
from reconciler.spec import effective, names
from reconciler.spec.names import organization_key
from reconciler.survey import SharedSurvey

Body: TypeAlias = Mapping[str, Json]
T = TypeVar("T")


class Fact(StrEnum):
    """What is read of an organization, or of one of its projects."""

    AGENT_POOL = "agent pool"
    PROJECTS = "projects"
    HIDDEN_PROJECTS = "hidden projects"
    OPERATOR = "identity of the operator"
    ADMINISTRATORS = "administrators of the agent pool"
    INHERITANCE = "inheritance of roles"
    ACCOUNTS = "accounts of permissionProfile"
    NAME = "name"
    PROJECT = "project"
    QUEUE = "queue"
    PERMISSIONS = "pipeline permissions"
    PIPELINES = "names of authorized pipelines"
    QUEUE_ROLES = "roles on the queue"


@dataclass(frozen=True, slots=True)
class UnreadFact:
    """A fact that could not be read."""

    subject: str
    """``organization``, ``organization/project``, or either with the name of a user or group."""
    fact: Fact
    why: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.fact} not read: {self.why}"


@dataclass(frozen=True, slots=True)
class ObservedPrincipal:
    """A user, group or service principal with a role."""

    display: str
    principal: str = ""
    """The name by which a spec can mean this identity; empty where no name leads back to it."""


@dataclass(frozen=True, slots=True)
class ObservedProject:
    """A project in which the pool should be usable."""

    project: str
    queue: bool | None = None
    """Whether it has a queue of the pool; None: not read."""
    open: bool | None = None
    """Open access; None where there is no queue, or it was not read."""
    pipelines: tuple[tuple[int, str], ...] = ()
    """Id and path of each pipeline that has its own authorization."""
    invisible: tuple[int, ...] = ()
    """Ids of pipelines that have one and are deleted or hidden."""
    roles: tuple[tuple[str, ObservedPrincipal], ...] = ()
    """Roles assigned on the queue, without those of the operator."""
    unread: tuple[UnreadFact, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether everything about the queue was read that a spec may change there."""
        return self.queue is not None and (self.open is not None or not self.queue)


@dataclass(frozen=True, slots=True)
class ObservedOrganization:
    """What one organization has of the pool."""

    organization: str
    agent_pool: str
    projects: tuple[ObservedProject, ...] = ()
    auto_provision: bool | None = None
    """Whether new projects get a queue; None: not read, or the service does not say."""
    inherits: bool | None = None
    """None: not read."""
    administrators: tuple[ObservedPrincipal, ...] = ()
    """Assigned administrators, without the operator."""
    operator: bool = False
    """Whether the operator itself is an assigned administrator."""
    accounts: Mapping[str, bool] | None = field(default_factory=dict)
    """Account of ARM's permissionProfile → whether it administers the agent pool; None: not read."""
    unread: tuple[UnreadFact, ...] = ()
    """Facts about the organization; those about projects are with them."""


@dataclass(frozen=True, slots=True)
class ImportedPool:
    """One pool on both planes."""

    document: Body
    """Raw, from ARM."""
    subscription: str
    group: str
    name: str
    organizations: tuple[ObservedOrganization, ...] = ()

    @property
    def unread(self) -> tuple[UnreadFact, ...]:
        """Everything that could not be read."""
        return tuple(
            fact
            for one in self.organizations
            for fact in (*one.unread, *(fact for project in one.projects for fact in project.unread))
        )


def observe_pools(readers: Readers, documents: Iterable[Body]) -> tuple[ImportedPool, ...]:
    """The pools of these ARM documents, sorted by name, with what Azure DevOps has of each."""
    pools = sorted(documents, key=lambda one: (str(one.get("name", "")).casefold(), str(one.get("id", "")).casefold()))
    interest: dict[str, set[str]] = {}
    for document in pools:
        for organization, agent_pool, _ in organizations_of(document):
            interest.setdefault(organization, set()).add(agent_pool)
    survey = SharedSurvey(readers, interest)
    return tuple(_pool(document, survey) for document in pools)


def organizations_of(document: Body) -> list[tuple[str, str, tuple[str, ...]]]:
    """Organization, name of its agent pool, and its projects (none: all of them)."""
    profile = profile_of(document)
    if str(profile.get("kind", "")).casefold() != "azuredevops":
        return []
    name = profile.get("alias") or document.get("name") or ""
    return [
        (
            organization_key(str(one.get("url", ""))),
            str(one.get("alias") or name),
            tuple(map(str, one.get("projects") or ())),
        )
        for one in profile.get("organizations") or ()
    ]


def profile_of(document: Body) -> Body:
    """`organizationProfile`."""
    properties: Body = document.get("properties") or {}
    found: Body = properties.get("organizationProfile") or {}
    return found


def spec_name(survey: SharedSurvey, organization: str, who: Identity) -> str:
    """The name by which a spec can mean this identity; empty where no name leads back to it."""
    return _Organization(organization, survey).named(organization, who, []).principal


def _pool(document: Body, survey: SharedSurvey) -> ImportedPool:
    parts = str(document.get("id", "")).split("/")
    subscription, group = (parts[2], parts[4]) if len(parts) > 4 else ("", "")  # noqa: PLR2004 - /subscriptions/…/resourceGroups/…
    given = profile_of(document).get("permissionProfile") or {}
    accounts = [*(given.get("users") or ()), *(given.get("groups") or ())]
    organizations = tuple(
        _Organization(name, survey).observe(agent_pool, listed, accounts)
        for name, agent_pool, listed in organizations_of(document)
    )
    return ImportedPool(document, subscription.lower(), group, str(document.get("name", "")), organizations)


class _Organization:
    """Reads one organization; keeps what could not be read."""

    def __init__(self, name: str, survey: SharedSurvey) -> None:
        self._name = name
        self._survey = survey
        self._unread: list[UnreadFact] = []

    def observe(self, agent_pool: str, listed: Sequence[str], accounts: Sequence[str]) -> ObservedOrganization:
        survey, name = self._survey, self._name
        visible = self._read(name, Fact.PROJECTS, lambda: survey.projects(name))
        hidden = [] if listed else self._hidden()
        pool = self._read(name, Fact.AGENT_POOL, lambda: survey.agent_pool(name, agent_pool))
        if pool is None:
            return ObservedOrganization(name, agent_pool, tuple(hidden), accounts=None, unread=tuple(self._unread))
        me = self._read(name, Fact.OPERATOR, lambda: survey.me(name))
        found = self._projects(listed, visible, pool, me) if visible is not None else []
        inherits = self._read(name, Fact.INHERITANCE, lambda: survey.inheritance(name, pool))
        lines = self._read(
            name, Fact.ADMINISTRATORS, lambda: survey.role_assignments(name, effective.POOL_SCOPE, str(pool.id))
        )
        administering = [one for one in lines or () if effective.is_administrator(one.role)]
        return ObservedOrganization(
            name,
            agent_pool,
            tuple(sorted([*found, *hidden], key=lambda one: one.project.casefold())),
            pool.auto_provision,
            inherits,
            tuple(self.named(name, one.identity, self._unread) for one in self._assigned(administering, me)),
            any(me is not None and one.identity.id == me.id and not one.inherited for one in administering),
            self._accounts(accounts, None if lines is None else administering),
            tuple(self._unread),
        )

    def _read(self, subject: str, fact: Fact, read: Callable[[], T | ReconcilerError]) -> T | None:
        """A fact, or None and a note that it is missing."""
        return _read(subject, fact, read, self._unread)

    def _assigned(self, lines: Iterable[RoleAssignment], me: Identity | None) -> list[RoleAssignment]:
        """Assigned roles of others, by id. None where the operator's id is unknown: its own must not be written."""
        if me is None:
            return []
        own = (one for one in lines if not one.inherited and one.identity.id != me.id)
        return sorted(own, key=lambda one: (one.identity.id, one.role))

    def _accounts(self, accounts: Sequence[str], lines: Sequence[RoleAssignment] | None) -> dict[str, bool] | None:
        """Whether each account administers; None where that could not be read."""
        if not accounts:
            return {}
        known = self._read(self._name, Fact.ACCOUNTS, lambda: self._survey.identities(self._name, accounts))
        if known is None or lines is None:
            return None
        ids = {one.identity.id for one in lines}
        failed = [answer for answer in known.values() if isinstance(answer, ReconcilerError)]
        if failed:
            self._unread.append(UnreadFact(self._name, Fact.ACCOUNTS, str(failed[0])))
            return None
        found = {name: answer.id for name, answer in known.items() if isinstance(answer, Identity)}
        return {name: found.get(name) in ids for name in accounts}

    def _hidden(self) -> list[ObservedProject]:
        """Where all projects are meant: those that exist and that the operator cannot see."""
        found = self._read(self._name, Fact.HIDDEN_PROJECTS, lambda: self._survey.hidden_projects(self._name))
        return [self._invisible(project.name) for project in found or ()]

    def _invisible(self, project: str) -> ObservedProject:
        why = "it is hidden from the operator, or does not exist"
        return ObservedProject(project, unread=(UnreadFact(f"{self._name}/{project}", Fact.PROJECT, why),))

    def _projects(
        self, listed: Sequence[str], visible: Sequence[Project], pool: AgentPool, me: Identity | None
    ) -> list[ObservedProject]:
        """The listed projects, or all visible ones."""
        known = {project.name.casefold(): project for project in visible}
        missing = [name for name in listed if name.casefold() not in known]
        projects = [known[name.casefold()] for name in listed if name.casefold() in known] if listed else list(visible)
        queues = self._survey.queues(self._name, projects, pool)
        there = [queue for queue in queues.values() if isinstance(queue, Queue)]
        permissions = self._survey.permissions(self._name, there)
        found = [self._invisible(name) for name in missing]
        for project in projects:
            unread: list[UnreadFact] = []
            answer = queues[project.id]
            if isinstance(answer, ReconcilerError):
                unread.append(UnreadFact(f"{self._name}/{project.name}", Fact.QUEUE, str(answer)))
                found.append(ObservedProject(project.name, unread=tuple(unread)))
            elif answer is None:
                found.append(ObservedProject(project.name, queue=False))
            else:
                found.append(self._queue(project, answer, permissions[answer], me))
        return found

    def _queue(
        self, project: Project, queue: Queue, answer: PipelinePermissions | ReconcilerError, me: Identity | None
    ) -> ObservedProject:
        subject, unread = f"{self._name}/{project.name}", list[UnreadFact]()
        permissions = _read(subject, Fact.PERMISSIONS, lambda: answer, unread)
        ids = sorted(permissions.pipelines) if permissions else []
        paths: Mapping[int, str] | None = self._paths(subject, project, unread) if ids else {}
        lines = _read(
            subject,
            Fact.QUEUE_ROLES,
            lambda: self._survey.role_assignments(self._name, effective.QUEUE_SCOPE, f"{queue.project_id}_{queue.id}"),
            unread,
        )
        if lines and me is None:
            unread.append(UnreadFact(subject, Fact.QUEUE_ROLES, "the identity of the operator is not known"))
        roles = [(one.role, self.named(subject, one.identity, unread)) for one in self._assigned(lines or (), me)]
        return ObservedProject(
            project.name,
            queue=True,
            open=permissions.all_pipelines if permissions else None,
            pipelines=tuple((id_, paths[id_]) for id_ in ids if id_ in paths) if paths is not None else (),
            invisible=tuple(id_ for id_ in ids if id_ not in paths) if paths is not None else (),
            roles=tuple(roles),
            unread=tuple(unread),
        )

    def _paths(self, subject: str, project: Project, unread: list[UnreadFact]) -> Mapping[int, str] | None:
        """Id → path of the visible pipelines."""
        found = _read(
            subject, Fact.PIPELINES, lambda: self._survey.pipelines(self._name, [project])[project.id], unread
        )
        return None if found is None else {one.id: one.path for one in found}

    def named(self, subject: str, who: Identity, unread: list[UnreadFact]) -> ObservedPrincipal:
        """With the first of its names that the organization resolves to the same local id."""
        display = who.display_name or who.unique_name or who.id
        failed: list[UnreadFact] = []
        candidates = _read(f"{subject}: {display}", Fact.NAME, lambda: self._names(who), failed)
        for candidate in candidates or ():
            if names.principal(candidate) is not None:
                continue
            try:
                found = self._survey.identities(self._name, [candidate]).get(candidate)
            except ReconcilerError as error:
                found = error
            if isinstance(found, Identity) and found.id == who.id:
                return ObservedPrincipal(display, candidate)
            if isinstance(found, ReconcilerError) and not isinstance(found, Rejected):  # it matches several identities
                failed.append(UnreadFact(f"{subject}: {display}", Fact.NAME, str(found)))
        unread += failed[:1]
        return ObservedPrincipal(display)

    def _names(self, who: Identity) -> Sequence[str]:
        return self._survey.people(self._name).names_of(who.id)


def _read(subject: str, fact: Fact, read: Callable[[], T | ReconcilerError], unread: list[UnreadFact]) -> T | None:
    try:
        value = read()
    except ReconcilerError as error:
        value = error
    if isinstance(value, ReconcilerError):
        unread.append(UnreadFact(subject, fact, str(value)))
        return None
    return value

"""What depends on a pool: counted by name, in every organization that uses it, before it may be deleted.

What the spec names is created again by the other facets, everything else is lost for good. What cannot be counted is
reported, and is a reason not to delete (`reconciler.facets.support.replacement.locks`). Reads, and never writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.documents import Json
from reconciler.errors import NotFound, ReconcilerError
from reconciler.facets.support.observing import at_work, require_settled
from reconciler.facets.support.replacement.checks import described, obstacle, sendable
from reconciler.facets.support.replacement.network import holds_back
from reconciler.plan.model import Detail, Risk
from reconciler.ports.devops import AgentPool, Identity, PipelinePermissions, Project, Queue, RoleAssignment
from reconciler.spec import effective
from reconciler.spec.model import Organization, PipelineGrant, QueueRoles, Spec
from reconciler.spec.names import organization_key
from reconciler.survey import Survey
from reconciler.survey.owed import Owed, OwedCheck, OwedPipeline

LOST = "lost for good: the spec does not name it"
AGAIN = "created again afterwards"
REPAIRED = "changed to the new queue afterwards"
PIPELINES = "pipelines that name the queue by id"
_SECRETS = " (has secret variables: choose the agent pool by hand)"
_NOT_ADMINISTERED = "the operator does not administer all queues of the project, and could not add it again"
RELEASES = "those that use the pool need it chosen again"


@dataclass(frozen=True, slots=True)
class Dependents:
    """What depends on a pool."""

    lines: tuple[Detail, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be counted, and why."""
    guarded: tuple[str, ...] = ()
    """Approvals and checks that cannot be added to the new queues, with why: these would be open without them."""
    owed: tuple[Owed, ...] = ()
    """Approvals and checks that are added to the new queues before these are opened, and pipelines changed to them."""
    network: str = ""
    """What in the pool's network would hold back its deletion; empty where nothing does."""
    busy: str = ""
    """Machines at work; empty where none is."""


@dataclass(slots=True)
class _Count:
    """What depends on the agent pool of one organization: what is created again, and what is lost."""

    organization: str
    again: dict[str, list[str]] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    guarded: list[str] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)

    def note(self, what: str, name: str, *, named: bool) -> None:
        """One thing; `named`: the spec names it."""
        (self.again if named else self.lost).setdefault(what, []).append(name)

    def lines(self) -> Iterator[Detail]:
        """A line for each kind of thing, its names sorted."""
        for what, names in sorted(self.again.items()):
            after = REPAIRED if what == PIPELINES else AGAIN
            yield Detail(f"{self.organization} {what}", sorted(names), after, Risk.NARROWS, after)
        for what, names in sorted(self.lost.items()):
            yield Detail(f"{self.organization} {what}", sorted(names), None, Risk.DESTROYS, LOST)


def count(spec: Spec, document: Mapping[str, Json], survey: Survey, now: datetime) -> Dependents:
    """Count, in every organization that uses the pool; what cannot be read is reported and stops no other read."""
    lines: list[Detail] = [*_unnamed_tags(spec, document), *_own_identity(document)]
    unread: list[str] = []
    guarded: list[str] = []
    owed: list[Owed] = []
    known = {one.name: one for one in spec.organizations}
    for name in sorted(_organizations(document)):
        if name not in known:
            unread.append(f"{name}: the pool is used there, and the spec does not name the organization")
            continue
        try:
            require_settled(spec, survey, known[name])
            lines += _agent_pool(spec, known[name], survey, now, (guarded, owed))
        except ReconcilerError as error:
            unread.append(str(error))
    network = holds_back(document, survey.azure_resources())
    return Dependents(tuple(lines), tuple(unread), tuple(guarded), tuple(owed), network, at_work(spec, survey))


def _organizations(document: Mapping[str, Json]) -> set[str]:
    profile = (document.get("properties") or {}).get("organizationProfile") or {}
    return {organization_key(str(one.get("url") or "")) for one in profile.get("organizations") or ()}


# --- the resource -------------------------------------------------------------------------------------


def _unnamed_tags(spec: Spec, document: Mapping[str, Json]) -> Iterator[Detail]:
    named = {name.casefold() for name in spec.body.get("tags") or {}}
    left = sorted(name for name in document.get("tags") or {} if name.casefold() not in named)
    if left:
        yield Detail("tags", left, None, Risk.DESTROYS, LOST)


def _own_identity(document: Mapping[str, Json]) -> Iterator[Detail]:
    identity = document.get("identity") or {}
    if identity.get("principalId"):
        what = "another one, without the rights that this one was given"
        yield Detail("identity.principalId", identity["principalId"], what, Risk.DESTROYS, "rights are lost for good")


# --- one organization ---------------------------------------------------------------------------------


def _agent_pool(
    spec: Spec, organization: Organization, survey: Survey, now: datetime, checks: tuple[list[str], list[Owed]]
) -> Iterator[Detail]:
    name = organization.name
    pool = survey.agent_pool(name, organization.agent_pool)
    projects = {project.id: project for project in survey.projects(name)}
    hidden = [project.name for project in survey.hidden_projects(name)]
    if hidden:
        raise NotFound(f"{name}: what the pool has in hidden projects cannot be counted ({', '.join(hidden)})")
    queues = _read(survey.queues(name, list(projects.values()), pool))
    found = {projects[key]: queue for key, queue in queues.items() if queue is not None}
    count = _Count(name)
    _switches(spec, organization, pool, survey, count)
    _administrators(spec, name, pool, survey, count)
    on_queues = _Queues(spec, organization, survey, now)
    on_queues.all(found, count)
    checks[0].extend(count.guarded)
    checks[1].extend(count.owed)
    another = "another one, with another id and no history"
    yield Detail(f"{name} agent pool", f"{pool.name}, id {pool.id}", another, Risk.DESTROYS, "jobs find no machine")
    # They are on another host, and the operator has no rights there.
    yield Detail(f"{name} classic release pipelines", "not read", RELEASES, Risk.DESTROYS, "they name queues by id")
    yield from count.lines()


def _read(answers: Mapping[str, Queue | ReconcilerError | None]) -> dict[str, Queue | None]:
    found: dict[str, Queue | None] = {}
    for key, answer in answers.items():
        if isinstance(answer, ReconcilerError):
            raise answer
        found[key] = answer
    return found


def _switches(spec: Spec, organization: Organization, pool: AgentPool, survey: Survey, count: _Count) -> None:
    """A switch that is not at the default of a new agent pool."""
    if not survey.inheritance(organization.name, pool):
        count.note("inheritance", "off", named=effective.inheritance(spec, organization.name) is not None)
    if pool.auto_provision:
        count.note("auto-provision", "on", named=not organization.projects)


def _administrators(spec: Spec, organization: str, pool: AgentPool, survey: Survey, count: _Count) -> None:
    administrators, unwanted, _ = effective.administration(spec, organization)
    wanted = _ids(survey, organization, administrators)
    me = survey.me(organization).id
    for line in survey.role_assignments(organization, effective.POOL_SCOPE, str(pool.id)):
        ours = effective.is_administrator(line.role)
        if line.inherited or line.identity.id == me or (ours and unwanted and line.identity.id not in wanted):
            continue
        count.note("roles", _holder(line), named=ours and line.identity.id in wanted)


def _ids(survey: Survey, organization: str, principals: Collection[str]) -> frozenset[str]:
    if not principals:
        return frozenset()
    found = survey.identities(organization, sorted(principals)).values()
    for one in found:
        if isinstance(one, ReconcilerError):
            raise one
    return frozenset(one.id for one in found if isinstance(one, Identity))


def _holder(line: RoleAssignment) -> str:
    return f"{line.identity.unique_name or line.identity.display_name} {line.role}"


class _Queues:
    """Queues of one organization, and the rights on each."""

    def __init__(self, spec: Spec, organization: Organization, survey: Survey, now: datetime) -> None:
        self._spec = spec
        self._organization = organization
        self._survey = survey
        self._exceptions = effective.exceptions(spec, organization.name, now)

    def all(self, queues: Mapping[Project, Queue], count: _Count) -> None:
        """Every queue, whether the spec reaches its project or not."""
        permissions = self._survey.permissions(self._organization.name, list(queues.values()))
        for project, queue in queues.items():
            answer = permissions[queue]
            if isinstance(answer, ReconcilerError):
                raise answer
            count.note("queues", project.name, named=self._reaches(project))
            self._open(project, answer, count)
            self._pipelines(project, answer, count)
            self._roles(project, queue, count)
            self._uses(project, queue, count)

    def _uses(self, project: Project, queue: Queue, count: _Count) -> None:
        """Checks on the queue, and pipelines that keep its id: no new queue has them, whatever the spec says."""
        name = self._organization.name
        uses = self._survey.queue_uses(name, queue)
        for check in uses.checks:
            text = described(check)
            against = obstacle(check) or ("" if uses.administered else _NOT_ADMINISTERED)
            count.note("approvals and checks", f"{project.name} {text}", named=not against)
            if against:
                count.guarded.append(f"{name}/{project.name} {text}: {against}")
                continue
            place = (name, project.id, project.name, queue.id)
            count.owed.append(OwedCheck(*place, check.kind, check.type_id, sendable(check), check.timeout))
        repairs = self._spec.repair_definitions and self._reaches(project)
        for one in uses.pipelines:
            named = repairs and not one.secret
            count.note(PIPELINES, f"{project.name} {one.path}{_SECRETS if repairs and one.secret else ''}", named=named)
            if named:
                count.owed.append(OwedPipeline(name, project.id, project.name, queue.id, one.id, one.path))

    def _reaches(self, project: Project) -> bool:
        named = {name.casefold() for name in self._organization.projects}
        name = project.name.casefold()
        return (not named or name in named) and name not in self._organization.without_queue

    def _open(self, project: Project, permissions: PipelinePermissions, count: _Count) -> None:
        if not permissions.all_pipelines:
            return
        exception = self._exceptions.get(project.name.casefold())
        flag = self._organization.open_access if self._reaches(project) else None
        wanted = flag if exception is None else exception.allow
        if wanted is not False:
            count.note("open access", project.name, named=bool(wanted) and self._reaches(project))

    def _pipelines(self, project: Project, permissions: PipelinePermissions, count: _Count) -> None:
        grant = self._grant(project)
        named = self._named(project, grant)
        for pipeline in sorted(permissions.pipelines):
            if pipeline in named or grant is None or not grant.exclusive:
                count.note("single authorizations", f"{project.name} {pipeline}", named=pipeline in named)

    def _grant(self, project: Project) -> PipelineGrant | None:
        grants = (one for one in self._spec.access.pipelines if self._here(one, project))
        return next(grants, None)

    def _named(self, project: Project, grant: PipelineGrant | None) -> frozenset[int]:
        """Ids of the pipelines that the spec lists, by id or by path."""
        if grant is None:
            return frozenset()
        ids = {one for one in grant.pipelines if isinstance(one, int)}
        paths = {one.casefold() for one in grant.pipelines if isinstance(one, str)}
        if paths:
            answer = self._survey.pipelines(self._organization.name, [project])[project.id]
            if isinstance(answer, ReconcilerError):
                raise answer
            ids |= {one.id for one in answer if one.path.casefold() in paths}
        return frozenset(ids)

    def _roles(self, project: Project, queue: Queue, count: _Count) -> None:
        name = self._organization.name
        wanted = next((one for one in self._spec.access.queue_roles if self._here(one, project)), None)
        given = {} if wanted is None else {role.casefold(): names for role, names in wanted.roles.items()}
        lines = self._survey.role_assignments(name, effective.QUEUE_SCOPE, f"{project.id}_{queue.id}")
        for line in lines:
            if line.inherited:
                continue
            role = line.role.casefold()
            named = line.identity.id in _ids(self._survey, name, given.get(role, ()))
            unwanted = wanted is not None and wanted.exclusive and role in given and not named
            if not unwanted:
                count.note("queue roles", f"{project.name} {_holder(line)}", named=named)

    def _here(self, one: PipelineGrant | QueueRoles, project: Project) -> bool:
        places: Sequence[tuple[str, str]] = (
            (one.organization, self._organization.name),
            (one.project, project.name),
        )
        return all(ours.casefold() == theirs.casefold() for ours, theirs in places)

"""Everything that is known of the pools of some subscriptions, read once and kept as values.

What could not be read of one organization or project is a text beside what could: it becomes a comment, and stops
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.errors import ReconcilerError
from reconciler.ports.devops import AgentPool, PipelinePermissions, Project, Queue
from reconciler.ports.diagnostics import QUEUE_SCOPE, DevOpsInspector
from reconciler.ports.readers_writers import Readers
from reconciler.spec import effective
from reconciler.spec.names import organization_key
from reconciler.survey import SharedSurvey, Survey
from reconciler.tools.import_.people import Person, named

Body: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ImportedProject:
    """A project in which the pool should be usable."""

    project: str
    queue: bool
    open: bool = False
    pipelines: tuple[tuple[int, str], ...] = ()
    """Id and path of each pipeline that is authorized by itself."""
    roles: tuple[tuple[str, Person], ...] = ()
    """Role on the queue and who has it: assigned ones, without the operator."""
    unseen: tuple[int, ...] = ()
    """Ids that are authorized by themselves, of pipelines that are gone or hidden."""
    unread: str = ""
    """Why the roles on the queue are not known."""
    trouble: str = ""
    """Why nothing is known of it."""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class ObservedOrganization:
    """What one organization keeps of the pool."""

    organization: str
    agent_pool: str
    places: tuple[ImportedProject, ...] = ()
    provisions: bool | None = None
    """Whether new projects get a queue at once; None where the answer does not say."""
    inherits: bool | None = None
    administrators: tuple[Person, ...] = ()
    """Assigned ones, without the operator."""
    operator: bool = False
    """Whether the operator itself is an assigned administrator."""
    accounts: Mapping[str, bool] = field(default_factory=dict)
    """Account of ARM's permissionProfile → whether it administers the agent pool."""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One pool with all that is known of it."""

    document: Body
    """Raw, from ARM."""
    subscription: str
    group: str
    name: str
    organizations: tuple[ObservedOrganization, ...] = ()


def find(readers: Readers, inspector: DevOpsInspector, documents: Iterable[Body]) -> tuple[Found, ...]:
    """The pools of these ARM documents, sorted by name, with what Azure DevOps keeps of each."""
    pools = sorted(documents, key=lambda one: str(one.get("name", "")).casefold())
    interest: dict[str, set[str]] = {}
    for document in pools:
        for organization, agent_pool, _ in places_of(document):
            interest.setdefault(organization, set()).add(agent_pool)
    survey = SharedSurvey(readers, interest)
    return tuple(_found(document, survey, inspector) for document in pools)


def places_of(document: Body) -> list[tuple[str, str, tuple[str, ...]]]:
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


def _found(document: Body, survey: Survey, inspector: DevOpsInspector) -> Found:
    parts = str(document.get("id", "")).split("/")
    subscription, group = (parts[2], parts[4]) if len(parts) > 4 else ("", "")  # noqa: PLR2004 - /subscriptions/…/resourceGroups/…
    accounts = _accounts(profile_of(document))
    seen = [_seen(place, accounts, survey, inspector) for place in places_of(document)]
    return Found(document, subscription.lower(), group, str(document.get("name", "")), tuple(seen))


def _accounts(profile: Body) -> list[str]:
    given = profile.get("permissionProfile") or {}
    return [*(given.get("users") or ()), *(given.get("groups") or ())]


def _seen(
    place: tuple[str, str, tuple[str, ...]], accounts: Sequence[str], survey: Survey, inspector: DevOpsInspector
) -> ObservedOrganization:
    organization, name, listed = place
    try:
        pool = survey.agent_pool(organization, name)
        places = _places(organization, _reached(listed, survey.projects(organization)), pool, survey, inspector)
        return _people(ObservedOrganization(organization, name, places, pool.auto_provision), pool, accounts, survey)
    except ReconcilerError as error:
        return ObservedOrganization(organization, name, trouble=str(error))


def _reached(listed: Sequence[str], visible: Sequence[Project]) -> list[Project | str]:
    """The projects in reach; the name alone of one that is not visible."""
    if not listed:
        return list(visible)
    known = {project.name.casefold(): project for project in visible}
    return [known.get(name.casefold(), name) for name in listed]


def _places(
    organization: str,
    reached: Sequence[Project | str],
    pool: AgentPool,
    survey: Survey,
    inspector: DevOpsInspector,
) -> tuple[ImportedProject, ...]:
    projects = [one for one in reached if isinstance(one, Project)]
    queues = survey.queues(organization, projects, pool)
    permissions = survey.permissions(organization, [queue for queue in queues.values() if isinstance(queue, Queue)])
    found = [ImportedProject(one, queue=False, hidden=True) for one in reached if isinstance(one, str)]
    for project in projects:
        queue = queues[project.id]
        if isinstance(queue, Queue):
            place = _place(organization, project, permissions[queue], inspector)
            found.append(place if place.trouble else _with_roles(place, organization, queue, survey))
        else:
            found.append(ImportedProject(project.name, queue=False, trouble=str(queue) if queue else ""))
    return tuple(sorted(found, key=lambda one: one.project.casefold()))


def _place(
    organization: str,
    project: Project,
    answer: PipelinePermissions | ReconcilerError,
    inspector: DevOpsInspector,
) -> ImportedProject:
    if isinstance(answer, ReconcilerError):
        return ImportedProject(project.name, queue=True, trouble=str(answer))
    known: Mapping[int, str] = {}
    if answer.pipelines:
        known = {one.id: one.path for one in inspector.pipelines(organization, project.id)}
    ids = sorted(answer.pipelines)
    return ImportedProject(
        project.name,
        queue=True,
        open=answer.all_pipelines,
        pipelines=tuple((id_, known[id_]) for id_ in ids if id_ in known),
        unseen=tuple(id_ for id_ in ids if id_ not in known),
    )


def _with_roles(place: ImportedProject, organization: str, queue: Queue, survey: Survey) -> ImportedProject:
    """With the assigned roles on its queue; what cannot be read there is not managed, like everything absent."""
    try:
        assignments = survey.role_assignments(organization, QUEUE_SCOPE, f"{queue.project_id}_{queue.id}")
        me = survey.me(organization).id
    except ReconcilerError as error:
        return replace(place, unread=str(error))
    own = [one for one in assignments if not one.inherited and one.identity.id != me]
    return replace(place, roles=tuple((one.role, named(organization, one.identity, survey)) for one in own))


def _people(
    seen: ObservedOrganization, pool: AgentPool, accounts: Sequence[str], survey: Survey
) -> ObservedOrganization:
    organization = seen.organization
    assignments = survey.role_assignments(organization, effective.POOL_SCOPE, str(pool.id))
    administering = [one for one in assignments if effective.is_administrator(one.role)]
    me = survey.me(organization).id
    assigned = {one.identity.id: one.identity for one in administering if not one.inherited}
    ids = {one.identity.id for one in administering}
    known = survey.identities(organization, accounts) if accounts else {}
    return replace(
        seen,
        inherits=survey.inheritance(organization, pool),
        administrators=tuple(named(organization, who, survey) for id_, who in sorted(assigned.items()) if id_ != me),
        operator=me in assigned,
        accounts={name: name in known and known[name].id in ids for name in accounts},
    )

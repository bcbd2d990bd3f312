"""The reads behind onboarding: what one organization says about the identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from reconciler.errors import ReconcilerError, Refused, Throttled
from reconciler.plan.policy import Policy, allows
from reconciler.plan.targets import OrganizationPlace, Place, ProjectPlace
from reconciler.ports.devops import (
    DevOpsReader,
    Entitlement,
    Entry,
    Group,
    MembershipReader,
    Project,
    RoleAssignment,
    ServicePrincipal,
)
from reconciler.spec.model import Mode
from reconciler.survey import Survey
from reconciler.survey.parallel_reads import Lanes

T = TypeVar("T")
Answer: TypeAlias = T | ReconcilerError
"""A value, or why it could not be read."""
_PARALLEL = 4


@dataclass(frozen=True, slots=True)
class OnboardRequest:
    """What the caller asked for."""

    object_id: str
    """Of the service principal (enterprise application), lower case."""
    mode: Mode
    projects: tuple[str, ...] = ()
    """Names or ids, each perhaps with its organization before a slash; none: all that the caller can see."""

    def matches(self, written: str, organization: str, project: Project) -> bool:
        """Whether one entry of `projects` means this project."""
        head, slash, tail = written.casefold().rpartition("/")
        here = not slash or head == organization.casefold()
        return here and tail in {project.id, project.name.casefold()}


@dataclass(frozen=True, slots=True)
class OnboardingReaders:
    """What onboarding reads from; nothing of it can write."""

    devops: DevOpsReader
    members: MembershipReader


@dataclass(frozen=True, slots=True)
class OrganizationState:
    """What one organization says about the identity."""

    organization: str
    principal: ServicePrincipal | None
    """None where the organization does not know the identity."""
    identity_id: str
    """Local id; empty where the organization does not know the identity."""
    entry: Entry | None
    """What the directory search finds for an identity that the organization does not know."""
    entitlement: Answer[Entitlement | None]
    groups: Answer[Sequence[Group]]
    """Every group that the identity is in, through other groups too."""
    visible: Sequence[Project]
    projects: Sequence[Project]
    """The visible ones that the request and the policy mean."""
    hidden: Answer[Sequence[Project]]
    """Projects that the directory lists and the caller cannot see."""
    directory: Answer[Sequence[Group]]
    """Every group of Azure DevOps in the organization."""
    pools: Answer[Sequence[RoleAssignment]]
    """Roles on all agent pools."""
    queues: Mapping[str, Answer[Sequence[RoleAssignment]]]
    """Project id → roles on all agent pools of the project."""

    def groups_of(self, project_id: str) -> list[Group]:
        """The groups of a project, where the directory could be read."""
        listed = () if isinstance(self.directory, ReconcilerError) else self.directory
        return [one for one in listed if one.project == project_id]


def read_organization(
    request: OnboardRequest, organization: str, readers: OnboardingReaders, survey: Survey, policy: Policy
) -> OrganizationState:
    """Read everything once.

    `Refused` where the id is not that of a service principal, the caller is the identity itself, or the policy
    excludes what was asked for. `Throttled` where the service asks for fewer calls. Any other read that fails is kept
    in its place, unless nothing makes sense without it.
    """
    if not allows(policy.organizations, organization):
        raise Refused(f"organization {organization}: the policy does not allow it")
    devops, members = readers.devops, readers.members
    principal = _principal(request, organization, members)
    entry = _entry(request, organization, members) if principal is None else None
    id_ = members.local_id(organization, principal.descriptor) if principal else ""
    if id_ and id_ == survey.me(organization).id:
        raise Refused(
            f"organization {organization}: you are signed in as the identity itself, which cannot grant itself "
            "anything; sign in as an administrator of the organization, for example by az login"
        )
    visible = survey.projects(organization)
    projects = _projects(request, organization, visible, policy)
    return OrganizationState(
        organization=organization,
        principal=principal,
        identity_id=id_,
        entry=entry,
        entitlement=_answer(lambda: members.entitlement(organization, id_) if id_ else None),
        groups=_answer(lambda: members.groups_of(organization, id_) if id_ else ()),
        visible=visible,
        projects=projects,
        hidden=() if request.projects else _answer(lambda: _allowed(policy, organization, survey.hidden_projects)),
        directory=_answer(lambda: devops.groups(organization)),
        pools=_roles(OrganizationPlace(organization), devops),
        queues=_queue_roles(organization, projects, devops),
    )


def _answer(read: Callable[[], T]) -> Answer[T]:
    """The value or the error; a service that asks for fewer calls gets none for a while."""
    try:
        return read()
    except Throttled:
        raise
    except ReconcilerError as error:
        return error


def _principal(request: OnboardRequest, organization: str, members: MembershipReader) -> ServicePrincipal | None:
    known = members.service_principals(organization)
    for one in known:
        if one.object_id == request.object_id:
            return one
    for one in known:
        if one.application_id == request.object_id:
            raise Refused(
                f"organization {organization}: {request.object_id} is the application (client) id of "
                f"{one.display_name}; the object id of its enterprise application is {one.object_id}"
            )
    return None


def _entry(request: OnboardRequest, organization: str, members: MembershipReader) -> Entry | None:
    """What has this object id, where the search finds it: the search may know names alone."""
    answer = _answer(lambda: members.search(organization, request.object_id))
    entries = () if isinstance(answer, ReconcilerError) else answer
    found = next((one for one in entries if one.object_id == request.object_id), None)
    if found and found.kind in {"user", "group"}:
        raise Refused(
            f"organization {organization}: {request.object_id} is the {found.kind} {found.display_name}, "
            "not a service principal or managed identity"
        )
    return found


def _projects(
    request: OnboardRequest, organization: str, visible: Sequence[Project], policy: Policy
) -> Sequence[Project]:
    allowed = _allowed(policy, organization, lambda _: visible)
    if not request.projects:
        return allowed
    named = [one for one in visible if any(request.matches(each, organization, one) for each in request.projects)]
    for one in named:
        if one not in allowed:
            raise Refused(f"project {organization}/{one.name}: the policy does not allow it")
    return named


def _allowed(policy: Policy, organization: str, read: Callable[[str], Sequence[Project]]) -> Sequence[Project]:
    return [one for one in read(organization) if allows(policy.projects, f"{organization}/{one.name}")]


def _roles(place: Place, devops: DevOpsReader) -> Answer[Sequence[RoleAssignment]]:
    return _answer(lambda: devops.role_assignments(place.organization, *place.resource))


def _queue_roles(
    organization: str, projects: Sequence[Project], devops: DevOpsReader
) -> Mapping[str, Answer[Sequence[RoleAssignment]]]:
    found: dict[str, Answer[Sequence[RoleAssignment]]] = {}

    def read(project: Project) -> None:
        found[project.id] = _roles(ProjectPlace(organization, project.id, project.name), devops)

    Lanes(_PARALLEL).each(organization, read, projects)
    return found

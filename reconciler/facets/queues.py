"""An agent queue in every project that uses the pool: without it no pipeline of the project can name the pool.

Managed DevOps Pools creates queues together with a pool, but deployments by template have left them out (Azure/bicep
#17033, terraform-azurerm-avm-res-devopsinfrastructure-pool #45), and nothing published says that a project created
later gets one. So a missing queue is waited for once and then created here, always by pool id: by name alone the
service would create another pool (terraform-provider-azuredevops #456).

Nothing is ever deleted. Queues in projects that the spec does not list are not even read: a project that lost its
place in the list may still have builds in progress, and deleting a queue is for a person to decide. Such a queue keeps
its open access; an exception in `access.openAccess` closes it.

Projects of `access.withoutQueue` are left alone, but their queues are read: ARM creates one in every project when it
creates a pool. A queue there is a remark; one that is open to all pipelines, by no exception of the spec, is degraded.
While a name there resolves to nothing, no queue is created in a project that the spec does not name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotFound, ReconcilerError, Rejected
from reconciler.facets.support.observing import (
    each,
    gap,
    left_alone,
    reach,
    readable,
    target_of,
    unresolved,
    withheld,
)
from reconciler.plan.model import Change, Gap, Refusal, Remark
from reconciler.plan.policy import Policy
from reconciler.plan.targets import NewQueue, ProjectPlace
from reconciler.ports.devops import AgentPool, Project, Queue
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey
from reconciler.survey.names import Excepted

NAME = "queues"
_NAMED = 10
"""Hidden projects that are named; the rest are counted."""
WAIT = "Managed DevOps Pools may still add it"
_EFFECT = "no queue is created and no access is opened in projects that the spec does not name"


class DesiredQueues(NamedTuple):
    """An organization with its projects, or with none for all of them."""

    organization: Organization
    switched: frozenset[str] = frozenset()
    """Case-folded projects whose open access an exception sets."""


Desired = tuple[DesiredQueues, ...]


class ProjectQueue(NamedTuple):
    """A project that uses the pool, and its queue."""

    organization: str
    pool: AgentPool
    project: Project
    queue: Queue | None

    @property
    def subject(self) -> str:
        """``organization/project``."""
        return f"{self.organization}/{self.project.name}"

    def target(self) -> NewQueue:
        """The write that creates the queue."""
        place = ProjectPlace(self.organization, self.project.id, self.project.name)
        return NewQueue(place, self.pool.id, self.pool.name)


Observed = tuple[ProjectQueue, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:
    """The organizations of the pool; None for a GitHub pool."""
    found = [DesiredQueues(one, frozenset(effective.exceptions(spec, one.name, now))) for one in spec.organizations]
    return tuple(found) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """The queue of every project in reach; a project that cannot be read is a gap and not a missing queue."""

    def read(one: DesiredQueues) -> Observation[Observed]:
        organization, switched = one
        name = organization.name
        pool = survey.agent_pool(name, organization.agent_pool)
        visible = survey.projects(name)
        excepted = left_alone(organization, visible, survey)
        within = reach(NAME, organization, visible, excepted)
        held = withheld(spec, organization, visible) if excepted.unresolved else frozenset()
        wanted = [project for project in within.value if project.id not in held] if held else within.value
        apart = [project for project in visible if project.id in excepted.ids] if excepted.ids else ()
        answers = survey.queues(name, [*wanted, *apart], pool)
        answered = readable(NAME, name, wanted, answers)
        places = tuple([ProjectQueue(name, pool, project, queue) for project, queue in answered.value])
        notices = [*_renamed(organization, pool, visible), *_hidden(organization, survey, excepted)]
        entries = unresolved(NAME, (name, "access.withoutQueue"), excepted, visible, _EFFECT)
        gaps = (*within.gaps, *answered.gaps, *notices, *entries)
        if not apart:
            return Observation(places, gaps)
        left = _findings(name, {project: answers[project.id] for project in apart}, switched, survey)
        return Observation(places, (*gaps, *left.gaps), left.remarks)

    return each(NAME, (spec, survey), [(one.organization, one) for one in desired], read)


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One creation for each missing queue."""
    ours = {one.organization.name for one in desired}
    missing = [place for place in observed if place.queue is None and place.organization in ours]
    return [_create(place) for place in sorted(missing, key=lambda place: place.subject)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse everything but the creation of a queue that was read as missing, for the pool that was read."""
    missing = {place.target() for place in observed if place.queue is None}
    return [
        Refusal(
            change, "queue-not-missing", f"{change.subject}: this queue was not read as missing, so it is not created"
        )
        for change in changes
        if change.target not in missing
    ]


def apply(change: Change, writers: Writers) -> None:
    """Add the pool to the project, without open access."""
    target = target_of(change, NewQueue)
    place = target.place
    writers.devops.create_queue(place.organization, place.project_id, target.pool_id, target.pool_name)


def _renamed(organization: Organization, pool: AgentPool, visible: Sequence[Project]) -> Iterator[Gap]:
    """What has another name now than in the spec: it is still managed, and the spec has to be edited."""
    name, written = organization.name, organization.agent_pool
    if pool.name.casefold() != written.casefold():
        message = (
            f"{name}: agent pool {written} (id {pool.id}) is called {pool.name} now; rename it back in Azure DevOps, "
            f"or write alias: {pool.name} for {name} under organizationProfile.organizations"
        )
        yield gap(NAME, f"{name} {written}", NotFound(message))
    for project in visible:
        if project.now:
            message = (
                f"{name}/{project.name} (id {project.id}) is called {project.now} now; write {project.now} in place of "
                f"{project.name} wherever the spec names the project, under organizations and under access"
            )
            yield gap(NAME, f"{name}/{project.name} renamed", NotFound(message))


def _findings(
    organization: str,
    queues: Mapping[Project, Queue | ReconcilerError | None],
    switched: frozenset[str],
    survey: Survey,
) -> Observation[None]:
    """Queues in projects that the spec leaves without one: nothing is written, and an open one is for a person."""
    there = {queue: project for project, queue in queues.items() if isinstance(queue, Queue)}
    remarks = [_unread(organization, one, error) for one, error in queues.items() if isinstance(error, ReconcilerError)]
    gaps: list[Gap] = []
    unmanaged = {queue: False for queue, project in there.items() if project.name.casefold() not in switched}
    access = survey.open_access(organization, unmanaged) if unmanaged else {}
    for queue, project in there.items():
        subject, state = f"{organization}/{project.name}", access.get(queue, False)
        found = f"{subject}: access.withoutQueue names it, and it has queue {queue.name} (id {queue.id})"
        if isinstance(state, ReconcilerError):
            remarks.append(_unread(organization, project, state))
        elif state:
            message = (
                f"{found}, open to all pipelines; delete the queue or close it in Azure DevOps, or say what is desired "
                "in access.openAccess, or remove the entry from access.withoutQueue"
            )
            gaps.append(gap(NAME, f"{subject} open queue", Rejected(message)))
        else:
            remarks.append(Remark(NAME, subject, f"{found}; delete the queue in Azure DevOps, or remove the entry"))
    return Observation(None, tuple(gaps), tuple(remarks))


def _unread(organization: str, project: Project, error: ReconcilerError) -> Remark:
    subject = f"{organization}/{project.name}"
    return Remark(NAME, subject, f"{subject}: access.withoutQueue names it; its queue cannot be read: {error}")


def _hidden(organization: Organization, survey: Survey, excepted: Excepted) -> Iterator[Gap]:
    """Where all projects use the pool, those that the operator cannot see and that no exception names."""
    if organization.projects:
        return
    name = organization.name
    try:
        hidden = [
            one
            for one in survey.hidden_projects(name)
            if one.id not in excepted.ids and one.name.casefold() not in organization.without_queue
        ]
    except ReconcilerError as error:
        yield gap(NAME, f"{name} hidden projects", error)
        return
    if hidden:
        names = ", ".join(project.now or project.name for project in hidden[:_NAMED]) + (
            ", …" if len(hidden) > _NAMED else ""
        )
        message = (
            f"{name}: all projects use the pool, and the operator cannot see {len(hidden)} of them: {names}; let it "
            "view them, or list the projects that use the pool"
        )
        yield gap(NAME, f"{name} hidden projects", NotFound(message))


def _create(place: ProjectQueue) -> Change:
    return Change(
        facet=NAME,
        kind="queue",
        subject=place.subject,
        before=None,
        after=place.pool.name,
        target=place.target(),
        wait_once=WAIT,
    )


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="a queue in every project",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)

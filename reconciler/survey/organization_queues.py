"""One list of agent queues for all projects of an organization, where `probe` found that the organization has it.

The specification makes the project optional, the service's own route does not (vsts-rest-api-specs distributedTask
7.2; the location table in recordings of azure-devops-cli-extension), so it is requested only where `probe` found it.
What is in the list counts; a project that is missing from it is read separately, since a missing queue would be
created. Nothing of it counts where something may be written: see `reconciler.survey.capabilities.beliefs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import Project, Queue

OrganizationQueues: TypeAlias = Mapping[tuple[str, int], Queue]
"""(Project id, agent pool id) → queue."""


def by_project_and_pool(queues: Sequence[Queue]) -> OrganizationQueues:
    """The list by project and pool; of several queues of a pair the oldest, as a project's own list has it."""
    return {(queue.project_id, queue.pool_id): queue for queue in sorted(queues, key=lambda queue: -queue.id)}


def queues_of_pool(
    read: Callable[[], OrganizationQueues], projects: Sequence[Project], pool_id: int
) -> Mapping[str, Queue]:
    """Project id → the pool's queue, for those projects that are in the list.

    A list that cannot be read counts as empty: each project is then read separately.
    """
    try:
        queues_by_pair = read()
    except ReconcilerError:
        return {}
    return {one.id: queues_by_pair[one.id, pool_id] for one in projects if (one.id, pool_id) in queues_by_pair}

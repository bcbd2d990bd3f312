"""Queues of agent pools: one list a project, and one for all projects where `probe` found that there is such a list.

The specification makes the project optional, the service's own route does not (vsts-rest-api-specs distributedTask
7.2; the location table in recordings of azure-devops-cli-extension), so it is requested only where `probe` found it.
What is in the list counts; a project that is missing from it is read separately, since a missing queue would be
created. Nothing of it counts where something may be written: see `reconciler.survey.capabilities.beliefs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import DevOpsReader, Project, Queue
from reconciler.survey import side_by_side
from reconciler.survey.memo import Key, Memo
from reconciler.survey.parallel_reads import Lanes
from reconciler.survey.scope import Group

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


class Reads(NamedTuple):
    """Where the lists come from."""

    devops: DevOpsReader
    memo: Memo
    lanes: Lanes


def queues(
    reads: Reads,
    organization: str,
    projects: Sequence[Project],
    pool_id: int,
    *,
    group: Group,
    untouched: Sequence[Project],
) -> Mapping[str, Queue | ReconcilerError | None]:
    """Project id → its queue of the pool, None where it has none; read for the whole group of pools at once.

    `untouched`: projects for which the list of all projects counts, where there is one.
    """
    pools, requested = group

    def fetch(key: Key) -> Mapping[int, Queue]:
        found = reads.devops.queues(organization, key.project, pools)
        return {queue.pool_id: queue for queue in sorted(found, key=lambda queue: -queue.id)}

    def everywhere() -> OrganizationQueues:
        return by_project_and_pool(reads.devops.organization_queues(organization, pools))

    answers: dict[str, Queue | ReconcilerError | None] = {}
    if len(untouched) > 1:
        key = Key("queues everywhere", organization, detail=requested)
        answers.update(queues_of_pool(lambda: reads.memo.get(key, everywhere), untouched, pool_id))
    keys = [Key("queues", organization, p.id, requested) for p in projects if p.id not in answers]
    for one, value in side_by_side.facts(reads.memo, reads.lanes, organization, keys, fetch).items():
        answers[one.project] = value if isinstance(value, ReconcilerError) else value.get(pool_id)
    return {p.id: answers[p.id] for p in projects} if untouched else answers

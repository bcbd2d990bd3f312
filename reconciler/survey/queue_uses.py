"""What belongs to a queue, or refers to it by id, and is lost with it: read only before a pool is replaced.

A caller who may only view a queue may get no checks, and no published page says so: an empty list of checks counts
where the caller administers the queue, and is `Forbidden` otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import Forbidden
from reconciler.plan.rights.required import ADMINISTER
from reconciler.ports.devops import DevOpsReader, Pipeline, Queue, QueueCheck
from reconciler.survey.memo import Key, Memo


@dataclass(frozen=True, slots=True)
class QueueUses:
    """Of one queue."""

    checks: tuple[QueueCheck, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    """Those whose definition names the queue by its id: as their default, or for a job of a classic one."""
    administered: bool = True
    """Whether the operator administers all queues of the project, and so may add checks to a new one."""


def queue_uses(reads: DevOpsReader, memo: Memo, organization: str, queue: Queue, *, only: str = "") -> QueueUses:
    """Read both, or `only` ``checks`` or ``pipelines``. What cannot be read is not absent, and raises."""
    checks: Sequence[QueueCheck] = ()
    users: Mapping[int, Sequence[Pipeline]] = {}
    if only != "pipelines":
        key = Key("checks", organization, queue.project_id, queue.id)
        checks = memo.get(key, lambda: _checks(reads, organization, queue))
    if only != "checks":
        key = Key("pipelines of queues", organization, queue.project_id)
        users = memo.get(key, lambda: reads.pipelines_of_queues(organization, queue.project_id))
    token = f"AgentQueues/{queue.project_id}"
    administered = bool(only) or not checks or reads.may(organization, token, ADMINISTER)
    return QueueUses(tuple(checks), tuple(users.get(queue.id, ())), administered)


def _checks(reads: DevOpsReader, organization: str, queue: Queue) -> Sequence[QueueCheck]:
    found = reads.checks(organization, queue.project_id, queue.id)
    token = f"AgentQueues/{queue.project_id}/{queue.id}"
    if not found and not reads.may(organization, token, ADMINISTER):
        message = f"{organization}: checks of queue {queue.id} in project {queue.project_id} may be hidden"
        raise Forbidden(f"{message}: the list is empty, and the operator does not administer the queue")
    return found

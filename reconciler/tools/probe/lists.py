"""Lists that could save many reads, compared with the single reads that they would save.

A list counts as complete where it contains everything that single reads found, and they found enough. A missing entry
is read again before it counts: access may have changed in between.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from reconciler.ports.devops import Queue
from reconciler.survey.capabilities import CapabilityAnswer
from reconciler.survey.capabilities.answers import WITNESSES
from reconciler.survey.capabilities.questions import AUTHORIZED_LIST, INCOMPLETE, MISSING_QUEUE, QUEUE_LIST, REFUSED
from reconciler.tools.probe.organization import PREVIEW, ProbeOrganization, entries_of, no, spread, unclear, yes

NO_QUEUE = 2_147_483_647
"""The largest possible id, which no queue has."""
READ = 120
"""Most queues that are read to find open ones."""
ENOUGH = 24
"""Open queues that are enough."""


def queue_list(organization: ProbeOrganization) -> CapabilityAnswer:
    """Compares the list of queues without a project with the lists of single projects."""
    listed = _everywhere(organization)
    if listed is None:
        return no(REFUSED, "the service rejects the list without a project")
    there = organization.queues
    missing = _missing(there, listed)
    if missing:
        missing = _missing(missing, _everywhere(organization) or set())
    counts = {"projects": len({queue.project_id for queue in there}), "agreed": len(there) - len(missing)}
    if missing:
        return no(INCOMPLETE, "it lacks queues that projects list", missing=len(missing), **counts)
    if counts["agreed"] < WITNESSES or counts["projects"] < 2:  # noqa: PLR2004 - one project shows nothing of all
        return unclear(f"needs {WITNESSES} queues in two projects to compare", **counts)
    return yes(QUEUE_LIST, "it contains every queue that projects list, with its project", **counts)


def authorized_list(organization: ProbeOrganization) -> CapabilityAnswer:
    """Compares the lists of authorized resources with the permissions of open queues."""
    refusing = [one for one in organization.projects[:2] if _authorized(organization, one.id) is None]
    if refusing and len(refusing) == len(organization.projects[:2]):
        return no(REFUSED, "the service rejects the list without an id", projects=len(refusing))
    opened = _opened(organization)
    lists = {project: _authorized(organization, project) for project in sorted({queue.project_id for queue in opened})}
    compared = [queue for queue in opened if lists[queue.project_id] is not None]
    missing = [queue for queue in compared if queue.id not in (lists[queue.project_id] or ())]
    missing = [queue for queue in missing if _still_missing(organization, queue)]
    counts = {"projects": len(lists), "agreed": len(compared) - len(missing)}
    if missing:
        return no(INCOMPLETE, "it lacks queues that are open", missing=len(missing), **counts)
    if counts["agreed"] < WITNESSES:
        return unclear(f"needs {WITNESSES} queues that are open to all pipelines", **counts)
    return yes(AUTHORIZED_LIST, "it contains every queue that was read as open", **counts)


def missing_queue(organization: ProbeOrganization) -> CapabilityAnswer:
    """Pipeline permissions of a queue that cannot exist."""
    if not organization.projects:
        return unclear("needs a visible project")
    is_open = _permissions(organization, organization.projects[0].id, NO_QUEUE)
    if is_open is None:
        return yes(MISSING_QUEUE, "the service rejects the request")
    if is_open:
        return unclear("the response says that a queue which cannot exist is open")
    return no("empty", "it looks like a closed queue: permissions do not prove that a queue exists")


def _everywhere(organization: ProbeOrganization) -> set[tuple[str, int]] | None:
    """Project and id of every queue in the list without a project; None where the service rejects it."""
    ids = ",".join(map(str, organization.pool_ids))
    found = entries_of(organization.get("_apis/distributedtask/queues", **{"poolIds": ids, "api-version": "7.1"}))
    if found is None:
        return None
    return {(str(one.get("projectId", "")).lower(), one["id"]) for one in found if type(one.get("id")) is int}


def _missing(queues: Collection[Queue], listed: Collection[tuple[str, int]]) -> list[Queue]:
    return [queue for queue in queues if (queue.project_id.lower(), queue.id) not in listed]


def _opened(organization: ProbeOrganization) -> list[Queue]:
    """Open queues, found by single reads."""
    found: list[Queue] = []
    for queue in spread(organization.queues, READ):
        if _permissions(organization, queue.project_id, queue.id):
            found.append(queue)
        if len(found) >= ENOUGH:
            break
    return found


def _still_missing(organization: ProbeOrganization, queue: Queue) -> bool:
    listed = _authorized(organization, queue.project_id)
    return (
        listed is not None and queue.id not in listed and bool(_permissions(organization, queue.project_id, queue.id))
    )


def _authorized(organization: ProbeOrganization, project: str) -> set[int] | None:
    """Ids of queues in a project's list; None where the service rejects it."""
    parameters = {"type": "queue", "api-version": PREVIEW}
    found = entries_of(organization.get(f"{quote(project)}/_apis/build/authorizedresources", **parameters))
    if found is None:
        return None
    ids = [str(one.get("id")) for one in found if one.get("authorized") is True and one.get("type") == "queue"]
    return {int(id_) for id_ in ids if id_.isdecimal()}


def _permissions(organization: ProbeOrganization, project: str, queue: int) -> bool | None:
    """Whether a queue is open; None where the service rejects the request."""
    path = f"{quote(project)}/_apis/pipelines/pipelinepermissions/queue/{queue}"
    response = organization.get(path, **{"api-version": PREVIEW})
    if response.refused:
        return None
    everyone = response.document.get("allPipelines") if isinstance(response.document, dict) else None
    return isinstance(everyone, dict) and everyone.get("authorized") is True

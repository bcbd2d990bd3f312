"""Lists that would save many reads, held against the reads that they would save.

A list is complete where everything that was found by asking one by one is in it, and enough was found. What is missing
is asked for again before it counts: somebody may have opened, closed or made something in between.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from reconciler.ports.devops import Queue
from reconciler.survey.capabilities.answers import WITNESSES, CapabilityAnswer
from reconciler.survey.capabilities.questions import AUTHORIZED_LIST, INCOMPLETE, MISSING_QUEUE, QUEUE_LIST, REFUSED
from reconciler.tools.probe.answer import no, unclear, yes
from reconciler.tools.probe.organization import PREVIEW, ProbeOrganization, entries_of, spread

NOBODY = 2_147_483_647
"""The largest id there can be, which no queue has."""
READ = 120
"""Queues that are looked at for open ones."""
ENOUGH = 24
"""Open queues after which no further one is looked for."""


def queue_list(ground: ProbeOrganization) -> CapabilityAnswer:
    """The list without a project against the lists of projects."""
    listed = _everywhere(ground)
    if listed is None:
        return no(REFUSED, "the list without a project is refused")
    there = ground.queues
    missing = _missing(there, listed)
    if missing:
        missing = _missing(missing, _everywhere(ground) or set())
    counts = {"projects": len({queue.project_id for queue in there}), "agreed": len(there) - len(missing)}
    if missing:
        return no(INCOMPLETE, "queues of projects are missing from it", missing=len(missing), **counts)
    if counts["agreed"] < WITNESSES or counts["projects"] < 2:  # noqa: PLR2004 - one project shows nothing of all
        return unclear(f"{WITNESSES} queues in two projects are needed to compare with", **counts)
    return yes(QUEUE_LIST, "every queue that projects list is in it, with its project", **counts)


def authorized_list(ground: ProbeOrganization) -> CapabilityAnswer:
    """The lists of authorized resources against the authorizations of queues that are open."""
    refusing = [one for one in ground.projects[:2] if _authorized(ground, one.id) is None]
    if refusing and len(refusing) == len(ground.projects[:2]):
        return no(REFUSED, "the list without an id is refused", projects=len(refusing))
    opened = _opened(ground)
    lists = {project: _authorized(ground, project) for project in sorted({queue.project_id for queue in opened})}
    compared = [queue for queue in opened if lists[queue.project_id] is not None]
    missing = [queue for queue in compared if queue.id not in (lists[queue.project_id] or ())]
    missing = [queue for queue in missing if _still_missing(ground, queue)]
    counts = {"projects": len(lists), "agreed": len(compared) - len(missing)}
    if missing:
        return no(INCOMPLETE, "queues that are open are missing from it", missing=len(missing), **counts)
    if counts["agreed"] < WITNESSES:
        return unclear(f"{WITNESSES} queues that are open to all pipelines are needed to compare with", **counts)
    return yes(AUTHORIZED_LIST, "every queue that was seen open is in it", **counts)


def missing_queue(ground: ProbeOrganization) -> CapabilityAnswer:
    """Pipeline permissions of a queue that cannot exist."""
    if not ground.projects:
        return unclear("a visible project is needed")
    heard = _permissions(ground, ground.projects[0].id, NOBODY)
    if heard is None:
        return yes(MISSING_QUEUE, "it is refused")
    if heard:
        return unclear("the answer says that a queue which cannot exist is open")
    return no("empty", "it looks like a queue that is closed: permissions are no proof that a queue exists")


def _everywhere(ground: ProbeOrganization) -> set[tuple[str, int]] | None:
    """Project and id of every queue in the list without a project; None where it is refused."""
    ids = ",".join(map(str, ground.pool_ids))
    found = entries_of(ground.get("_apis/distributedtask/queues", **{"poolIds": ids, "api-version": "7.1"}))
    if found is None:
        return None
    return {(str(one.get("projectId", "")).lower(), one["id"]) for one in found if type(one.get("id")) is int}


def _missing(queues: Collection[Queue], listed: Collection[tuple[str, int]]) -> list[Queue]:
    return [queue for queue in queues if (queue.project_id.lower(), queue.id) not in listed]


def _opened(ground: ProbeOrganization) -> list[Queue]:
    """Queues that are open, found without regard to any list."""
    found: list[Queue] = []
    for queue in spread(ground.queues, READ):
        if _permissions(ground, queue.project_id, queue.id):
            found.append(queue)
        if len(found) >= ENOUGH:
            break
    return found


def _still_missing(ground: ProbeOrganization, queue: Queue) -> bool:
    listed = _authorized(ground, queue.project_id)
    return listed is not None and queue.id not in listed and bool(_permissions(ground, queue.project_id, queue.id))


def _authorized(ground: ProbeOrganization, project: str) -> set[int] | None:
    """Ids of queues in a project's list; None where it is refused."""
    asked = {"type": "queue", "api-version": PREVIEW}
    found = entries_of(ground.get(f"{quote(project)}/_apis/build/authorizedresources", **asked))
    if found is None:
        return None
    ids = [str(one.get("id")) for one in found if one.get("authorized") is True and one.get("type") == "queue"]
    return {int(id_) for id_ in ids if id_.isdecimal()}


def _permissions(ground: ProbeOrganization, project: str, queue: int) -> bool | None:
    """Whether a queue is open; None where the question is refused."""
    path = f"{quote(project)}/_apis/pipelines/pipelinepermissions/queue/{queue}"
    heard = ground.get(path, **{"api-version": PREVIEW})
    if heard.refused:
        return None
    everyone = heard.document.get("allPipelines") if isinstance(heard.document, dict) else None
    return isinstance(everyone, dict) and everyone.get("authorized") is True

"""Requests and responses of Azure DevOps that reads and writes share: built and parsed here, sent elsewhere.

A response that lacks a field that it must have raises `Unavailable`: absence is what writes are decided by.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.responses import DevOpsResponse
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import (
    distinct,
    flag_or_none,
    number_of,
    object_of,
    object_or_none,
    objects_of,
    shown,
    text_of,
)
from reconciler.documents import Json
from reconciler.errors import Unavailable
from reconciler.ports.devops import (
    Authorization,
    Identity,
    Pipeline,
    PipelinePermissions,
    Queue,
    QueueCheck,
    RoleAssignment,
)


def roles_call(
    session: Session, organization: str, method: str, scope: str, resource: str, *, inherit: bool | None = None
) -> OutgoingRequest:
    """A call on the role assignments of one resource; a preview-only route.

    With `inherit` in the query PATCH switches inheritance instead of removing assignments.
    """
    path = f"_apis/securityroles/scopes/{segment(scope)}/roleassignments/resources/{segment(resource)}"
    switch = None if inherit is None else str(inherit).lower()
    url = session.endpoints.url(
        organization, path + query({"inheritPermissions": switch, "api-version": "7.1-preview.1"})
    )
    return OutgoingRequest(organization, method, url, "role-assignments", f"roles of {scope}/{resource}")


def entries(response: DevOpsResponse, organization: str, what: str, *required: str) -> list[Json]:
    """The entries of a whole list, each once and an object with the required text fields."""
    return distinct(rows(response, organization, what, *required), f"organization {organization}: {what}")


def rows(response: DevOpsResponse, organization: str, what: str, *required: str) -> list[Json]:
    """The same as they came, where their number says whether there is another page."""
    document = response.document
    found = document.get("value") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Unavailable(f"organization {organization}: {what}: the response contains no list")
    for entry in found:
        if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in required):
            raise Unavailable(f"organization {organization}: {what}: an entry of the response is incomplete")
    return found


def queues_call(session: Session, organization: str, project_id: str, pool_ids: Sequence[int]) -> OutgoingRequest:
    """GET queues of a project by pool ids; without a project those of all of them."""
    given = query({"poolIds": ",".join(map(str, pool_ids)), "api-version": "7.1"})
    path = f"{segment(project_id)}/" if project_id else ""
    url = session.endpoints.url(organization, f"{path}_apis/distributedtask/queues{given}")
    what = f"queues of project {project_id}" if project_id else "queues of all projects"
    return OutgoingRequest(organization, "GET", url, "queues", what)


def queue_of(entry: Json, organization: str, project_id: str) -> Queue:
    """A queue, ``{"id", "name", "projectId", "pool": {"id"}}``, of the requested project, if one was."""
    pool = entry.get("pool") if isinstance(entry, dict) else None
    pool_id = pool.get("id") if isinstance(pool, dict) else None
    if not (type(pool_id) is int and type(entry.get("id")) is int and isinstance(entry.get("name"), str)):
        raise Unavailable(
            f"organization {organization}: queues of project {project_id}: an entry of the response is incomplete"
        )
    home = project_id or entry.get("projectId")
    if not isinstance(home, str) or not home:
        raise Unavailable(
            f"organization {organization}: queues of all projects: an entry of the response names no project"
        )
    return Queue(id=entry["id"], name=entry["name"], project_id=project_id or home.lower(), pool_id=pool_id)


def pipeline_of(entry: Json, organization: str, what: str) -> Pipeline:
    """A build definition, ``{"id", "name", "path"}``; the path is its folder's, a single backslash at the top."""
    if type(entry.get("id")) is not int:
        raise Unavailable(f"organization {organization}: {what}: an entry of the response is incomplete")
    folder = entry["path"].replace("/", "\\").strip("\\")
    return Pipeline(id=entry["id"], path="\\".join(("", *filter(None, (folder, entry["name"])))))


def queues_of_definition(entry: Json, organization: str, what: str) -> set[int]:
    """Ids of the queues that a full build definition names: its default, and those of the jobs of a classic one.

    ``{"queue": {"id"}, "process": {"type", "phases": [{"target": {"queue": {"id"}}}]}}``; YAML has no phases.
    """
    return {holder["queue"]["id"] for holder in _queue_holders(entry, organization, what)}


def repointed(entry: Json, organization: str, what: str, queues: tuple[int, int]) -> Json:
    """A full definition with another queue wherever it names the old one, by id alone; `queues`: old and new."""
    made = deepcopy(entry)
    for holder in _queue_holders(made, organization, what):
        if holder["queue"]["id"] == queues[0]:
            holder["queue"] = {"id": queues[1]}
    return made


def has_secrets(entry: Json) -> bool:
    """Whether a full definition has secret variables: ``{"variables": {name: {"isSecret": true}}}``."""
    variables = entry.get("variables")
    values = variables.values() if isinstance(variables, dict) else ()
    return any(isinstance(one, dict) and bool(one.get("isSecret")) for one in values)


def _queue_holders(entry: Json, organization: str, what: str) -> list[dict[str, Json]]:
    """The parts of a full definition that name a queue."""
    process = entry.get("process")
    if not isinstance(process, dict):
        raise Unavailable(f"organization {organization}: {what}: an entry of the response is not the full definition")
    where = f"organization {organization}: {what}"
    targets = [object_or_none(phase, "target", where) for phase in objects_of(process, "phases", where)]
    holders = [one for one in (entry, *targets) if one is not None and object_or_none(one, "queue", where) is not None]
    for one in holders:
        number_of(one["queue"], "id", where)
    return holders


_CHECKED = frozenset(
    {"queue", "endpoint", "environment", "repository", "securefile", "variablegroup", "agentpool", "persistedstage"}
)
"""Types of resources that have checks."""


def checks_of(document: Json, organization: str, what: str, queue_id: int) -> list[QueueCheck]:
    """The checks of one queue.

    ``{"id", "type": {"id", "name"}, "settings", "timeout", "isDisabled", "modifiedBy": {"id"}, "resource": {"type",
    "id"}}``; only id, type and resource have to be there.
    """
    where = f"organization {organization}: {what}"
    listed = document.get("value") if isinstance(document, dict) else None
    if not isinstance(listed, list) or document.get("count", len(listed)) != len(listed):
        raise Unavailable(f"{where}: the response contains no whole list")
    found = []
    for entry in distinct(objects_of(document, "value", where), where):
        resource, holder = object_of(entry, "resource", where), object_of(entry, "resource", where).get("id")
        check = _check(entry, object_of(entry, "type", where), where)
        if not isinstance(holder, str | int):
            raise Unavailable(f"{where}: the resource of an entry of the response has no id")
        word = text_of(resource, "type", where)
        if str(holder) != str(queue_id):
            continue
        if word.lower() == "queue":
            found.append(check)
        elif word.lower() not in _CHECKED:
            # Left out, it would be lost with a pool that is replaced, and its queue opened.
            raise Unavailable(f"{where}: whether check {check.id} is of the queue is not known: resource type {word!r}")
    return sorted(found, key=lambda check: check.id)


def _check(entry: dict[str, Json], kind: dict[str, Json], where: str) -> QueueCheck:
    author = object_or_none(entry, "modifiedBy", where) or {}
    return QueueCheck(
        id=number_of(entry, "id", where),
        kind=shown(kind, "name", "id") or "check",
        settings=object_or_none(entry, "settings", where) or {},
        timeout=None if entry.get("timeout") is None else number_of(entry, "timeout", where),
        type_id=shown(kind, "id").lower(),
        disabled=flag_or_none(entry, "isDisabled", where) is True,
        changed_by=shown(author, "id").lower(),
    )


def project_id(group: Json) -> str:
    """Id of the project that a group belongs to, out of its ``domain``: ``vstfs:///Classification/TeamProject/{id}``.

    Empty for a group of the organization.
    """
    head, _, id_ = shown(group, "domain").rpartition("/")
    return id_.lower() if head.casefold().endswith("/classification/teamproject") else ""


def permissions_of(document: Json, organization: str, what: str, queue_id: int) -> PipelinePermissions:
    """Pipeline permissions of one queue. `allPipelines` is absent where the queue is not open."""
    resource = document.get("resource") if isinstance(document, dict) else None
    if not isinstance(resource, dict) or str(resource.get("id")) != str(queue_id):
        raise Unavailable(f"organization {organization}: {what}: the response is about another resource, or none")
    where = f"organization {organization}: {what}"
    lines = distinct(objects_of(document, "pipelines", where), where)
    everyone = object_or_none(document, "allPipelines", where) or {}
    given = flag_or_none(everyone, "authorized", where) is True
    allowed = {number_of(line, "id", where): line for line in lines if flag_or_none(line, "authorized", where)}
    singles = {id_: _authorization(id_, line) for id_, line in allowed.items()}
    for line in lines:
        number_of(line, "id", where)
    return PipelinePermissions(
        all_pipelines=given,
        pipelines=frozenset(singles),
        authorizations=(
            *([_authorization(None, everyone)] if given else ()),
            *(singles[id_] for id_ in sorted(singles)),
        ),
    )


def _authorization(pipeline: int | None, line: Json) -> Authorization:
    who = line.get("authorizedBy")
    name = shown(who, "displayName", "uniqueName") if isinstance(who, dict) else ""
    by_id = shown(who, "id").lower() if isinstance(who, dict) else ""
    return Authorization(pipeline, name, _to_the_second(shown(line, "authorizedOn")), by_id)


def _to_the_second(moment: str) -> str:
    """A moment as the service writes it, in UTC and with up to seven decimals, without the decimals."""
    head, dot, _ = moment.partition(".")
    return f"{head}Z" if dot else head


def assignment_of(entry: Json, organization: str, what: str) -> RoleAssignment:
    """One role assignment: ``{"identity": {id, displayName, uniqueName}, "role": {name}, "access": "assigned"}``."""
    identity, role = entry.get("identity"), entry.get("role")
    access = entry.get("access")
    id_ = identity.get("id") if isinstance(identity, dict) else None
    name = role.get("name") if isinstance(role, dict) else None
    if not (isinstance(id_, str) and isinstance(name, str) and access in ("assigned", "inherited")):
        raise Unavailable(f"organization {organization}: {what}: an entry of the response is incomplete")
    return RoleAssignment(
        identity=Identity(
            id=id_.lower(),
            display_name=shown(identity, "displayName"),
            unique_name=shown(identity, "uniqueName"),
            descriptor=shown(identity, "descriptor"),
        ),
        role=name,
        inherited=access == "inherited",
    )

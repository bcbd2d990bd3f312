"""Forms of requests and answers that reading and writing Azure DevOps share; nothing here sends anything.

Whatever an answer must hold to be believed is checked here: what is missing raises `Unavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.adapters.devops.answers import DevOpsResponse
from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json
from reconciler.errors import Unavailable
from reconciler.ports.devops import Identity, Pipeline, Project, Queue, RoleAssignment


def roles_call(
    session: Session, organization: str, method: str, scope: str, resource: str, *, inherit: bool | None = None
) -> OutgoingRequest:
    """A call on the role assignments of one resource; a preview-only route, so the version says so.

    With `inherit` the query says so too, and PATCH switches inheritance in place of removing assignments.
    """
    path = f"_apis/securityroles/scopes/{segment(scope)}/roleassignments/resources/{segment(resource)}"
    switch = None if inherit is None else str(inherit).lower()
    url = session.endpoints.url(
        organization, path + query({"inheritPermissions": switch, "api-version": "7.1-preview.1"})
    )
    return OutgoingRequest(organization, method, url, "role-assignments", f"roles of {scope}/{resource}")


def entries(answer: DevOpsResponse, organization: str, what: str, *required: str) -> list[Json]:
    """The entries of a list answer, each an object with the required texts."""
    document = answer.document
    found = document.get("value") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Unavailable(f"organization {organization}: {what}: the answer holds no list")
    for entry in found:
        if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in required):
            raise Unavailable(f"organization {organization}: {what}: an entry of the answer is not whole")
    return found


def queues_call(session: Session, organization: str, project_id: str, pool_ids: Sequence[int]) -> OutgoingRequest:
    """GET queues of a project by pool ids; without a project those of all of them."""
    asked = query({"poolIds": ",".join(map(str, pool_ids)), "api-version": "7.1"})
    path = f"{segment(project_id)}/" if project_id else ""
    url = session.endpoints.url(organization, f"{path}_apis/distributedtask/queues{asked}")
    what = f"queues of project {project_id}" if project_id else "queues of all projects"
    return OutgoingRequest(organization, "GET", url, "queues", what)


def queue_of(entry: Json, organization: str, project_id: str) -> Queue:
    """A queue, ``{"id", "name", "projectId", "pool": {"id"}}``, of the project that was asked, if one was."""
    pool = entry.get("pool") if isinstance(entry, dict) else None
    pool_id = pool.get("id") if isinstance(pool, dict) else None
    if not (type(pool_id) is int and type(entry.get("id")) is int and isinstance(entry.get("name"), str)):
        raise Unavailable(f"organization {organization}: queues of project {project_id}: an entry is not whole")
    home = project_id or entry.get("projectId")
    if not isinstance(home, str) or not home:
        raise Unavailable(f"organization {organization}: queues of all projects: an entry does not name its project")
    return Queue(id=entry["id"], name=entry["name"], project_id=project_id or home.lower(), pool_id=pool_id)


def pipeline_of(entry: Json, organization: str, what: str) -> Pipeline:
    """A build definition, ``{"id", "name", "path"}``; the path is its folder's, a single backslash at the top."""
    if type(entry.get("id")) is not int:
        raise Unavailable(f"organization {organization}: {what}: an entry is not whole")
    folder = entry["path"].replace("/", "\\").strip("\\")
    return Pipeline(id=entry["id"], path="\\".join(("", *filter(None, (folder, entry["name"])))))


def project_of(group: Json) -> Project | None:
    r"""The project that a group of Azure DevOps belongs to; None for one of the organization.

    Its ``domain`` is ``vstfs:///Classification/TeamProject/{id}``, its ``principalName`` ``[project]\group``.
    """
    head, mark, id_ = str(group.get("domain") or "").rpartition("/")
    name, bracket, _ = str(group.get("principalName") or "").removeprefix("[").rpartition("]\\")
    if not (mark and bracket and id_ and head.casefold().endswith("/classification/teamproject")):
        return None
    return Project(id=id_.lower(), name=name)


def assignment_of(entry: Json, organization: str, what: str) -> RoleAssignment:
    """One role assignment: ``{"identity": {id, displayName, uniqueName}, "role": {name}, "access": "assigned"}``."""
    identity, role = entry.get("identity"), entry.get("role")
    access = entry.get("access")
    id_ = identity.get("id") if isinstance(identity, dict) else None
    name = role.get("name") if isinstance(role, dict) else None
    if not (isinstance(id_, str) and isinstance(name, str) and access in {"assigned", "inherited"}):
        raise Unavailable(f"organization {organization}: {what}: an entry of the answer is not whole")
    return RoleAssignment(
        identity=Identity(
            id=id_.lower(),
            display_name=identity.get("displayName") or "",
            unique_name=identity.get("uniqueName") or "",
            descriptor=identity.get("descriptor") or "",
        ),
        role=name,
        inherited=access == "inherited",
    )

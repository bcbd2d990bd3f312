"""Queues of a project that all its pipelines may use, from its list of authorized resources.

A sweep sends this request for every project, so it is plain REST: the package's models took as long as everything else
of the call together. ``{"count", "value": [{"authorized": true, "id": "12", "name", "type": "queue"}]}``
(MicrosoftDocs/vsts-rest-api-specs build 7.2, authorizedresources; preview-only).
"""

from __future__ import annotations

from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json
from reconciler.errors import NotFound, Rejected, Unavailable

_NO_ROUTE = "404 HttpException"
"""How the service says that it has no such route; of a project that is missing it says so."""


def authorized_queues(session: Session, organization: str, project_id: str) -> frozenset[int]:
    """Ids of the queues. `Rejected` where the organization does not offer the list; see `DevOpsReader`."""
    what = f"authorized resources of project {project_id}"
    given = query({"type": "queue", "api-version": "7.1-preview.1"})
    url = session.endpoints.url(organization, f"{segment(project_id)}/_apis/build/authorizedresources{given}")
    try:
        response = session.send(OutgoingRequest(organization, "GET", url, "authorized-resources", what))
    except NotFound as error:
        if _NO_ROUTE in str(error):
            raise Rejected(f"organization {organization}: {what}: the organization does not offer this route") from None
        raise
    return _open(response.document, f"organization {organization}: {what}")


def _open(document: Json, where: str) -> frozenset[int]:
    """What the list says is open; `Unavailable` where any entry cannot be read, or two contradict each other."""
    entries = document.get("value") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise Unavailable(f"{where}: the response contains no list")
    states: dict[str, bool] = {}
    for entry in entries:
        id_, kind, state = _fields(entry, where)
        if kind != "queue":
            continue
        if not id_.isdecimal():
            raise Unavailable(f"{where}: the id of a queue is not a number")
        if states.setdefault(id_, state) is not state:
            raise Unavailable(f"{where}: two entries of the response have the same id and differ")
    return frozenset(int(id_) for id_, state in states.items() if state)


def _fields(entry: Json, where: str) -> tuple[str, str, bool]:
    """Id, type and whether it is authorized."""
    found = (entry.get("id"), entry.get("type"), entry.get("authorized")) if isinstance(entry, dict) else ()
    match found:
        case (str() as id_, str() as kind, bool() as state):
            return id_, kind, state
    raise Unavailable(f"{where}: an entry of the response is incomplete")

"""Users, groups and service principals as the graph of an organization lists them, and their local ids.

Routes: MicrosoftDocs/vsts-rest-api-specs, graph 7.2. Descriptors are opaque: the id inside one is not the local id
(graph examples), which `storagekeys` returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import project_id
from reconciler.adapters.devops.pages import PagedList, listed
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json
from reconciler.errors import Unavailable
from reconciler.ports.devops import Group

VERSION = "7.1-preview.1"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def subjects(
    session: Session, organization: str, kind: str, *required: str, types: str | None = None
) -> Iterator[Json]:
    """All subjects of a kind (``users``, ``groups``, ``service principals``), all pages."""
    path, route = f"_apis/graph/{kind.replace(' ', '')}", f"graph-{kind.replace(' ', '-')}"
    parameters = {"subjectTypes": types, "api-version": VERSION}
    needed = ("descriptor", *required)
    yield from listed(session, PagedList(organization, path, route, kind, parameters, needed, identity=True))


def groups(session: Session, organization: str) -> list[Group]:
    """All groups that belong to Azure DevOps, which are `vssgp`; a group of a project carries its id."""
    return [
        Group(entry["principalName"], descriptor=entry["descriptor"], project=project_id(entry))
        for entry in subjects(session, organization, "groups", "principalName", "domain", types="vssgp")
    ]


def local_id(session: Session, organization: str, descriptor: str) -> str:
    """GET storagekeys: subject descriptor → local id, lower case."""
    what = f"local id of {descriptor}"
    path = f"_apis/graph/storagekeys/{segment(descriptor)}{query({'api-version': VERSION})}"
    url = session.endpoints.url(organization, path, identity=True)
    document = session.send(OutgoingRequest(organization, "GET", url, "storage-keys", what)).document
    key = document.get("value") if isinstance(document, dict) else None
    if not isinstance(key, str) or not GUID.fullmatch(key):
        raise Unavailable(f"organization {organization}: {what}: the response contains no id")
    return key.lower()

"""`reconciler.ports.diagnostics.DevOpsInspector` on the session: plain REST, since the package drops authors.

Routes: MicrosoftDocs/vsts-rest-api-specs 7.2, approvalsAndChecks (pipelinePermissions), build (definitions), security
(permissions). Each method is one request, or the pages of one list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import entries
from reconciler.adapters.devops.identities import GUID, property_of
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json
from reconciler.errors import Unavailable
from reconciler.ports.diagnostics import Authorization, BuildDefinition, ProbeResponse

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
"""Security namespace DistributedTask, which holds the rights on pools and queues."""
_PAGES = 1000
_PAGE = 1000


class DevOpsInspection:
    """Implements `reconciler.ports.diagnostics.DevOpsInspector`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def authorizations(self, organization: str, project_id: str, queue_id: int) -> Sequence[Authorization]:
        """GET pipelinepermissions of one queue; what is not authorized is absent, and so is its author."""
        what = f"pipeline permissions of queue {queue_id} in project {project_id}"
        path = f"{segment(project_id)}/_apis/pipelines/pipelinepermissions/queue/{queue_id}"
        document = self._read(organization, path, "pipeline-permissions", what, {"api-version": "7.1-preview.1"})
        if not isinstance(document, dict):
            raise Unavailable(f"organization {organization}: {what}: the answer is no object")
        everyone = document.get("allPipelines")
        found = [_authorization(None, everyone)] if _given(everyone) else []
        lines = document.get("pipelines") or ()
        singles = [_authorization(line["id"], line) for line in lines if _given(line) and type(line.get("id")) is int]
        return [*found, *sorted(singles, key=lambda one: one.pipeline or 0)]

    def pipelines(self, organization: str, project_id: str) -> Sequence[BuildDefinition]:
        """GET definitions, page by page; the next page is named by a header."""
        found = [one for page in self._definitions(organization, project_id) for one in page]
        return sorted((_pipeline(one) for one in found if type(one.get("id")) is int), key=lambda one: one.id)

    def tenant(self, organization: str, identity_id: str) -> str:
        """GET identities by id; the tenant is the property ``Domain`` (vsts-rest-api-specs ims 7.2, examples)."""
        what = f"identity {identity_id}"
        path = "_apis/identities" + query({"identityIds": identity_id, "api-version": "7.1"})
        url = self._session.endpoints.url(organization, path, identity=True)
        answer = self._session.send(OutgoingRequest(organization, "GET", url, "identities", what))
        found = entries(answer, organization, what, "id")
        domain = property_of(found[0].get("properties"), "Domain").lower() if found else ""
        return domain if GUID.fullmatch(domain) else ""

    def may(self, organization: str, token: str, bits: int) -> bool:
        """GET permissions of the caller at one token."""
        what = f"rights at {token}"
        asked: dict[str, str | int | None] = {"tokens": token, "api-version": "7.1"}
        document = self._read(organization, f"_apis/permissions/{NAMESPACE}/{bits}", "permissions", what, asked)
        answer = document.get("value") if isinstance(document, dict) else None
        if not isinstance(answer, list) or len(answer) != 1:
            raise Unavailable(f"organization {organization}: {what}: the answer holds no list of one")
        return answer[0] is True

    def _definitions(self, organization: str, project_id: str) -> Iterator[list[Json]]:
        what, token = f"pipelines of project {project_id}", None
        for _ in range(_PAGES):
            asked: dict[str, str | int | None] = {"$top": _PAGE, "continuationToken": token, "api-version": "7.1"}
            url = self._session.endpoints.url(
                organization, f"{segment(project_id)}/_apis/build/definitions{query(asked)}"
            )
            answer = self._session.send(OutgoingRequest(organization, "GET", url, "definitions", what))
            yield entries(answer, organization, what, "name")
            before, token = token, answer.headers.get("x-ms-continuationtoken") or None
            if token is None:
                return
            if token == before:
                break
        raise Unavailable(f"organization {organization}: {what}: the pages do not come to an end")

    def _read(self, organization: str, path: str, route: str, what: str, asked: Mapping[str, str | int | None]) -> Json:
        url = self._session.endpoints.url(organization, path + query(asked))
        return self._session.send(OutgoingRequest(organization, "GET", url, route, what)).document


def _given(line: Json) -> bool:
    return isinstance(line, dict) and line.get("authorized") is True


def _authorization(pipeline: int | None, line: Json) -> Authorization:
    who = line.get("authorizedBy")
    name = who.get("displayName") or who.get("uniqueName") if isinstance(who, dict) else None
    return Authorization(pipeline, str(name or ""), _second(str(line.get("authorizedOn") or "")))


def _second(moment: str) -> str:
    """A moment as the service writes it, cut to the second."""
    head, dot, _ = moment.partition(".")
    return f"{head}Z" if dot else head


def _pipeline(entry: Mapping[str, Json]) -> BuildDefinition:
    folder = str(entry.get("path") or "\\").rstrip("\\")
    return BuildDefinition(int(entry["id"]), f"{folder}\\{entry['name']}")


_RATES = ("x-ratelimit-", "retry-after")


class DevOpsProbeReader:
    """Implements `reconciler.ports.diagnostics.Enquirer`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, organization: str, path: str, asked: Mapping[str, str | int]) -> ProbeResponse:
        """GET; of the headers those of the rate limit alone."""
        url = self._session.endpoints.url(organization, path + query(asked))
        answer = self._session.ask(OutgoingRequest(organization, "GET", url, "probe", path.rpartition("/_apis/")[2]))
        rates = {name: value for name, value in answer.headers.items() if name.startswith(_RATES)}
        return ProbeResponse(answer.status, rates, answer.document)

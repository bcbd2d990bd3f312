"""Pipeline permissions (vsts-rest-api-specs approvalsAndChecks 7.2): open access and single pipelines of a resource.

``allPipelines`` is absent where the resource is not open. There is no batch read.
"""

from __future__ import annotations

from emulator.devops import access, authorizations, refusals, responses
from emulator.devops.authorizations import AuthorizationChange
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Authorization, Organization, PipelinePermit, Project
from emulator.world import World


def get(world: World, request: Request) -> Response:
    """One resource; for a queue that does not exist the answer is a switch."""
    place = access.enter(world, request)
    project = place.project()
    kind, key = request.params["resourceType"], request.params["resourceId"]
    try:
        target = authorizations.find(place, project, kind, key)
    except ApiError as refusal:
        empty = world.switches.word("devops.permissions-of-missing-queue") == "empty"
        if refusal.code == "TaskAgentQueueNotFoundException" and empty:
            return Response(body=_body(place.organization, kind.lower(), key, Authorization()))
        raise
    return Response(body=_body(place.organization, target.type, target.id, target.cell.read()))


def _body(organization: Organization, kind: str, key: str, found: Authorization) -> Json:
    body: dict[str, Json] = {"resource": {"type": kind, "id": key}, "pipelines": []}
    if found.everyone:
        body["allPipelines"] = _permit(organization, found.everyone)
    body["pipelines"] = [{"id": one, **_permit(organization, found.pipelines[one])} for one in sorted(found.pipelines)]
    return body


def _permit(organization: Organization, permit: PipelinePermit) -> dict[str, Json]:
    return {
        "authorized": True,
        "authorizedBy": responses.person(organization, permit.by),
        "authorizedOn": permit.on,
    }


def update_one(world: World, request: Request) -> Response:
    """One resource; the answer is its full state after the write."""
    place = access.enter(world, request)
    project = place.project()
    change = _requested_change(place, project, place.fields("resourceAuthorization"))
    target = authorizations.find(place, project, request.params["resourceType"], request.params["resourceId"])
    authorizations.require_writer(place, target)
    found = authorizations.apply(place, target, change)
    return Response(body=_body(place.organization, target.type, target.id, found))


def update_many(world: World, request: Request) -> Response:
    """Several resources of a project; nothing is written where one of them cannot be."""
    place = access.enter(world, request)
    project = place.project()
    work = []
    for raw in place.items("resourceAuthorizations"):
        if not isinstance(raw, dict) or not isinstance(raw.get("resource"), dict):
            raise refusals.missing("resource")
        resource = raw["resource"]
        target = authorizations.find(place, project, resource.get("type"), resource.get("id"))
        authorizations.require_writer(place, target)
        work.append((target, _requested_change(place, project, raw)))
    done = [(target, authorizations.apply(place, target, change)) for target, change in work]
    return responses.wrapped(_body(place.organization, target.type, target.id, found) for target, found in done)


def _requested_change(place: access.RequestScope, project: Project, raw: dict[str, Json]) -> AuthorizationChange:
    everyone = raw.get("allPipelines")
    if everyone is not None:
        if not isinstance(everyone, dict):
            raise refusals.bad_argument("The value is not valid for allPipelines.")
        everyone = authorizations.flag(everyone.get("authorized"), "allPipelines.authorized")
    pipelines = raw.get("pipelines") or []
    if not isinstance(pipelines, list):
        raise refusals.bad_argument("The value is not valid for pipelines.")
    return AuthorizationChange(everyone, tuple(_pipeline(place, project, one) for one in pipelines))


def _pipeline(place: access.RequestScope, project: Project, raw: Json) -> tuple[int, bool]:
    if not isinstance(raw, dict):
        raise refusals.bad_argument("The value is not valid for pipelines.")
    number = access.number(raw.get("id"), "pipelines.id")
    authorizations.check_pipeline(place, project, number)
    return number, authorizations.flag(raw.get("authorized"), "pipelines.authorized")

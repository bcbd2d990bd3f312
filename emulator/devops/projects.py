"""Projects (vsts-rest-api-specs core 7.2): paged list, reading by name or id, creation and deletion as operations.

Only projects that the caller can see are listed; one that exists but must not be seen does not exist.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.devops import access, lifecycle, people, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Project
from emulator.world import World

STATES = ("wellFormed", "createPending", "deleting", "new", "deleted", "unchanged", "all")
AGILE = "adcc42ab-9882-485e-a3ed-7678f01f66bc"


def list_all(world: World, request: Request) -> Response:
    """One page; the next is named by a header, or reached by `$skip`."""
    place = access.enter(world, request)
    state = request.query.get("statefilter", "wellFormed").lower()
    if state not in {one.lower() for one in STATES}:
        raise refusals.bad_argument(f"The value '{state}' is not valid for stateFilter.")
    everything = place.organization.projects.values()
    found = [p for p in everything if place.sees(p) and _in(p, state)]
    found.sort(key=lambda one: one.id)
    return _page(place, found)


def _in(project: Project, state: str) -> bool:
    return project.state.lower() == state or (state == "all" and project.state != "deleted")


def _page(place: access.RequestScope, found: list[Project]) -> Response:
    query = place.request.query
    size = access.number(query.get("$top", place.world.switches["devops.project-page"]), "$top")
    start = access.number(query.get("continuationtoken") or query.get("$skip", 0), "$skip")
    if size < 1 or start < 0:
        raise refusals.bad_argument("$top has to be at least 1, $skip at least 0.")
    value = [reference(place, one) for one in found[start : start + size]]
    more = start + size < len(found)
    headers = {"x-ms-continuationtoken": str(start + size)} if more else {}
    return Response(body={"count": len(value), "value": value}, headers=headers)


def reference(place: access.RequestScope, project: Project) -> dict[str, Json]:
    """A project as lists show it."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "url": f"{place.base}/_apis/projects/{project.id}",
        "state": project.state,
        "revision": project.revision,
        "visibility": project.visibility,
        "lastUpdateTime": project.updated,
    }


def get(world: World, request: Request) -> Response:
    """One project by id or name; capabilities if requested."""
    place = access.enter(world, request)
    project = place.find_project(request.params["projectId"])
    body = reference(place, project)
    body["_links"] = {
        "self": {"href": body["url"]},
        "collection": {"href": f"{place.base}/_apis/projectCollections/{place.organization.id}"},
        "web": {"href": f"{place.base}/{project.name}"},
    }
    team = people.guid("team", project.id)
    body["defaultTeam"] = {"id": team, "name": f"{project.name} Team", "url": f"{body['url']}/teams/{team}"}
    if access.truthy(request.query.get("includecapabilities")):
        body["capabilities"] = {
            "processTemplate": {"templateName": "Agile", "templateTypeId": AGILE},
            "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True", "tfvcEnabled": "False"},
        }
    return Response(body=body)


def create(world: World, request: Request) -> Response:
    """Queue the creation; what it answers with is an operation."""
    place = access.enter(world, request)
    fields = place.fields("projectToCreate")
    name = _name(place, fields.get("name"))
    capabilities = fields.get("capabilities")
    if not isinstance(capabilities, dict) or not {"versioncontrol", "processTemplate"} <= capabilities.keys():
        raise refusals.missing("capabilities")
    if fields.get("visibility", "private") not in ("private", "public"):
        raise refusals.bad_argument(f"The value '{fields['visibility']}' is not valid for visibility.")
    place.require_administrator("projects")
    organization = place.organization
    key = people.guid("project", organization.name.lower(), name.lower(), str(organization.next_id("project")))

    def finish() -> None:
        project = lifecycle.create_project(world, organization, name, by=place.caller, project_id=key)
        project.description = str(fields.get("description") or "")
        project.visibility = str(fields.get("visibility") or "private")

    return _operation(place, finish)


def _name(place: access.RequestScope, value: Json, *, besides: Project | None = None) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refusals.missing("name")
    taken = place.organization.project_named(value)
    if taken is not None and taken is not besides:
        text = f"TF200019: The following project already exists on the Azure DevOps Server: {value}."
        raise ApiError(400, "ProjectAlreadyExistsException", text)
    return value


def _operation(place: access.RequestScope, finish: Callable[[], None]) -> Response:
    organization = place.organization
    key = people.guid("operation", organization.name, str(organization.next_id("operation")))
    url = f"{place.base}/_apis/operations/{key}"
    operation = organization.operations[key] = {"id": key, "status": "queued", "url": url}

    def job() -> None:
        finish()
        operation["status"] = "succeeded"

    place.world.later(place.world.switches.number("devops.project-operation"), job)
    return Response(status=202, body=dict(operation))


def update(world: World, request: Request) -> Response:
    """Name and description."""
    place = access.enter(world, request)
    project = place.find_project(request.params["projectId"])
    fields = place.fields("projectUpdate")
    name = _name(place, fields["name"], besides=project) if "name" in fields else project.name
    if not rights.administers_project(place.organization, place.caller, project):
        raise refusals.denied(place.caller, "Manage", f"project {project.name}")

    def finish() -> None:
        project.description = str(fields.get("description", project.description) or "")
        if name != project.name:
            lifecycle.rename_project(world, place.organization, project, name, by=place.caller)

    return _operation(place, finish)


def delete(world: World, request: Request) -> Response:
    """Queue the deletion; it can be taken back by hand."""
    place = access.enter(world, request)
    project = place.find_project(request.params["projectId"])
    if not rights.administers_project(place.organization, place.caller, project):
        raise refusals.denied(place.caller, "Delete", f"project {project.name}")
    project.state = "deleting"
    return _operation(place, lambda: lifecycle.delete_project(world, place.organization, project, by=place.caller))


def operation(world: World, request: Request) -> Response:
    """How far an operation is."""
    place = access.enter(world, request)
    key = request.params["operationId"]
    found = place.organization.operations.get(key.lower())
    if found is None:
        raise ApiError(404, "OperationNotFoundException", f"VS403275: The operation {key} was not found.")
    return Response(body={**found, "_links": {"self": {"href": found["url"]}}, "resultMessage": ""})


def processes(world: World, request: Request) -> Response:
    """The process templates that a project can be made of."""
    place = access.enter(world, request)
    url = f"{place.base}/_apis/process/processes/{AGILE}"
    return responses.wrapped([{"id": AGILE, "name": "Agile", "type": "system", "isDefault": True, "url": url}])

"""Build definitions of a project (vsts-rest-api-specs build 7.2), as far as clients need them to name pipelines.

A continuation token is accepted only together with an order: without one the service answers
InvalidDefinitionQueryException (github/gh-gei issue 1220).
"""

from __future__ import annotations

import fnmatch

from emulator.devops import access, authorized_resources, projects, refusals, rights
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Pipeline, Project
from emulator.world import World

ORDERS = (
    "none",
    "lastModifiedAscending",
    "lastModifiedDescending",
    "definitionNameAscending",
    "definitionNameDescending",
)
"""Values of `queryOrder`; official clients send the position instead of the word."""

LARGEST_PAGE = 10_000
"""Definitions on one page at most, whatever $top says."""


def list_all(world: World, request: Request) -> Response:
    """By name (with ``*``), folder and ids; the next page is named by a header."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    query = request.query
    order = _order(query.get("queryorder", ""))
    if query.get("continuationtoken") and order == "none":
        raise ApiError(
            400, "InvalidDefinitionQueryException", "Continuation token timestamp without query order is ambiguous."
        )
    found = _sorted(project, order)
    if name := query.get("name"):
        found = [one for one in found if fnmatch.fnmatchcase(one.name.lower(), name.lower())]
    if path := query.get("path"):
        found = [one for one in found if one.path.lower() == _folder(path).lower()]
    if ids := query.get("definitionids"):
        listed = access.numbers(ids, "definitionIds")
        found = [one for one in found if one.id in listed]
    return _page(place, project, found)


def _order(text: str) -> str:
    for position, order in enumerate(ORDERS):
        if text.lower() in (order.lower(), str(position)):
            return order
    if text:
        raise refusals.bad_argument(f"The value '{text}' is not valid for queryOrder.")
    return "none"


def _sorted(project: Project, order: str) -> list[Pipeline]:
    """In the order of the query; definitions are never changed here, so their ids are the order of modification."""
    if order.startswith("lastModified"):
        return sorted(project.pipelines.values(), key=lambda one: one.id, reverse=order.endswith("Descending"))
    descending = order == "definitionNameDescending"
    return sorted(project.pipelines.values(), key=lambda one: (one.name.lower(), one.id), reverse=descending)


def _folder(path: str) -> str:
    return "\\" + path.replace("/", "\\").strip("\\")


def _page(place: access.RequestScope, project: Project, found: list[Pipeline]) -> Response:
    query = place.request.query
    start = access.number(query.get("continuationtoken") or 0, "continuationToken")
    default = int(place.world.switches.number("devops.definition-page"))
    size = min(access.number(query.get("$top") or default, "$top"), LARGEST_PAGE)
    whole = access.truthy(query.get("includeallproperties"))
    value = [_body(place, project, one, whole=whole) for one in found[start : start + size]]
    headers = {"x-ms-continuationtoken": str(start + size)} if start + size < len(found) else {}
    return Response(body={"count": len(value), "value": value}, headers=headers)


def _body(place: access.RequestScope, project: Project, one: Pipeline, *, whole: bool) -> Json:
    body: dict[str, Json] = {
        "id": one.id,
        "name": one.name,
        "path": one.path,
        "type": "build",
        "quality": "definition",
        "queueStatus": "enabled",
        "revision": one.revision,
        "createdDate": project.updated,
        "uri": f"vstfs:///Build/Definition/{one.id}",
        "url": f"{place.base}/{project.id}/_apis/build/Definitions/{one.id}?revision={one.revision}",
        "project": projects.reference(place, project),
    }
    if one.queue is not None:
        body["queue"] = _queue(place, one.queue)
    if whole:
        body["process"] = _process(place, one)
        if one.variables:
            body["variables"] = {name: _variable(value) for name, value in one.variables.items()}
    return body


def _variable(value: Json) -> Json:
    """Without its value where it is secret."""
    return {**value, "value": None} if value.get("isSecret") else dict(value)


def _queue(place: access.RequestScope, number: int) -> Json:
    """A queue as a definition names it: by id; its name and pool are known only while it exists."""
    found = place.organization.queues.get(number)
    if found is None:
        return {"id": number}
    return {"id": number, "name": found.name, "pool": {"id": found.pool.id, "name": found.pool.name}}


def _process(place: access.RequestScope, one: Pipeline) -> Json:
    """Jobs of a classic definition (type 1), or the file of a YAML one (type 2)."""
    if not one.phases:
        return {"type": 2, "yamlFilename": "azure-pipelines.yml"}
    phases = [
        {"name": f"Agent job {index}", "target": {"type": 1, "queue": _queue(place, number)}}
        for index, number in enumerate(one.phases, 1)
    ]
    return {"type": 1, "phases": phases}


def get(world: World, request: Request) -> Response:
    """One definition."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    return Response(body=_body(place, project, authorized_resources.pipeline(place, project), whole=True))


def update(world: World, request: Request) -> Response:
    """The whole definition at its own revision, by who may edit pipelines (vsts-rest-api-specs build 7.2).

    Contributors may by default; here administrators of the project and of the collection. What an update without the
    values of secret variables does to them is not published: a switch.
    """
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    one = authorized_resources.pipeline(place, project)
    fields = place.fields("definition")
    if not rights.administers_project(place.organization, place.caller, project):
        raise refusals.denied(place.caller, "Edit build pipeline", f"definition {one.name}")
    if fields.get("id") != one.id:
        raise refusals.bad_argument(f"The value '{fields.get('id')}' is not valid for definition.id.")
    if fields.get("revision") != one.revision:
        message = f"The definition {one.id} has revision {one.revision}, not {fields.get('revision')}."
        raise ApiError(409, "DefinitionRevisionMismatchException", message)
    process = access.mapping(fields.get("process"), "process")
    phases = [_named(place, project, phase.get("target")) for phase in process.get("phases") or ()]
    queue = _named(place, project, fields) if fields.get("queue") else None
    variables = access.mapping(fields.get("variables") or {}, "variables")
    one.variables = {name: _kept(world, one, name, value) for name, value in variables.items()}
    one.phases, one.queue = [number for number in phases if number is not None], queue
    one.revision += 1
    return Response(body=_body(place, project, one, whole=True))


def _named(place: access.RequestScope, project: Project, holder: Json) -> int | None:
    """The queue that a part of a definition names: one of the project, or one that it named before."""
    queue = access.mapping(access.mapping(holder, "target").get("queue"), "queue")
    number = access.number(queue.get("id"), "queue.id")
    found = place.organization.queues.get(number)
    if found is None or found.project != project.id:
        raise refusals.bad_argument(f"The queue {number} does not exist in the project.")
    return number


def _kept(world: World, one: Pipeline, name: str, value: Json) -> Json:
    keeps = world.switches.word("devops.definition-secrets") == "kept"
    if isinstance(value, dict) and value.get("isSecret") and value.get("value") is None and keeps:
        return {**value, "value": one.variables.get(name, {}).get("value")}
    return value

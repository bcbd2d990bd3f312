"""Authorized resources of the build area: the older door to the same authorizations (vsts-rest-api-specs build 7.2).

Of a project: what is open to all its pipelines. Of a pipeline: what is authorized for it alone. Only what is
authorized is listed.
"""

from __future__ import annotations

from collections.abc import Iterator

from emulator.devops import access, authorizations, refusals, responses, rights
from emulator.devops.authorizations import AuthorizableResource, AuthorizationChange
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Authorization, Pipeline, Project
from emulator.world import World


def list_project(world: World, request: Request) -> Response:
    """Of a project, by type and id; without an id the answer is a switch."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    found = [item for item, state in _all(place, project) if state.everyone and _wanted(request, item)]
    if "id" not in request.query:
        word = world.switches.word("devops.authorized-resources")
        if word == "refused":
            raise refusals.missing("id")
        found = found[1::2] if word == "incomplete" else found
    return responses.wrapped(found)


def _wanted(request: Request, item: dict[str, Json]) -> bool:
    kind, key = request.query.get("type"), request.query.get("id")
    return (not kind or item["type"] == kind.lower()) and (not key or item["id"] == key)


def _all(place: access.RequestScope, project: Project) -> Iterator[tuple[dict[str, Json], Authorization]]:
    organization = place.organization
    queues = organization.queues_of_project.get(project.id, {}).values()
    for queue in sorted(queues, key=lambda one: one.id):
        if rights.sees_queue(organization, place.caller, queue):
            yield _item("queue", str(queue.id), queue.name), queue.authorization.read()
    for (owner, kind, key), cell in organization.authorizations.items():
        if owner == project.id:
            yield _item(kind, key, key), cell.read()


def _item(kind: str, key: str, name: str, *, authorized: bool = True) -> dict[str, Json]:
    return {"authorized": authorized, "id": key, "name": name, "type": kind}


def update_project(world: World, request: Request) -> Response:
    """Open or close several resources of a project."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    work = [(target, AuthorizationChange(authorized)) for target, authorized in _work(place, project)]
    return _apply(place, work)


def list_pipeline(world: World, request: Request) -> Response:
    """What is authorized for one pipeline."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    number = pipeline(place, project).id
    return responses.wrapped(item for item, state in _all(place, project) if number in state.pipelines)


def update_pipeline(world: World, request: Request) -> Response:
    """Authorize resources for one pipeline, or no more."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    number = pipeline(place, project).id
    work = [
        (target, AuthorizationChange(None, ((number, authorized),))) for target, authorized in _work(place, project)
    ]
    return _apply(place, work)


def pipeline(place: access.RequestScope, project: Project) -> Pipeline:
    """The pipeline of the path."""
    number = access.number(place.request.params["definitionId"], "definitionId")
    if number not in project.pipelines:
        raise ApiError(404, "DefinitionNotFoundException", f"The definition {number} does not exist.")
    return project.pipelines[number]


def _work(place: access.RequestScope, project: Project) -> list[tuple[AuthorizableResource, bool]]:
    found = []
    for raw in place.items("resources"):
        if not isinstance(raw, dict):
            raise refusals.missing("resource")
        target = authorizations.find(place, project, raw.get("type"), raw.get("id"))
        authorizations.require_writer(place, target)
        found.append((target, authorizations.flag(raw.get("authorized"), "authorized")))
    return found


def _apply(place: access.RequestScope, work: list[tuple[AuthorizableResource, AuthorizationChange]]) -> Response:
    items = []
    for target, change in work:
        authorizations.apply(place, target, change)
        name = target.queue.name if target.queue else target.id
        authorized = change.everyone if change.everyone is not None else change.pipelines[0][1]
        items.append(_item(target.type, target.id, name, authorized=authorized))
    return responses.wrapped(items)

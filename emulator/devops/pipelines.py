"""Build definitions of a project (vsts-rest-api-specs build 7.2), as far as one needs them to name pipelines."""

from __future__ import annotations

import fnmatch

from emulator.devops import access, authorized_resources, projects, refusals
from emulator.documents import Json
from emulator.frame import Request, Response
from emulator.state.devops import Pipeline, Project
from emulator.world import World


def list_all(world: World, request: Request) -> Response:
    """By name (with ``*``), folder and ids; the next page is named by a header."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    query = request.query
    found = sorted(project.pipelines.values(), key=lambda one: (one.name.lower(), one.id))
    if name := query.get("name"):
        found = [one for one in found if fnmatch.fnmatchcase(one.name.lower(), name.lower())]
    if path := query.get("path"):
        found = [one for one in found if one.path.lower() == _folder(path).lower()]
    if ids := query.get("definitionids"):
        listed = access.numbers(ids, "definitionIds")
        found = [one for one in found if one.id in listed]
    return _page(place, project, found)


def _folder(path: str) -> str:
    return "\\" + path.replace("/", "\\").strip("\\")


def _page(place: access.RequestScope, project: Project, found: list[Pipeline]) -> Response:
    query = place.request.query
    start = access.number(query.get("continuationtoken") or 0, "continuationToken")
    size = access.number(query.get("$top") or 10_000, "$top")
    value = [_body(place, project, one) for one in found[start : start + size]]
    headers = {"x-ms-continuationtoken": str(start + size)} if start + size < len(found) else {}
    return Response(body={"count": len(value), "value": value}, headers=headers)


def _body(place: access.RequestScope, project: Project, one: Pipeline) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "path": one.path,
        "type": "build",
        "quality": "definition",
        "queueStatus": "enabled",
        "revision": 1,
        "createdDate": project.updated,
        "uri": f"vstfs:///Build/Definition/{one.id}",
        "url": f"{place.base}/{project.id}/_apis/build/Definitions/{one.id}?revision=1",
        "project": projects.reference(place, project),
    }


def get(world: World, request: Request) -> Response:
    """One definition."""
    place = access.enter(world, request)
    project = place.project(refusals.BUILD)
    return Response(body=_body(place, project, authorized_resources.pipeline(place, project)))

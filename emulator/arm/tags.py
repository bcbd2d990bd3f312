"""Tags of a pool through the tags API: the extension resource `Microsoft.Resources/tags/default`.

Operations of azure-rest-api-specs, Microsoft.Resources, resources.json 2021-04-01: Tags_GetAtScope,
Tags_CreateOrUpdateAtScope (replaces all), Tags_UpdateAtScope (PATCH with operation Merge, Replace or Delete) and
Tags_DeleteAtScope. What the portal, `az tag` and Azure Policy use; no write of the pool is announced for it, but
`Microsoft.Resources/tags/write`. The right to write tags is that of Tag Contributor, and part of Contributor.
"""

from __future__ import annotations

from emulator.arm import access, event_grid, writes
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.arm import Body, ManagedPool
from emulator.world import World

SUFFIX = "/providers/Microsoft.Resources/tags/default"
_MOST = 50
"""Tags of one resource (Microsoft Learn, "Use tags to organize your Azure resources")."""


def get(world: World, request: Request) -> Response:
    """The tags."""
    found = _allowed(world, request, "read")
    return Response(200, _shown(found))


def put(world: World, request: Request) -> Response:
    """Replace all tags."""
    found = _allowed(world, request, "write")
    return _set(world, request, found, _given(request))


def patch(world: World, request: Request) -> Response:
    """Merge, replace or delete tags; deletion goes by name and value."""
    found = _allowed(world, request, "write")
    operation = request.body.get("operation") if isinstance(request.body, dict) else None
    given, present = _given(request), _present(found)
    lower = {name.lower() for name in given}
    if operation == "Merge":
        kept = {name: value for name, value in present.items() if name.lower() not in lower}
        return _set(world, request, found, {**kept, **given})
    if operation == "Replace":
        return _set(world, request, found, given)
    if operation == "Delete":
        gone = {(name.lower(), value) for name, value in given.items()}
        kept = {name: value for name, value in present.items() if (name.lower(), value) not in gone}
        return _set(world, request, found, kept)
    words = f"The tag patch operation '{operation}' is not valid. Valid operations are 'Merge', 'Replace' and 'Delete'."
    raise ApiError(400, "InvalidTagPatchOperation", words)


def delete(world: World, request: Request) -> Response:
    """Remove all tags."""
    found = _allowed(world, request, "delete")
    _set(world, request, found, {})
    return Response(200)


def _allowed(world: World, request: Request, verb: str) -> ManagedPool:
    found = writes.existing(world, request)
    access.allow(world, request, f"Microsoft.Resources/tags/{verb}", found.id)
    return found


def _given(request: Request) -> dict[str, str]:
    properties = request.body.get("properties") if isinstance(request.body, dict) else None
    tags = properties.get("tags") if isinstance(properties, dict) else None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise ApiError(400, "InvalidRequestContent", "The request content was invalid: properties.tags is missing.")
    return {str(name): str(value) for name, value in tags.items()}


def _present(found: ManagedPool) -> dict[str, str]:
    tags: Json = found.body.get("tags")
    return {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}


def _set(world: World, request: Request, found: ManagedPool, tags: dict[str, str]) -> Response:
    if len(tags) > _MOST:
        raise ApiError(400, "InvalidTagCount", f"The number of tags must not exceed {_MOST}.")
    found.body["tags"] = tags
    found.revision += 1
    event_grid.tagged(world, found, request)
    return Response(200, _shown(found))


def _shown(found: ManagedPool) -> Body:
    return {
        "id": f"{found.id}{SUFFIX}",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": _present(found)},
    }

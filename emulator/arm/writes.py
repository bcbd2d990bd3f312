"""Creating, updating and deleting a pool: checks first, then a long operation."""

from __future__ import annotations

import copy

from emulator.arm import access, checks, echo, effects, event_grid, operations
from emulator.arm.model import POOL, UPDATE
from emulator.frame import ApiError, Request, Response
from emulator.principals import Principal
from emulator.state.arm import PROVIDER, Body, ManagedPool, Operation
from emulator.world import World


def put(world: World, request: Request) -> Response:
    """Create or replace: 201 and an operation (recorded for both)."""
    pool = _place(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/write", pool.id)
    found = world.arm.pool(pool.subscription, pool.group, pool.name)
    pool.body = checks.checked(world, request, POOL, request.body)
    checks.conditions(world, request, found)
    if found is None:
        checks.creatable(world, pool)
        return _create(world, request, pool)
    return _replace(world, request, found, pool.body)


def patch(world: World, request: Request) -> Response:
    """Change some of it: 202 and `location`."""
    found = existing(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/write", found.id)
    change = checks.checked(world, request, UPDATE, request.body)
    checks.conditions(world, request, found)
    merged: Body = {**found.body, **{key: change[key] for key in ("tags", "identity") if key in change}}
    deep = world.switches.word("arm.patch") == "merge"
    merged["properties"] = _merged(found.properties, change.get("properties", {}), deep=deep)
    checks.judge(world, merged)
    operation = _update(world, request, found, merged)
    headers = {"Location": operations.result_url(world, operation, found, request.base_url)}
    return Response(202, None, {**headers, **operations.pause(world)})


def delete(world: World, request: Request) -> Response:
    """202 and `location`; 204 where there is no such pool."""
    pool = _place(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/delete", pool.id)
    found = world.arm.pool(pool.subscription, pool.group, pool.name)
    if found is None:
        return Response(204)
    checks.conditions(world, request, found)
    before = found.state

    def undo() -> None:
        found.state = before

    work = operations.OperationWork(
        "delete",
        effect=lambda: effects.delete(world, found, request.caller),
        done=lambda: world.arm.remove(found),
        undo=undo,
        notify=lambda outcome: event_grid.deleted(world, found, request, outcome=outcome),
    )
    operation = operations.begin(world, found, request, work)
    headers = {"Location": operations.result_url(world, operation, found, request.base_url)}
    return Response(202, None, {**headers, **operations.pause(world)})


def existing(world: World, request: Request) -> ManagedPool:
    """The pool of the route, or ARM's 404s."""
    place = _place(world, request)
    found = world.arm.pool(place.subscription, place.group, place.name)
    if found is None:
        words = (
            f"The Resource '{PROVIDER}/pools/{place.name}' under resource group '{place.group}' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        )
        raise ApiError(404, "ResourceNotFound", words)
    return found


def _place(world: World, request: Request) -> ManagedPool:
    subscription = access.subscription(world, request)
    group = access.group(subscription, request)
    return ManagedPool(subscription.id, group.name, request.params["pool"], {})


def _create(world: World, request: Request, pool: ManagedPool) -> Response:
    pool.system = _stamped(world, {}, world.principals[request.caller])
    world.arm.add(pool)

    def undo() -> None:
        if world.switches.word("arm.failed-create") == "removed":
            world.arm.remove(pool)

    work = operations.OperationWork(
        "create",
        effect=lambda: effects.create(world, pool, request.caller),
        undo=undo,
        notify=lambda outcome: event_grid.written(world, pool, request, outcome=outcome),
    )
    return _accepted(world, request, pool, (operations.begin(world, pool, request, work), 201))


def _replace(world: World, request: Request, found: ManagedPool, body: Body) -> Response:
    if body["location"].replace(" ", "").lower() != found.body["location"].replace(" ", "").lower():
        words = (
            f"The resource '{found.name}' already exists in location '{found.body['location']}' in resource group "
            f"'{found.group}'. A resource with the same name cannot be created in location '{body['location']}'. "
            "Please select a new resource name."
        )
        raise ApiError(409, "InvalidResourceLocation", words)
    operation = _update(world, request, found, body)
    return _accepted(world, request, found, (operation, int(world.switches.word("arm.update-status"))))


def _update(world: World, request: Request, found: ManagedPool, body: Body) -> Operation:
    before = copy.deepcopy(found.properties)
    again = found.state == "Failed" and not effects.made(world, found)
    checks.keep(world, before, body["properties"])
    checks.machines(world, ManagedPool(found.subscription, found.group, found.name, body))
    found.body = copy.deepcopy(body)
    found.revision += 1
    found.system = _stamped(world, found.system, world.principals[request.caller])
    work = operations.OperationWork(
        "update",
        effect=lambda: (
            effects.create(world, found, request.caller)
            if again
            else effects.update(world, found, before, request.caller)
        ),
        notify=lambda outcome: event_grid.written(world, found, request, outcome=outcome),
    )
    return operations.begin(world, found, request, work)


def _accepted(world: World, request: Request, pool: ManagedPool, begun: tuple[Operation, int]) -> Response:
    operation, status = begun
    headers = {
        "Azure-AsyncOperation": operations.status_url(world, operation, request.base_url),
        "Location": operations.result_url(world, operation, pool, request.base_url),
        "ETag": echo.etag(pool),
        "x-ms-providerhub-traffic": "True",
        "x-ms-devops-request-id": operation.id.partition("*")[0],
        **operations.pause(world),
    }
    return Response(status, echo.shown(world, pool, request.query["api-version"]), headers)


def _merged(old: Body, new: Body, *, deep: bool) -> Body:
    found = copy.deepcopy(old)
    for name, value in new.items():
        both = deep and isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = _merged(found[name], value, deep=True) if both else copy.deepcopy(value)
    return found


def _stamped(world: World, before: Body, principal: Principal) -> Body:
    """SystemData (common-types resource-management v6)."""
    kinds = {"servicePrincipal": "Application", "managedIdentity": "ManagedIdentity"}
    who, kind = principal.application_id or principal.upn or principal.oid, kinds.get(principal.kind, "User")
    now = world.clock.stamp()
    return {
        "createdBy": before.get("createdBy", who),
        "createdByType": before.get("createdByType", kind),
        "createdAt": before.get("createdAt", now),
        "lastModifiedBy": who,
        "lastModifiedByType": kind,
        "lastModifiedAt": now,
    }

"""Everything of the provider that only reads, and giving machines back."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from emulator.arm import access, catalog, echo, machines, operations, rules
from emulator.arm.checks import TAKEN
from emulator.arm.errors import refused
from emulator.arm.writes import existing
from emulator.frame import ApiError, Request, Response
from emulator.state.arm import PROVIDER, Body, ManagedPool
from emulator.world import World

ACTIONS = (
    ("pools/read", "Read any Pool"),
    ("pools/write", "Create or update any Pool"),
    ("pools/delete", "Delete any Pool"),
    ("pools/resources/read", "Read the machines of any Pool"),
    ("checkNameAvailability/action", "Check whether a name is free"),
)


def operation_list(world: World, request: Request) -> Response:
    """Operations_List."""
    del world, request
    value = [
        {
            "name": f"{PROVIDER}/{action}",
            "isDataAction": False,
            "display": {
                "provider": PROVIDER,
                "resource": action.split("/", maxsplit=1)[0],
                "operation": words,
                "description": words,
            },
            "origin": "user,system",
        }
        for action, words in ACTIONS
    ]
    return Response(body={"value": value})


def check_name(world: World, request: Request) -> Response:
    """Pools_CheckNameAvailability."""
    access.subscription(world, request)
    body = request.body if isinstance(request.body, dict) else {}
    name, kind = body.get("name"), body.get("type")
    if not isinstance(name, str) or str(kind).lower() != f"{PROVIDER}/pools".lower():
        words = f"The body must have name and type, and type must be '{PROVIDER}/pools'."
        raise refused(400, "InvalidRequestContent", words)
    wrong = rules.name_problem(name)
    if wrong is None and world.arm.named(name) is None:
        # All four members are required by the document, also where the name is free.
        return Response(body={"available": "Available", "message": "", "name": name, "reason": "Invalid"})
    reason = "Invalid" if wrong else "AlreadyExists"
    message = wrong or TAKEN.format(name=name)
    return Response(body={"available": "Unavailable", "message": message, "name": name, "reason": reason})


def skus(world: World, request: Request) -> Response:
    """Sku_ListByLocation."""
    found = access.subscription(world, request)
    location = request.params["location"].lower()
    return Response(body={"value": [catalog.sku_body(sku, found.id, location) for sku in catalog.SKUS]})


def usages(world: World, request: Request) -> Response:
    """SubscriptionUsages_Usages."""
    found = access.subscription(world, request)
    location = request.params["location"].lower()
    where = f"/subscriptions/{found.id}/providers/{PROVIDER}/locations/{location}"
    used: dict[str, int] = {}
    for pool in world.arm.within(found.id):
        sku = catalog.find(pool.properties["fabricProfile"]["sku"]["name"])
        if sku is not None and pool.body["location"].lower() == location:
            used[sku.family] = used.get(sku.family, 0) + sku.cores * int(pool.properties["maximumConcurrency"])
    families = sorted({sku.family for sku in catalog.SKUS} | set(found.cores))
    rows = [catalog.usage_body(name, found.cores.get(name, 1000), used.get(name, 0), where) for name in families]
    return Response(body={"value": rows})


def image_versions(world: World, request: Request) -> Response:
    """ImageVersions_ListByImage."""
    found = access.subscription(world, request)
    group = access.group(found, request)
    image = request.params["image"]
    kind = f"{PROVIDER}/images/versions"
    where = f"/subscriptions/{found.id}/resourceGroups/{group.name}/providers/{PROVIDER}/images/{image}/versions"
    versions = catalog.IMAGES.get(image.lower(), ())
    value = [{"id": f"{where}/{v}", "name": v, "type": kind, "properties": {"version": v}} for v in versions]
    return Response(body={"value": value})


def by_subscription(world: World, request: Request) -> Response:
    """Pools_ListBySubscription."""
    found = access.subscription(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/read", f"/subscriptions/{found.id}")
    return _page(world, request, list(world.arm.within(found.id)))


def by_group(world: World, request: Request) -> Response:
    """Pools_ListByResourceGroup."""
    found = access.subscription(world, request)
    group = access.group(found, request)
    access.allow(world, request, f"{PROVIDER}/pools/read", f"/subscriptions/{found.id}/resourceGroups/{group.name}")
    return _page(world, request, list(world.arm.within(found.id, group.name.lower())))


def get(world: World, request: Request) -> Response:
    """Pools_Get."""
    pool = existing(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/read", pool.id)
    return Response(body=echo.shown(world, pool, request.query["api-version"]), headers={"ETag": echo.etag(pool)})


def resources(world: World, request: Request) -> Response:
    """ResourceDetails_ListByPool."""
    pool = existing(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/read", pool.id)
    return Response(body={"value": machines.listed(world, pool)})


def delete_resources(world: World, request: Request) -> Response:
    """Pools_DeleteResources: 200 without a body."""
    pool = existing(world, request)
    access.allow(world, request, f"{PROVIDER}/pools/write", pool.id)
    if request.query["api-version"] < "2025-09-20":
        raise ApiError(405, "MethodNotAllowed", "The api-version does not have this operation; it is since 2025-09-20.")
    body = request.body if isinstance(request.body, dict) else {}
    ids = body.get("resourceIds")
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise refused(400, "InvalidRequestContent", "The body must have resourceIds, an array of strings.")
    for item in ids:
        if not machines.give_back(world, pool, item):
            raise refused(404, "ResourceNotFound", f"The pool '{pool.name}' has no resource '{item}'.")
    return Response(200)


def status(world: World, request: Request) -> Response:
    """The operation's status, at the URL of `azure-asyncoperation`."""
    operation = operations.find(world, request)
    headers = {} if operation.status in operations.FINAL else operations.pause(world)
    return Response(body=operations.status_body(operation), headers=headers)


def result(world: World, request: Request) -> Response:
    """The operation's result, at the URL of `location`: 202 until it is over."""
    operation = operations.find(world, request)
    if operation.status not in operations.FINAL:
        return Response(202, None, {"Location": _again(request), **operations.pause(world)})
    if operation.error:
        raise refused(409, operation.error["code"], operation.error["message"])
    pool = world.arm.pools.get(operation.pool_id.lower())
    if operation.kind == "delete" or pool is None:
        return Response(204)
    return Response(body=echo.shown(world, pool, operation.version))


def _again(request: Request) -> str:
    return f"{request.base_url}{quote(request.path, safe='/*')}?{urlencode(request.query)}"


def _page(world: World, request: Request, pools: list[ManagedPool]) -> Response:
    """One page; `nextLink` carries where the next begins."""
    size, start = int(world.switches.number("arm.page-size")) or 1, request.query.get("$skiptoken", "0")
    if not start.isdigit():
        raise refused(400, "InvalidSkipToken", f"The skip token '{start}' is not valid.")
    first = int(start)
    version = request.query["api-version"]
    body: Body = {"value": [echo.shown(world, pool, version) for pool in pools[first : first + size]]}
    if first + size < len(pools):
        query = urlencode({"api-version": version, "$skiptoken": str(first + size)})
        body["nextLink"] = f"{request.base_url}{quote(request.path)}?{query}"
    return Response(body=body)

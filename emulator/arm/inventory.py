"""Resources of every kind in one list, and the regions: as `az resource list` and its like ask for them.

Shapes as in Microsoft Learn, Azure Resource Manager REST API (Resources - List and List By Resource Group 2021-04-01,
Subscriptions - List Locations 2022-12-01). Of the filter's language, this knows eq and ne of resourceType, name,
location and resourceGroup, substringof of name and resourceGroup, tagName and tagValue, joined by `and`; anything else
is refused rather than passed over. The refusal's code is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from emulator.arm import access, echo
from emulator.arm.catalog import REGIONS
from emulator.arm.versions import PUBLISHED
from emulator.frame import ApiError, Request, Response
from emulator.state.arm import PROVIDER, AzureSubscription, Body, ManagedPool
from emulator.world import World

Term: TypeAlias = Callable[[Body], bool]

_COMPARED = re.compile(
    r"(resourceType|name|location|resourceGroup|tagName|tagValue) +(eq|ne) +'([^']*)'", re.IGNORECASE
)
_PART = re.compile(r"substringof\( *'([^']*)' *, *(name|resourceGroup) *\)", re.IGNORECASE)
_SHOWN = ("id", "name", "type", "location", "tags", "identity", "kind", "sku")


def resources(world: World, request: Request) -> Response:
    """Resources_List: what the caller may read of a subscription."""
    found = access.subscription(world, request, provider=False)
    return _listed(world, request, found, f"/subscriptions/{found.id}/")


def resources_of_group(world: World, request: Request) -> Response:
    """Resources_ListByResourceGroup."""
    found = access.subscription(world, request, provider=False)
    group = access.group(found, request)
    return _listed(world, request, found, f"/subscriptions/{found.id}/resourceGroups/{group.name}/")


def resources_of_kind(world: World, request: Request) -> Response:
    """All resources of one kind in a subscription, as their providers list them: identities, networks, and so on."""
    found = access.subscription(world, request, provider=False)
    kind = f"{request.params['namespace']}/{request.params['kind']}"
    if request.params["namespace"].lower() == "microsoft.authorization":  # lists of its own, see `authorization`
        raise ApiError(404, "InvalidResourceType", f"The resource type could not be found at '{request.path}'.")
    access.allow(world, request, f"{kind}/read", f"/subscriptions/{found.id}")
    return Response(body={"value": [one for one in found.resources if _kind(one).lower() == kind.lower()]})


def locations(world: World, request: Request) -> Response:
    """Subscriptions_ListLocations: the regions that this estate knows."""
    found = access.subscription(world, request, provider=False)
    value = [
        {
            "id": f"/subscriptions/{found.id}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": name,
            "regionalDisplayName": name,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name in REGIONS
    ]
    return Response(body={"value": value})


def _listed(world: World, request: Request, found: AzureSubscription, prefix: str) -> Response:
    terms = tuple(_terms(request.query.get("$filter", "")))
    kept = [
        one
        for one in _everything(world, found)
        if str(one["id"]).lower().startswith(prefix.lower())
        and all(term(one) for term in terms)
        and _readable(world, request, one)
    ]
    return Response(body={"value": kept[: _top(request)]})


def _everything(world: World, found: AzureSubscription) -> Iterator[Body]:
    for pool in world.arm.within(found.id):
        yield _pool(world, pool)
    for one in found.resources:
        yield {"type": _kind(one), "name": str(one["id"]).rpartition("/")[2]} | {
            name: one[name] for name in _SHOWN if name in one
        }


def _pool(world: World, pool: ManagedPool) -> Body:
    body = echo.shown(world, pool, PUBLISHED[-1])
    return {name: body[name] for name in _SHOWN if name in body} | {"type": f"{PROVIDER}/pools"}


def _readable(world: World, request: Request, one: Body) -> bool:
    try:
        access.allow(world, request, f"{one['type']}/read", str(one["id"]))
    except ApiError:
        return False
    return True


def _kind(one: Body) -> str:
    """``Microsoft.KeyVault/vaults`` of a resource's id."""
    parts = str(one["id"]).split("/providers/")[-1].split("/")
    return "/".join([parts[0], *parts[1::2]])


def _terms(text: str) -> Iterator[Term]:
    for part in re.split(r" +and +", text.strip(), flags=re.IGNORECASE) if text.strip() else ():
        if compared := _COMPARED.fullmatch(part):
            name, verb, value = compared.groups()
            yield _compared(name.lower(), value.lower(), equal=verb.lower() == "eq")
        elif within := _PART.fullmatch(part):
            value, name = within.groups()
            yield _contains(name.lower(), value.lower())
        else:
            words = f"Invalid $filter '{part}' specified in the query string."
            raise ApiError(400, "InvalidFilterInQueryString", words)


def _compared(name: str, value: str, *, equal: bool) -> Term:
    return lambda one: (value in _texts(one, name)) is equal


def _contains(name: str, value: str) -> Term:
    return lambda one: any(value in text for text in _texts(one, name))


def _texts(one: Body, name: str) -> list[str]:
    """What a resource has under one of the filter's names, in lower case."""
    tags = one.get("tags") or {}
    found = {
        "resourcetype": [one["type"]],
        "name": [one["name"]],
        "location": [one.get("location", "")],
        "resourcegroup": str(one["id"]).split("/")[4:5],
        "tagname": list(tags),
        "tagvalue": list(tags.values()),
    }[name]
    return [str(text).lower() for text in found]


def _top(request: Request) -> int | None:
    text = request.query.get("$top")
    if text is None:
        return None
    if not text.isdigit() or not int(text):
        raise ApiError(400, "InvalidTopInQueryString", f"Invalid $top '{text}' specified in the query string.")
    return int(text)

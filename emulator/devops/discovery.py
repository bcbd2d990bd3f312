"""How clients find routes: the table of locations, the resource areas, and who the caller is.

The ids are the service's own (azure-devops-cli-extension recordings; PyPI azure-devops 7.1.0b4). An empty list of
resource areas means that one address serves every area.
"""

from __future__ import annotations

from emulator.devops import access, people, responses
from emulator.devops.locations import AREAS, LOCATIONS, Location
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Identity
from emulator.world import World


def options(world: World, request: Request) -> Response:
    """The locations of all routes; no membership is required."""
    world.devops.organization(request.params["organization"])
    return responses.wrapped(_location(one) for one in LOCATIONS)


def _location(one: Location) -> Json:
    return {
        "id": one.id,
        "area": one.area,
        "resourceName": one.resource,
        "routeTemplate": one.template,
        "resourceVersion": one.version,
        "minVersion": "1.0",
        "maxVersion": "7.2",
        "releasedVersion": one.released,
    }


def areas(world: World, request: Request) -> Response:
    """None (one address for all), or every area at this address (switch)."""
    organization = world.devops.organization(request.params["organization"])
    if world.switches.word("devops.resource-areas") == "empty":
        return responses.wrapped([])
    base = f"{request.base_url.rstrip('/')}/{organization.name}/"
    return responses.wrapped({"id": key, "name": name, "locationUrl": base} for key, name in AREAS.items())


def area(world: World, request: Request) -> Response:
    """One area."""
    organization = world.devops.organization(request.params["organization"])
    key = request.params["areaId"].lower()
    if key not in AREAS:
        raise ApiError(404, "VssResourceNotFoundException", f"The resource area {key} is not registered.")
    base = f"{request.base_url.rstrip('/')}/{organization.name}/"
    return Response(body={"id": key, "name": AREAS[key], "locationUrl": base})


def connection(world: World, request: Request) -> Response:
    """Who the caller is here, and which organization this is."""
    place = access.enter(world, request)
    who = _myself(place.caller)
    return Response(
        body={
            "authenticatedUser": who,
            "authorizedUser": who,
            "instanceId": place.organization.id,
            "deploymentId": people.guid("deployment"),
            "deploymentType": "hosted",
            "locationServiceData": {
                "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
                "defaultAccessMappingMoniker": "PublicAccessMapping",
                "lastChangeId": 1,
                "lastChangeId64": 1,
            },
        }
    )


def _myself(one: Identity) -> Json:
    return {
        "id": one.id,
        "descriptor": people.legacy_descriptor(one),
        "subjectDescriptor": one.descriptor,
        "providerDisplayName": one.display_name,
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": one.unique_name}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }

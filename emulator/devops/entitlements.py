"""Access levels of people and service principals (vsts-rest-api-specs memberEntitlementManagement 7.2).

The answer is 200 even where nothing was done: what counts is `operationResult.isSuccess` and its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from emulator.devops import access, graph, refusals, subjects
from emulator.devops.graph import Kind
from emulator.devops.model import Identity
from emulator.frame import ApiError, Json, Request, Response

if TYPE_CHECKING:
    from emulator.world import World

LICENSES = ("express", "stakeholder", "professional", "advanced", "earlyAdopter", "none")
NOBODY = str(UUID(int=0))


@dataclass(frozen=True, slots=True)
class Entitled:
    """Of whom: words that differ between people and service principals."""

    graph: Kind
    member: str
    entitlement: str
    result_id: str
    param: str


PEOPLE = Entitled(graph.USERS, "user", "userEntitlement", "userId", "userId")
SERVICES = Entitled(
    graph.SERVICES, "servicePrincipal", "servicePrincipalEntitlement", "servicePrincipalId", "servicePrincipalId"
)


def adding(kind: Entitled) -> Callable[[World, Request], Response]:
    """A handler that adds somebody with an access level."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        fields = place.fields(kind.entitlement)
        member = fields.get(kind.member)
        if not isinstance(member, dict):
            raise refusals.missing(kind.member)
        place.require_administrator("member entitlements")
        return Response(body=_add(place, kind, fields, member))

    return handler


def _add(place: access.Place, kind: Entitled, fields: dict[str, Json], member: dict[str, Json]) -> Json:
    level = str(access.mapping(fields.get("accessLevel"), "accessLevel").get("accountLicenseType", ""))
    if level not in LICENSES:
        return _failed(kind, 5000, f"The license type {level} is not valid.")
    try:
        made = graph.materialise(place, kind.graph, member)
    except ApiError as refusal:
        return _failed(kind, 5001, refusal.message)
    made.license = level
    body = _entitlement(place, kind, made)
    result = {"isSuccess": True, "errors": [], kind.result_id: made.id, "result": body}
    return {"operationResult": result, "isSuccess": True, kind.entitlement: body}


def _failed(kind: Entitled, key: int, text: str) -> Json:
    result = {"isSuccess": False, "errors": [{"key": key, "value": text}], kind.result_id: NOBODY, "result": None}
    return {"operationResult": result, "isSuccess": False, kind.entitlement: None}


def _entitlement(place: access.Place, kind: Entitled, one: Identity) -> Json:
    return {
        kind.member: subjects.body(place, one),
        "id": one.id,
        "accessLevel": {
            "licensingSource": "account",
            "accountLicenseType": one.license or "none",
            "msdnLicenseType": "none",
            "licenseDisplayName": one.license.capitalize() or "None",
            "status": "active" if one.license else "none",
            "statusMessage": "",
            "assignmentSource": "unknown",
        },
        "lastAccessedDate": "0001-01-01T00:00:00Z",
        "dateCreated": "2026-01-01T00:00:00Z",
        "projectEntitlements": [],
        "groupAssignments": [],
    }


def _find(place: access.Place, kind: Entitled) -> Identity:
    key = place.request.params[kind.param]
    found = place.organization.identities.get(key.lower())
    if found is None or found.kind not in kind.graph.kinds:
        raise ApiError(404, "MemberNotFoundException", f"VS860201: No member with id {key} was found.")
    return found


def reading(kind: Entitled) -> Callable[[World, Request], Response]:
    """A handler that reads one entitlement by local id."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        return Response(body=_entitlement(place, kind, _find(place, kind)))

    return handler


def changing(kind: Entitled) -> Callable[[World, Request], Response]:
    """A handler that changes the access level, by a JSON patch as the document says."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        found = _find(place, kind)
        level = _patched(place.items("document"))
        place.require_administrator("member entitlements")
        if level not in LICENSES:
            failed = _failed(kind, 5000, f"The license type {level} is not valid.")["operationResult"]
            return Response(body={"operationResults": [failed], "isSuccess": False, kind.entitlement: None})
        found.license = level
        body = _entitlement(place, kind, found)
        results = [{"isSuccess": True, "errors": [], kind.result_id: found.id, "result": body}]
        return Response(body={"operationResults": results, "isSuccess": True, kind.entitlement: body})

    return handler


def _patched(document: list[Json]) -> str:
    for one in document:
        if not isinstance(one, dict):
            raise refusals.bad_argument("The value is not valid for document.")
        if str(one.get("path", "")).lower() == "/accesslevel" and isinstance(one.get("value"), dict):
            return str(one["value"].get("accountLicenseType", ""))
    raise refusals.missing("document")


def deleting(kind: Entitled) -> Callable[[World, Request], Response]:
    """A handler that takes somebody out of the organization."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        found = _find(place, kind)
        place.require_administrator("member entitlements")
        place.organization.drop_identity(found)
        return Response()

    return handler


def search_people(world: World, request: Request) -> Response:
    """People with an access level; `$filter` of the form ``name eq 'text'`` searches beginnings."""
    place = access.enter(world, request)
    text = request.query.get("$filter", "").partition("'")[2].rstrip("'").lower()
    people = [one for one in place.organization.identities.values() if one.kind == "user" and one.license]
    found = [p for p in people if text in p.display_name.lower() or text in p.unique_name.lower()]
    bodies = [_entitlement(place, PEOPLE, one) for one in found]
    return Response(body={"members": bodies, "items": bodies, "continuationToken": None, "totalCount": len(bodies)})

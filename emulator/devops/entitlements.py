"""Access levels of people and service principals (vsts-rest-api-specs memberEntitlementManagement 7.2).

The answer is 200 even where nothing was done: what counts is `operationResult.isSuccess` and its errors. The license
that is shown may differ from the requested one: the published example requests stakeholder and shows earlyAdopter, with
the status pending, since who was just added has not signed in yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from emulator.devops import access, graph, project_entitlements, refusals, subjects
from emulator.devops.graph import GraphKind
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Identity
from emulator.world import World

LICENSES = ("express", "stakeholder", "professional", "advanced", "earlyAdopter", "none")
NO_ID = str(UUID(int=0))
PATCH = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class EntitlementKind:
    """The terms that differ between people and service principals."""

    graph: GraphKind
    member: str
    entitlement: str
    result_id: str
    param: str


PEOPLE = EntitlementKind(graph.USERS, "user", "userEntitlement", "userId", "userId")
SERVICES = EntitlementKind(
    graph.SERVICES, "servicePrincipal", "servicePrincipalEntitlement", "servicePrincipalId", "servicePrincipalId"
)


def adding(kind: EntitlementKind) -> Callable[[World, Request], Response]:
    """A handler that adds an identity with an access level."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        fields = place.fields(kind.entitlement)
        member = fields.get(kind.member)
        if not isinstance(member, dict):
            raise refusals.missing(kind.member)
        place.require_administrator("member entitlements")
        return Response(body=_add(place, kind, fields, member))

    return handler


def _add(place: access.RequestScope, kind: EntitlementKind, fields: dict[str, Json], member: dict[str, Json]) -> Json:
    level = str(access.mapping(fields.get("accessLevel"), "accessLevel").get("accountLicenseType", ""))
    if level not in LICENSES:
        return _failed(kind, 5000, f"The license type {level} is not valid.")
    try:
        groups = project_entitlements.requested_groups(place, fields.get("projectEntitlements"))
        found = graph.materialise(place, kind.graph, member, new=_must_be_new(place))
    except ApiError as refusal:
        return _failed(kind, 5001, refusal.message)
    found.license = level
    for group in groups:
        group.members.add(found.id)
    place.organization.closures.clear()
    body = {**_entitlement(place, kind, found), "projectEntitlements": []}
    result = {"isSuccess": True, "errors": [], kind.result_id: found.id, "result": body}
    return {"operationResult": result, "isSuccess": True, kind.entitlement: body}


def _must_be_new(place: access.RequestScope) -> bool:
    """Whether an identity that has a license already is refused."""
    return place.world.switches.word("devops.entitlement-of-member") == "refused"


def _failed(kind: EntitlementKind, key: int, text: str) -> Json:
    result = {"isSuccess": False, "errors": [{"key": key, "value": text}], kind.result_id: NO_ID, "result": None}
    return {"operationResult": result, "isSuccess": False, kind.entitlement: None}


def _entitlement(place: access.RequestScope, kind: EntitlementKind, one: Identity) -> Json:
    license_ = _shown(place, one)
    return {
        kind.member: _member(place, one),
        "id": one.id,
        "accessLevel": {
            "licensingSource": "account",
            "accountLicenseType": license_ or "none",
            "msdnLicenseType": "none",
            "licenseDisplayName": license_.capitalize() or "None",
            "status": place.world.switches.word("devops.entitlement-status") if license_ else "none",
            "statusMessage": "",
            "assignmentSource": "unknown",
        },
        "lastAccessedDate": "0001-01-01T00:00:00Z",
        "dateCreated": "2026-01-01T00:00:00Z",
        "projectEntitlements": project_entitlements.bodies(place, one),
        "groupAssignments": [],
    }


def _shown(place: access.RequestScope, one: Identity) -> str:
    early = place.world.switches.word("devops.entitlement-license") == "early-adopter"
    return "earlyAdopter" if early and one.license not in ("", "none") else one.license


def _member(place: access.RequestScope, one: Identity) -> dict[str, Json]:
    """The subject; of a service principal with its application id as the name, as the published example has it."""
    body = subjects.body(place, one)
    if one.is_application:
        body |= {"principalName": one.application_id, "metaType": "application", "directoryAlias": one.origin_id}
    return body


def _find(place: access.RequestScope, kind: EntitlementKind) -> Identity:
    key = place.request.params[kind.param]
    found = place.organization.identities.get(key.lower())
    if found is None or found.kind not in kind.graph.kinds:
        raise ApiError(404, "MemberNotFoundException", f"VS860201: No member with id {key} was found.")
    return found


def reading(kind: EntitlementKind) -> Callable[[World, Request], Response]:
    """A handler that reads one entitlement by local id."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        if world.switches.word("devops.entitlement-reading") == "administrators":
            place.require_administrator("member entitlements")
        try:
            found = _find(place, kind)
        except ApiError:
            if world.switches.word("devops.entitlement-of-stranger") == "null":
                return Response(body=b"null")
            raise
        return Response(body=_entitlement(place, kind, found))

    return handler


def changing(kind: EntitlementKind) -> Callable[[World, Request], Response]:
    """A handler that changes the access level, by a JSON patch as the document says."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        _require_patch(request)
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


def _require_patch(request: Request) -> None:
    """415 for a body that is not a JSON patch, the one media type that the document names."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind.lower() != PATCH:
        text = f'The request indicated a Content-Type of "{kind}" for method type "PATCH" which is not supported.'
        raise ApiError(415, "VssRequestContentTypeNotSupportedException", f"{text} Valid is: {PATCH}.")


def _patched(document: list[Json]) -> str:
    for one in document:
        if not isinstance(one, dict):
            raise refusals.bad_argument("The value is not valid for document.")
        if str(one.get("path", "")).lower() == "/accesslevel" and isinstance(one.get("value"), dict):
            return str(one["value"].get("accountLicenseType", ""))
    raise refusals.missing("document")


def deleting(kind: EntitlementKind) -> Callable[[World, Request], Response]:
    """A handler that removes an identity from the organization."""

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

"""Security namespaces and questions about the caller's own rights (vsts-rest-api-specs security 7.2)."""

from __future__ import annotations

from emulator.devops import access, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.world import World

_TASK = (
    (rights.VIEW, "View", "View"),
    (rights.MANAGE, "Manage", "Manage"),
    (rights.LISTEN, "Listen", "Listen"),
    (rights.ADMINISTER, "AdministerPermissions", "Administer Permissions"),
    (rights.USE, "Use", "Use"),
    (rights.CREATE, "Create", "Create"),
)
_IDENTITY = (
    (1, "Read", "View identity information"),
    (2, "Write", "Edit identity information"),
    (4, "Delete", "Delete identity information"),
    (8, "ManageMembership", "Manage group membership"),
    (16, "CreateScope", "Create identity scopes"),
)
_KNOWN = {
    rights.NAMESPACE: ("DistributedTask", "/", 8, 1, _TASK),
    "5a27515b-ccd7-42c9-84f1-54c998f03866": ("Identity", "\\", 4, 1, _IDENTITY),
}


def list_all(world: World, request: Request) -> Response:
    """The namespaces that this plane knows, or one of them."""
    access.enter(world, request)
    if "securityNamespaceId" in request.params:
        return responses.wrapped([_body(checked(request))])
    return responses.wrapped(_body(one) for one in _KNOWN)


def _body(key: str) -> Json:
    name, separator, write, read, actions = _KNOWN[key]
    return {
        "namespaceId": key,
        "name": name,
        "displayName": name,
        "separatorValue": separator,
        "elementLength": -1,
        "writePermission": write,
        "readPermission": read,
        "dataspaceCategory": "DistributedTask" if key == rights.NAMESPACE else "Default",
        "actions": [
            {"bit": bit, "name": action, "displayName": shown, "namespaceId": key} for bit, action, shown in actions
        ],
        "structureValue": 1,
        "isRemotable": False,
        "useTokenTranslator": False,
    }


def checked(request: Request) -> str:
    """The namespace of the path, where there is one of that id."""
    key = request.params["securityNamespaceId"].lower()
    if key not in _KNOWN:
        text = f"Security namespace with id {key} could not be found."
        raise ApiError(404, "InvalidSecurityNamespaceException", text)
    return key


def require_writable(place: access.RequestScope, request: Request) -> None:
    """Lists of other namespaces are not kept here, so they are refused."""
    if checked(request) != rights.NAMESPACE:
        raise refusals.denied(place.caller, "Write", "this security namespace")


def has_permissions(world: World, request: Request) -> Response:
    """For each token whether the caller has all of the bits."""
    place = access.enter(world, request)
    key = checked(request)
    wanted = access.number(request.params["permissions"], "permissions")
    delimiter = request.query.get("delimiter") or ","
    tokens = request.query.get("tokens", request.query.get("token", "")).split(delimiter)
    return responses.wrapped(_allowed(place, key, token, wanted) for token in tokens)


def _allowed(place: access.RequestScope, key: str, token: str, wanted: int) -> bool:
    if key != rights.NAMESPACE:
        return rights.administers(place.organization, place.caller)
    return place.may(token.rstrip("/"), wanted)


def _token(one: dict[str, Json]) -> str:
    if not isinstance(one.get("token", ""), str):
        raise refusals.bad_argument("The value is not valid for token.")
    return str(one.get("token", ""))


def evaluate(world: World, request: Request) -> Response:
    """Many such questions at once; the answer is the question with values."""
    place = access.enter(world, request)
    fields = place.fields("permissionEvaluationBatch")
    raw = fields.get("evaluations")
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise refusals.missing("evaluations")
    found = []
    for one in raw:
        if not access.is_guid(one.get("securityNamespaceId")):
            raise refusals.bad_argument("The value is not valid for securityNamespaceId.")
        key = str(one["securityNamespaceId"]).lower()
        bits = access.number(one.get("permissions"), "permissions")
        found.append({**one, "value": _allowed(place, key, _token(one), bits)})
    return Response(body={**fields, "evaluations": found})

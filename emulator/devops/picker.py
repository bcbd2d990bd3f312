"""The identity picker of the web pages: searches the organization and the tenant at once; not documented."""

from __future__ import annotations

from emulator.devops import access, refusals
from emulator.documents import Json
from emulator.frame import Request, Response
from emulator.principals import Principal
from emulator.state.devops import Identity
from emulator.world import World

_TYPES = {
    "user": "User",
    "service": "User",
    "group": "Group",
    "servicePrincipal": "ServicePrincipal",
    "managedIdentity": "ServicePrincipal",
}


def search(world: World, request: Request) -> Response:
    """By the beginning of a name or an address, or a whole id; `localId` is null of who is not in the organization."""
    place = access.enter(world, request)
    fields = place.fields("searchRequest")
    text = str(fields.get("query") or "").lower()
    if not text:
        raise refusals.missing("query")
    types = {one.lower() for one in access.texts(fields.get("identityTypes"), "identityTypes")}
    wanted = access.texts(fields.get("operationScopes"), "operationScopes")
    scopes = {one.lower() for one in wanted} or {"ims", "source"}
    bodies = _known(place, text) if "ims" in scopes else []
    if "source" in scopes:
        bodies += _tenant(place, text)
    found = [one for one in bodies if not types or one["entityType"].lower() in types]
    return Response(body={"results": [{"queryToken": text, "identities": found, "pagingToken": ""}]})


def _known(place: access.RequestScope, text: str) -> list[dict[str, Json]]:
    identities = place.organization.identities.values()
    return [
        _body(one, one.mail, one.origin_id, one)
        for one in identities
        if _matches(text, one, *_ids(place, one.origin_id, one.id))
    ]


def _tenant(place: access.RequestScope, text: str) -> list[dict[str, Json]]:
    strangers = [one for one in place.world.principals if one.name.lower() not in place.organization.by_name]
    return [_body(one, one.mail, one.oid, None) for one in strangers if _matches(text, one, *_ids(place, one.oid))]


def _ids(place: access.RequestScope, *ids: str) -> tuple[str, ...]:
    return ids if place.world.switches.word("devops.picker-by-id") == "found" else ()


def _matches(text: str, one: Identity | Principal, *ids: str) -> bool:
    beginnings = [one.display_name, one.mail, one.unique_name if isinstance(one, Identity) else one.upn]
    return text in ids or any(value.lower().startswith(text) for value in beginnings if value)


def _body(one: Identity | Principal, mail: str, origin_id: str, known: Identity | None) -> dict[str, Json]:
    key = (known.id if known else origin_id).replace("-", "")
    return {
        "entityId": f"vss.ds.v1.{'ims' if known else 'aad'}.{one.kind.lower()}.{key}",
        "entityType": _TYPES[one.kind],
        "originDirectory": "aad" if origin_id else "vsd",
        "originId": origin_id or (known.id if known else ""),
        "localDirectory": "vsd" if known else None,
        "localId": known.id if known else None,
        "displayName": one.display_name,
        "mail": mail or None,
        "subjectDescriptor": known.descriptor if known else None,
        "active": True if known else None,
    }

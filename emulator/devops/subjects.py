"""Graph subjects: their bodies, storage keys and descriptors, lookup and search."""

from __future__ import annotations

import base64
import binascii

from emulator.devops import access, people, refusals, responses
from emulator.documents import Json
from emulator.frame import Request, Response
from emulator.state.devops import Identity, Project
from emulator.world import World

SUBJECTS = 100
"""The most that a query answers with."""
_PATHS = {"user": "Users", "service": "Users", "group": "Groups"}
_KINDS = {"user": "user", "service": "user", "group": "group"}


def body(place: access.RequestScope, one: Identity) -> dict[str, Json]:
    """A subject as the graph shows it."""
    path = _PATHS.get(one.kind, "ServicePrincipals")
    graph = f"{place.base}/_apis/Graph"
    url = f"{graph}/{path}/{one.descriptor}"
    found: dict[str, Json] = {
        "subjectKind": _KINDS.get(one.kind, "servicePrincipal"),
        "domain": people.domain(place.organization, one),
        "principalName": one.serves or one.unique_name,
        "mailAddress": one.mail or None,
        "origin": one.origin,
        "originId": one.origin_id or one.id,
        "displayName": one.display_name,
        "_links": {
            "self": {"href": url},
            "memberships": {"href": f"{graph}/Memberships/{one.descriptor}"},
            "membershipState": {"href": f"{graph}/MembershipStates/{one.descriptor}"},
            "storageKey": {"href": f"{graph}/StorageKeys/{one.descriptor}"},
        },
        "url": url,
        "descriptor": one.descriptor,
    }
    if one.is_group:
        found["description"] = ""
    if one.is_application:
        found["applicationId"] = one.application_id
    return found


def scope_descriptor(project: Project) -> str:
    """The descriptor that stands for a project in the graph."""
    return people.descriptor_of("scp", project.id)


def project_of(place: access.RequestScope, descriptor: str) -> Project:
    """The project of a scope descriptor."""
    text = descriptor.removeprefix("scp.")
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise refusals.bad_argument(f"The value '{descriptor}' is not valid for scopeDescriptor.") from None
    return place.find_project(key)


def storage_key(world: World, request: Request) -> Response:
    """Descriptor → local id."""
    place = access.enter(world, request)
    key = request.params["subjectDescriptor"]
    found = place.organization.by_descriptor.get(key)
    if found is None:
        raise refusals.no_identity(key)
    return Response(body=_pair(place, found.id, "StorageKeys", key, ("descriptor", f"Descriptors/{found.id}")))


def descriptor(world: World, request: Request) -> Response:
    """Local id → descriptor; the id of a project gives its scope."""
    place = access.enter(world, request)
    key = request.params["storageKey"]
    found = place.organization.identities.get(key.lower())
    project = place.organization.projects.get(key.lower())
    if found is None and project is None:
        raise refusals.no_identity(key)
    value = found.descriptor if found else scope_descriptor(place.find_project(key))
    return Response(body=_pair(place, value, "Descriptors", key, ("storageKey", f"StorageKeys/{value}")))


def _pair(place: access.RequestScope, value: str, path: str, key: str, other: tuple[str, str]) -> Json:
    graph = f"{place.base}/_apis/Graph"
    return {
        "value": value,
        "_links": {"self": {"href": f"{graph}/{path}/{key}"}, other[0]: {"href": f"{graph}/{other[1]}"}},
    }


def lookup(world: World, request: Request) -> Response:
    """Many descriptors → a map; who is not known is not in it."""
    place = access.enter(world, request)
    keys = place.fields("subjectLookup").get("lookupKeys")
    if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
        raise refusals.missing("lookupKeys")
    known = place.organization.by_descriptor
    wanted = [str(one.get("descriptor")) for one in keys]
    value = {one: body(place, known[one]) for one in wanted if one in known}
    return Response(body={"count": len(value), "value": value})


def query(world: World, request: Request) -> Response:
    """By the beginning of a name or an address; at most a hundred."""
    place = access.enter(world, request)
    fields = place.fields("subjectQuery")
    text = str(fields.get("query") or "").lower()
    if not text:
        raise refusals.missing("query")
    kinds = {one.lower() for one in access.texts(fields.get("subjectKind"), "subjectKind")}
    scope = fields.get("scopeDescriptor")
    project = project_of(place, str(scope)) if scope else None
    found = [
        one
        for one in place.organization.identities.values()
        if (not kinds or _KINDS.get(one.kind, "serviceprincipal") in kinds)
        and (project is None or one.scope == project.id)
        and any(value.lower().startswith(text) for value in (one.display_name, one.mail, one.unique_name) if value)
    ]
    return responses.wrapped(body(place, one) for one in found[:SUBJECTS])

"""Users, groups and service principals of the graph (vsts-rest-api-specs graph 7.2): lists, reading, materialising.

Materialising adds an identity of the Entra tenant to the organization, with a local id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.devops import access, people, refusals, subjects
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.principals import Principal
from emulator.state.devops import Identity
from emulator.world import World


@dataclass(frozen=True, slots=True)
class GraphKind:
    """One of the three collections."""

    path: str
    kinds: tuple[str, ...]
    param: str


USERS = GraphKind("Users", ("user", "service"), "userDescriptor")
GROUPS = GraphKind("Groups", ("group",), "groupDescriptor")
SERVICES = GraphKind("ServicePrincipals", ("servicePrincipal", "managedIdentity"), "servicePrincipalDescriptor")


def listing(kind: GraphKind) -> Callable[[World, Request], Response]:
    """A handler that lists one collection in pages; the next page is named by a header."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        found = [one for one in place.organization.identities.values() if one.kind in kind.kinds]
        if scope := request.query.get("scopedescriptor"):
            project = subjects.project_of(place, scope)
            found = [one for one in found if one.scope == project.id]
        if types := request.query.get("subjecttypes"):
            wanted = {one.strip().lower() for one in types.split(",")}
            found = [one for one in found if one.descriptor.split(".")[0] in wanted]
        return _page(place, found)

    return handler


def _page(place: access.RequestScope, found: list[Identity]) -> Response:
    token = place.request.query.get("continuationtoken", "")
    start = access.number(token.removeprefix("page-"), "continuationToken") if token else 0
    end = start + int(place.world.switches.number("devops.graph-page"))
    value = [subjects.body(place, one) for one in found[start:end]]
    headers = {"X-MS-ContinuationToken": f"page-{end}"} if end < len(found) else {}
    return Response(body={"count": len(value), "value": value}, headers=headers)


def reading(kind: GraphKind) -> Callable[[World, Request], Response]:
    """A handler that reads one subject by its descriptor."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        return Response(body=subjects.body(place, _find(place, kind)))

    return handler


def _find(place: access.RequestScope, kind: GraphKind) -> Identity:
    key = place.request.params[kind.param]
    found = place.organization.by_descriptor.get(key)
    if found is None or found.kind not in kind.kinds:
        raise refusals.no_identity(key)
    return found


def creating(kind: GraphKind) -> Callable[[World, Request], Response]:
    """A handler that materialises an identity of the tenant, or creates a group of Azure DevOps."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        fields = place.fields("creationContext")
        place.require_administrator("the graph")
        containers = _containers(place)
        if kind is GROUPS and fields.get("displayName"):
            made = _make_group(place, fields)
        else:
            made = materialise(place, kind, fields)
        for container in containers:
            container.members.add(made.id)
        place.organization.closures.clear()
        body = subjects.body(place, made)
        return Response(status=201, body=body, headers={"Location": body["url"]})

    return handler


def _containers(place: access.RequestScope) -> list[Identity]:
    keys = [one for one in place.request.query.get("groupdescriptors", "").split(",") if one]
    found = [place.organization.by_descriptor.get(one) for one in keys]
    for key, one in zip(keys, found, strict=True):
        if one is None or not one.is_group:
            raise refusals.no_identity(key)
    return [one for one in found if one is not None]


def materialise(place: access.RequestScope, kind: GraphKind, fields: dict[str, Json], *, new: bool = False) -> Identity:
    """Add an identity of the tenant to the organization; one that is known already stays unchanged.

    With `new` an identity that has a license already is refused.
    """
    principal = _tenant(place, kind, fields)
    if found := place.organization.by_name.get(principal.name.lower()):
        if new and found.license not in ("", "none"):
            raise ApiError(409, "MemberExistsException", f"VS860202: {found.display_name} is a member already.")
        return found
    made = people.known(principal, place.organization, str(fields.get("storageKey") or ""))
    made.license = ""
    return place.organization.add_identity(made)


def _tenant(place: access.RequestScope, kind: GraphKind, fields: dict[str, Json]) -> Principal:
    keys: dict[str, Callable[[Principal], str]] = {
        "originId": lambda one: one.oid,
        "principalName": lambda one: one.upn or one.mail,
        "mailAddress": lambda one: one.mail,
    }
    name = next((key for key in keys if fields.get(key)), None)
    if name is None:
        raise refusals.missing("originId")
    wanted = str(fields[name]).lower()
    candidates = [one for one in place.world.principals if one.kind in kind.kinds]
    found = next((one for one in candidates if keys[name](one).lower() == wanted), None)
    if found is None:
        raise ApiError(404, "GraphSubjectNotFoundException", f"VS860016: Could not find {name} {fields[name]}.")
    return found


def _make_group(place: access.RequestScope, fields: dict[str, Json]) -> Identity:
    scope = place.request.query.get("scopedescriptor")
    project = subjects.project_of(place, scope) if scope else None
    title, key = str(fields["displayName"]), str(fields.get("storageKey") or "").lower()
    if place.organization.group_of(project.id if project else "", title):
        raise ApiError(409, "GroupCreationException", f"VS402857: A group named {title} already exists.")
    if key and (not access.is_guid(key) or key in place.organization.identities):
        raise refusals.bad_argument(f"The value '{key}' is not valid for storageKey.")
    made = people.group(place.organization, title, scope=project.id if project else "", local_id=key)
    return place.organization.add_identity(made)


def deleting(kind: GraphKind) -> Callable[[World, Request], Response]:
    """A handler that removes an identity from the organization."""

    def handler(world: World, request: Request) -> Response:
        place = access.enter(world, request)
        found = _find(place, kind)
        place.require_administrator("the graph")
        place.organization.drop_identity(found)
        return Response()

    return handler

"""Identities known to the organization (vsts-rest-api-specs ims 7.2): search, and reading by any of three ids."""

from __future__ import annotations

from collections.abc import Callable

from emulator.devops import access, lists, people, refusals, responses
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Identity, Organization
from emulator.world import World

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def read(world: World, request: Request) -> Response:
    """By ids, descriptors, subject descriptors, or a search; nothing of that is an error."""
    place = access.enter(world, request)
    query = request.query
    if value := query.get("identityids"):
        return _listed(place, value, lambda one: place.organization.identities.get(one.lower()))
    if value := query.get("subjectdescriptors"):
        return _listed(place, value, place.organization.by_descriptor.get)
    if value := query.get("descriptors"):
        return _listed(place, value, lambda one: lists.by_legacy(place.organization, one))
    kind, value = query.get("searchfilter", ""), query.get("filtervalue", "")
    if not kind or not value:
        raise refusals.missing("searchFilter" if not kind else "filterValue")
    services = place.world.switches.word("devops.service-identities-in-search") == "found"
    found = search(place.organization, kind, value, services=services)
    return responses.wrapped(body(place, one) for one in found)


def _listed(place: access.RequestScope, value: str, find: Callable[[str], Identity | None]) -> Response:
    found = [find(one.strip()) for one in value.split(",") if one.strip()]
    if place.world.switches.word("devops.unknown-identity-ids") == "absent":
        found = [one for one in found if one is not None]
    return responses.wrapped(None if one is None else body(place, one) for one in found)


def search(organization: Organization, kind: str, value: str, *, services: bool = True) -> list[Identity]:
    """Whole values, whatever the case; a service principal is found by its display name alone.

    General is display name, account name or unique name (ims 7.2). Whether service identities are found at all is
    a switch.
    """
    finders: dict[str, Callable[[Identity], tuple[str, ...]]] = {
        "general": lambda one: (
            one.display_name,
            one.mail,
            _account(one),
            one.unique_name if one.is_group or one.serves else "",
        ),
        "mailaddress": lambda one: (one.mail,),
        "accountname": lambda one: (_account(one), one.unique_name if one.serves else ""),
        "displayname": lambda one: (one.display_name, one.unique_name if one.is_group else ""),
        "localgroupname": lambda one: (one.display_name, one.unique_name) if _local_group(one) else (),
    }
    keys = finders.get(kind.lower())
    if keys is None:
        raise refusals.bad_argument(f"The value '{kind}' is not valid for searchFilter.")
    wanted = value.lower()
    found = [one for one in organization.identities.values() if services or not one.serves]
    return [one for one in found if wanted in {key.lower() for key in keys(one) if key}]


def _local_group(one: Identity) -> bool:
    return one.is_group and one.origin == "vsts"


def _account(one: Identity) -> str:
    return "" if one.is_application else one.account


def get(world: World, request: Request) -> Response:
    """By local id, or by either descriptor."""
    place = access.enter(world, request)
    key = request.params["identityId"]
    organization = place.organization
    found = organization.identities.get(key.lower()) or lists.by_legacy(organization, key)
    if found is None:
        raise ApiError(404, "IdentityNotFoundException", f"TF14045: The identity {key} could not be found.")
    return Response(body=body(place, found))


def batch(world: World, request: Request) -> Response:
    """Many at once, in the body."""
    place = access.enter(world, request)
    fields = place.fields("batchInfo")
    finders: dict[str, Callable[[str], Identity | None]] = {
        "identityIds": lambda one: place.organization.identities.get(one.lower()),
        "subjectDescriptors": place.organization.by_descriptor.get,
        "descriptors": lambda one: lists.by_legacy(place.organization, one),
    }
    for key, find in finders.items():
        if fields.get(key):
            if not isinstance(fields[key], list):
                raise refusals.bad_argument(f"The value is not valid for {key}.")
            return _listed(place, ",".join(str(one) for one in fields[key]), find)
    raise refusals.missing("identityIds")


def myself(world: World, request: Request) -> Response:
    """The caller."""
    who = access.enter(world, request).caller
    body = {"id": who.id, "displayName": who.display_name, "accountName": who.unique_name, "origin": who.origin}
    return Response(body={**body, "domain": people.TENANT, "tenants": []})


def body(place: access.RequestScope, one: Identity) -> dict[str, Json]:
    """An identity in full; memberships where the query asks for them."""
    with_members = place.request.query.get("querymembership", "none").lower() != "none"
    organization = place.organization
    hidden = one.origin == "aad" and place.world.switches.word("devops.entra-group-members") == "hidden"
    members = [organization.identities[i] for i in sorted(one.members) if i in organization.identities and not hidden]
    above = [organization.identities[i] for i in sorted(people.closure(organization, one) - {one.id})]
    found: dict[str, Json] = {
        "id": one.id,
        "descriptor": people.legacy_descriptor(one),
        "subjectDescriptor": one.descriptor,
        "providerDisplayName": responses.shown(one),
        "isActive": people.is_active(organization, one),
        "members": [people.legacy_descriptor(m) for m in members] if with_members else [],
        "memberOf": [people.legacy_descriptor(m) for m in above] if with_members else [],
        "memberIds": [m.id for m in members] if with_members else [],
        "properties": _properties(place.organization, one),
        "resourceVersion": 2,
        "metaTypeId": 255 if one.is_group else 0,
    }
    if one.is_group:
        found["isContainer"] = True
    return found


def _properties(organization: Organization, one: Identity) -> dict[str, Json]:
    values = {
        "SchemaClassName": "Group" if one.is_group else "User",
        "Domain": people.domain(organization, one),
        "Account": one.account,
        "Mail": one.mail,
        "SpecialType": "Generic",
    }
    if _local_group(one):
        project = organization.projects.get(one.scope)
        values |= {
            "SecurityGroup": "SecurityGroup",
            "ScopeName": project.name if project else organization.name,
            "LocalScopeId": one.scope or organization.id,
            "ScopeType": "TeamProject" if project else "ServiceHost",
        }
    if one.origin_id:
        values[OBJECT_ID] = one.origin_id
    if one.application_id:
        values["ApplicationId"] = one.application_id
    return {key: {"$type": "System.String", "$value": value} for key, value in values.items()}

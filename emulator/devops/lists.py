"""Access control lists and entries (vsts-rest-api-specs security 7.2) of the DistributedTask namespace.

They hold the same data as the roles. A token without own entries and with inheritance on is not in the list.
"""

from __future__ import annotations

from emulator.devops import access, audit_log, grants, namespaces, people, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import Request, Response
from emulator.state.devops import Ace, Acl, Identity, Organization
from emulator.world import World


def query(world: World, request: Request) -> Response:
    """By token (with those below it where `recurse`) and descriptors; what the caller may not view is absent."""
    place = access.enter(world, request)
    if namespaces.checked(request) != rights.NAMESPACE:
        return responses.wrapped([])
    extended = access.truthy(request.query.get("includeextendedinfo"))
    wanted = [one for one in request.query.get("descriptors", "").split(",") if one]
    found = []
    for token in _tokens(place, request.query.get("token", ""), recurse=access.truthy(request.query.get("recurse"))):
        acl = rights.visible_acl(place.organization, token)
        if place.may(token, rights.VIEW) and (acl.aces or not acl.inherit):
            flag = acl.inherit or world.switches.word("devops.acl-inherit-flag") == "always-on"
            found.append({**_body(place.organization, token, acl, wanted, extended), "inheritPermissions": flag})
    return responses.wrapped(found)


def _tokens(place: access.RequestScope, token: str, *, recurse: bool) -> list[str]:
    every = place.organization.acls
    if not token:
        return sorted(every)
    lower = token.rstrip("/").lower()
    return sorted(t for t in every if t.lower() == lower or (recurse and t.lower().startswith(lower + "/")))


def _body(organization: Organization, token: str, acl: Acl, wanted: list[str], extended: bool) -> dict[str, Json]:
    entries: dict[str, Json] = {}
    above = grants.inherited(organization, token, visible=True) if extended else {}
    for one in dict.fromkeys([*acl.aces, *above]):
        who = organization.identities.get(one)
        if who is not None and (not wanted or people.legacy_descriptor(who) in wanted):
            entries[people.legacy_descriptor(who)] = _entry(who, acl.aces.get(one, Ace()), above.get(one, 0), extended)
    return {
        "token": token,
        "acesDictionary": entries,
        "includeExtendedInfo": extended,
    }


def _entry(who: Identity, ace: Ace, above: int, extended: bool) -> Json:
    body: dict[str, Json] = {"descriptor": people.legacy_descriptor(who), "allow": ace.allow, "deny": ace.deny}
    if extended:
        body["extendedInfo"] = {
            "effectiveAllow": (ace.allow | above) & ~ace.deny,
            "effectiveDeny": ace.deny,
            "inheritedAllow": above,
        }
    return body


def set_lists(world: World, request: Request) -> Response:
    """Replace whole lists, inheritance included."""
    place = access.enter(world, request)
    namespaces.require_writable(place, request)
    raw = place.fields("accessControlLists").get("value")
    if not isinstance(raw, list):
        raise refusals.missing("accessControlLists")
    work = [_list(place, one) for one in raw]
    for token, acl in work:
        grants.write(world, place.organization, token, acl)
        audit_log.security(world, place.organization, place.caller, "ModifyAccessControlLists", token)
    return responses.nothing()


def _list(place: access.RequestScope, raw: Json) -> tuple[str, Acl]:
    if not isinstance(raw, dict):
        raise refusals.missing("accessControlList")
    token = writable_token(place, raw.get("token"))
    entries = raw.get("acesDictionary") or {}
    if not isinstance(entries, dict):
        raise refusals.bad_argument("The value is not valid for acesDictionary.")
    aces = dict(_ace(place, one) for one in entries.values())
    return token, Acl(bool(raw.get("inheritPermissions", True)), aces)


def writable_token(place: access.RequestScope, token: Json) -> str:
    """A token of the namespace that the caller may administer."""
    if not isinstance(token, str) or not token:
        raise refusals.missing("token")
    found = _known(place.organization, token.rstrip("/"))
    if found is None:
        raise refusals.bad_argument(f"The token '{token}' is not valid in this namespace.")
    place.require(found, rights.ADMINISTER, right="Administer Permissions", what=found)
    return found


def _known(organization: Organization, token: str) -> str | None:
    parts = token.split("/")
    if parts[0].lower() == rights.POOLS.lower():
        pool = organization.pools.get(int(parts[1])) if len(parts) == 2 and parts[1].isdigit() else None  # noqa: PLR2004, the form is root and id
        return rights.POOLS if len(parts) == 1 else rights.pool_token(pool) if pool else None
    project = organization.projects.get(parts[1].lower()) if len(parts) > 1 else None
    if parts[0].lower() != rights.QUEUES.lower() or project is None:
        return None
    if parts[2:]:
        queue = organization.queues.get(int(parts[2])) if parts[2].isdigit() else None
        return rights.queue_token(queue) if queue and queue.project == project.id else None
    return rights.project_token(project.id)


def _ace(place: access.RequestScope, raw: Json) -> tuple[str, Ace]:
    if not isinstance(raw, dict) or not raw.get("descriptor"):
        raise refusals.missing("descriptor")
    who = by_legacy(place.organization, str(raw["descriptor"]))
    if who is None:
        raise refusals.bad_argument(f"The identity {raw['descriptor']} could not be found.")
    return who.id, Ace(access.number(raw.get("allow", 0), "allow"), access.number(raw.get("deny", 0), "deny"))


def by_legacy(organization: Organization, descriptor: str) -> Identity | None:
    """An identity by identity descriptor or subject descriptor."""
    if found := organization.by_descriptor.get(descriptor):
        return found
    lower = descriptor.lower()
    return next(
        (one for one in organization.identities.values() if people.legacy_descriptor(one).lower() == lower), None
    )


def remove_lists(world: World, request: Request) -> Response:
    """Take whole lists away: no own entries, and inheritance on again."""
    place = access.enter(world, request)
    namespaces.require_writable(place, request)
    tokens = [one for one in request.query.get("tokens", "").split(",") if one]
    if not tokens:
        raise refusals.missing("tokens")
    recurse = access.truthy(request.query.get("recurse"))
    found = [writable_token(place, one) for token in tokens for one in _tokens(place, token, recurse=recurse)]
    for token in found:
        grants.write(world, place.organization, token, Acl())
        audit_log.security(world, place.organization, place.caller, "RemoveAccessControlLists", token)
    return Response(body=bool(found))


def set_entries(world: World, request: Request) -> Response:
    """Add or replace single entries; with `merge` bits are added to what is there."""
    place = access.enter(world, request)
    namespaces.require_writable(place, request)
    fields = place.fields("container")
    token = writable_token(place, fields.get("token"))
    raw = fields.get("accessControlEntries")
    if not isinstance(raw, list):
        raise refusals.missing("accessControlEntries")
    wanted = dict(_ace(place, one) for one in raw)
    found = rights.written_acl(place.organization, token).aces
    if fields.get("merge"):
        wanted = {one: _merged(found.get(one, Ace()), ace) for one, ace in wanted.items()}
    grants.allow(world, place.organization, token, dict(wanted))
    audit_log.security(world, place.organization, place.caller, "ModifyPermission", token)
    return responses.wrapped(
        {
            "descriptor": people.legacy_descriptor(place.organization.identities[one]),
            "allow": ace.allow,
            "deny": ace.deny,
            "extendedInfo": {},
        }
        for one, ace in wanted.items()
    )


def _merged(found: Ace, wanted: Ace) -> Ace:
    return Ace((found.allow | wanted.allow) & ~wanted.deny, (found.deny | wanted.deny) & ~wanted.allow)


def remove_entries(world: World, request: Request) -> Response:
    """Take the entries of some identities away."""
    place = access.enter(world, request)
    namespaces.require_writable(place, request)
    token = writable_token(place, request.query.get("token"))
    descriptors = [one for one in request.query.get("descriptors", "").split(",") if one]
    people_found = [who for one in descriptors if (who := by_legacy(place.organization, one))]
    own = rights.written_acl(place.organization, token).aces
    entries: dict[str, Ace | None] = {who.id: None for who in people_found if who.id in own}
    grants.allow(world, place.organization, token, entries)
    audit_log.security(world, place.organization, place.caller, "RemovePermission", token)
    return Response(body=bool(entries))

"""Role assignments (vsts-rest-api-specs securityRoles 7.2): a view of the access control lists by role.

Beware of one route with two meanings, as in the service: PATCH with ``inheritPermissions`` switches inheritance,
PATCH with a list removes assignments. An identity that the organization does not know by that local id is passed
over in silence (terraform-provider-azuredevops #1562).
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.devops import access, audit_log, grants, people, refusals, responses, rights, roledefs
from emulator.devops.roledefs import Role
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import Ace, Identity, Organization
from emulator.world import World


@dataclass(frozen=True, slots=True)
class RoleScope:
    """What the path's scope and resource id name."""

    place: access.RequestScope
    scope: str
    token: str
    zero: bool = False
    """Resource 0 of the scope of single pools."""

    @property
    def organization(self) -> Organization:
        """Where it is."""
        return self.place.organization


def definitions(world: World, request: Request) -> Response:
    """The roles of a scope."""
    access.enter(world, request)
    return responses.wrapped(role.body() for role in roledefs.roles(_scope(request), world.switches))


def _scope(request: Request) -> str:
    scope = request.params["scopeId"].lower()
    if scope not in roledefs.SCOPES:
        raise ApiError(404, "SecurityRoleScopeNotFoundException", f"The security role scope {scope} was not found.")
    return scope


def _resource(world: World, request: Request) -> RoleScope:
    place = access.enter(world, request)
    scope, key = _scope(request), request.params["resourceId"]
    if scope in (roledefs.POOL, roledefs.ALL_POOLS) and key == "0":
        return _visible(RoleScope(place, scope, rights.POOLS, zero=scope == roledefs.POOL))
    if scope == roledefs.ALL_POOLS:
        raise refusals.bad_argument(f"The value '{key}' is not valid for resourceId.")
    if scope == roledefs.POOL:
        return RoleScope(place, scope, rights.pool_token(place.pool(key)))
    project, _, queue = key.partition("_")
    found = place.find_project(project)
    if scope == roledefs.QUEUE and queue:
        return RoleScope(place, scope, rights.queue_token(place.queue(found, queue)))
    return _visible(RoleScope(place, scope, rights.project_token(found.id)))


def _visible(resource: RoleScope) -> RoleScope:
    resource.place.require(resource.token, rights.VIEW, right="View", what=resource.token)
    return resource


def _administered(world: World, request: Request) -> RoleScope:
    resource = _resource(world, request)
    resource.place.require(resource.token, rights.ADMINISTER, right="Administer Permissions", what=resource.token)
    return resource


def list_all(world: World, request: Request) -> Response:
    """Who has which role, assigned here or inherited."""
    return responses.wrapped(assignments(_resource(world, request), visible=True))


def assignments(resource: RoleScope, *, visible: bool = False) -> list[Json]:
    """One entry an identity; one that comes from above and is not outdone here is inherited."""
    read = rights.visible_acl if visible else rights.written_acl
    own = read(resource.organization, resource.token).aces
    above = grants.inherited(resource.organization, resource.token, visible=visible)
    found = []
    for one in dict.fromkeys([*own, *above]):
        who = resource.organization.identities.get(one)
        body = _entry(resource, who, own.get(one, Ace()), above.get(one, 0)) if who else None
        if body:
            found.append(body)
    return found


def _entry(resource: RoleScope, who: Identity, own: Ace, above: int) -> Json:
    switches = resource.place.world.switches
    role = roledefs.strongest(resource.scope, own.allow | above & ~own.deny, switches)
    if role is None:
        return None
    assigned = roledefs.strongest(resource.scope, own.allow, switches) == role
    return {
        "identity": {"displayName": responses.shown(who), "id": who.id, "uniqueName": _unique_name(resource, who)},
        "role": role.body(),
        "access": "assigned" if assigned else "inherited",
        "accessDisplayName": "Assigned" if assigned else "Inherited",
    }


def _unique_name(resource: RoleScope, who: Identity) -> str:
    if who.is_group and resource.place.world.switches.word("devops.unique-name-of-groups") == "domain":
        return f"{people.domain(resource.organization, who)}\\{who.account}"
    return who.unique_name


def assign_many(world: World, request: Request) -> Response:
    """Add or change assignments; the others stay; an unknown identity is missing in the response."""
    resource = _administered(world, request)
    wanted = [_wanted(resource, raw) for raw in resource.place.items("roleAssignments")]
    return responses.wrapped(_assign(resource, wanted))


def assign_one(world: World, request: Request) -> Response:
    """Add or change one assignment."""
    resource = _administered(world, request)
    fields = dict(resource.place.fields("roleAssignment"))
    fields["userId"] = request.params["identityId"]
    made = _assign(resource, [_wanted(resource, fields)])
    return Response(body=made[0] if made else None, status=200 if made else 204)


def _wanted(resource: RoleScope, raw: Json) -> tuple[Identity | None, Role]:
    if not isinstance(raw, dict) or not raw.get("roleName"):
        raise refusals.missing("roleName")
    role = roledefs.named(resource.scope, str(raw["roleName"]), resource.place.world.switches)
    if role is None:
        raise refusals.bad_argument(f"The role {raw['roleName']} does not exist in scope {resource.scope}.")
    if raw.get("userId"):
        if not access.is_guid(str(raw["userId"])):
            raise refusals.bad_argument(f"The value '{raw['userId']}' is not valid for userId.")
        return resource.organization.identities.get(str(raw["userId"]).lower()), role
    if not raw.get("uniqueName"):
        raise refusals.missing("userId")
    wanted = str(raw["uniqueName"]).lower()
    identities = resource.organization.identities.values()
    return next((one for one in identities if one.unique_name.lower() == wanted), None), role


def _assign(resource: RoleScope, wanted: list[tuple[Identity | None, Role]]) -> list[Json]:
    known = [(who, role) for who, role in wanted if who is not None]
    for who, _ in known:
        _check_own(resource, who.id)
    if resource.zero and resource.place.world.switches.word("devops.pool-role-resource-zero") == "reader":
        reader = roledefs.roles(resource.scope, resource.place.world.switches)[0]
        known = [(who, reader if role.name == roledefs.ADMINISTRATOR else role) for who, role in known]
    if known:
        _write(resource, {who.id: Ace(role.allow) for who, role in known}, "ModifyPermission")
    made = {body["identity"]["id"]: body for body in assignments(resource)}
    return [made[who.id] for who, _ in known]


def _check_own(resource: RoleScope, local_id: str) -> None:
    refused = resource.place.world.switches.word("devops.own-pool-role") == "refused"
    if refused and resource.scope == roledefs.POOL and local_id == resource.place.caller.id:
        raise refusals.denied(resource.place.caller, "Administer", "their own role assignment")


def _write(resource: RoleScope, entries: dict[str, Ace | None], action: str) -> None:
    place = resource.place
    grants.allow(place.world, place.organization, resource.token, entries)
    audit_log.security(place.world, place.organization, place.caller, action, resource.token)


def change(world: World, request: Request) -> Response:
    """Switch inheritance, where the query says so; else remove the listed assignments."""
    resource = _administered(world, request)
    if "inheritpermissions" in request.query:
        return _switch_inheritance(resource, request.query["inheritpermissions"].lower())
    ids = [str(one).lower() for one in resource.place.items("identityIds")]
    if wrong := next((one for one in ids if not access.is_guid(one)), None):
        raise refusals.bad_argument(f"The value '{wrong}' is not valid for identityIds.")
    return _remove(resource, ids)


def _switch_inheritance(resource: RoleScope, word: str) -> Response:
    if word not in ("true", "false"):
        raise refusals.bad_argument(f"The value '{word}' is not valid for inheritPermissions.")
    place = resource.place
    grants.set_inheritance(place.world, place.organization, resource.token, on=word == "true")
    audit_log.security(place.world, place.organization, place.caller, "ModifyAccessControlLists", resource.token)
    return Response()


def remove_one(world: World, request: Request) -> Response:
    """Remove one assignment."""
    resource = _administered(world, request)
    key = request.params["identityId"]
    if not access.is_guid(key):
        raise refusals.bad_argument(f"The value '{key}' is not valid for identityId.")
    return _remove(resource, [key.lower()])


def _remove(resource: RoleScope, ids: list[str]) -> Response:
    own = rights.written_acl(resource.organization, resource.token).aces
    refused = resource.place.world.switches.word("devops.removing-inherited-role") == "refused"
    inherited = grants.inherited(resource.organization, resource.token)
    for one in ids:
        _check_own(resource, one)
        if refused and one in inherited and one not in own:
            raise refusals.bad_argument(f"The inherited role of {one} cannot be removed.")
    entries: dict[str, Ace | None] = {one: None for one in ids if one in own}
    if entries:
        _write(resource, entries, "RemovePermission")
    return Response()

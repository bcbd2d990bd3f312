"""Agent pools of an organization (vsts-rest-api-specs distributedTask 7.2, pools).

Lists are not paged and hold what the caller may view; the others are absent, and reading them by id says not found.
"""

from __future__ import annotations

from emulator.devops import access, lifecycle, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import Request, Response
from emulator.state.devops import AgentPool
from emulator.world import World

ACTIONS = {"none": 0, "manage": rights.MANAGE, "use": rights.USE}
TYPES = ("automation", "deployment")


def action_bits(request: Request) -> int:
    """The right that `actionFilter` asks for, besides View."""
    word = request.query.get("actionfilter", "none").lower()
    if word not in ACTIONS:
        raise refusals.bad_argument(f"The value '{word}' is not valid for actionFilter.")
    return ACTIONS[word]


def list_all(world: World, request: Request) -> Response:
    """By name, type, ids and right; every filter is optional."""
    place = access.enter(world, request)
    wanted = action_bits(request)
    pools = [p for p in place.organization.pools.values() if rights.sees_pool(place.organization, place.caller, p)]
    pools = [p for p in pools if place.may(rights.pool_token(p), wanted)]
    if ids := request.query.get("poolids"):
        listed = access.numbers(ids, "poolIds")
        pools = [p for p in pools if p.id in listed]
    if kind := request.query.get("pooltype"):
        pools = [p for p in pools if p.pool_type == kind.lower()]
    if name := request.query.get("poolname"):
        pools = [p for p in pools if name_matches(world, p.name, name)]
    return responses.wrapped(_body(world, place, pool) for pool in sorted(pools, key=lambda p: p.id))


def name_matches(world: World, name: str, wanted: str) -> bool:
    """Whether a name passes a filter by name; exact or by prefix is not documented (switch)."""
    if world.switches.word("devops.name-filter") == "prefix":
        return name.lower().startswith(wanted.lower())
    return name.lower() == wanted.lower()


def _body(world: World, place: access.RequestScope, pool: AgentPool) -> Json:
    body = responses.pool(place.organization, pool)
    if world.switches.word("devops.pool-created-on") == "absent":
        del body["createdOn"]
    names = place.request.query.get("properties")
    if names:
        wanted = [name.strip() for name in names.split(",")]
        body["properties"] = {
            key: {"$type": f"System.{type(value).__name__.capitalize()}", "$value": value}
            for key, value in pool.properties.items()
            if "*" in wanted or key in wanted
        }
    return body


def get(world: World, request: Request) -> Response:
    """One pool."""
    place = access.enter(world, request)
    pool = place.pool()
    if not place.may(rights.pool_token(pool), action_bits(request)):
        raise refusals.no_pool(str(pool.id))
    return Response(body=_body(world, place, pool))


def create(world: World, request: Request) -> Response:
    """A new pool; the creator becomes its Administrator."""
    place = access.enter(world, request)
    fields = place.fields("pool")
    name = pool_name(place, fields.get("name"))
    kind = str(fields.get("poolType", "automation")).lower()
    if kind not in TYPES:
        raise refusals.bad_argument(f"The value '{kind}' is not valid for poolType.")
    _flags(fields)
    properties = _plain(fields.get("properties"))
    place.require(rights.POOLS, rights.MANAGE, right="Manage", what="all agent pools")
    pool = lifecycle.make_pool(world, place.organization, name, by=place.caller, pool_type=kind)
    _change(pool, fields)
    pool.properties = properties
    if pool.auto_provision:
        for project in list(place.organization.projects.values()):
            lifecycle.auto_provision(world, place.organization, project, pool)
    return Response(body=_body(world, place, pool))


def _plain(properties: Json) -> dict[str, Json]:
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        raise refusals.bad_argument("The properties have to be an object.\r\nParameter name: pool.properties")
    return {k: v["$value"] if isinstance(v, dict) and "$value" in v else v for k, v in properties.items()}


def pool_name(place: access.RequestScope, value: Json, *, besides: AgentPool | None = None) -> str:
    """A name for a pool, there and not taken."""
    if not isinstance(value, str) or not value.strip():
        raise refusals.missing("pool.Name")
    taken = place.organization.pool_named(value)
    if taken is not None and taken is not besides:
        raise refusals.pool_exists(value)
    return value


def update(world: World, request: Request) -> Response:
    """Name and flags; whatever is absent stays."""
    place = access.enter(world, request)
    pool = place.pool()
    fields = place.fields("pool")
    name = pool_name(place, fields.get("name", pool.name), besides=pool)
    _flags(fields)
    place.require(rights.pool_token(pool), rights.MANAGE, right="Manage", what=f"pool {pool.name}")
    lifecycle.rename_pool(world, place.organization, pool, name)
    _change(pool, fields)
    return Response(body=_body(world, place, pool))


def _flags(fields: dict[str, Json]) -> None:
    for key in ("autoProvision", "autoUpdate"):
        if not isinstance(fields.get(key, False), bool | None):
            raise refusals.bad_argument(f"The value '{fields[key]}' is not valid for {key}.")


def _change(pool: AgentPool, fields: dict[str, Json]) -> None:
    pool.auto_provision = bool(fields.get("autoProvision", pool.auto_provision))
    pool.auto_update = bool(fields.get("autoUpdate", pool.auto_update))


def delete(world: World, request: Request) -> Response:
    """The pool goes, with its queues in all projects."""
    place = access.enter(world, request)
    pool = place.pool()
    place.require(rights.pool_token(pool), rights.MANAGE, right="Manage", what=f"pool {pool.name}")
    lifecycle.delete_pool(world, place.organization, pool, by=place.caller)
    return Response()


def has_permissions(world: World, request: Request) -> Response:
    """Whether the caller has all of these bits; a bare boolean."""
    place = access.enter(world, request)
    pool = place.pool()
    wanted = access.number(request.params["permissions"], "permissions")
    return Response(body=place.may(rights.pool_token(pool), wanted))


def get_metadata(world: World, request: Request) -> Response:
    """The description; not documented, what the web page reads."""
    pool = access.enter(world, request).pool()
    return Response(body=pool.metadata)


def set_metadata(world: World, request: Request) -> Response:
    """The description: the body is one JSON text (VSTeam, Set-VSTeamPool)."""
    place = access.enter(world, request)
    pool = place.pool()
    if not isinstance(request.body, str):
        raise refusals.bad_argument("The body has to be a JSON text.\r\nParameter name: metadata")
    place.require(rights.pool_token(pool), rights.MANAGE, right="Manage", what=f"pool {pool.name}")
    pool.metadata = request.body
    return Response()


def clouds(world: World, request: Request) -> Response:
    """Agent clouds: the one of the service itself."""
    access.enter(world, request)
    return responses.wrapped([{"agentCloudId": 1, "name": "Azure Pipelines", "internal": True, "type": "Hosted"}])

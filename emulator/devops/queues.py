"""Agent queues of a project (vsts-rest-api-specs distributedTask 7.2, queues).

A queue is found through its own project only. Listing without a project is a switch: the document allows it, the
service's route template does not.
"""

from __future__ import annotations

from emulator.devops import access, lifecycle, pools, refusals, responses, rights
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.state.devops import AgentPool, Project, Queue
from emulator.world import World


def list_project(world: World, request: Request) -> Response:
    """By pools, ids, names or one name; every filter is optional."""
    place = access.enter(world, request)
    project = place.project()
    index = place.organization.queues_of_project.get(project.id, {})
    if "poolids" in request.query:
        listed = access.numbers(request.query["poolids"], "poolIds")
        found = [index[one] for one in dict.fromkeys(listed) if one in index]
    else:
        found = list(index.values())
    return _answer(place, found)


def list_organization(world: World, request: Request) -> Response:
    """Across projects, where the service lets one (switch)."""
    place = access.enter(world, request)
    if world.switches.word("devops.organization-queue-list") == "refused":
        raise ApiError(
            404,
            "HttpException",
            f"The controller for path '{request.path}' was not found or does not implement IController.",
        )
    if "poolids" in request.query:
        listed = dict.fromkeys(access.numbers(request.query["poolids"], "poolIds"))
        found = [q for one in listed for q in place.organization.queues_of_pool.get(one, {}).values()]
    else:
        found = list(place.organization.queues.values())
    projects = place.organization.projects
    visible = {one.id for one in projects.values() if one.state == "wellFormed" and place.sees(one)}
    if world.switches.word("devops.organization-queue-list") == "incomplete":
        visible -= set(sorted(visible)[::2])
    return _answer(place, [queue for queue in found if queue.project in visible])


def _answer(place: access.RequestScope, found: list[Queue]) -> Response:
    query = place.request.query
    wanted = pools.action_bits(place.request) | rights.VIEW
    if ids := query.get("queueids"):
        listed = access.numbers(ids, "queueIds")
        found = [queue for queue in found if queue.id in listed]
    if names := query.get("queuenames"):
        lower = {name.strip().lower() for name in names.split(",")}
        found = [queue for queue in found if queue.name.lower() in lower]
    if name := query.get("queuename"):
        found = [queue for queue in found if pools.name_matches(place.world, queue.name, name)]
    seen = [q for q in found if q.pool.ready and place.may(rights.queue_token(q), wanted)]
    seen.sort(key=lambda queue: queue.id)
    return responses.wrapped(responses.queue(place.organization, queue) for queue in seen)


def get(world: World, request: Request) -> Response:
    """One queue."""
    place = access.enter(world, request)
    queue = place.queue(place.project())
    if not place.may(rights.queue_token(queue), pools.action_bits(request)):
        raise refusals.no_queue(str(queue.id))
    return Response(body=responses.queue(place.organization, queue))


def create(world: World, request: Request) -> Response:
    """A queue of a pool; by a name alone the pool is made too (terraform-provider-azuredevops #456)."""
    place = access.enter(world, request)
    project = place.project()
    fields = place.fields("queue")
    name = fields.get("name")
    if name is not None and not isinstance(name, str):
        raise refusals.bad_argument(f"The value '{name}' is not valid for queue.Name.")
    _require_creator(place, project)
    taken = place.organization.queues_of_project.get(project.id, {}).values()
    if name and any(queue.name.lower() == name.lower() for queue in taken):
        raise refusals.queue_exists(name)
    pool = _pool(place, fields, name or "")
    wanted = name or pool.name
    if any(queue.pool is pool or queue.name.lower() == wanted.lower() for queue in taken):
        raise refusals.queue_exists(wanted)
    queue = lifecycle.make_queue(world, place.organization, project, pool, by=place.caller, name=wanted)
    authorized = access.truthy(request.query.get("authorizepipelines"))
    if authorized or str(pool.properties.get("System.AutoAuthorize")).lower() == "true":
        lifecycle.open_queue(world, place.organization, queue, by=place.caller)
    return Response(body=responses.queue(place.organization, queue))


def _require_creator(place: access.RequestScope, project: Project) -> None:
    found = rights.bits(place.organization, place.caller, rights.project_token(project.id))
    if not found & (rights.CREATE | rights.ADMINISTER):
        raise refusals.denied(place.caller, "Create", f"agent queues of project {project.name}")


def _pool(place: access.RequestScope, fields: dict[str, Json], name: str) -> AgentPool:
    reference = fields.get("pool")
    if reference is not None and not isinstance(reference, dict):
        raise refusals.bad_argument("The pool has to be an object.\r\nParameter name: queue.Pool")
    key = (reference or {}).get("id")
    if key is not None:
        pool = place.pool(str(access.number(key, "queue.Pool.Id")))
    elif not name:
        raise refusals.missing("queue.Name")
    else:
        existing = place.organization.pool_named(name)
        if existing is None:
            place.require(rights.POOLS, rights.MANAGE, right="Manage", what="all agent pools")
            return lifecycle.make_pool(place.world, place.organization, name, by=place.caller)
        pool = existing
    place.require(rights.pool_token(pool), rights.USE, right="Use", what=f"pool {pool.name}")
    return pool


def delete(world: World, request: Request) -> Response:
    """The queue goes, with its authorizations and roles; the pool stays."""
    place = access.enter(world, request)
    queue = place.queue(place.project())
    place.require(rights.queue_token(queue), rights.ADMINISTER, right="Administer", what=f"queue {queue.name}")
    place.organization.drop_queue(queue)
    return Response()

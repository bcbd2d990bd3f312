"""Agent pools of an estate, with their queues, authorizations, roles and inheritance."""

from __future__ import annotations

from emulator.devops import checks, people, rights
from emulator.devops.document import EstateNode, node
from emulator.devops.estate_people import give, identity_of
from emulator.documents import Json
from emulator.state.devops import Acl, AgentPool, Authorization, Check, Organization, PipelinePermit, Queue
from emulator.world import World

POOL = (
    *("name", "id", "isHosted", "poolType", "autoProvision", "autoUpdate", "agentCloudId", "managed", "allProjects"),
    *("options", "owner"),
    *("hiddenFrom", "createdBy", "createdOn", "description", "inherit", "roles", "openAccess", "queues", "properties"),
)
QUEUE = ("project", "id", "name", "openAccess", "pipelines", "inherit", "roles", "managed", "checks")
CHECK = ("id", "type", "settings", "timeout", "by", "on", "changedBy", "changedOn", "disabled")
CHECK_TYPE = ("id", "name")
PERMIT = ("by", "on")
PIPELINE_PERMIT = ("id", "by", "on")


def load_pools(raw: EstateNode, organization: Organization, world: World) -> None:
    """`agentPools:` of an organization; numbers that the estate gives are kept, others follow them."""
    entries = list(raw.nodes("agentPools", POOL, short="name"))
    for entry in entries:
        organization.reserve("pool", entry.whole("id") or 0)
        for queue in entry.nodes("queues", QUEUE, short="project"):
            organization.reserve("queue", queue.whole("id") or 0)
    for entry in entries:
        _pool(entry, organization, world)


def _pool(raw: EstateNode, organization: Organization, world: World) -> None:
    name, given = raw.text("name"), raw.whole("id")
    if organization.pool_named(name):
        raise ValueError(f"{raw.where}.name: {name!r} is there twice in {organization.name}")
    if given in organization.pools:
        raise ValueError(f"{raw.where}.id: {given} is there twice in {organization.name}")
    creator = raw.text("createdBy", "")
    pool = AgentPool(
        id=organization.next_id("pool") if given is None else given,
        name=name,
        pool_type=raw.text("poolType", "automation"),
        is_hosted=raw.flag("isHosted", False),
        auto_provision=raw.flag("autoProvision", False),
        auto_update=raw.flag("autoUpdate", True),
        agent_cloud=raw.whole("agentCloudId"),
        options=raw.text("options", "none"),
        owner=raw.text("owner", ""),
        created_by=_id_of(creator, organization, f"{raw.where}.createdBy"),
        created_on=raw.text("createdOn", world.clock.stamp()),
        metadata=raw.text("description", ""),
        properties=dict(raw.raw.get("properties") or {}),
        hidden_from=set(raw.texts("hiddenFrom")),
        managed=raw.flag("managed", False),
        all_projects=raw.flag("allProjects", False),
    )
    organization.pools[pool.id] = pool
    _inheritance(raw, organization, world, rights.pool_token(pool))
    give(world, organization, rights.pool_token(pool), raw, "roles")
    opened = raw.flag("openAccess", False)
    for entry in raw.nodes("queues", QUEUE, short="project"):
        _queue(entry, organization, world, pool, opened)


def _inheritance(raw: EstateNode, organization: Organization, world: World, token: str) -> None:
    if not raw.flag("inherit", True):
        organization.acls[token] = world.visible(Acl(False))


def _queue(raw: EstateNode, organization: Organization, world: World, pool: AgentPool, opened: bool) -> None:
    project = organization.project_named(raw.text("project"))
    if project is None:
        name = raw.text("project")
        raise ValueError(f"{raw.where}.project: {name!r} is not a project of {organization.name}")
    if project.id in organization.queues_of_pool.get(pool.id, {}):
        raise ValueError(f"{raw.where}.project: {project.name!r} has a queue of {pool.name} already")
    given = raw.whole("id")
    if given in organization.queues:
        raise ValueError(f"{raw.where}.id: {given} is there twice in {organization.name}")
    queue = Queue(
        id=organization.next_id("queue") if given is None else given,
        name=raw.text("name", pool.name),
        project=project.id,
        pool=pool,
        authorization=world.visible(_authorization(raw, organization, world, opened)),
        managed=raw.flag("managed", pool.managed),
    )
    organization.add_queue(queue)
    for entry in raw.nodes("checks", CHECK):
        _check(entry, organization, world, queue)
    _inheritance(raw, organization, world, rights.queue_token(queue))
    give(world, organization, rights.queue_token(queue), raw, "roles")


def _check(raw: EstateNode, organization: Organization, world: World, queue: Queue) -> None:
    number, kind = raw.whole("id"), node(raw.raw.get("type") or {}, f"{raw.where}.type", CHECK_TYPE)
    name, changer = kind.text("name"), raw.text("changedBy", "")
    number = organization.next_id("check") if number is None else organization.reserve("check", number)
    queue.checks[number] = Check(
        id=number,
        type_id=kind.text("id", checks.TYPES.get(name, "")),
        type_name=name,
        settings=dict(raw.raw.get("settings") or {}),
        timeout=raw.whole("timeout") or checks.TIMEOUT,
        by=_id_of(raw.text("by", ""), organization, f"{raw.where}.by"),
        on=raw.text("on", world.clock.stamp()),
        changed_by=_id_of(changer, organization, f"{raw.where}.changedBy") if changer else "",
        changed_on=raw.text("changedOn", ""),
        disabled=raw.flag("disabled", False),
    )


def _authorization(raw: EstateNode, organization: Organization, world: World, opened: bool) -> Authorization:
    value = raw.raw.get("openAccess", opened)
    everyone = None
    if value is not False:
        where = f"{raw.where}.openAccess"
        everyone = _permit({} if value is True else value, where, organization, world)
    pipelines: dict[int, PipelinePermit] = {}
    for index, one in enumerate(raw.items("pipelines")):
        where = f"{raw.where}.pipelines[{index}]"
        entry = node({"id": one} if isinstance(one, int) else one, where, PIPELINE_PERMIT)
        number = entry.whole("id")
        if number is None:
            raise ValueError(f"{where}.id: is missing")
        pipelines[number] = _permit({k: v for k, v in entry.raw.items() if k != "id"}, where, organization, world)
    return Authorization(everyone, pipelines)


def _permit(raw: Json, where: str, organization: Organization, world: World) -> PipelinePermit:
    entry = node(raw, where, PERMIT)
    by = _id_of(entry.text("by", ""), organization, f"{where}.by")
    return PipelinePermit(by, entry.text("on", world.clock.stamp()))


def _id_of(name: str, organization: Organization, where: str) -> str:
    if not name:
        return people.default_author(organization).id
    return name if name in organization.identities else identity_of(organization, where, name).id

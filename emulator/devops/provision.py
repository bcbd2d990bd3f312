"""What ARM's writes of a managed pool do in Azure DevOps: the seam that the ARM plane calls.

Everything is done as the caller of ARM, not as the pool's identity (Microsoft Learn: Managed DevOps Pools,
prerequisites and configure-security). Refusals are `PoolProvisioningFailed` with the service's words; they end up
inside the status of the operation.
"""

from __future__ import annotations

from emulator.devops import access, lifecycle, profiles, rights
from emulator.documents import Json
from emulator.frame import ApiError
from emulator.state.devops import AgentPool, Identity, Organization, Project
from emulator.world import World

SERVICE = "00000000-0000-0000-0000-00000000d0b5"
"""Local id of the owner of managed pools where a switch says that they have one of their own."""


def _failed(text: str) -> ApiError:
    return ApiError(400, "PoolProvisioningFailed", text)


def _not_created(agent_pool: str) -> ApiError:
    return _failed(
        f"Could not find or create agent pool '{agent_pool}'. The logged-in user may not have sufficient permissions "
        "in the Azure DevOps organization or project(s)."
    )


def provision(
    world: World,
    *,
    organization: str,
    agent_pool: str,
    projects: list[str],
    open_access: bool,
    permission_profile: dict[str, Json] | None,
    creator: str,
) -> None:
    """Make the agent pool with queues, roles, inheritance and open access; an empty `projects` means all."""
    found, who = _enter(world, organization, creator)
    targets = _targets(world, found, who, agent_pool, projects)
    pool = found.pool_named(agent_pool)
    if pool is not None and world.switches.word("devops.taken-pool-name") == "refused":
        raise _not_created(agent_pool)
    if pool is None:
        pool = lifecycle.make_pool(world, found, agent_pool, by=who)
        pool.managed = True
        _mark(world, pool)
        _set_roles(world, found, pool, permission_profile, who)
        _appear_later(world, pool)
    pool.all_projects = not projects
    if world.switches.word("devops.queues-at-creation") == "none":
        return
    for project in targets:
        _queue(world, found, project, pool, who, opened=open_access)


def _mark(world: World, pool: AgentPool) -> None:
    match world.switches.word("devops.managed-pool-marks"):
        case "agent-cloud":
            pool.agent_cloud = 2
        case "options":
            pool.options = "singleUseAgents"
        case "owner":
            pool.owner = SERVICE


def _set_roles(
    world: World, organization: Organization, pool: AgentPool, profile: dict[str, Json] | None, who: Identity
) -> None:
    """Roles of a new pool; where they cannot be set, the pool goes again."""
    try:
        profiles.apply(world, organization, pool, profile, creator=who)
    except ApiError:
        lifecycle.delete_pool(world, organization, pool, by=who)
        raise


def _enter(world: World, name: str, creator: str) -> tuple[Organization, Identity]:
    devops = world.devops
    url = f"https://dev.azure.com/{name}"
    oid = world.principals[creator].oid
    try:
        organization = devops.organization(name)
        who = access.caller(world, organization, creator)
    except ApiError:
        text = f"The logged in user, {oid}, was not found in the Azure DevOps organization provided, {url}"
        raise _failed(f"Failed to provision agent pool. Exception: {text}") from None
    if not rights.bits(organization, who, rights.POOLS) & rights.MANAGE:
        text = f"The logged in user, {oid}, does not have Manage permissions in the Azure DevOps organization provided"
        raise _failed(f"Failed to provision agent pool. Exception: {text}, {url}")
    return organization, who


def _targets(
    world: World, organization: Organization, who: Identity, agent_pool: str, names: list[str]
) -> list[Project]:
    """All projects where the caller may create queues; of listed ones each, or nothing is made."""
    if not names:
        return [one for one in organization.projects.values() if _may_create(world, organization, who, one)]
    found = []
    for name in names:
        project = organization.project_named(name)
        if project is None or not _may_create(world, organization, who, project):
            raise _not_created(agent_pool)
        found.append(project)
    return found


def _may_create(world: World, organization: Organization, who: Identity, project: Project) -> bool:
    if project.state != "wellFormed" or not rights.sees_project(world, organization, who, project):
        return False
    bits = rights.bits(organization, who, rights.project_token(project.id))
    return bool(bits & (rights.CREATE | rights.ADMINISTER))


def _queue(
    world: World, organization: Organization, project: Project, pool: AgentPool, who: Identity, *, opened: bool
) -> None:
    if project.id in organization.queues_of_pool.get(pool.id, {}):
        return
    queue = lifecycle.make_queue(world, organization, project, pool, by=who)
    queue.managed = True
    if opened:
        lifecycle.open_queue(world, organization, queue, by=who)


def _appear_later(world: World, pool: AgentPool) -> None:
    delay = world.switches.number("devops.pool-delay")
    if delay:
        pool.ready = False
        world.later(delay, lambda: setattr(pool, "ready", True))


def update(
    world: World,
    *,
    organization: str,
    agent_pool: str,
    projects: list[str],
    open_access: bool | None,
    permission_profile: dict[str, Json] | None,
    creator: str,
) -> None:
    """Follow a later write: queues for projects that have none, closed.

    `open_access` and `permission_profile` are None where the write leaves them alone, which it does by what is
    documented: both are effective at creation only.
    """
    found, who = _enter(world, organization, creator)
    pool = found.pool_named(agent_pool)
    if pool is None:
        raise _not_created(agent_pool)
    targets = _targets(world, found, who, agent_pool, projects)
    pool.all_projects = not projects
    for project in targets:
        _queue(world, found, project, pool, who, opened=False)
    _leave(world, found, pool, {one.id for one in targets}, listed=bool(projects))
    if world.switches.on("devops.update-resets-access"):
        _reset(world, found, pool, who)
    if permission_profile is not None:
        profiles.apply(world, found, pool, permission_profile, creator=who)
    if open_access is not None:
        for queue in found.queues_of_pool.get(pool.id, {}).values():
            if open_access:
                lifecycle.open_queue(world, found, queue, by=who)
            else:
                lifecycle.close_queue(world, found, queue, by=who)


def _leave(world: World, organization: Organization, pool: AgentPool, wanted: set[str], *, listed: bool) -> None:
    if not listed or world.switches.word("devops.queue-of-removed-project") == "kept":
        return
    for queue in list(organization.queues_of_pool.get(pool.id, {}).values()):
        if queue.managed and queue.project not in wanted:
            organization.drop_queue(queue)


def _reset(world: World, organization: Organization, pool: AgentPool, who: Identity) -> None:
    profiles.apply(world, organization, pool, None, creator=who)
    for queue in organization.queues_of_pool.get(pool.id, {}).values():
        lifecycle.close_queue(world, organization, queue, by=who)


def remove(world: World, *, organization: str, agent_pool: str, creator: str) -> None:
    """Take the agent pool away with its queues; where it is gone already, nothing is to be done."""
    devops = world.devops
    found = devops.organizations.get(organization.lower())
    pool = found.pool_named(agent_pool) if found else None
    if found is None or pool is None:
        return
    _, who = _enter(world, organization, creator)
    lifecycle.delete_pool(world, found, pool, by=who)

"""Changes of pools, queues and projects, with everything that follows from them.

The routes, provisioning by ARM and what people do by hand all go through here, so that the same things follow.
Nothing here asks for rights: who may is the caller's business.
"""

from __future__ import annotations

from emulator.devops import audit_log, estate, grants, people, rights, roledefs
from emulator.state.devops import AgentPool, Authorization, Identity, Organization, PipelinePermit, Project, Queue
from emulator.world import World


def make_pool(
    world: World, organization: Organization, name: str, *, by: Identity, pool_type: str = "automation"
) -> AgentPool:
    """A pool whose creator is its Administrator (Microsoft Learn: agent pool roles)."""
    pool = AgentPool(
        id=organization.next_id("pool"),
        name=name,
        pool_type=pool_type,
        created_by=by.id,
        created_on=world.clock.stamp(),
    )
    organization.pools[pool.id] = pool
    grants.grant(world, organization, rights.pool_token(pool), who=by.id, role=roledefs.ADMINISTRATOR)
    audit_log.record(world, organization, by, "Library.AgentPoolCreated", data=_pool_data(pool))
    return pool


def _pool_data(pool: AgentPool) -> dict[str, object]:
    return {
        "AgentPoolName": pool.name,
        "AgentPoolId": pool.id,
        "IsHosted": pool.is_hosted,
        "IsLegacy": False,
        "AgentCloudId": pool.agent_cloud,
    }


def rename_pool(world: World, organization: Organization, pool: AgentPool, name: str) -> None:
    """A new name; whether the queues take it too is a switch."""
    if world.switches.on("devops.renamed-pool-renames-queues"):
        for queue in organization.queues_of_pool.get(pool.id, {}).values():
            queue.name = name if queue.name == pool.name else queue.name
    pool.name = name


def delete_pool(world: World, organization: Organization, pool: AgentPool, *, by: Identity) -> None:
    """The pool, its queues and its access control lists."""
    for queue in list(organization.queues_of_pool.get(pool.id, {}).values()):
        organization.drop_queue(queue)
    del organization.pools[pool.id]
    organization.acls.pop(rights.pool_token(pool), None)
    audit_log.record(world, organization, by, "Library.AgentPoolDeleted", data=_pool_data(pool))


def make_queue(
    world: World, organization: Organization, project: Project, pool: AgentPool, *, by: Identity, name: str = ""
) -> Queue:
    """A closed queue; its creator is Administrator."""
    queue = Queue(
        id=organization.next_id("queue"),
        name=name or pool.name,
        project=project.id,
        pool=pool,
        authorization=world.visible(Authorization()),
    )
    organization.add_queue(queue)
    grants.grant(world, organization, rights.queue_token(queue), who=by.id, role=roledefs.ADMINISTRATOR)
    return queue


def open_queue(world: World, organization: Organization, queue: Queue, *, by: Identity) -> None:
    """Open access at birth or by hand: there at once, without lag; what is open already keeps its author."""
    if queue.authorization.written.everyone is not None:
        return
    permit = PipelinePermit(by.id, world.clock.stamp())
    queue.authorization = world.visible(Authorization(permit, queue.authorization.written.pipelines))
    project = organization.projects[queue.project]
    audit_log.resource(world, organization, by, project, word="Authorized", to="Project", key=("queue", str(queue.id)))


def close_queue(world: World, organization: Organization, queue: Queue, *, by: Identity) -> None:
    """Only the listed pipelines keep access."""
    if queue.authorization.written.everyone is None:
        return
    queue.authorization.write(Authorization(None, queue.authorization.written.pipelines))
    project = organization.projects[queue.project]
    audit_log.resource(
        world, organization, by, project, word="Unauthorized", to="Project", key=("queue", str(queue.id))
    )


def auto_provision(world: World, organization: Organization, project: Project, pool: AgentPool) -> None:
    """A queue of a pool that wants one in every project; open where the pool says so."""
    if project.state != "wellFormed" or project.id in organization.queues_of_pool.get(pool.id, {}):
        return
    creator = organization.identities.get(pool.created_by, people.administrators(organization))
    queue = make_queue(world, organization, project, pool, by=creator)
    if str(pool.properties.get("System.AutoAuthorize")).lower() == "true":
        open_queue(world, organization, queue, by=creator)


def create_project(world: World, organization: Organization, name: str, *, by: Identity, project_id: str) -> Project:
    """A project; pools with automatic provisioning follow, managed pools for all projects by switch."""
    project = estate.make_project(world, organization, name=name, project_id=project_id)
    if (group := organization.group_of(project.id, "Project Administrators")) is not None:
        group.members.add(by.id)
    organization.closures.clear()
    for pool in list(organization.pools.values()):
        follows = pool.all_projects and world.switches.word("devops.queue-for-later-project") == "made"
        if pool.auto_provision or follows:
            auto_provision(world, organization, project, pool)
    data = {
        "ProjectId": project.id,
        "ProjectName": project.name,
        "ProcessTemplate": "Agile",
        "ProjectVisibility": project.visibility.capitalize(),
    }
    audit_log.record(world, organization, by, "Project.CreateCompleted", data=data, project=project)
    return project


def rename_project(world: World, organization: Organization, project: Project, name: str, *, by: Identity) -> None:
    """A new name; the groups of the project carry it too."""
    data = {"ProjectId": project.id, "ProjectName": name, "PreviousProjectName": project.name}
    project.name = name
    project.revision += 1
    project.updated = world.clock.stamp()
    for group in [one for one in organization.groups() if one.scope == project.id]:
        del organization.by_name[group.name.lower()]
        group.name, group.unique_name = people.group_names(organization, project, group.display_name)
        organization.by_name[group.name.lower()] = group
    audit_log.record(world, organization, by, "Project.UpdateRenameCompleted", data=data, project=project)


def delete_project(world: World, organization: Organization, project: Project, *, by: Identity) -> None:
    """Soft deletion: the project is not found any more, and can be restored."""
    project.state = "deleted"
    project.revision += 1
    project.updated = world.clock.stamp()
    data = {"ProjectId": project.id, "ProjectName": project.name}
    audit_log.record(world, organization, by, "Project.SoftDeleteCompleted", data=data, project=project)


def restore_project(world: World, organization: Organization, project: Project, *, by: Identity) -> None:
    """Back from deletion, with everything that it had."""
    project.state = "wellFormed"
    project.revision += 1
    project.updated = world.clock.stamp()
    data = {"ProjectId": project.id, "ProjectName": project.name}
    audit_log.record(world, organization, by, "Project.RestoreCompleted", data=data, project=project)

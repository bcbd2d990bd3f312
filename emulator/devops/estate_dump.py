"""Writes the Azure DevOps half of an estate as it stands, in the form that `estate.load` reads."""

from __future__ import annotations

from copy import deepcopy

from emulator.devops import people, rights, roledefs
from emulator.documents import Json
from emulator.state.devops import (
    AgentPool,
    Authorization,
    Check,
    Identity,
    Organization,
    Pipeline,
    PipelinePermit,
    Project,
    Queue,
)
from emulator.world import World


def dump(world: World) -> dict[str, Json]:
    """``{"organizations": […]}``."""
    devops = world.devops
    return {"organizations": [_organization(world, one) for one in devops.organizations.values()]}


def _organization(world: World, organization: Organization) -> Json:
    administrators = people.administrators(organization)
    identities = organization.identities.values()
    return {
        "name": organization.name,
        "id": organization.id,
        "counters": dict(organization.counters),
        "identities": [_identity(organization, one) for one in identities if one.origin == "aad"],
        "administrators": sorted(_names(organization, administrators)),
        "projects": [_project(world, organization, one) for one in organization.projects.values()],
        "groups": [
            {"name": one.name, "id": one.id, "members": sorted(_names(organization, one))}
            for one in identities
            if one.origin == "vsts" and one.is_group and one is not administrators
        ],
        "buildServices": [
            {
                "project": organization.name if one.serves == organization.id else one.serves,
                "id": one.id,
                "name": one.display_name,
            }
            for one in identities
            if one.serves
        ],
        "roles": _roles(world, organization, rights.POOLS),
        "agentPools": [_pool(world, organization, one) for one in organization.pools.values()],
    }


def _names(organization: Organization, group: Identity) -> list[str]:
    return [organization.identities[one].name for one in group.members if one in organization.identities]


def _identity(organization: Organization, one: Identity) -> Json:
    found: dict[str, Json] = {"principal": one.name, "id": one.id, "license": one.license}
    if one.is_group:
        found["members"] = sorted(_names(organization, one))
    return found


def _project(world: World, organization: Organization, project: Project) -> Json:
    return {
        "name": project.name,
        "id": project.id,
        "state": project.state,
        "visibility": project.visibility,
        "description": project.description,
        "hiddenFrom": sorted(project.hidden_from),
        "pipelines": [_pipeline(one) for one in project.pipelines.values()],
        "roles": _roles(world, organization, rights.project_token(project.id)),
    }


def _pipeline(one: Pipeline) -> Json:
    found: dict[str, Json] = {"id": one.id, "name": one.name, "path": one.path}
    if one.queue is not None:
        found["queue"] = one.queue
    if one.phases:
        found["phases"] = list(one.phases)
    if one.revision > 1:
        found["revision"] = one.revision
    if one.variables:
        found["variables"] = deepcopy(one.variables)
    return found


def _check(one: Check) -> Json:
    return {
        "id": one.id,
        "type": {"id": one.type_id, "name": one.type_name},
        "settings": deepcopy(one.settings),
        "timeout": one.timeout,
        "by": one.by,
        "on": one.on,
        **({"changedBy": one.changed_by, "changedOn": one.changed_on} if one.changed_by else {}),
        **({"disabled": True} if one.disabled else {}),
    }


def _pool(world: World, organization: Organization, pool: AgentPool) -> Json:
    token = rights.pool_token(pool)
    queues = organization.queues_of_pool.get(pool.id, {}).values()
    found: dict[str, Json] = {
        "name": pool.name,
        "id": pool.id,
        "poolType": pool.pool_type,
        "isHosted": pool.is_hosted,
        "autoProvision": pool.auto_provision,
        "autoUpdate": pool.auto_update,
        "managed": pool.managed,
        "allProjects": pool.all_projects,
        "hiddenFrom": sorted(pool.hidden_from),
        "createdBy": pool.created_by,
        "createdOn": pool.created_on,
        "description": pool.metadata,
        "properties": dict(pool.properties),
        "inherit": rights.written_acl(organization, token).inherit,
        "roles": _roles(world, organization, token),
        "queues": [_queue(world, organization, one) for one in queues],
    }
    if pool.agent_cloud is not None:
        found["agentCloudId"] = pool.agent_cloud
    if pool.options != "none":
        found["options"] = pool.options
    if pool.owner:
        found["owner"] = pool.owner
    return found


def _queue(world: World, organization: Organization, queue: Queue) -> Json:
    token = rights.queue_token(queue)
    authorization: Authorization = queue.authorization.written
    return {
        "project": _project_key(organization.projects[queue.project]),
        "id": queue.id,
        "name": queue.name,
        "managed": queue.managed,
        "openAccess": _permit(authorization.everyone) if authorization.everyone else False,
        "pipelines": [{"id": one, **_permit(permit)} for one, permit in authorization.pipelines.items()],
        "inherit": rights.written_acl(organization, token).inherit,
        "roles": _roles(world, organization, token),
        **({"checks": [_check(one) for one in queue.checks.values()]} if queue.checks else {}),
    }


def _permit(permit: PipelinePermit) -> dict[str, Json]:
    return {"by": permit.by, "on": permit.on}


def _roles(world: World, organization: Organization, token: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one, ace in rights.written_acl(organization, token).aces.items():
        role = roledefs.strongest(roledefs.scope_of(token), ace.allow, world.switches)
        who = organization.identities.get(one)
        if role and who and not (ace.allow == rights.EVERYTHING and who.origin == "vsts"):
            found.setdefault(role.name, []).append(who.name)
    return {role: sorted(names) for role, names in found.items()}


def _project_key(project: Project) -> str:
    return project.name if project.state == "wellFormed" else project.id

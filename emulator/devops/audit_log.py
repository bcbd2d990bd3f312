"""Writes the audit log: one entry for each thing that happened, published as it happens.

Entries and action ids: Microsoft Learn, auditing events; vsts-rest-api-specs audit 7.2. There is no action for the
creation or deletion of a project's queue.
"""

from __future__ import annotations

import uuid

from emulator.devops import people
from emulator.documents import Json
from emulator.frame import USER_AGENT
from emulator.state.devops import Identity, Organization, Project
from emulator.world import World

CATEGORIES = {
    "Library.AgentPoolCreated": "create",
    "Library.AgentPoolDeleted": "remove",
    "Pipelines.ResourceAuthorizedForProject": "modify",
    "Pipelines.ResourceUnauthorizedForProject": "modify",
    "Pipelines.ResourceAuthorizedForPipeline": "modify",
    "Pipelines.ResourceUnauthorizedForPipeline": "modify",
    "Security.ModifyPermission": "modify",
    "Security.RemovePermission": "remove",
    "Security.ModifyAccessControlLists": "modify",
    "Security.RemoveAccessControlLists": "remove",
    "Project.CreateCompleted": "create",
    "Project.UpdateRenameCompleted": "modify",
    "Project.SoftDeleteCompleted": "remove",
    "Project.HardDeleteCompleted": "remove",
    "Project.RestoreCompleted": "modify",
}
"""Every action that this plane writes, with its category."""


def record(
    world: World,
    organization: Organization,
    who: Identity,
    action: str,
    *,
    data: dict[str, Json],
    project: Project | None = None,
) -> None:
    """Add one entry, where the organization has auditing switched on."""
    if not world.switches.on("devops.audit"):
        return
    number = organization.next_id("audit")
    correlation = people.guid("audit", organization.id, str(number))
    category = CATEGORIES[action]
    entry: dict[str, Json] = {
        "id": f"{number:019d};{uuid.UUID(int=number)};{correlation}",
        "correlationId": correlation,
        "activityId": people.guid("activity", organization.id, str(number)),
        "actorCUID": people.guid("cuid", who.id),
        "actorUserId": who.id,
        "actorUPN": "" if who.is_application else who.unique_name,
        "actorClientId": who.application_id or str(uuid.UUID(int=0)),
        "authenticationMechanism": "AAD",
        "timestamp": world.clock.stamp(),
        "scopeType": "organization",
        "scopeDisplayName": f"{organization.name} (Organization)",
        "scopeId": organization.id,
        "projectId": project.id if project else str(uuid.UUID(int=0)),
        "projectName": project.name if project else "",
        "ipAddress": "127.0.0.1",
        "userAgent": USER_AGENT.get() if world.switches.on("devops.audit-user-agent") else "",
        "actionId": action,
        "data": data,
        "details": f"{action}: {', '.join(f'{key} {value}' for key, value in data.items())}",
        "area": action.split(".", maxsplit=1)[0],
        "category": category,
        "categoryDisplayName": category.capitalize(),
        "actorDisplayName": who.display_name,
    }
    organization.audit.append(entry)
    world.events.publish("audit", entry, organization=organization.name)


def resource(
    world: World,
    organization: Organization,
    who: Identity,
    project: Project,
    *,
    word: str,
    to: str,
    key: tuple[str, str],
) -> None:
    """A pipeline resource was authorized or not, for a project or for a pipeline."""
    action = f"Pipelines.Resource{word}For{to}"
    record(world, organization, who, action, data={"ResourceType": key[0], "ResourceId": key[1]}, project=project)


def security(world: World, organization: Organization, who: Identity, action: str, token: str) -> None:
    """An access control list changed."""
    record(world, organization, who, f"Security.{action}", data={"NamespaceName": "DistributedTask", "Token": token})

"""Bodies that several routes share: wrapped lists, references to people, pools and queues."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.documents import Json
from emulator.frame import Response
from emulator.state.devops import AgentPool, Identity, Organization, Queue


def wrapped(items: Iterable[Json]) -> Response:
    """A list as the service sends it: ``{"count", "value"}``, though the documents declare bare arrays."""
    value = list(items)
    return Response(body={"count": len(value), "value": value})


def nothing() -> Response:
    """204: done, and no more to say."""
    return Response(status=204)


def person(organization: Organization, local_id: str) -> Json:
    """A reference to an identity; only the id if it is unknown."""
    found = organization.identities.get(local_id)
    if found is None:
        return {"id": local_id, "displayName": local_id, "uniqueName": "", "descriptor": ""}
    return {
        "displayName": shown(found),
        "id": found.id,
        "uniqueName": found.unique_name,
        "descriptor": found.descriptor,
    }


def shown(identity: Identity) -> str:
    """The displayed name of an identity; groups with their scope."""
    return identity.unique_name if identity.is_group else identity.display_name


def pool_reference(pool: AgentPool, scope: str) -> dict[str, Json]:
    """An agent pool as queues name it."""
    return {
        "id": pool.id,
        "scope": scope,
        "name": pool.name,
        "isHosted": pool.is_hosted,
        "poolType": pool.pool_type,
        "size": 0,
        "isLegacy": False,
        "options": pool.options,
    }


def pool(organization: Organization, found: AgentPool) -> dict[str, Json]:
    """An agent pool in full."""
    elastic = found.agent_cloud is not None
    body: dict[str, Json] = {
        "createdOn": found.created_on,
        "autoProvision": found.auto_provision,
        "autoUpdate": found.auto_update,
        "autoSize": elastic,
        "targetSize": 0 if elastic else None,
        "agentCloudId": found.agent_cloud,
        "createdBy": person(organization, found.created_by),
        "owner": person(organization, found.owner or found.created_by),
        **pool_reference(found, organization.id),
    }
    return body


def queue(organization: Organization, found: Queue) -> dict[str, Json]:
    """An agent queue in full."""
    return {
        "id": found.id,
        "projectId": found.project,
        "name": found.name,
        "pool": pool_reference(found.pool, organization.id),
    }

"""The table of locations and areas, as data.

Templates of rows seen in recordings are the service's own; the others have its placeholders and are shaped after the
published documents.
"""

from __future__ import annotations

from dataclasses import dataclass

AREAS = {
    "a85b8835-c1a1-4aac-ae97-1c3d0ba72dbd": "distributedtask",
    "965220d5-5bb9-42cf-8d67-9b146df2a5a4": "build",
    "79134c72-4a58-4b42-976c-04e7115f32bf": "core",
    "4e080c62-fa21-4fbc-8fef-2a10a2b38049": "git",
    "2e0bf237-8973-4ec9-a581-9c3d679d1776": "pipelines",
    "a81a0441-de52-4000-aa15-ff0e07bfbbaa": "pipelinePermissions",
    "00025394-6065-48ca-87d9-7f5672854ef7": "Location",
    "8a3d49b8-91f0-46ef-b33d-dda338c25db3": "IMS",
    "bb1e7ec9-e901-4b68-999a-de7012b920f8": "Graph",
    "94ff054d-5ee1-413d-9341-3f4a7827de2e": "audit",
    "68ddce18-2501-45f1-a17b-7931a9922690": "MEMInternal",
}


@dataclass(frozen=True, slots=True)
class Location:
    """One resource of the table."""

    area: str
    resource: str
    id: str
    template: str
    version: int = 1
    released: str = "0.0"


_TASK, _GRAPH, _IMS, _MEM = "distributedtask", "Graph", "IMS", "MemberEntitlementManagement"
_AREA = "_apis/{area}/{resource}"
_RELEASED = "7.1"

LOCATIONS = (
    Location("Location", "ResourceAreas", "e81700f7-3be2-46de-8624-2eb35882fcaa", "_apis/{resource}/{areaId}"),
    Location("Location", "ConnectionData", "00d9565f-ed9c-4a06-9a50-00e7896ccab4", "_apis/{resource}"),
    Location(_TASK, "pools", "a8c47e17-4d56-4a56-92bb-de7ea7dc65be", f"{_AREA}/{{poolId}}", 1, _RELEASED),
    Location(
        _TASK,
        "queues",
        "900fa995-c559-4923-aae7-f8424fe4fbea",
        "{project}/_apis/{area}/{resource}/{queueId}",
        1,
        _RELEASED,
    ),
    Location(
        _TASK,
        "poolpermissions",
        "162778f3-4b48-48f3-9d58-436fb9c407bc",
        "_apis/{area}/pools/{poolId}/permissions/{permissions}",
    ),
    Location(_TASK, "agentclouds", "bfa72b3d-0fc6-43fb-932b-a7f6559f93b9", f"{_AREA}/{{agentCloudId}}"),
    Location(
        "pipelinePermissions",
        "pipelinePermissions",
        "b5b9a4a4-e6cd-4096-853c-ab7d8b0c4eb2",
        "{project}/_apis/pipelines/{resource}/{resourceType}/{resourceId}",
    ),
    Location(
        "build", "authorizedresources", "398c85bc-81aa-4822-947c-a194a05f0fef", "{project}/_apis/{area}/{resource}"
    ),
    Location(
        "build",
        "resources",
        "ea623316-1967-45eb-89ab-e9e6110cf2d6",
        "{project}/_apis/{area}/definitions/{definitionId}/{resource}",
    ),
    Location(
        "build",
        "definitions",
        "dbeaf647-6167-421a-bda9-c9327b25e2e6",
        "{project}/_apis/{area}/{resource}/{definitionId}",
        7,
        _RELEASED,
    ),
    Location("core", "projects", "603fe2ac-9723-48b9-88ad-09305aa6c6e1", "_apis/{resource}/{*projectId}", 4, _RELEASED),
    Location(
        "core",
        "processes",
        "93878975-88c5-4e6a-8abb-7ddd77a8a7d8",
        "_apis/process/{resource}/{processId}",
        1,
        _RELEASED,
    ),
    Location(
        "operations",
        "operations",
        "9a1b74b4-2ca8-4a9f-8470-c2f2e6fdc949",
        "_apis/{resource}/{operationId}",
        1,
        _RELEASED,
    ),
    Location(
        "securityroles",
        "roleassignments",
        "9461c234-c84c-4ed2-b918-2f0f92ad0a35",
        "_apis/{area}/scopes/{scopeId}/{resource}/resources/{resourceId}/{identityId}",
    ),
    Location(
        "securityroles",
        "roledefinitions",
        "f4cc9a86-453c-48d2-b44d-d3bd5c105f4f",
        "_apis/{area}/scopes/{scopeId}/{resource}",
    ),
    Location(
        "Security",
        "AccessControlLists",
        "18a2ad18-7571-46ae-bec7-0c7da1495885",
        "_apis/{resource}/{securityNamespaceId}",
        1,
        _RELEASED,
    ),
    Location(
        "Security",
        "AccessControlEntries",
        "ac08c8ff-4323-4b08-af90-bcd018d380ce",
        "_apis/{resource}/{securityNamespaceId}",
        1,
        _RELEASED,
    ),
    Location(
        "Security",
        "Permissions",
        "dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d",
        "_apis/{resource}/{securityNamespaceId}/{permissions}",
        2,
        _RELEASED,
    ),
    Location(
        "Security",
        "PermissionEvaluationBatch",
        "cf1faa59-1b63-4448-bf04-13d981a46f5d",
        "_apis/{area}/{resource}",
        1,
        _RELEASED,
    ),
    Location(
        "Security",
        "SecurityNamespaces",
        "ce7b9f95-fde9-4be8-a86d-83b366f0b87a",
        "_apis/{resource}/{securityNamespaceId}",
        1,
        _RELEASED,
    ),
    Location(
        "hooks", "subscriptions", "fc50d02a-849f-41fb-8af1-0a5216103269", f"{_AREA}/{{subscriptionId}}", 1, _RELEASED
    ),
    Location("IdentityPicker", "Identities", "4102f006-0b23-4b26-bb1b-b661605e6b33", _AREA),
    Location(_IMS, "Identities", "28010c54-d0c0-4c89-a5b0-1c9e188b9fb7", "_apis/{resource}/{identityId}", 1, _RELEASED),
    Location(_IMS, "IdentityBatch", "299e50df-fe45-4d3a-8b5b-a5836fac74dc", "_apis/{resource}", 1, _RELEASED),
    Location(_IMS, "me", "4bb02b5b-c120-4be2-b68e-21f7c50a4b82", "_apis/identities/{resource}", 1, _RELEASED),
    Location(_GRAPH, "Users", "005e26ec-6b77-4e4f-a986-b3827bf241f5", f"{_AREA}/{{userDescriptor}}"),
    Location(_GRAPH, "Groups", "ebbe6af8-0b91-4c13-8cf1-777c14858188", f"{_AREA}/{{groupDescriptor}}"),
    Location(
        _GRAPH,
        "ServicePrincipals",
        "e1dbb0ae-49cb-4532-95a1-86cd89cfcab4",
        f"{_AREA}/{{servicePrincipalDescriptor}}",
    ),
    Location(_GRAPH, "StorageKeys", "eb85f8cc-f0f6-4264-a5b1-ffe2e4d4801f", f"{_AREA}/{{subjectDescriptor}}"),
    Location(_GRAPH, "Descriptors", "048aee0a-7072-4cde-ab73-7af77b1e0b4e", f"{_AREA}/{{storageKey}}"),
    Location(_GRAPH, "SubjectLookup", "4dd4d168-11f2-48c4-83e8-756fa0de027c", _AREA),
    Location(_GRAPH, "SubjectQuery", "05942c89-006a-48ce-bb79-baeb8abf99c6", _AREA),
    Location(
        _GRAPH,
        "Memberships",
        "3fd2e6ca-fb30-443a-b579-95b19ed0934c",
        f"{_AREA}/{{subjectDescriptor}}/{{containerDescriptor}}",
    ),
    Location(
        _GRAPH,
        "MembershipsBatch",
        "e34b6394-6b30-4435-94a9-409a5eef3e31",
        "_apis/{area}/Memberships/{subjectDescriptor}",
    ),
    Location(_GRAPH, "MembershipStates", "1ffe5c94-1144-4191-907b-d0211cad36a8", f"{_AREA}/{{subjectDescriptor}}"),
    Location(_MEM, "ServicePrincipalEntitlements", "f03dbf50-80f8-41b7-8ca2-65b6a178caba", "_apis/{resource}"),
    Location(
        _MEM,
        "ServicePrincipalEntitlements",
        "1d491a66-190b-43ae-86b8-9c2688c55186",
        "_apis/{resource}/{servicePrincipalId}",
    ),
    Location(_MEM, "UserEntitlements", "387f832c-dbf2-4643-88e9-c1aa94dbb737", "_apis/{resource}", 3),
    Location(_MEM, "UserEntitlements", "8480c6eb-ce60-47e9-88df-eca3c801638b", "_apis/{resource}/{userId}", 3),
    Location("audit", "auditlog", "4e5fa14f-7097-4b73-9c85-00abc7353c61", _AREA),
    Location("audit", "actions", "6fa30b9a-9558-4e3b-a95f-a12572caa6e6", _AREA),
    Location("audit", "streams", "77d60bf9-1882-41c5-a90d-3a6d3c13fd3b", f"{_AREA}/{{streamId}}"),
)

"""One target of each type that there is, for tests that must leave none out."""

from __future__ import annotations

from typing import get_args

from reconciler.plan.targets import (
    AccessLevel,
    AgentPoolPlace,
    ArmTarget,
    AutoProvision,
    CreatePool,
    DevOpsTarget,
    DirectoryEntry,
    GroupMember,
    Inheritance,
    MovePool,
    NewQueue,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    ProjectPlace,
    QueuePlace,
    RepairedPipeline,
    ReplacePool,
    RestoredCheck,
    RoleAssignmentChange,
    Target,
    UpdatePool,
)

ORG = "fabrikam-prime"
WHOLE = OrganizationPlace(ORG)
POOL = AgentPoolPlace(ORG, 7)
PROJECT = ProjectPlace(ORG, "id-web", "Web")
QUEUE = QueuePlace(ORG, "id-web", "Web", 11, 7)
RESOURCE = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools/pool-1"

TARGETS: tuple[Target, ...] = (
    OpenAccess(QUEUE, allow=True),
    PipelineAuthorization(QUEUE, 3, "\\nightly", authorized=True),
    RoleAssignmentChange(POOL, "id-ann", "ann@fabrikam.com", None, "Administrator"),
    Inheritance(POOL, on=True),
    AutoProvision(POOL, on=True),
    NewQueue(PROJECT, 7, "build"),
    DirectoryEntry(POOL, "ann@fabrikam.com"),
    AccessLevel(WHOLE, "object", "", None, "express"),
    GroupMember(PROJECT, "object", "aad.1", "[Web]\\Readers", "vssgp.1"),
    RestoredCheck(QUEUE, "build", {"type": {"id": "8c6f20a7", "name": "Approval"}, "settings": {}, "timeout": 60}),
    RepairedPipeline(QUEUE, 3, "\\nightly", 10),
    CreatePool(RESOURCE, {}),
    UpdatePool(RESOURCE, {}),
    ReplacePool(RESOURCE, {}, ("location",)),
    MovePool(RESOURCE, "location"),
)
"""In the order of the union; `test_targets` checks that none is missing."""
TYPES: tuple[type, ...] = (*get_args(DevOpsTarget), *get_args(ArmTarget))

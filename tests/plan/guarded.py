"""A spec and single changes for the tests of the whole-plan guards."""

from __future__ import annotations

from datetime import date

from reconciler.plan.guards import refuse
from reconciler.plan.model import Change, Detail
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AgentPoolPlace,
    ArmTarget,
    AutoProvision,
    CreatePool,
    DirectoryEntry,
    Inheritance,
    NewQueue,
    OpenAccess,
    PipelineAuthorization,
    Place,
    ProjectPlace,
    QueuePlace,
    RoleAssignmentChange,
    Target,
    UpdatePool,
)
from reconciler.spec.model import (
    Access,
    Mode,
    OpenAccessException,
    Organization,
    PermissionKind,
    PermissionProfile,
    PipelineGrant,
    PoolRoles,
    QueueRoles,
    Spec,
)

ORG = "fabrikam-prime"
SPEC = Spec(
    name="pool-1",
    subscription="11111111-2222-3333-4444-555555555555",
    resource_group="rg-build",
    mode=Mode.ENFORCE,
    body={},
    organizations=(
        Organization(ORG, "pool-1", ("Dev", "Test"), open_access=True, auto_provision=False),
        Organization("fabrikam-tailspin", "pool-1", (), open_access=None, auto_provision=True),
    ),
    permission_profile=PermissionProfile(PermissionKind.SPECIFIC_ACCOUNTS, ("ann@fabrikam.com",), ("Builders",)),
    access=Access(
        open_access=(
            OpenAccessException(ORG, "Ops", allow=True, until=date(2026, 6, 30)),
            OpenAccessException(ORG, "Test", allow=False),
            OpenAccessException(ORG, "Both", allow=True),
            OpenAccessException(ORG, "Both", allow=False),
        ),
        pipelines=(PipelineGrant(ORG, "Pipes", (1, "\\Nightly"), exclusive=True),),
        roles=(
            PoolRoles(ORG, ("[fabrikam-prime]\\Platform",), exclusive=True),
            PoolRoles("fabrikam-tailspin", inherit=False),
        ),
        queue_roles=(QueueRoles(ORG, "Roles", {"User": ("carl@fabrikam.com",)}, exclusive=True),),
    ),
)
TODAY = date(2026, 6, 1)
ADMIN = "Administrator"
UPDATE, CREATE = UpdatePool(SPEC.pool_id.upper(), {}), CreatePool(SPEC.pool_id.upper(), {})


def change(target: Target, *, subject: str = "", kind: str = "some kind") -> Change:
    return Change("some", kind, subject or repr(target), None, None, target)


def pool(organization: str = ORG) -> AgentPoolPlace:
    return AgentPoolPlace(organization, 1)


def queue(project: str = "Dev", organization: str = ORG) -> QueuePlace:
    return QueuePlace(organization, f"id-{project}", project, 7, 1)


def opening(project: str = "Dev", organization: str = ORG) -> Change:
    return change(OpenAccess(queue(project, organization), allow=True))


def closing(project: str = "Test", organization: str = ORG) -> Change:
    return change(OpenAccess(queue(project, organization), allow=False))


def pipeline(name: str | int, project: str = "Pipes", *, number: int = 1, authorized: bool = True) -> Change:
    return change(PipelineAuthorization(queue(project), number, name, authorized))


def making(project: str = "Test", organization: str = ORG) -> Change:
    return change(NewQueue(ProjectPlace(organization, f"id-{project}", project), 1, "pool-1"))


def grant(
    principal: str = "ann@fabrikam.com", place: Place | None = None, role: str = ADMIN, who: str = "L9"
) -> Change:
    return change(RoleAssignmentChange(place or pool(), who, principal, None, role))


def lowering(principal: str, before: str, after: str | None, project: str = "Roles") -> Change:
    return change(RoleAssignmentChange(queue(project), "L7", principal, before, after))


def removal(principal: str = "bob@fabrikam.com", who: str = "L8") -> Change:
    return change(RoleAssignmentChange(pool(), who, principal, ADMIN, None))


def itself(place: Place, after: str | None = ADMIN) -> Change:
    return change(RoleAssignmentChange(place, "me", "operator", None, after, itself=True))


def member(principal: str = "ann@fabrikam.com") -> Change:
    return change(DirectoryEntry(pool(), principal))


def inheriting(organization: str = ORG, *, on: bool = True) -> Change:
    return change(Inheritance(pool(organization), on))


def provisioning(organization: str = ORG, *, on: bool = True) -> Change:
    return change(AutoProvision(pool(organization), on))


def arm(target: ArmTarget = UPDATE, *details: Detail) -> Change:
    return Change("pool", "pool", "pool-1", None, None, target, details)


def used_by(*urls: str) -> ArmTarget:
    organizations = [{"url": url} for url in urls]
    return UpdatePool(SPEC.pool_id, {"properties": {"organizationProfile": {"organizations": organizations}}})


def adding(organization: str) -> Change:
    """An update that adds an organization to the body, for all its projects."""
    line = Detail(f"organizationProfile.organizations[{organization}]", None, "all")
    return arm(used_by(f"https://dev.azure.com/{organization}"), line)


def rules(*changes: Change, spec: Spec = SPEC, policy: Policy | None = None, today: date = TODAY) -> list[str]:
    return [refusal.rule for refusal in refuse(spec, changes, policy or Policy(), today=today)]

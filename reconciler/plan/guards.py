"""What no plan may do, whichever facet planned it: the second lock behind every facet's own guard.

Guards trust neither the diff nor the facets: they compare a whole plan with the spec and the deployment's policy, and
refuse single changes of it. They know nothing of what was observed (facets guard that), and decide by a change's target
alone (`reconciler.plan.targets`). A target that no rule here recognises is refused, whether it widens or narrows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Never, assert_never

from reconciler.documents import Json
from reconciler.plan import spec_allows
from reconciler.plan.contradictions import Finding, contradicting
from reconciler.plan.model import Change, Detail, Refusal, Risk
from reconciler.plan.policy import Policy, allows, rules, uses
from reconciler.plan.targets import (
    AccessLevel,
    AgentPoolPlace,
    ArmTarget,
    AutoProvision,
    CreatePool,
    DevOpsTarget,
    DirectoryEntry,
    GrantTarget,
    GroupMember,
    Inheritance,
    MovePool,
    NewQueue,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    Place,
    ProjectPlace,
    QueuePlace,
    RepairedPipeline,
    ReplacePool,
    RestoredCheck,
    RoleAssignmentChange,
    UpdatePool,
    risk_of,
    role_rank,
)
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec


def refuse(spec: Spec, changes: Sequence[Change], policy: Policy, *, today: date | None = None) -> tuple[Refusal, ...]:
    """Every change that may not be done, with the first rule that says so; order of the input.

    `today` decides which dated exceptions still name a widening (None: all).
    """
    contradicted = contradicting(changes)
    removals = sum(map(is_removal, changes))
    refusals = []
    for change in changes:
        found = next(_findings(spec, change, policy, today), None) or contradicted.get(id(change))
        if found is None and is_removal(change) and removals > policy.max_role_removals:
            message = f"{removals} roles would be removed, the policy's cap is {policy.max_role_removals}"
            found = rules.refusal(policy, "max_role_removals", message)
        if found is not None:
            refusals.append(Refusal(change, found[0], f"{change.kind} {change.subject}: {found[1]}"))
    return tuple(refusals)


def is_removal(change: Change) -> bool:
    """Whether an identity loses a role: what the policy caps for each pool and run."""
    return isinstance(change.target, RoleAssignmentChange) and change.narrows


def place_of(change: Change) -> Place | None:
    """Where a change widens or narrows: an organization's agent pool, or its queue in one project; None for ARM.

    A queue is known by its project's id, so that one that is created and one that is read are the same place, and a
    project that is renamed during a run is too.
    """
    place = change.place
    if isinstance(place, QueuePlace | ProjectPlace):
        return ProjectPlace(place.organization, place.project_id, "")
    return place


def organization_of(change: Change) -> str | None:
    """The organization that a change writes to; None for ARM."""
    return change.place.organization if change.place else None


def _findings(spec: Spec, change: Change, policy: Policy, today: date | None) -> Iterator[Finding]:
    yield from _unrecognised(change)
    yield from _destruction(spec, change, policy)
    yield from rules.place(policy, spec.name, spec.subscription, spec.resource_group)
    match change.target:
        case CreatePool() | UpdatePool() | ReplacePool() | MovePool() as target:
            yield from _arm(spec, change, target, policy)
        case target:
            yield from _devops(spec, target, policy, today)


def _unrecognised(change: Change) -> Iterator[Finding]:
    """What no reconciliation writes, and what contradicts itself."""
    match change.target:
        case CreatePool() | UpdatePool() | ReplacePool() | MovePool():
            return
        case AccessLevel() | GroupMember():
            yield "unrecognised", "only onboarding changes access levels and groups, for a person who may"
        case RoleAssignmentChange() as target:
            yield from _unrecognised_role(target)
        case OpenAccess() | PipelineAuthorization() | Inheritance() | AutoProvision() | NewQueue() | DirectoryEntry():
            pass
        case RestoredCheck() | RepairedPipeline():
            pass
        case _:
            yield _no_rule(change.target)
    if change.details:
        yield "unrecognised", "its lines say more than the one thing that is written"


def _unrecognised_role(target: RoleAssignmentChange) -> Iterator[Finding]:
    if isinstance(target.place, OrganizationPlace | ProjectPlace):
        yield "unrecognised", "only onboarding assigns roles on all agent pools, for a person who may"
    if target.after is not None and role_rank(target.after) < 0:
        yield "unrecognised", f"role {target.after} is not known here"
    if not target.identity_id:
        yield "unrecognised", "it does not say whose role it is"
    if target.itself and not (
        isinstance(target.place, AgentPoolPlace | QueuePlace) and effective.is_administrator(target.after or "")
    ):
        yield "operator-itself", "the operator assigns itself nothing but Administrator of an agent pool or a queue"


def _no_rule(target: Never) -> Finding:
    """For a target of a type that no rule knows: mypy reports it, and what passes mypy by is refused."""
    return "unrecognised", f"no rule knows a {type(target).__name__}, so it is not written"


def _destruction(spec: Spec, change: Change, policy: Policy) -> Iterator[Finding]:
    if isinstance(change.target, ReplacePool):
        yield from _replacement(spec, change.target, policy)
    elif change.destroys:
        yield "destroys", "nothing is deleted but a pool that is replaced; do it by hand where it is meant"


def _replacement(spec: Spec, target: ReplacePool, policy: Policy) -> Iterator[Finding]:
    """The one deletion there is: of the spec's own pool, which is created again, where spec and policy allow it."""
    if not spec.replace:
        yield "not-in-spec", "the spec does not say replace: allowed"
    if not allows(policy.replace_pools, spec.name):
        message = f"the policy does not let {spec.name} be deleted and created again"
        yield rules.refusal(policy, "replace_pools", message)
    if not target.replaces:
        yield "destroys", "the change replaces nothing, and nothing is deleted but a pool that is replaced"
    if _lasting(target.body) != _lasting(spec.body):
        yield "destroys", "what would be created again is not what the spec says"


def _lasting(body: Mapping[str, Json]) -> tuple[Json, Json, Json]:
    """A body without what creation may narrow: `openAccess` and `permissionProfile` of its organizations."""
    properties = dict(body.get("properties") or {})
    profile = dict(properties.pop("organizationProfile", None) or {})
    profile.pop("permissionProfile", None)
    uses = [{k: v for k, v in one.items() if k != "openAccess"} for one in profile.pop("organizations", None) or ()]
    return {**body, "properties": properties}, profile, uses


# --- changes to ARM -----------------------------------------------------------------------------------------


def _arm(spec: Spec, change: Change, target: ArmTarget, policy: Policy) -> Iterator[Finding]:
    """What a PUT grants has to be in the spec and allowed by the policy; what it merely carries on does not."""
    if not spec_allows.same(target.resource_id, spec.pool_id):
        yield "not-in-spec", f"the change is about {target.resource_id}, the spec about {spec.pool_id}"
    if not isinstance(target, MovePool):
        yield from _unnamed(spec, target, change.details)
    yield from _api_version(spec, target, policy)
    if isinstance(target, UpdatePool):
        yield from _added(target, change.details, policy)
    elif isinstance(target, CreatePool | ReplacePool):
        yield from rules.creation(policy, target.body)
        yield from _creation(spec, policy)


def _creation(spec: Spec, policy: Policy) -> Iterator[Finding]:
    """Places and people that the spec names for a pool that is created, whatever the body that is put has of it."""
    for organization in spec.organizations:
        yield from rules.organization(policy, organization.name)
        for project in organization.projects or ("*",):
            yield from rules.project(policy, organization.name, project)
            if spec_allows.open_access(spec, organization, project, None):
                yield from rules.open_access(policy, organization.name, project)
    profile = spec.permission_profile
    if profile is not None:
        for principal in (*profile.users, *profile.groups):
            yield from rules.principal(policy, principal)


def _added(target: UpdatePool, lines: Sequence[Detail], policy: Policy) -> Iterator[Finding]:
    """Organizations and projects that an update adds, by its lines: what the body carries on is not judged.

    The facet's guard compares the whole body with the one that was read (`reconciler.plan.policy.rules.update`).
    """
    for one in spec_allows.listed_in(target.body):
        name = spec_allows.name_in(one)
        entry = f"organizationProfile.organizations[{name}]"
        for line in lines:
            if line.path == entry:
                yield from rules.organization(policy, name)
            if line.path == entry or (line.path in (f"{entry}.projects", f"{entry}.repositories") and line.before):
                had = {str(place).rstrip("/").rpartition("/")[2].casefold() for place in line.before or ()}
                for place in uses.places(one):
                    if place.casefold() not in had:
                        yield from rules.project(policy, name, place)


def _api_version(spec: Spec, target: ArmTarget, policy: Policy) -> Iterator[Finding]:
    """A newer version of the ARM document brings fields that are not known here: spec and policy have to name it."""
    if isinstance(target, CreatePool | UpdatePool) and target.api_version != spec.arm_api_version:
        yield "not-in-spec", f"the change is for api-version {target.api_version}, the spec for {spec.arm_api_version}"
    if spec.arm_api_version and not allows(policy.arm_api_versions, spec.arm_api_version):
        message = f"the policy does not allow the api-version {spec.arm_api_version}; it has to be in armApiVersions"
        yield rules.refusal(policy, "arm_api_versions", message)


def _unnamed(spec: Spec, target: CreatePool | UpdatePool | ReplacePool, lines: Sequence[Detail]) -> Iterator[Finding]:
    """Organizations of the body that the spec does not name.

    An update by a spec that names none carries those of the pool on. The facet's guard refuses a body with a change
    that no line lists, so here the lines are all that it changes.
    """
    named = [one.name for one in spec.organizations] or [
        spec_allows.name_in(one) for one in spec_allows.listed_in(spec.body)
    ]
    if not named and isinstance(target, UpdatePool):
        for line in lines:
            if line.path.startswith("organizationProfile.organizations"):
                yield "not-in-spec", f"the spec names no organization, and {line.path} would change"
        return
    known = {name.casefold() for name in named}
    for name in map(spec_allows.name_in, spec_allows.listed_in(target.body)):
        if name.casefold() not in known:
            yield "not-in-spec", f"the spec does not name the organization {name}"


# --- changes to Azure DevOps --------------------------------------------------------------------------------


def _devops(spec: Spec, target: DevOpsTarget, policy: Policy, today: date | None) -> Iterator[Finding]:
    place = target.place
    organization = spec_allows.organization(spec, place.organization)
    if organization is None:
        yield "not-in-spec", f"the spec does not name the organization {place.organization or '(none given)'}"
    elif organization.silent:
        left_out = " and ".join(sorted(organization.silent, reverse=True))
        yield "unsettled", f"the spec names no {left_out} for {organization.name}, and ARM's were not read in this run"
    yield from rules.organization(policy, place.organization)
    if isinstance(place, QueuePlace | ProjectPlace):
        if not place.project:
            yield "not-in-spec", "the change is about a project and does not name it"
        yield from rules.project(policy, place.organization, place.project)
    if organization is not None and risk_of(target) is Risk.NARROWS:
        yield from _unless(
            _narrows(spec, target, organization, today), "the spec does not say that this right is removed"
        )
    elif isinstance(target, RestoredCheck | RepairedPipeline):
        # A check is added wherever a queue of the pool had it.
        wanted = isinstance(target, RestoredCheck) or spec.repair_definitions
        yield from _unless(wanted, "the spec does not say repairDefinitions: true")
    elif organization is not None:
        yield from _widening(spec, target, organization, policy, today)


def _narrows(spec: Spec, target: DevOpsTarget, organization: Organization, today: date | None) -> bool:
    """Whether the spec says that the right is removed. One that it does not mention stays."""
    match target:
        case OpenAccess(place=queue):
            return spec_allows.closed_access(spec, organization, queue.project, today)
        case PipelineAuthorization():
            return spec_allows.no_pipeline(spec, target)
        case RoleAssignmentChange():
            return spec_allows.lower_role(spec, target)
        case Inheritance():
            return spec_allows.inheritance(spec, organization.name) is False
        case AutoProvision():
            return organization.auto_provision is False
        case NewQueue() | RestoredCheck() | RepairedPipeline() | DirectoryEntry() | AccessLevel() | GroupMember():
            return False
        case _:
            assert_never(target)


def _widening(
    spec: Spec, target: GrantTarget, organization: Organization, policy: Policy, today: date | None
) -> Iterator[Finding]:
    """A widening is done where the spec names it, and nowhere else."""
    place, name = target.place, organization.name
    if isinstance(place, QueuePlace | ProjectPlace):
        named = spec_allows.project(spec, organization, place.project, today)
        yield from _unless(named, f"the spec does not name the project {place.project}")
    match target:
        case OpenAccess(place=queue):
            yield from rules.open_access(policy, name, queue.project)
            wanted = spec_allows.open_access(spec, organization, queue.project, today)
            yield from _unless(wanted, "the spec does not want open access there")
        case PipelineAuthorization(place=queue):
            message = f"the spec does not name the pipeline {target.pipeline} of {queue.project}"
            yield from _unless(spec_allows.pipeline(spec, target), message)
            yield from rules.pipeline(policy, f"{name}/{queue.project}", target.pipeline, target.pipeline_id)
        case RoleAssignmentChange():
            yield from _role(spec, target, policy)
        case Inheritance():
            inherits = spec_allows.inheritance(spec, name) is True
            yield from _unless(inherits, f"the spec does not want roles inherited in {name}")
            yield from rules.inheritance(policy, name)
        case AutoProvision():
            message = f"the spec does not want {name} to give the pool to every new project"
            yield from _unless(spec_allows.auto_provision(organization), message)
            if policy.version > 1:  # policy/v1 has no word on it
                yield from rules.project(policy, name, "*")
        case DirectoryEntry():
            yield from _entry(spec, target, policy)
        case NewQueue() | AccessLevel() | GroupMember():
            pass  # a queue is wanted where the project is named; the others are refused above
        case _:
            assert_never(target)


def _unless(named: bool, message: str) -> Iterator[Finding]:
    if not named:
        yield "not-in-spec", message


def _role(spec: Spec, target: RoleAssignmentChange, policy: Policy) -> Iterator[Finding]:
    place, role = target.place, target.after or ""
    if target.itself:
        if not spec_allows.takes_roles(spec, place):
            message = f"nothing is taken away in {place.organization}: the operator needs no role of its own"
            yield "operator-itself", message
        return
    yield from rules.principal(policy, target.principal)
    where = f"{place.organization}/{place.project}" if isinstance(place, QueuePlace) else place.organization
    yield from rules.role(policy, where, role, target.principal)
    if isinstance(place, QueuePlace):
        wanted = spec_allows.on_queues(spec, place.organization, place.project, role)
    else:
        wanted = spec_allows.administrators(spec, place.organization) if effective.is_administrator(role) else set()
    named = target.principal.casefold() in wanted
    yield from _unless(named, f"the spec does not name {target.principal} for the role {role} there")


def _entry(spec: Spec, target: DirectoryEntry, policy: Policy) -> Iterator[Finding]:
    """A principal may become known where the spec wants it to have any role."""
    name = target.place.organization
    yield from rules.principal(policy, target.principal)
    named = target.principal.casefold() in spec_allows.administrators(spec, name) | spec_allows.on_queues(spec, name)
    yield from _unless(named, f"the spec does not name {target.principal} in {name}")
    if not policy.materialise:
        message = f"the policy does not let {target.principal} be added to {name}"
        yield rules.refusal(policy, "materialise", message)

"""What no plan may do, whichever facet asked for it: the second lock behind every facet's own guard.

Guards trust neither the diff nor the facets: they hold a whole plan against the spec and the deployment's policy and
refuse single changes of it. They know nothing of what was observed (facets guard that), and they decide by a change's
`action`, `risk`, `route` and by these entries of its `args`, which every change to Azure DevOps therefore carries:

::

    organization   bare name                      always
    project        name, with projectId           where it happens inside a project
    queueId poolId numbers                        where one is touched
    principal      as the spec writes it          where somebody gets or loses something
    role           as the service names it        with principal
    pipeline, pipelineId           as the spec writes it, number; for single authorizations
    allow, inherit, autoProvision, materialise   true or false   what is switched
    itself         true                           where the operator makes itself an administrator
    resourceId     of the pool                    always, and only, in changes to ARM
    body           what is put                    the same; of a replacement, what is put after the deletion
    replaces       paths                          where a pool is deleted to be made anew, and nowhere else

What is not carried cannot be checked, and is refused where a rule needs it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.plan.model import Action, Change, Refusal, Risk, Route
from reconciler.plan.policy import Policy, allows
from reconciler.spec import names
from reconciler.spec.model import OpenAccessException, Organization, PermissionKind, Spec

Place: TypeAlias = tuple[str | None, str | None]
"""Organization, and the project where a change is about one project's queue."""

Finding: TypeAlias = tuple[str, str]
"""Rule and what is wrong, without the subject."""

_SAYS_WHAT = frozenset({"allow", "inherit", "principal", "pipeline", "itself", "autoProvision"})


def refuse(spec: Spec, changes: Sequence[Change], policy: Policy, *, today: date | None = None) -> tuple[Refusal, ...]:
    """Every change that may not be done, with the first rule that says so; order of the input.

    `today` decides which dated exceptions still name a widening (None: all).
    """
    contradicting = _contradicting(changes)
    removals = sum(map(is_removal, changes))
    refusals = []
    for change in changes:
        found = next(_findings(spec, change, policy, today), None) or contradicting.get(id(change))
        if found is None and is_removal(change) and removals > policy.max_role_removals:
            found = (
                "role-removals",
                f"{removals} roles would be removed, the policy's cap is {policy.max_role_removals}",
            )
        if found is not None:
            refusals.append(Refusal(change, found[0], f"{change.kind} {change.subject}: {found[1]}"))
    return tuple(refusals)


def is_removal(change: Change) -> bool:
    """Whether somebody loses a role: what the policy caps for each pool and run."""
    return change.narrows and ("principal" in change.args or "role" in change.args)


def place_of(change: Change) -> Place:
    """Where a change widens or narrows: an organization's agent pool, or its queue in one project."""
    project = change.args.get("projectId") or change.args.get("project")
    return organization_of(change), project if isinstance(project, str) else None


def organization_of(change: Change) -> str | None:
    """The organization that a change writes to; None for ARM."""
    name = change.args.get("organization")
    return name if isinstance(name, str) else None


def _contradicting(changes: Sequence[Change]) -> dict[int, Finding]:
    """Changes of which another one says the opposite, or the same a second time; both go, for one of them is a bug."""
    found: dict[int, Finding] = {}
    for group in _groups((change.id, change) for change in changes):
        if len(group) > 1:
            found.update({id(c): ("contradiction", f"{len(group)} changes are about this one subject") for c in group})
    for group in _groups((edge, change) for change in changes for edge in _edges(change)):
        if len({change.narrows for change in group}) > 1:
            found.update({id(c): ("contradiction", "the same plan widens and narrows this") for c in group})
    return found


def _groups(pairs: Iterator[tuple[Hashable, Change]]) -> list[list[Change]]:
    groups: dict[Hashable, list[Change]] = defaultdict(list)
    for key, change in pairs:
        groups[key].append(change)
    return list(groups.values())


def _edges(change: Change) -> Iterator[Hashable]:
    """What the change is about, however it is named: who, on which resource, by which switch."""
    args = change.args
    place = (organization_of(change), args.get("projectId", args.get("project")), args.get("queueId"))
    what = (args.get("poolId"), args.get("pipelineId"), "allow" in args, "inherit" in args, "autoProvision" in args)
    people = [str(args[name]).casefold() for name in ("principal", "identityId") if name in args]
    if change.route is Route.DEVOPS:
        for person in people or [""]:
            yield place, what, person


def _findings(spec: Spec, change: Change, policy: Policy, today: date | None) -> Iterator[Finding]:
    yield from _replacement(spec, change, policy) if "replaces" in change.args else _never(change)
    yield from _place(spec, policy)
    if change.route is Route.ARM:
        yield from _arm(spec, change, policy)
    else:
        yield from _devops(spec, change, policy, today)


def _never(change: Change) -> Iterator[Finding]:
    """Nothing is destroyed, by nobody's wish."""
    risks = {change.risk, *(detail.risk for detail in change.details)}
    if Risk.DESTROYS in risks or (change.route is Route.ARM and change.action is Action.REMOVE):
        yield "destroys", "nothing is ever deleted but to be made anew; do it by hand where it is meant"


def _replacement(spec: Spec, change: Change, policy: Policy) -> Iterator[Finding]:
    """The one deletion there is: of the spec's own pool, to be made anew as the spec says, by spec and by policy."""
    if not spec.replace:
        yield "not-in-spec", "the spec does not say replace: allowed"
    if not allows(policy.replace_pools, spec.name):
        yield "policy-replace-pools", f"the policy does not let {spec.name} be deleted and made anew"
    deletes = change.route is Route.ARM and change.action is Action.REMOVE and change.risk is Risk.DESTROYS
    if not deletes or not change.args["replaces"]:
        yield "destroys", "the change replaces nothing, and nothing is ever deleted but to be made anew"
    if _lasting(change.args.get("body") or {}) != _lasting(spec.body):
        yield "destroys", "what would be made anew is not what the spec says"


def _lasting(body: Json) -> Json:
    """A body without what creation may narrow: `openAccess` and `permissionProfile` of its organizations."""
    properties = dict(body.get("properties") or {})
    profile = dict(properties.pop("organizationProfile", None) or {})
    profile.pop("permissionProfile", None)
    uses = [{k: v for k, v in one.items() if k != "openAccess"} for one in profile.pop("organizations", None) or ()]
    return {**body, "properties": properties}, profile, uses


def _place(spec: Spec, policy: Policy) -> Iterator[Finding]:
    if not allows(policy.subscriptions, spec.subscription):
        yield "policy-subscriptions", f"the policy does not allow the subscription {spec.subscription}"
    if not allows(policy.resource_groups, spec.resource_group):
        yield "policy-resource-groups", f"the policy does not allow the resource group {spec.resource_group}"


def _arm(spec: Spec, change: Change, policy: Policy) -> Iterator[Finding]:
    """One PUT carries the whole body, so all that the body hands out is held against the policy."""
    if not _same(str(change.args.get("resourceId")), spec.pool_id):
        yield "not-in-spec", f"the change is about {change.args.get('resourceId')}, the spec about {spec.pool_id}"
    yield from _strange(spec, change)
    if not spec.organizations:
        yield from _github(spec, policy)
    creates = change.action is Action.CREATE or "replaces" in change.args
    if creates and not policy.create_pools:
        yield "policy-create-pools", "the policy does not let pools be created"
    for organization in spec.organizations:
        yield from _organization(organization.name, policy)
        for project in organization.projects or ("*",):
            yield from _project(organization.name, project, policy)
        if creates and organization.open_access and not policy.open_access:
            yield "policy-open-access", f"the policy does not let open access be granted in {organization.name}"
    if creates and spec.permission_profile is not None:
        for principal in (*spec.permission_profile.users, *spec.permission_profile.groups):
            yield from _principal(principal, policy)


def _listed_in(body: Mapping[str, Json]) -> Sequence[Mapping[str, Json]]:
    """The organizations of an ARM body."""
    profile = (body.get("properties") or {}).get("organizationProfile") or {}
    return [one for one in profile.get("organizations") or () if one.get("url")]


def _place_of(organization: Mapping[str, Json]) -> str:
    """The bare name of an Azure DevOps organization, whichever form its URL has; another host's with the host."""
    return names.organization_key(str(organization["url"]))


def _strange(spec: Spec, change: Change) -> Iterator[Finding]:
    """Organizations of the body that the spec does not name."""
    named = {name.casefold() for name in _places(spec)}
    for name in map(_place_of, _listed_in(change.args.get("body") or {})):
        if name.casefold() not in named:
            yield "not-in-spec", f"the spec does not name the organization {name}"


def _places(spec: Spec) -> Sequence[str]:
    """The organizations that the spec names; those of GitHub stand in its body alone."""
    return [one.name for one in spec.organizations] or [_place_of(one) for one in _listed_in(spec.body)]


def _github(spec: Spec, policy: Policy) -> Iterator[Finding]:
    """What of GitHub may use the pool, held against the policy's organizations and projects."""
    for one in _listed_in(spec.body):
        yield from _organization(_place_of(one), policy)
        for repository in one.get("repositories") or ("*",):
            yield from _project(_place_of(one), str(repository).rstrip("/").rpartition("/")[2], policy)


def _devops(spec: Spec, change: Change, policy: Policy, today: date | None) -> Iterator[Finding]:
    name = organization_of(change) or "(none given)"
    organization = _named(spec, name)
    if organization is None:
        yield "not-in-spec", f"the spec does not name the organization {name}"
    yield from _organization(name, policy)
    if "project" in change.args:
        yield from _project(name, str(change.args["project"]), policy)
    elif "projectId" in change.args or "queueId" in change.args:
        yield "not-in-spec", "the change is about a project and does not say which by name"
    if organization is not None and not change.narrows:
        yield from _widening(spec, change, organization, policy, today)


def _widening(
    spec: Spec, change: Change, organization: Organization, policy: Policy, today: date | None
) -> Iterator[Finding]:
    """A widening is done where the spec names it, and nowhere else."""
    args = change.args
    if "project" in args and not _reaches(spec, organization, str(args["project"]), today):
        yield "not-in-spec", f"the spec does not name the project {args['project']}"
    if "allow" in args:
        yield from _opening(spec, change, organization, policy, today)
    yield from _inheritance(spec, change, organization)
    yield from _grant(spec, change, organization, policy)


def _inheritance(spec: Spec, change: Change, organization: Organization) -> Iterator[Finding]:
    inherits = _inherits(spec, organization.name)
    if change.args.get("inherit") is True and inherits is not True:
        yield "not-in-spec", f"the spec does not want roles inherited in {organization.name}"
    if "itself" in change.args and inherits is not False:
        yield "operator-itself", f"inheritance stays on in {organization.name}: the operator needs no role of its own"


def _grant(spec: Spec, change: Change, organization: Organization, policy: Policy) -> Iterator[Finding]:
    args = change.args
    if not _SAYS_WHAT & set(args) and change.kind != "queue":
        yield "not-in-spec", "the change widens something and does not say what"
    if args.get("autoProvision") is True and (organization.projects or organization.auto_provision is not True):
        yield "not-in-spec", f"the spec does not want {organization.name} to give the pool to every new project"
    if "pipeline" in args and not _authorizes(spec, change):
        yield "not-in-spec", f"the spec does not name the pipeline {args['pipeline']} of {args.get('project')}"
    if "principal" in args:
        yield from _principal(str(args["principal"]), policy)
        if not _wants(spec, change):
            yield "not-in-spec", f"the spec does not name {args['principal']} for this"
    if args.get("materialise") is True and not policy.materialise:
        yield "policy-materialise", f"the policy does not let {args.get('principal')} be added to {organization.name}"


def _opening(
    spec: Spec, change: Change, organization: Organization, policy: Policy, today: date | None
) -> Iterator[Finding]:
    project = str(change.args.get("project"))
    if not policy.open_access:
        yield "policy-open-access", "the policy does not let open access be granted"
    own = [e.allow for e in _exceptions(spec, organization.name, today) if _same(e.project, project)]
    flag = bool(organization.open_access) and _listed(organization, project)
    if not (any(own) or (flag and not own)):
        yield "not-in-spec", "the spec does not want open access there"


# --- what the spec names ------------------------------------------------------------------------------------


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _named(spec: Spec, organization: str) -> Organization | None:
    return next((one for one in spec.organizations if _same(one.name, organization)), None)


def _listed(organization: Organization, project: str) -> bool:
    return not organization.projects or any(_same(name, project) for name in organization.projects)


def _exceptions(spec: Spec, organization: str, today: date | None) -> list[OpenAccessException]:
    return [
        e
        for e in spec.access.open_access
        if _same(e.organization, organization) and (today is None or e.until is None or today <= e.until)
    ]


def _reaches(spec: Spec, organization: Organization, project: str, today: date | None) -> bool:
    access = spec.access
    named = [e.project for e in _exceptions(spec, organization.name, today)]
    named += [g.project for g in access.pipelines if _same(g.organization, organization.name)]
    named += [r.project for r in access.queue_roles if _same(r.organization, organization.name)]
    return _listed(organization, project) or any(_same(name, project) for name in named)


def _inherits(spec: Spec, organization: str) -> bool | None:
    """Whether roles shall be inherited; None: not managed."""
    own = [r.inherit for r in spec.access.roles if _same(r.organization, organization) and r.inherit is not None]
    if own:
        return all(own)
    kind = None if spec.permission_profile is None else spec.permission_profile.kind
    return {PermissionKind.INHERIT: True, PermissionKind.CREATOR_ONLY: False}.get(kind) if kind else None


def _authorizes(spec: Spec, change: Change) -> bool:
    args = change.args
    grants = [
        grant
        for grant in spec.access.pipelines
        if _same(grant.organization, str(args["organization"])) and _same(grant.project, str(args.get("project")))
    ]
    return any(args["pipeline"] in grant.pipelines for grant in grants)


def _wants(spec: Spec, change: Change) -> bool:
    """Whether the spec names the principal for what the change gives; a member is named wherever a role is."""
    args = change.args
    on_queue, on_pool = _queue_roles(spec, change), _administrators(spec, str(args["organization"]))
    named = on_queue if "project" in args else on_pool
    if args.get("materialise") is True:
        named = on_queue | on_pool
    return str(args["principal"]).casefold() in named


def _administrators(spec: Spec, organization: str) -> set[str]:
    profile = spec.permission_profile
    names = [] if profile is None else [*profile.users, *profile.groups]
    for roles in spec.access.roles:
        names += (roles.administrators or ()) if _same(roles.organization, organization) else ()
    return {name.casefold() for name in names}


def _queue_roles(spec: Spec, change: Change) -> set[str]:
    """Principals on queues of the organization; of that project and role alone, where the change names them."""
    project, role = change.args.get("project"), change.args.get("role")
    return {
        name.casefold()
        for queue in spec.access.queue_roles
        if _same(queue.organization, str(change.args["organization"]))
        and (project is None or _same(queue.project, str(project)))
        for given, names in queue.roles.items()
        if role is None or _same(given, str(role))
        for name in names
    }


# --- what the policy allows ---------------------------------------------------------------------------------


def _organization(organization: str, policy: Policy) -> Iterator[Finding]:
    if not allows(policy.organizations, organization):
        yield "policy-organizations", f"the policy does not allow the organization {organization}"


def _project(organization: str, project: str, policy: Policy) -> Iterator[Finding]:
    if not allows(policy.projects, f"{organization}/{project}"):
        yield "policy-projects", f"the policy does not allow the project {organization}/{project}"


def _principal(principal: str, policy: Policy) -> Iterator[Finding]:
    if not allows(policy.principals, principal):
        yield "policy-principals", f"the policy does not let {principal} be granted anything"

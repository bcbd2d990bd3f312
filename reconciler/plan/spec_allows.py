"""What a spec allows to be widened and narrowed, read once more for the guards.

Facets read the same from `reconciler.spec.effective`. The guards do not: a mistake there must not open both locks.
Names compare without regard to case. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from reconciler.documents import Json
from reconciler.plan.targets import PipelineAuthorization, Place, QueuePlace, RoleAssignmentChange
from reconciler.spec import names
from reconciler.spec.model import OpenAccessException, Organization, PermissionKind, Spec


def same(one: str, other: str) -> bool:
    """Whether two names are one."""
    return one.casefold() == other.casefold()


def organization(spec: Spec, name: str) -> Organization | None:
    """The organization of this name; None where the spec does not name it."""
    return next((one for one in spec.organizations if same(one.name, name)), None)


def project(spec: Spec, where: Organization, name: str, today: date | None) -> bool:
    """Whether the spec names the project, among those that use the pool or under `access`."""
    access = spec.access
    named = [e.project for e in _exceptions(spec, where.name, today)]
    named += [g.project for g in access.pipelines if same(g.organization, where.name)]
    named += [r.project for r in access.queue_roles if same(r.organization, where.name)]
    return _listed(where, name) or any(same(one, name) for one in named)


def open_access(spec: Spec, where: Organization, name: str, today: date | None) -> bool:
    """Whether open access is wanted in the project: an exception decides before the organization's flag."""
    own = [e.allow for e in _exceptions(spec, where.name, today) if same(e.project, name)]
    return any(own) if own else bool(where.open_access) and _listed(where, name)


def closed_access(spec: Spec, where: Organization, name: str, today: date | None) -> bool:
    """Whether the project has to be closed; neither this nor `open_access` where the switch is not managed."""
    own = [e.allow for e in _exceptions(spec, where.name, today) if same(e.project, name)]
    return not all(own) if own else where.open_access is False


def auto_provision(where: Organization) -> bool:
    """Whether new projects shall get a queue: only where all projects use the pool."""
    return where.auto_provision is True and not where.projects


def inheritance(spec: Spec, name: str) -> bool | None:
    """Whether roles shall be inherited in the organization; None: not managed."""
    own = [r.inherit for r in spec.access.roles if same(r.organization, name) and r.inherit is not None]
    if own:
        return all(own)
    kind = None if spec.permission_profile is None else spec.permission_profile.kind
    return {PermissionKind.INHERIT: True, PermissionKind.CREATOR_ONLY: False}.get(kind) if kind else None


def pipeline(spec: Spec, target: PipelineAuthorization) -> bool:
    """Whether the spec lists the pipeline for the project."""
    place = target.place
    return any(
        target.pipeline in grant.pipelines
        for grant in spec.access.pipelines
        if same(grant.organization, place.organization) and same(grant.project, place.project)
    )


def no_pipeline(spec: Spec, target: PipelineAuthorization) -> bool:
    """Whether the spec has an exclusive list for the project, without the pipeline."""
    place = target.place
    named = {str(target.pipeline).casefold(), str(target.pipeline_id)}
    return any(
        grant.exclusive and not named & {str(one).casefold() for one in grant.pipelines}
        for grant in spec.access.pipelines
        if same(grant.organization, place.organization) and same(grant.project, place.project)
    )


def no_administrator(spec: Spec, name: str, principal: str) -> bool:
    """Whether the spec has an exclusive list of administrators for the organization, without the principal."""
    own = [roles for roles in spec.access.roles if same(roles.organization, name) and roles.exclusive]
    profile = spec.permission_profile
    listed = profile is not None and profile.kind is PermissionKind.SPECIFIC_ACCOUNTS
    exclusive = any(listed or roles.administrators is not None for roles in own)
    return exclusive and principal.casefold() not in administrators(spec, name)


def lower_role(spec: Spec, target: RoleAssignmentChange) -> bool:
    """Whether an exclusive list has the principal for the lower role, or for none where the assignment is removed."""
    place, role = target.place, target.after
    if not isinstance(place, QueuePlace):
        return role is None and no_administrator(spec, place.organization, target.principal)
    listed = target.principal.casefold() in on_queues(spec, place.organization, place.project, role)
    return _exclusive(spec, place) and listed is (role is not None)


def takes_roles(spec: Spec, place: Place) -> bool:
    """Whether the spec may take roles away there: by an exclusive list, or by switching inheritance off."""
    if isinstance(place, QueuePlace):
        return _exclusive(spec, place)
    own = [roles for roles in spec.access.roles if same(roles.organization, place.organization)]
    return any(roles.exclusive for roles in own) or inheritance(spec, place.organization) is False


def _exclusive(spec: Spec, place: QueuePlace) -> bool:
    """Whether a list of roles on the project's queue is exclusive."""
    return any(
        queue.exclusive
        for queue in spec.access.queue_roles
        if same(queue.organization, place.organization) and same(queue.project, place.project)
    )


def administrators(spec: Spec, name: str) -> set[str]:
    """Who may administer the agent pool of the organization, case-folded."""
    profile = spec.permission_profile
    found = [] if profile is None else [*profile.users, *profile.groups]
    for roles in spec.access.roles:
        found += (roles.administrators or ()) if same(roles.organization, name) else ()
    return {principal.casefold() for principal in found}


def on_queues(spec: Spec, name: str, project: str | None = None, role: str | None = None) -> set[str]:
    """Who may have a role on queues of the organization, case-folded; of one project and one role, where given."""
    return {principal.casefold() for principal in _on_queues(spec, name, project, role)}


def _on_queues(spec: Spec, name: str, project: str | None, role: str | None) -> Iterator[str]:
    for queue in spec.access.queue_roles:
        if same(queue.organization, name) and (project is None or same(queue.project, project)):
            for given, principals in queue.roles.items():
                if role is None or same(given, role):
                    yield from principals


def _listed(where: Organization, name: str) -> bool:
    return not where.projects or any(same(one, name) for one in where.projects)


def _exceptions(spec: Spec, name: str, today: date | None) -> list[OpenAccessException]:
    return [
        e
        for e in spec.access.open_access
        if same(e.organization, name) and (today is None or e.until is None or today <= e.until)
    ]


def listed_in(body: Mapping[str, Json]) -> Sequence[Mapping[str, Json]]:
    """The organizations of an ARM body."""
    profile = (body.get("properties") or {}).get("organizationProfile") or {}
    return [one for one in profile.get("organizations") or () if one.get("url")]


def name_in(organization: Mapping[str, Json]) -> str:
    """The bare name of an Azure DevOps organization, whichever form its URL has; another host's with the host."""
    return names.organization_key(str(organization["url"]))

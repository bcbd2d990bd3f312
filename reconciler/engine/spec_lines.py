"""Which line of a spec's file is behind a change."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.plan.model import Change
from reconciler.plan.targets import (
    AgentPoolPlace,
    ArmTarget,
    Inheritance,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    Place,
    RoleAssignmentChange,
)
from reconciler.spec.model import Spec

_PROFILE = "pool.properties.organizationProfile"
_FLAT = "pool.organizationProfile"
"""As `az mdp` prints a pool, properties beside the location."""


def line_of(spec: Spec, change: Change) -> int:
    """The line, from 1, of what the spec says about it; where it is silent, of what is around that. 0: not known."""
    return spec.lines(tuple(_paths(spec, change)))


def _paths(spec: Spec, change: Change) -> Iterator[str]:
    """Dotted paths of the file, the closest first."""
    target, place = change.target, change.place
    if isinstance(target, ArmTarget):
        for detail in change.details[:1]:
            yield from _upwards(f"pool.properties.{detail.path}")
            yield from _upwards(f"pool.{detail.path}")
    elif place is not None:
        yield from _of_access(spec, change, place)
        if isinstance(target, RoleAssignmentChange | Inheritance):
            yield from (f"{_PROFILE}.permissionProfile", f"{_FLAT}.permissionProfile")
        yield from _of_organization(spec, place, ".openAccess" if isinstance(target, OpenAccess) else ".projects")
    yield from ("access", _PROFILE, _FLAT, "pool", "name")


def _upwards(path: str) -> Iterator[str]:
    parts = path.replace("[", ".").replace("]", "").split(".")
    yield from (".".join(parts[:length]) for length in range(len(parts), 1, -1))


def _of_access(spec: Spec, change: Change, place: Place) -> Iterator[str]:
    project = getattr(place, "project", "").casefold()
    access, target = spec.access, change.target
    if isinstance(target, OpenAccess):
        section, places = "openAccess", [(one.organization, one.project) for one in access.open_access]
    elif isinstance(target, PipelineAuthorization):
        section, places = "pipelines", [(one.organization, one.project) for one in access.pipelines]
    elif isinstance(place, AgentPoolPlace | OrganizationPlace):
        section, places = "roles", [(one.organization, "") for one in access.roles]
    else:
        section, places = "queueRoles", [(one.organization, one.project) for one in access.queue_roles]
    for index, (organization, name) in enumerate(places):
        if (organization, name.casefold()) == (place.organization, project if section != "roles" else ""):
            yield f"access.{section}.{index}"


def _of_organization(spec: Spec, place: Place, field: str) -> Iterator[str]:
    for index, organization in enumerate(spec.organizations):
        if organization.name == place.organization:
            for profile in (_PROFILE, _FLAT):
                yield f"{profile}.organizations.{index}{field}"
                yield f"{profile}.organizations.{index}"

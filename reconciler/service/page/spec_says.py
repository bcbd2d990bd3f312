"""What a spec says about an organization or one of its projects, in lines for people; and which projects there are."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.service.page.pictures import Line
from reconciler.spec.model import Organization, Spec


def projects_of(line: Line, within: Organization, written: Iterable[str] = ()) -> list[str]:
    """Projects that the spec names; beside them those that runs remember, and those that were `written` to."""
    named = {project.casefold(): project for project in within.projects}
    if line.spec is not None:
        access = line.spec.access
        places = [(one.organization, one.project) for one in access.open_access]
        places += [(one.organization, one.project) for one in access.pipelines]
        places += [(one.organization, one.project) for one in access.queue_roles]
        for organization, project in places:
            if organization == within.name:
                named.setdefault(project.casefold(), project)
    for known in line.status.remembered.projects:
        organization, _, project = known.partition("/")
        if organization == within.name and project:
            named.setdefault(project.casefold(), project)
    for project in written:
        named.setdefault(project.casefold(), project)
    return [named[key] for key in sorted(named)]


def has_project(line: Line, within: Organization, project: str) -> bool:
    """Whether the pool may be in this project: in any where the spec names none."""
    return not within.projects or project.casefold() in {one.casefold() for one in projects_of(line, within)}


def of_organization(spec: Spec, within: Organization) -> list[tuple[str, str]]:
    """Name and value of each line."""
    projects = f"{len(within.projects)} named" if within.projects else "all, also new ones"
    said = [("agent pool", within.agent_pool), ("projects", projects), ("open access", _open(within.open_access))]
    for role in spec.access.roles:
        if role.organization == within.name and role.administrators is not None:
            said.append(("administrators", _names(role.administrators, exclusive=role.exclusive)))
        if role.organization == within.name and role.inherit is not None:
            said.append(("inheritance", "on" if role.inherit else "off"))
    return said


def of_project(spec: Spec, within: Organization, project: str) -> list[tuple[str, str]]:
    """Name and value of each line."""
    place = (within.name, project.casefold())
    access = spec.access
    said = [("queue", "none: the project is left as it is" if place[1] in within.without_queue else "required")]
    exceptions = [one for one in access.open_access if (one.organization, one.project.casefold()) == place]
    for one in exceptions:
        until, reason = f" until {one.until}" if one.until else "", f": {one.reason}" if one.reason else ""
        said.append(("open access", f"{_open(one.allow)}{until}{reason}"))
    if not exceptions:
        said.append(("open access", _open(within.open_access)))
    grants = [one for one in access.pipelines if (one.organization, one.project.casefold()) == place]
    said += [
        ("pipelines", _names([str(one) for one in grant.pipelines], exclusive=grant.exclusive)) for grant in grants
    ]
    for roles in access.queue_roles:
        if (roles.organization, roles.project.casefold()) == place:
            said += [(role, _names(names, exclusive=roles.exclusive)) for role, names in sorted(roles.roles.items())]
    return said


def _names(names: tuple[str, ...] | list[str], *, exclusive: bool) -> str:
    return (", ".join(names) or "none") + (", no others" if exclusive else "")


def _open(value: bool | None) -> str:
    return "not managed" if value is None else "open to all pipelines" if value else "closed"

"""Rules of `access`: what it names belongs to the pool, nothing is said twice, no list locks every administrator out.

Whether names exist in Azure DevOps is not known here; the facets find that out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from reconciler.documents import JsonObject
from reconciler.documents.spelling import ADVISED, nearest
from reconciler.spec.names import organization_of
from reconciler.spec.principals import folded
from reconciler.spec.problem import LISTED, MOST_PROBLEMS, Finding, Path, listing, show
from reconciler.spec.rules import twice

QUEUE_ROLES: Mapping[str, str] = {
    "readers": "Reader",
    "users": "User",
    "creators": "Creator",
    "administrators": "Administrator",
}
"""Field → role on a queue (Microsoft Learn: agent queue roles)."""
_OF_A_PROJECT = ("openAccess", "pipelines", "queueRoles", "withoutQueue")
_OF_AN_ORGANIZATION = ("roles", "agentPools")
"""Sections whose entries are about an organization; those of the others are about a project."""


def check(document: JsonObject, *, pool_known: bool) -> Iterator[Finding]:
    """All findings about `access`; without a well-formed organization profile nothing is said of membership."""
    access = document.get("access")
    if access is None:
        return
    properties = document.get("pool", {}).get("properties", {})
    profile = properties.get("organizationProfile", {})
    if profile.get("kind") == "GitHub":
        yield ("access",), "is given, but the pool is for GitHub; it speaks of Azure DevOps alone"
        return
    for section in _OF_A_PROJECT:
        if section in access:
            yield from repeated(access[section], section, "project")
    for section in _OF_AN_ORGANIZATION:
        if section in access:
            yield from repeated(access[section], section, "organization")
    if pool_known:
        yield from membership(access, profile.get("organizations", ()))
    yield from dated(access.get("openAccess", ()))
    if "pipelines" in access:
        yield from pipelines(access, profile.get("organizations", ()))
    yield from roles(access.get("roles", ()), profile.get("permissionProfile", {}))
    if "agentPools" in access:
        yield from agent_pools(access["agentPools"], profile.get("organizations", ()))
    yield from queue_roles(access.get("queueRoles", ()))


def repeated(entries: Sequence[JsonObject], section: str, key: str) -> Iterator[Finding]:
    """Two entries for one thing: neither takes precedence."""
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        name = str(entry.get(key, "")).casefold()
        if name and name in seen:
            yield (
                ("access", section, index, key),
                f"is {show(entry[key])}, as in {section}[{seen[name]}]; put both into one entry",
            )
        seen.setdefault(name, index)


def membership(access: JsonObject, organizations: Sequence[JsonObject]) -> Iterator[Finding]:
    """Entries name organizations of the pool, and projects that may use it."""
    known = {
        organization_of(one["url"]) or "": {name.casefold(): name for name in one.get("projects", ())}
        for one in organizations
        if "url" in one
    }
    strangers = 0
    for section, entries in access.items():
        key = "organization" if section in _OF_AN_ORGANIZATION else "project"
        for index, entry in enumerate(entries):
            organization, _, project = str(entry.get(key, "")).partition("/")
            if organization and (found := stranger(known, organization, project)):
                what, name, others = found
                strangers += 1
                yield (
                    ("access", section, index, key),
                    what + (_offer(name, others, strangers) if strangers <= MOST_PROBLEMS else ""),
                )


def stranger(
    known: Mapping[str, Mapping[str, str]], organization: str, project: str
) -> tuple[str, str, Collection[str]] | None:
    """Why an organization, or a project of it, is none of the pool's; with the name, and those that would be."""
    projects = known.get(organization.lower())
    if projects is None:
        return f"names the organization {show(organization)}, which this pool does not have", organization, known
    if project and projects and project.casefold() not in projects:
        what = f"names the project {show(project)}, which {organization.lower()} does not give the pool"
        return what, project, projects.values()
    return None


def _offer(name: str, known: Collection[str], number: int) -> str:
    """What to write instead; comparing names is slow, so it is done for the first few."""
    if number <= ADVISED and (meant := nearest(name, known)):
        return f"; did you mean {meant}?"
    return f"; known are {listing(map(show, islice(known, LISTED + 2))) if known else 'none'}"


def dated(entries: Sequence[JsonObject]) -> Iterator[Finding]:
    """An exception that ends was made for a reason."""
    for index, entry in enumerate(entries):
        if "until" in entry and "reason" not in entry:
            yield ("access", "openAccess", index, "reason"), "is missing; an exception with until needs a reason"


def pipelines(access: JsonObject, organizations: Sequence[JsonObject]) -> Iterator[Finding]:
    """No pipeline twice; and where all pipelines may use the pool, no list of them can be complete."""
    opened = {organization_of(one["url"]) for one in organizations if "url" in one and one.get("openAccess")}
    excepted = {str(entry.get("project", "")).casefold() for entry in access.get("openAccess", ())}
    for index, entry in enumerate(access.get("pipelines", ())):
        path, project = ("access", "pipelines", index), str(entry.get("project", ""))
        yield from twice(entry.get("pipelines", ()), (*path, "pipelines"))
        organization = project.partition("/")[0].lower()
        if entry.get("exclusive") and organization in opened and project.casefold() not in excepted:
            message = (
                f"is true, but openAccess of {organization} is on, so all pipelines may use the pool; "
                f"except {show(project)} under access.openAccess, or remove exclusive"
            )
            yield (*path, "exclusive"), message


def roles(entries: Sequence[JsonObject], profile: JsonObject) -> Iterator[Finding]:
    """An empty exclusive list would lock every administrator out."""
    for index, entry in enumerate(entries):
        path: Path = ("access", "roles", index)
        yield from twice(entry.get("administrators", ()), (*path, "administrators"))
        listed = entry.get("administrators") or profile.get("users") or profile.get("groups")
        if entry.get("exclusive") and not listed:
            yield (*path, "exclusive"), "is true, but the list is empty; name at least one administrator"


def agent_pools(entries: Sequence[JsonObject], organizations: Sequence[JsonObject]) -> Iterator[Finding]:
    """A pool for some projects is not given to every new one."""
    listed = {organization_of(one["url"]) for one in organizations if "url" in one and one.get("projects")}
    for index, entry in enumerate(entries):
        organization = str(entry.get("organization", "")).lower()
        if entry.get("autoProvision") and organization in listed:
            message = (
                f"is true, but {organization} lists its projects; new ones would get a queue of the pool without being "
                "listed; remove the list of projects, or write false"
            )
            yield ("access", "agentPools", index, "autoProvision"), message


def queue_roles(entries: Sequence[JsonObject]) -> Iterator[Finding]:
    """A principal has one role on a queue."""
    for index, entry in enumerate(entries):
        seen: dict[str, str] = {}
        for field in QUEUE_ROLES:
            for position, principal in enumerate(entry.get(field, ())):
                path = ("access", "queueRoles", index, field, position)
                other = seen.setdefault(folded(principal), field)
                if other != field:
                    yield path, f"is {show(principal)}, who is in {other} too; a principal has one role on a queue"
            yield from twice(entry.get(field, ()), ("access", "queueRoles", index, field))
        if not any(field in entry for field in QUEUE_ROLES):
            yield ("access", "queueRoles", index), f"names no role; give {listing(QUEUE_ROLES)}"

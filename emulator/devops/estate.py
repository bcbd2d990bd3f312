"""Reads and writes the Azure DevOps half of an estate: `organizations:`.

`load` takes the whole document and the world whose principals are read already; `dump` gives the same form back, with
every id written out, so that a dumped estate is the same estate again.
"""

from __future__ import annotations

from emulator.devops import grants, people, rights
from emulator.devops.document import EstateNode
from emulator.devops.estate_dump import dump
from emulator.devops.estate_people import give, identity_of, member_id
from emulator.devops.estate_pools import load_pools
from emulator.devops.rights import EVERYTHING
from emulator.documents import Json
from emulator.state.devops import Ace, Acl, DevOps, Organization, Pipeline, Project
from emulator.world import World

__all__ = ["dump", "load", "make_project"]

ORGANIZATION = (
    "name",
    "id",
    "projects",
    "identities",
    "groups",
    "buildServices",
    "administrators",
    "roles",
    "agentPools",
    "counters",
)
PROJECT = ("name", "id", "state", "visibility", "description", "hiddenFrom", "pipelines", "roles")
PIPELINE = ("id", "name", "path", "queue", "phases", "revision", "variables")
IDENTITY = ("principal", "id", "license", "members")
GROUP = ("name", "id", "members")
BUILD_SERVICE = ("project", "id", "name")


def load(document: dict[str, Json], world: World) -> DevOps:
    """All organizations of an estate; ValueError says where a mistake is and what."""
    devops = DevOps()
    top = EstateNode(document, "estate")
    for raw in top.nodes("organizations", ORGANIZATION):
        name = raw.text("name")
        if name.lower() in devops.organizations:
            raise ValueError(f"{raw.where}.name: {name!r} is there twice")
        devops.organizations[name.lower()] = _organization(raw, world)
    return devops


def _organization(raw: EstateNode, world: World) -> Organization:
    name = raw.text("name")
    organization = Organization(name=name, id=raw.text("id", people.guid("organization", name.lower())))
    for title in (people.ADMINISTRATORS, people.VALID_USERS):
        organization.add_identity(people.group(organization, f"[{name}]\\{title}"))
    for kind, number in (raw.raw.get("counters") or {}).items():
        organization.reserve(kind, number)
    for entry in raw.nodes("identities", IDENTITY, short="principal"):
        _identity(entry, organization, world)
    top = {people.administrators(organization).id: Ace(EVERYTHING)}
    grants.write(world, organization, rights.POOLS, Acl(True, top))
    for entry in raw.nodes("projects", PROJECT, short="name"):
        _project(entry, organization, world)
    for entry in raw.nodes("groups", GROUP, short="name"):
        _group(entry, organization)
    for entry in raw.nodes("buildServices", BUILD_SERVICE, short="project"):
        _build_service(entry, organization)
    _memberships(raw, organization, world)
    give(world, organization, rights.POOLS, raw, "roles")
    load_pools(raw, organization, world)
    organization.acls = {token: world.visible(cell.written) for token, cell in organization.acls.items()}
    return organization


def _identity(raw: EstateNode, organization: Organization, world: World) -> None:
    name = raw.text("principal")
    if name not in world.principals:
        raise ValueError(f"{raw.where}.principal: {name!r} is not among the estate's principals")
    found = people.known(world.principals[name], organization, raw.text("id", ""))
    found.license = raw.text("license", "express")
    organization.add_identity(found)


def _project(raw: EstateNode, organization: Organization, world: World) -> None:
    name = raw.text("name")
    if organization.project_named(name):
        raise ValueError(f"{raw.where}.name: {name!r} is there twice in {organization.name}")
    given = raw.text("id", people.guid("project", organization.name.lower(), name.lower()))
    project = make_project(world, organization, name=name, project_id=given)
    project.state = raw.text("state", "wellFormed")
    project.visibility = raw.text("visibility", "private")
    project.description = raw.text("description", "")
    project.hidden_from = set(raw.texts("hiddenFrom"))
    for entry in raw.nodes("pipelines", PIPELINE, short="name"):
        number = entry.whole("id")
        number = organization.next_id("pipeline") if number is None else organization.reserve("pipeline", number)
        name, path = entry.text("name"), entry.text("path", "\\")
        made = Pipeline(number, name, path, entry.whole("queue"), entry.wholes("phases"), entry.whole("revision") or 1)
        made.variables = dict(entry.raw.get("variables") or {})
        project.pipelines[number] = made
    give(world, organization, rights.project_token(project.id), raw, "roles")


def make_project(world: World, organization: Organization, *, name: str, project_id: str) -> Project:
    """A project with its groups, whose administrators administer all its agent queues."""
    project = Project(project_id.lower(), name, updated=world.clock.stamp())
    organization.projects[project.id] = project
    administrators: dict[str, Ace] = {people.administrators(organization).id: Ace(EVERYTHING)}
    for title in people.PROJECT_GROUPS:
        found = organization.add_identity(people.group(organization, f"[{name}]\\{title}", scope=project.id))
        if title in people.PROJECT_ADMINISTRATORS:
            administrators[found.id] = Ace(EVERYTHING)
    organization.acls[rights.project_token(project.id)] = world.visible(Acl(True, administrators))
    return project


def _group(raw: EstateNode, organization: Organization) -> None:
    name = raw.text("name")
    if name.lower() not in organization.by_name:
        if not name.startswith("[") or "]\\" not in name:
            raise ValueError(f"{raw.where}.name: {name!r} is not of the form [scope]\\name")
        scope = name[1:].split("]\\")[0]
        whole = scope.lower() == organization.name.lower()
        project = None if whole else organization.project_named(scope)
        if project is None and not whole:
            raise ValueError(f"{raw.where}.name: {scope!r} is neither {organization.name} nor one of its projects")
        found = people.group(organization, name, scope=project.id if project else "", local_id=raw.text("id", ""))
        organization.add_identity(found)


def _build_service(raw: EstateNode, organization: Organization) -> None:
    """`project`: a project by name or id, or the organization's name for the identity of all of it."""
    scope = raw.text("project")
    whole = scope.lower() == organization.name.lower()
    project = None if whole else organization.project_named(scope)
    if project is None and not whole:
        raise ValueError(f"{raw.where}.project: {scope!r} is neither {organization.name} nor one of its projects")
    made = people.build_service(organization, project, raw.text("id", ""))
    made.name = made.display_name = raw.text("name", made.name)
    organization.add_identity(made)


def _memberships(raw: EstateNode, organization: Organization, world: World) -> None:
    lists = [(entry, entry.text("name")) for entry in raw.nodes("groups", GROUP, short="name")]
    lists += [(entry, entry.text("principal")) for entry in raw.nodes("identities", IDENTITY, short="principal")]
    for entry, name in lists:
        members = entry.texts("members")
        container = organization.by_name[name.lower()]
        if members and not container.is_group:
            raise ValueError(f"{entry.where}.members: {name!r} is not a group")
        container.members |= {member_id(world, organization, f"{entry.where}.members", one) for one in members}
    administrators = people.administrators(organization)
    for one in raw.texts("administrators"):
        administrators.members.add(identity_of(organization, f"{raw.where}.administrators", one).id)
    organization.closures.clear()

"""Rights of an identity: the bits of the DistributedTask namespace along a token's path.

Tokens form a path with ``/``; entries nearer to the end count first, and inheritance goes up until a list switches
it off. Project Collection Administrators may do everything, whatever the lists say.
"""

from __future__ import annotations

from collections.abc import Iterator

from emulator.devops import people
from emulator.state.devops import Acl, AgentPool, Identity, Organization, Project, Queue
from emulator.world import World

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
VIEW, MANAGE, LISTEN, ADMINISTER, USE, CREATE = 1, 2, 4, 8, 16, 32
EVERYTHING = 63
POOLS = "AgentPools"
QUEUES = "AgentQueues"
_NOTHING = Acl()


def pool_token(pool: AgentPool) -> str:
    """Where the rights on one agent pool stand."""
    return f"{POOLS}/{pool.id}"


def project_token(project_id: str) -> str:
    """Where the rights on all agent queues of a project stand."""
    return f"{QUEUES}/{project_id}"


def queue_token(queue: Queue) -> str:
    """Where the rights on one agent queue stand."""
    return f"{QUEUES}/{queue.project}/{queue.id}"


def upwards(token: str) -> Iterator[str]:
    """The token itself, then those above it."""
    while token:
        yield token
        token = token.rpartition("/")[0]


def written_acl(organization: Organization, token: str) -> Acl:
    """The list of a token as it was written last, visible or not."""
    cell = organization.acls.get(token)
    return _NOTHING if cell is None else cell.written


def visible_acl(organization: Organization, token: str) -> Acl:
    """The list of a token as reads show it now."""
    cell = organization.acls.get(token)
    return _NOTHING if cell is None else cell.read()


def bits(organization: Organization, who: Identity, token: str) -> int:
    """The bits that an identity has at a token, by itself and through groups."""
    ids = people.closure(organization, who)
    if people.administrators(organization).id in ids:
        return EVERYTHING
    allowed = denied = 0
    for step in upwards(token):
        acl = written_acl(organization, step)
        entries = [acl.aces[one] for one in ids & acl.aces.keys()]
        for entry in entries:
            denied |= entry.deny & ~allowed
        for entry in entries:
            allowed |= entry.allow & ~denied
        if not acl.inherit:
            break
    return allowed


def sees_pool(organization: Organization, who: Identity, pool: AgentPool) -> bool:
    """Whether an identity can see an agent pool."""
    return pool.ready and who.name not in pool.hidden_from and bool(bits(organization, who, pool_token(pool)) & VIEW)


def sees_project(world: World, organization: Organization, who: Identity, project: Project) -> bool:
    """Whether an identity can see a project: it is not hidden and, if the switch says so, the identity is a member.

    A member of one of the project's groups is a member of the project (Microsoft Learn: add users or groups to a team
    or project).
    """
    if who.name in project.hidden_from:
        return False
    if world.switches.word("devops.project-visibility") == "everyone" or project.visibility == "public":
        return True
    ids = people.closure(organization, who)
    inside = any(group.scope == project.id and group.id in ids for group in organization.groups())
    return inside or people.administrators(organization).id in ids


def sees_queue(organization: Organization, who: Identity, queue: Queue) -> bool:
    """Whether an identity can see an agent queue."""
    return queue.pool.ready and bool(bits(organization, who, queue_token(queue)) & VIEW)


def administers_project(organization: Organization, who: Identity, project: Project) -> bool:
    """A member of the project's administrators, or of the collection's."""
    ids = people.closure(organization, who)
    group = organization.group_of(project.id, "Project Administrators")
    return people.administrators(organization).id in ids or (group is not None and group.id in ids)


def administers(organization: Organization, who: Identity) -> bool:
    """A Project Collection Administrator."""
    return people.administrators(organization).id in people.closure(organization, who)

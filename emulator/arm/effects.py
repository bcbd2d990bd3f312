"""What a write of a pool does in Azure DevOps, through the one seam `emulator.devops.provision`.

`provision` where an organization is new to the pool, `update` where it stays, `remove` where it leaves.
After creation, `open_access` and `permission_profile` are None unless a switch says that ARM carries changes out:
Microsoft Learn (configure-security) has both effective at creation only.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.arm import authorization
from emulator.arm.names import agent_pool_of, organization_of
from emulator.devops import provision
from emulator.frame import ApiError
from emulator.state.arm import Body, ManagedPool
from emulator.world import World


@dataclass(frozen=True, slots=True)
class OrganizationUse:
    """One organization's use of a pool."""

    organization: str
    agent_pool: str
    projects: tuple[str, ...]
    open_access: bool
    profile: Body | None


def uses(world: World, pool_name: str, properties: Body) -> dict[str, OrganizationUse]:
    """By organization; empty for a pool of GitHub."""
    profile = properties["organizationProfile"]
    if profile["kind"] != "AzureDevOps":
        return {}
    aliases = world.switches.on("arm.alias-names-pool")
    found = {}
    for item in profile["organizations"]:
        name = organization_of(item["url"])
        if name is not None:
            found[name] = OrganizationUse(
                name,
                agent_pool_of(pool_name, profile, item, alias_names_pool=aliases),
                tuple(item.get("projects") or ()),
                bool(item.get("openAccess", False)),
                profile.get("permissionProfile"),
            )
    return found


def create(world: World, pool: ManagedPool, creator: str) -> None:
    """Make the agent pools; where one cannot be made, those made before it go again."""
    done: list[OrganizationUse] = []
    try:
        for use in uses(world, pool.name, pool.properties).values():
            _provision(world, use, creator, open_access=use.open_access)
            done.append(use)
    except ApiError:
        for use in done:
            provision.remove(world, organization=use.organization, agent_pool=use.agent_pool, creator=creator)
        raise


def made(world: World, pool: ManagedPool) -> bool:
    """Whether any of its agent pools exists; if a failed creation left none, the next write creates them again."""
    found = uses(world, pool.name, pool.properties).values()
    organizations = world.devops.organizations
    return any(
        use.organization in organizations and organizations[use.organization].pool_named(use.agent_pool)
        for use in found
    )


def update(world: World, pool: ManagedPool, before: Body, creator: str) -> None:
    """Make the agent pools follow the organizations and projects of the body."""
    old, new = uses(world, pool.name, before), uses(world, pool.name, pool.properties)
    for name, use in new.items():
        if name not in old:
            stated = world.switches.word("arm.added-organization") == "as-stated"
            _provision(world, use, creator, open_access=stated and use.open_access)
        else:
            _follow(world, old[name], use, creator)
    if world.switches.word("arm.removed-organization") == "removes":
        for name in old.keys() - new.keys():
            provision.remove(world, organization=name, agent_pool=old[name].agent_pool, creator=creator)


def delete(world: World, pool: ManagedPool, creator: str) -> None:
    """Take the agent pools away; a pool in a subnet stays where the service may not leave that.

    What the service answers then, and what it has done before, is not published.
    """
    subnet = str((pool.properties["fabricProfile"].get("networkProfile") or {}).get("subnetId") or "")
    if subnet and not authorization.may_leave(world, subnet):
        raise ApiError(403, "AuthorizationFailed", f"The service cannot delete its association link of {subnet}.")
    if world.switches.word("devops.pool-of-deleted-resource") == "kept":
        return
    for use in uses(world, pool.name, pool.properties).values():
        provision.remove(world, organization=use.organization, agent_pool=use.agent_pool, creator=creator)


def _provision(world: World, use: OrganizationUse, creator: str, *, open_access: bool) -> None:
    provision.provision(
        world,
        organization=use.organization,
        agent_pool=use.agent_pool,
        projects=list(use.projects),
        open_access=open_access,
        permission_profile=use.profile,
        creator=creator,
    )


def _follow(world: World, old: OrganizationUse, new: OrganizationUse, creator: str) -> None:
    opened = world.switches.word("arm.open-access-change") == "applied" and old.open_access != new.open_access
    profiled = world.switches.word("arm.permission-profile-change") == "applied" and old.profile != new.profile
    provision.update(
        world,
        organization=new.organization,
        agent_pool=old.agent_pool,
        projects=list(new.projects),
        open_access=new.open_access if opened else None,
        permission_profile=new.profile if profiled else None,
        creator=creator,
    )

"""What a permission profile makes of a new agent pool's roles and inheritance.

CreatorOnly: the creator is Administrator, inheritance off. Inherit: the creator, inheritance on. SpecificAccounts: the
accounts and the creator (Microsoft Learn: Managed DevOps Pools, configure-security). A service principal is not made
Administrator of what it creates (terraform-provider-azurerm #32630); that is a switch.
"""

from __future__ import annotations

from emulator.devops import grants, people, rights, roledefs
from emulator.documents import Json
from emulator.frame import ApiError
from emulator.principals import Principal
from emulator.state.devops import Acl, AgentPool, Identity, Organization
from emulator.world import World

CREATOR_ONLY, INHERIT, SPECIFIC = "CreatorOnly", "Inherit", "SpecificAccounts"


def apply(
    world: World, organization: Organization, pool: AgentPool, profile: dict[str, Json] | None, *, creator: Identity
) -> None:
    """Set the pool's own roles and inheritance; without a profile it is CreatorOnly."""
    found = profile or {}
    kind = str(found.get("kind") or CREATOR_ONLY)
    accounts = [*(found.get("users") or ()), *(found.get("groups") or ())] if kind == SPECIFIC else []
    administrators = [one for account in accounts if (one := _account(world, organization, str(account)))]
    if _creator_administers(world, creator):
        administrators.append(creator)
    token = rights.pool_token(pool)
    grants.write(world, organization, token, Acl(_inherits(world, kind, creator), {}))
    for one in administrators:
        grants.grant(world, organization, token, who=one.id, role=roledefs.ADMINISTRATOR)


def _creator_administers(world: World, creator: Identity) -> bool:
    return not creator.is_application or world.switches.word("devops.service-principal-creator") == "administrator"


def _inherits(world: World, kind: str, creator: Identity) -> bool:
    if kind == SPECIFIC:
        return world.switches.word("devops.specific-accounts-inheritance") == "on"
    if kind == CREATOR_ONLY and creator.is_application:
        return world.switches.word("devops.service-principal-creator") == "inheritance-on"
    return kind == INHERIT


def _account(world: World, organization: Organization, account: str) -> Identity | None:
    """An identity by address, user principal name or object id; added to the organization if only the tenant has it."""
    wanted = account.lower()
    found = next((one for one in world.principals if wanted in _keys(one)), None)
    if found is not None:
        known = organization.by_name.get(found.name.lower())
        return known or organization.add_identity(people.known(found, organization))
    if world.switches.word("devops.unknown-account") == "refused":
        text = f"Failed to provision agent pool. Exception: The account {account} was not found."
        raise ApiError(400, "PoolProvisioningFailed", text)
    return None


def _keys(one: Principal) -> set[str]:
    return {key.lower() for key in (one.mail, one.upn, one.oid) if key}

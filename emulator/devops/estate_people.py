"""Names of an estate become identities: members of groups, and who has which role where."""

from __future__ import annotations

from emulator.devops import grants, people
from emulator.devops.document import EstateNode
from emulator.state.devops import Identity, Organization
from emulator.world import World


def member_id(world: World, organization: Organization, where: str, name: str) -> str:
    """A member's local id; a principal who is not in the organization yet has the one they will get."""
    if found := organization.by_name.get(name.lower()):
        return found.id
    if name in world.principals:
        return people.known(world.principals[name], organization).id
    raise ValueError(f"{where}: {name!r} is neither an identity of {organization.name} nor a principal")


def identity_of(organization: Organization, where: str, name: str) -> Identity:
    """An identity of the organization by name."""
    found = organization.by_name.get(name.lower())
    if found is None:
        raise ValueError(f"{where}: {name!r} is not an identity of {organization.name}")
    return found


def give(world: World, organization: Organization, token: str, raw: EstateNode, key: str) -> None:
    """Roles of the estate at a token."""
    for role, names in raw.roles(key).items():
        for name in names:
            who = identity_of(organization, f"{raw.where}.{key}.{role}", name)
            try:
                grants.grant(world, organization, token, who=who.id, role=role)
            except ValueError as error:
                raise ValueError(f"{raw.where}.{key}: {error}") from None

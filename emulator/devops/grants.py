"""Changes access control lists: the only writer, for roles, lists, provisioning and manual edits."""

from __future__ import annotations

from emulator.devops import rights, roledefs
from emulator.state.devops import Ace, Acl, Organization
from emulator.world import World


def write(world: World, organization: Organization, token: str, acl: Acl) -> None:
    """Replace the list of a token; visible after the write lag."""
    cell = organization.acls.get(token)
    if cell is None:
        cell = organization.acls[token] = world.visible(Acl())
    if cell.written != acl:
        cell.write(acl)


def allow(world: World, organization: Organization, token: str, entries: dict[str, Ace | None]) -> None:
    """Set own entries by local id; None takes one away. The others stay."""
    found = rights.written_acl(organization, token)
    aces = {one: ace for one, ace in found.aces.items() if one not in entries}
    aces.update({one: ace for one, ace in entries.items() if ace is not None})
    write(world, organization, token, Acl(found.inherit, aces))


def grant(world: World, organization: Organization, token: str, *, who: str, role: str) -> None:
    """Give a role, by its name in the token's scope; ValueError where there is none of that name."""
    found = roledefs.named(roledefs.scope_of(token), role, world.switches)
    if found is None:
        names = [one.name for one in roledefs.roles(roledefs.scope_of(token), world.switches)]
        raise ValueError(f"{token}: {role!r} is not a role here; there are {', '.join(names)}")
    allow(world, organization, token, {who: Ace(found.allow)})


def set_inheritance(world: World, organization: Organization, token: str, *, on: bool) -> None:
    """Switch inheritance; off, inherited entries are dropped, or kept as own ones (switch)."""
    found = rights.written_acl(organization, token)
    aces = dict(found.aces)
    if not on and found.inherit and world.switches.word("devops.inheritance-off") == "copies":
        for one, bits in inherited(organization, token).items():
            own = aces.get(one, Ace())
            aces[one] = Ace(own.allow | bits, own.deny)
    write(world, organization, token, Acl(on, aces))


def inherited(organization: Organization, token: str, *, visible: bool = False) -> dict[str, int]:
    """What comes from above a token, by local id; empty where its inheritance is off."""
    read = rights.visible_acl if visible else rights.written_acl
    if not read(organization, token).inherit:
        return {}
    found: dict[str, int] = {}
    for step in list(rights.upwards(token))[1:]:
        acl = read(organization, step)
        for one, ace in acl.aces.items():
            found[one] = found.get(one, 0) | ace.allow & ~ace.deny
        if not acl.inherit:
            break
    return found

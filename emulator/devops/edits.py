"""What people do by hand, in web pages and with rights of their own: the control port's edits.

Each edit is done in the name of a person (`by`), so that audit entries and `authorizedBy` show who it was. Nothing is
asked for rights: a test says what happened, not whether it could. Unknown names are ValueErrors that say what there is.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.devops import authorizations, grants, happenings, people, rights, trail
from emulator.devops.authorizations import Wish
from emulator.devops.model import DevOps, Identity, Organization, Pipeline, Pool, Project, Queue
from emulator.frame import Json

if TYPE_CHECKING:
    from emulator.world import World


@dataclass(frozen=True, slots=True)
class Hand:
    """Whose hand, and where."""

    world: World
    organization: Organization
    by: Identity

    def project(self, key: str) -> Project:
        """By name or id, deleted or not."""
        found = self.organization.project_named(key)
        named = [one for one in self.organization.projects.values() if one.name.lower() == key.lower()]
        if found is None and not named:
            raise ValueError(f"project {key!r} does not exist in {self.organization.name}")
        return found or named[-1]

    def pool(self, name: str) -> Pool:
        """By name."""
        found = self.organization.pool_named(name)
        if found is None:
            there = ", ".join(one.name for one in self.organization.pools.values()) or "none"
            raise ValueError(f"agent pool {name!r} does not exist in {self.organization.name}; there are: {there}")
        return found

    def queue(self, pool: str, project: str) -> Queue:
        """The queue of a pool in a project."""
        found = self.organization.queues_of_pool.get(self.pool(pool).id, {}).get(self.project(project).id)
        if found is None:
            raise ValueError(f"{self.organization.name}/{project} has no queue of {pool}")
        return found

    def who(self, name: str) -> Identity:
        """An identity by name."""
        found = self.organization.by_name.get(name.lower())
        if found is None:
            raise ValueError(f"{name!r} is not an identity of {self.organization.name}")
        return found

    def token(self, pool: str | None, project: str | None) -> str:
        """All pools, one pool, all queues of a project, or one queue."""
        if pool and project:
            return rights.queue_token(self.queue(pool, project))
        if pool:
            return rights.pool_token(self.pool(pool))
        return rights.project_token(self.project(project).id) if project else rights.POOLS


def edit(world: World, what: str, **arguments: Json) -> Json:
    """Do one thing by hand; `organization` may be left out where there is one, `by` where a person is a member."""
    if what not in EDITS:
        near = difflib.get_close_matches(what, EDITS, n=1)
        there = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(EDITS))}"
        raise ValueError(f"edit {what!r} does not exist; {there}")
    organization = _organization(world, arguments.pop("organization", None))
    hand = Hand(world, organization, _person(organization, arguments.pop("by", None)))
    job = EDITS[what]
    try:
        inspect.signature(job).bind(hand, **arguments)
    except TypeError as trouble:
        known = ", ".join(list(inspect.signature(job).parameters)[1:])
        raise ValueError(f"edit {what!r}: {trouble}; it takes {known}") from None
    return job(hand, **arguments)


def _organization(world: World, name: Json) -> Organization:
    devops: DevOps = world.devops
    if name is None and len(devops.organizations) == 1:
        return next(iter(devops.organizations.values()))
    found = devops.organizations.get(str(name).lower())
    if found is None:
        raise ValueError(f"organization {name!r} does not exist; there are {', '.join(devops.organizations) or 'none'}")
    return found


def _person(organization: Organization, name: Json) -> Identity:
    if name is not None:
        if str(name).lower() not in organization.by_name:
            raise ValueError(f"by: {name!r} is not an identity of {organization.name}")
        return organization.by_name[str(name).lower()]
    return people.somebody_else(organization)


def _create_project(hand: Hand, name: str) -> Json:
    if hand.organization.project_named(name):
        raise ValueError(f"project {name!r} exists in {hand.organization.name} already")
    number = str(hand.organization.next_id("project"))
    key = people.guid("project", hand.organization.name.lower(), name.lower(), number)
    return happenings.create_project(hand.world, hand.organization, name, by=hand.by, project_id=key).id


def _rename_project(hand: Hand, project: str, to: str) -> None:
    happenings.rename_project(hand.world, hand.organization, hand.project(project), to, by=hand.by)


def _delete_project(hand: Hand, project: str) -> None:
    happenings.delete_project(hand.world, hand.organization, hand.project(project), by=hand.by)


def _restore_project(hand: Hand, project: str) -> None:
    happenings.restore_project(hand.world, hand.organization, hand.project(project), by=hand.by)


def _hide_project(hand: Hand, project: str, principal: str = "operator") -> None:
    hand.project(project).hidden_from.add(principal)


def _show_project(hand: Hand, project: str, principal: str = "operator") -> None:
    hand.project(project).hidden_from.discard(principal)


def _hide_pool(hand: Hand, pool: str, principal: str = "operator") -> None:
    hand.pool(pool).hidden_from.add(principal)


def _show_pool(hand: Hand, pool: str, principal: str = "operator") -> None:
    hand.pool(pool).hidden_from.discard(principal)


def _create_pool(hand: Hand, pool: str) -> Json:
    if hand.organization.pool_named(pool):
        raise ValueError(f"agent pool {pool!r} exists in {hand.organization.name} already")
    return happenings.make_pool(hand.world, hand.organization, pool, by=hand.by).id


def _rename_pool(hand: Hand, pool: str, to: str) -> None:
    happenings.rename_pool(hand.world, hand.organization, hand.pool(pool), to)


def _delete_pool(hand: Hand, pool: str) -> None:
    happenings.delete_pool(hand.world, hand.organization, hand.pool(pool), by=hand.by)


def _create_queue(hand: Hand, pool: str, project: str) -> Json:
    found = hand.project(project)
    if found.id in hand.organization.queues_of_pool.get(hand.pool(pool).id, {}):
        raise ValueError(f"{hand.organization.name}/{project} has a queue of {pool} already")
    return happenings.make_queue(hand.world, hand.organization, found, hand.pool(pool), by=hand.by).id


def _delete_queue(hand: Hand, pool: str, project: str) -> None:
    hand.organization.drop_queue(hand.queue(pool, project))


def _open_access(hand: Hand, pool: str, project: str) -> None:
    happenings.open_queue(hand.world, hand.organization, hand.queue(pool, project), by=hand.by)


def _close_access(hand: Hand, pool: str, project: str) -> None:
    happenings.close_queue(hand.world, hand.organization, hand.queue(pool, project), by=hand.by)


def _authorize_pipeline(hand: Hand, pool: str, project: str, pipeline: int, authorized: bool = True) -> None:
    queue = hand.queue(pool, project)
    wish = Wish(None, ((int(pipeline), authorized),))
    queue.authorization.write(authorizations.merged(hand.world, queue.authorization.truth, wish, by=hand.by.id))
    word, key = "Authorized" if authorized else "Unauthorized", ("queue", str(queue.id))
    where = hand.organization.projects[queue.project]
    trail.resource(hand.world, hand.organization, hand.by, where, word=word, to="Pipeline", key=key)


def _create_pipeline(hand: Hand, project: str, name: str, path: str = "\\") -> Json:
    found = hand.project(project)
    number = hand.organization.next_id("pipeline")
    found.pipelines[number] = Pipeline(number, name, path)
    return number


def _add_identity(hand: Hand, principal: str) -> Json:
    if principal not in hand.world.principals:
        raise ValueError(f"{principal!r} is not among the estate's principals")
    known = hand.organization.by_name.get(principal.lower())
    made = known or people.known(hand.world.principals[principal], hand.organization)
    return hand.organization.add_identity(made).id


def _remove_identity(hand: Hand, principal: str) -> None:
    hand.organization.drop_identity(hand.who(principal))


def _add_member(hand: Hand, group: str, member: str) -> None:
    hand.who(group).members.add(hand.who(member).id)
    hand.organization.closures.clear()


def _remove_member(hand: Hand, group: str, member: str) -> None:
    hand.who(group).members.discard(hand.who(member).id)
    hand.organization.closures.clear()


def _set_role(hand: Hand, who: str, role: str, pool: str | None = None, project: str | None = None) -> None:
    token = hand.token(pool, project)
    grants.grant(hand.world, hand.organization, token, who=hand.who(who).id, role=role)
    trail.security(hand.world, hand.organization, hand.by, "ModifyPermission", token)


def _remove_role(hand: Hand, who: str, pool: str | None = None, project: str | None = None) -> None:
    token = hand.token(pool, project)
    grants.allow(hand.world, hand.organization, token, {hand.who(who).id: None})
    trail.security(hand.world, hand.organization, hand.by, "RemovePermission", token)


def _set_inheritance(hand: Hand, on: bool, pool: str | None = None, project: str | None = None) -> None:
    token = hand.token(pool, project)
    grants.set_inheritance(hand.world, hand.organization, token, on=on)
    trail.security(hand.world, hand.organization, hand.by, "ModifyAccessControlLists", token)


def _take_rights(hand: Hand, who: str = "operator") -> None:
    """Every own entry and every group membership goes; the membership of the organization stays."""
    local = hand.who(who).id
    for group in hand.organization.groups():
        group.members.discard(local)
    hand.organization.closures.clear()
    for token in list(hand.organization.acls):
        if local in rights.truth(hand.organization, token).aces:
            grants.allow(hand.world, hand.organization, token, {local: None})


EDITS: dict[str, Callable[..., Json]] = {
    "create-project": _create_project,
    "rename-project": _rename_project,
    "delete-project": _delete_project,
    "restore-project": _restore_project,
    "hide-project": _hide_project,
    "show-project": _show_project,
    "create-pool": _create_pool,
    "rename-pool": _rename_pool,
    "delete-pool": _delete_pool,
    "hide-pool": _hide_pool,
    "show-pool": _show_pool,
    "create-queue": _create_queue,
    "delete-queue": _delete_queue,
    "open-access": _open_access,
    "close-access": _close_access,
    "create-pipeline": _create_pipeline,
    "authorize-pipeline": _authorize_pipeline,
    "add-identity": _add_identity,
    "remove-identity": _remove_identity,
    "add-member": _add_member,
    "remove-member": _remove_member,
    "set-role": _set_role,
    "remove-role": _remove_role,
    "set-inheritance": _set_inheritance,
    "take-rights": _take_rights,
}
"""Everything that can be done by hand, by name."""

"""Manual edits, as people make them in web pages with their own rights: the control port's edits.

Each edit is done in the name of a person (`by`), so that audit entries and `authorizedBy` show who it was. No rights
are checked: a test says what happened, not whether it may. Unknown names are ValueErrors that list the known ones.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

from emulator.devops import audit_log, authorizations, checks, grants, lifecycle, people, rights
from emulator.devops.authorizations import AuthorizationChange
from emulator.documents import Json
from emulator.state.devops import AgentPool, Identity, Organization, Pipeline, Project, Queue
from emulator.world import World


@dataclass(frozen=True, slots=True)
class ManualEdit:
    """The author and the organization of a manual edit."""

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

    def pool(self, name: str) -> AgentPool:
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

    def identity(self, name: str) -> Identity:
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
    """Make one edit; `organization` may be left out where there is one, `by` where a person is a member."""
    if what not in EDITS:
        near = difflib.get_close_matches(what, EDITS, n=1)
        there = f"did you mean {near[0]!r}?" if near else f"there are move-pool, {', '.join(sorted(EDITS))}"
        raise ValueError(f"edit {what!r} does not exist; {there}")
    organization = _organization(world, arguments.pop("organization", None))
    manual = ManualEdit(world, organization, _person(organization, arguments.pop("by", None)))
    job = EDITS[what]
    try:
        inspect.signature(job).bind(manual, **arguments)
    except TypeError as error:
        known = ", ".join(list(inspect.signature(job).parameters)[1:])
        raise ValueError(f"edit {what!r}: {error}; it takes {known}") from None
    return job(manual, **arguments)


def _organization(world: World, name: Json) -> Organization:
    devops = world.devops
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
    return people.default_author(organization)


def _create_project(edit: ManualEdit, name: str) -> Json:
    if edit.organization.project_named(name):
        raise ValueError(f"project {name!r} exists in {edit.organization.name} already")
    number = str(edit.organization.next_id("project"))
    key = people.guid("project", edit.organization.name.lower(), name.lower(), number)
    return lifecycle.create_project(edit.world, edit.organization, name, by=edit.by, project_id=key).id


def _rename_project(edit: ManualEdit, project: str, to: str) -> None:
    lifecycle.rename_project(edit.world, edit.organization, edit.project(project), to, by=edit.by)


def _delete_project(edit: ManualEdit, project: str) -> None:
    lifecycle.delete_project(edit.world, edit.organization, edit.project(project), by=edit.by)


def _restore_project(edit: ManualEdit, project: str) -> None:
    lifecycle.restore_project(edit.world, edit.organization, edit.project(project), by=edit.by)


def _hide_project(edit: ManualEdit, project: str, principal: str = "operator") -> None:
    edit.project(project).hidden_from.add(principal)


def _show_project(edit: ManualEdit, project: str, principal: str = "operator") -> None:
    edit.project(project).hidden_from.discard(principal)


def _hide_pool(edit: ManualEdit, pool: str, principal: str = "operator") -> None:
    edit.pool(pool).hidden_from.add(principal)


def _show_pool(edit: ManualEdit, pool: str, principal: str = "operator") -> None:
    edit.pool(pool).hidden_from.discard(principal)


def _create_pool(edit: ManualEdit, pool: str) -> Json:
    if edit.organization.pool_named(pool):
        raise ValueError(f"agent pool {pool!r} exists in {edit.organization.name} already")
    return lifecycle.make_pool(edit.world, edit.organization, pool, by=edit.by).id


def _rename_pool(edit: ManualEdit, pool: str, to: str) -> None:
    lifecycle.rename_pool(edit.world, edit.organization, edit.pool(pool), to)


def _delete_pool(edit: ManualEdit, pool: str) -> None:
    lifecycle.delete_pool(edit.world, edit.organization, edit.pool(pool), by=edit.by)


def _create_queue(edit: ManualEdit, pool: str, project: str) -> Json:
    found = edit.project(project)
    if found.id in edit.organization.queues_of_pool.get(edit.pool(pool).id, {}):
        raise ValueError(f"{edit.organization.name}/{project} has a queue of {pool} already")
    return lifecycle.make_queue(edit.world, edit.organization, found, edit.pool(pool), by=edit.by).id


def _delete_queue(edit: ManualEdit, pool: str, project: str) -> None:
    edit.organization.drop_queue(edit.queue(pool, project))


def _open_access(edit: ManualEdit, pool: str, project: str) -> None:
    lifecycle.open_queue(edit.world, edit.organization, edit.queue(pool, project), by=edit.by)


def _close_access(edit: ManualEdit, pool: str, project: str) -> None:
    lifecycle.close_queue(edit.world, edit.organization, edit.queue(pool, project), by=edit.by)


def _authorize_pipeline(edit: ManualEdit, pool: str, project: str, pipeline: int, authorized: bool = True) -> None:
    queue = edit.queue(pool, project)
    change = AuthorizationChange(None, ((int(pipeline), authorized),))
    queue.authorization.write(authorizations.merged(edit.world, queue.authorization.written, change, by=edit.by.id))
    word, key = "Authorized" if authorized else "Unauthorized", ("queue", str(queue.id))
    where = edit.organization.projects[queue.project]
    audit_log.resource(edit.world, edit.organization, edit.by, where, word=word, to="Pipeline", key=key)


def _create_pipeline(
    edit: ManualEdit,
    project: str,
    name: str,
    path: str = "\\",
    *,
    pool: str = "",
    job_pool: str = "",
    variables: dict[str, Json] | None = None,
) -> Json:
    """`pool`: its default agent pool, by the id of the queue; `job_pool`: that of a job of a classic definition."""
    found = edit.project(project)
    default = edit.queue(pool, project).id if pool else None
    phases = [edit.queue(job_pool, project).id] if job_pool else []
    number = edit.organization.next_id("pipeline")
    found.pipelines[number] = Pipeline(number, name, path, default, phases, variables=variables or {})
    return number


def _add_check(
    edit: ManualEdit, pool: str, project: str, kind: str = "Approval", settings: dict[str, Json] | None = None
) -> Json:
    if kind not in checks.TYPES:
        raise ValueError(f"kind {kind!r} is not known; there are {', '.join(checks.TYPES)}")
    queue, named = edit.queue(pool, project), (checks.TYPES[kind], kind)
    return checks.make(edit.world, edit.organization, queue, named, settings or {}, by=edit.by.id).id


def _remove_check(edit: ManualEdit, pool: str, project: str, check: int) -> None:
    if edit.queue(pool, project).checks.pop(int(check), None) is None:
        raise ValueError(f"the queue of {pool} in {project} has no check {check}")


def _add_identity(edit: ManualEdit, principal: str) -> Json:
    if principal not in edit.world.principals:
        raise ValueError(f"{principal!r} is not among the estate's principals")
    known = edit.organization.by_name.get(principal.lower())
    made = known or people.known(edit.world.principals[principal], edit.organization)
    return edit.organization.add_identity(made).id


def _remove_identity(edit: ManualEdit, principal: str) -> None:
    edit.organization.drop_identity(edit.identity(principal))


def _create_group(edit: ManualEdit, name: str, project: str | None = None, key: str = "") -> Json:
    """`key`: the local id, which the creator of a group may choose (graph 7.2, `storageKey`)."""
    scope = edit.project(project).id if project else ""
    if edit.organization.group_of(scope, name):
        raise ValueError(f"group {name!r} exists there already")
    return edit.organization.add_identity(people.group(edit.organization, name, scope=scope, local_id=key)).id


def _create_build_service(edit: ManualEdit, project: str | None = None) -> Json:
    """As the first pipeline that runs does; without a project that of the whole organization."""
    made = people.build_service(edit.organization, edit.project(project) if project else None)
    return edit.organization.add_identity(made).id


def _rename_identity(edit: ManualEdit, who: str, to: str) -> None:
    """Another display name, as people choose it for themselves; a group gets another name."""
    found = edit.identity(who)
    if not found.is_group:
        found.display_name = to
        return
    del edit.organization.by_name[found.name.lower()]
    project = edit.organization.projects.get(found.scope)
    found.display_name = to
    if found.origin == "vsts":
        found.name, found.unique_name = people.group_names(edit.organization, project, to)
    edit.organization.by_name[found.name.lower()] = found


def _double_identity(edit: ManualEdit, who: str, active: bool = True) -> Json:
    """A second identity with the same names; inactive, it is what a person who left and came back leaves behind."""
    found, number = edit.identity(who), edit.organization.next_id("double")
    local = people.guid("double", edit.organization.name.lower(), found.id, str(number))
    prefix = found.descriptor.partition(".")[0]
    made = replace(
        found,
        id=local,
        name=f"{found.name} ({number})",
        descriptor=people.descriptor_of(prefix, local),
        license="express" if active else "",
        members=set(),
    )
    return edit.organization.add_identity(made).id


def _add_member(edit: ManualEdit, group: str, member: str) -> None:
    edit.identity(group).members.add(edit.identity(member).id)
    edit.organization.closures.clear()


def _remove_member(edit: ManualEdit, group: str, member: str) -> None:
    edit.identity(group).members.discard(edit.identity(member).id)
    edit.organization.closures.clear()


def _set_role(edit: ManualEdit, who: str, role: str, pool: str | None = None, project: str | None = None) -> None:
    token = edit.token(pool, project)
    grants.grant(edit.world, edit.organization, token, who=edit.identity(who).id, role=role)
    audit_log.security(edit.world, edit.organization, edit.by, "ModifyPermission", token)


def _remove_role(edit: ManualEdit, who: str, pool: str | None = None, project: str | None = None) -> None:
    token = edit.token(pool, project)
    grants.allow(edit.world, edit.organization, token, {edit.identity(who).id: None})
    audit_log.security(edit.world, edit.organization, edit.by, "RemovePermission", token)


def _set_inheritance(edit: ManualEdit, on: bool, pool: str | None = None, project: str | None = None) -> None:
    token = edit.token(pool, project)
    grants.set_inheritance(edit.world, edit.organization, token, on=on)
    audit_log.security(edit.world, edit.organization, edit.by, "ModifyAccessControlLists", token)


def _take_rights(edit: ManualEdit, who: str = "operator") -> None:
    """Every own entry and every group membership goes; the membership of the organization stays."""
    local = edit.identity(who).id
    for group in edit.organization.groups():
        group.members.discard(local)
    edit.organization.closures.clear()
    for token in list(edit.organization.acls):
        if local in rights.written_acl(edit.organization, token).aces:
            grants.allow(edit.world, edit.organization, token, {local: None})


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
    "add-check": _add_check,
    "remove-check": _remove_check,
    "add-identity": _add_identity,
    "remove-identity": _remove_identity,
    "create-group": _create_group,
    "create-build-service": _create_build_service,
    "rename-identity": _rename_identity,
    "double-identity": _double_identity,
    "add-member": _add_member,
    "remove-member": _remove_member,
    "set-role": _set_role,
    "remove-role": _remove_role,
    "set-inheritance": _set_inheritance,
    "take-rights": _take_rights,
}
"""Everything that can be done by hand, by name."""

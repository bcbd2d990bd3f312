"""From what an organization says of the identity to the steps that it needs, in the order of giving. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from reconciler.errors import Forbidden, ReconcilerError
from reconciler.ports.devops import Group, Project
from reconciler.rights import required
from reconciler.rights.required import COLLECTION_ADMINISTRATORS, READERS
from reconciler.spec.model import Mode
from reconciler.tools.onboard import requirements
from reconciler.tools.onboard.requirements import OnboardRequest, OrganizationState
from reconciler.tools.onboard.step import ORDER, Add, Assign, Join, OnboardStep, Raise, Standing, StepKind

_VALID = "Project Valid Users"
"""Everybody in a group of the project is in this one of it (Microsoft Learn: security groups)."""
_ALL_VALID = "Project Collection Valid Users"

Holder: TypeAlias = Callable[[Collection[str], Collection[str]], str]
"""Who holds a role: by local ids, or by names of groups in lower case."""


def steps(asked: OnboardRequest, seen: OrganizationState) -> tuple[OnboardStep, ...]:
    """Every step, whether it is held or not."""
    found = [_member(asked, seen), _pools(asked, seen)]
    for project in seen.projects:
        found += [_project(asked, seen, project), _queues(asked, seen, project)]
    return tuple(sorted(found, key=lambda step: (ORDER.index(step.kind), step.place.casefold())))


# --- the access level --------------------------------------------------------------------------------


def _member(asked: OnboardRequest, seen: OrganizationState) -> OnboardStep:
    step = OnboardStep(
        kind=StepKind.MEMBER,
        organization=seen.organization,
        place=seen.organization,
        what="member with access level Basic",
        why="nothing answers who is no member; a group that was added does not make a service principal one",
        grant=required.membership(seen.organization, asked.object_id),
        who=f"{COLLECTION_ADMINISTRATORS} of {seen.organization}",
        standing=Standing.MISSING,
    )
    found = seen.entitlement
    if isinstance(found, ReconcilerError):
        return _unknown(step, found)
    level = f"access level {found.license}" if found else ""
    if requirements.shut_out(found):
        return replace(step, detail=f"{level}, and {found.status if found else ''}: to be let in again by hand")
    if not requirements.member(found):
        return replace(step, act=Add(requirements.LICENSE))
    enough = requirements.licensed(found)
    if enough is None:
        return replace(step, standing=Standing.UNKNOWN, detail=f"{level} is none that this program knows")
    return replace(step, standing=Standing.HELD, detail=level) if enough else _raised(step, level)


def _raised(step: OnboardStep, level: str) -> OnboardStep:
    return replace(step, act=Raise(requirements.LICENSE), detail=f"{level} is too little")


# --- projects ----------------------------------------------------------------------------------------


def _project(asked: OnboardRequest, seen: OrganizationState, project: Project) -> OnboardStep:
    place = f"{seen.organization}/{project.name}"
    step = OnboardStep(
        kind=StepKind.PROJECT,
        organization=seen.organization,
        place=place,
        what="Reader of the project",
        why="a project that is hidden cannot be told from one that does not exist",
        grant=required.in_project(seen.organization, project.name, READERS, asked.object_id),
        who=f"Project Administrators of {place}, {COLLECTION_ADMINISTRATORS}",
        standing=Standing.MISSING,
    )
    for answer in (seen.groups, seen.directory):
        if isinstance(answer, ReconcilerError):
            return _unknown(step, answer)
    inside = _groups_of(seen, project)
    mine = {one.descriptor for one in _groups(seen)}
    through = next((one.name for one in inside if one.descriptor in mine), "") or _administers(seen)
    if through:
        return replace(step, standing=Standing.HELD, detail=f"in {through}")
    readers = next((one for one in inside if _title(one) == READERS.casefold()), None)
    if readers is None:
        return replace(step, detail=f"no group {READERS} of this project is listed: any other of its groups will do")
    return replace(step, act=Join(readers.descriptor))


def _groups_of(seen: OrganizationState, project: Project) -> list[Group]:
    listed = [] if isinstance(seen.directory, ReconcilerError) else seen.directory
    return [one for one in listed if one.project == project.id]


def _groups(seen: OrganizationState) -> Sequence[Group]:
    return () if isinstance(seen.groups, ReconcilerError) else seen.groups


def _title(group: Group) -> str:
    return group.name.rpartition("]\\")[2].casefold()


def _administers(seen: OrganizationState) -> str:
    """The name of the organization's administrators, where the identity is one of them."""
    return next((one.name for one in _groups(seen) if _title(one) == COLLECTION_ADMINISTRATORS.casefold()), "")


def excess(asked: OnboardRequest, seen: OrganizationState) -> Iterator[str]:
    """What the identity has beyond its needs, as far as that is seen here. It is told and left alone."""
    if name := _administers(seen):
        yield f"{seen.organization}: the identity is in {name}, which is more than it needs in any mode"
    if asked.mode is Mode.ENFORCE or not seen.identity_id:
        return
    places = {f"all agent pools of {seen.organization}": seen.pools}
    places |= {f"all agent pools of {seen.organization}/{one.name}": seen.queues[one.id] for one in seen.projects}
    for place, answer in places.items():
        roles = () if isinstance(answer, ReconcilerError) else answer
        if requirements.holder(roles, required.ADMINISTRATOR, {seen.identity_id}, ()):
            yield f"{seen.organization}: the identity is Administrator on {place}, which is more than mode report needs"


# --- roles -------------------------------------------------------------------------------------------


def _pools(asked: OnboardRequest, seen: OrganizationState) -> OnboardStep:
    needed = requirements.role(asked.mode)
    step = OnboardStep(
        kind=StepKind.POOLS,
        organization=seen.organization,
        place=seen.organization,
        what=f"{needed} on all agent pools",
        why=requirements.why_pools(asked.mode),
        grant=required.on_pools(seen.organization, needed, asked.object_id),
        who=f"administrators of all agent pools of {seen.organization}, {COLLECTION_ADMINISTRATORS}",
        standing=Standing.MISSING,
        act=Assign(requirements.POOL_SCOPE, requirements.ALL_POOLS, needed),
        token="AgentPools",  # noqa: S106 - a security token is the name of a thing that has an ACL
    )
    if isinstance(seen.pools, ReconcilerError):
        return _unknown(step, seen.pools)
    coming = {f"[{seen.organization}]\\{_ALL_VALID}".casefold()}
    return _held(step, seen, partial(requirements.holder, seen.pools, needed), coming)


def _queues(asked: OnboardRequest, seen: OrganizationState, project: Project) -> OnboardStep:
    needed = requirements.role(asked.mode)
    place = f"{seen.organization}/{project.name}"
    step = OnboardStep(
        kind=StepKind.QUEUES,
        organization=seen.organization,
        place=place,
        what=f"{needed} on all agent pools of the project",
        why=requirements.why_queues(asked.mode),
        grant=required.on_queues(seen.organization, project.name, needed, asked.object_id),
        who=f"Project, Build and Release Administrators of {place}, {COLLECTION_ADMINISTRATORS}",
        standing=Standing.MISSING,
        act=Assign(requirements.QUEUE_SCOPE, project.id, needed),
        token=f"AgentQueues/{project.id}",
    )
    answer = seen.queues.get(project.id, ())
    if isinstance(answer, ReconcilerError):
        return _unknown(step, answer)
    joins = not any(one.descriptor in {mine.descriptor for mine in _groups(seen)} for one in _groups_of(seen, project))
    titles = (_VALID, READERS) if joins else (_VALID,)
    coming = {f"[{project.name}]\\{title}".casefold() for title in titles}
    return _held(step, seen, partial(requirements.holder, answer, needed), coming)


def _held(step: OnboardStep, seen: OrganizationState, holder: Holder, coming: set[str]) -> OnboardStep:
    """Held by the identity itself, by a group that it is in, or by one that it will be in by an earlier step."""
    if seen.identity_id and holder({seen.identity_id}, ()):
        return replace(step, standing=Standing.HELD, detail="assigned", act=None)
    ids = {one.id for one in _groups(seen)} - {""}
    if through := holder(ids, ()) or _administers(seen):
        return replace(step, standing=Standing.HELD, detail=f"by {through}", act=None)
    if isinstance(seen.groups, ReconcilerError):
        return _unknown(step, seen.groups)
    if through := holder((), coming):
        return replace(step, standing=Standing.HELD, detail=f"by {through}, as everybody there", act=None)
    return step


def _unknown(step: OnboardStep, error: ReconcilerError) -> OnboardStep:
    return replace(step, standing=Standing.UNKNOWN, detail=str(error), act=None)


# --- what cannot be seen -----------------------------------------------------------------------------


def shut(asked: OnboardRequest, organization: str, error: ReconcilerError) -> OnboardStep:
    """The one step that is told of an organization where nothing could be read."""
    return _member(asked, OrganizationState(organization, entitlement=error))


def hidden(asked: OnboardRequest, organization: str, project: Project) -> OnboardStep:
    """A project that the caller cannot see: whether the identity is in it cannot be asked."""
    why = Forbidden("it is hidden from you; somebody who is in it has to do this, or limit what is asked by --project")
    return _project(asked, OrganizationState(organization, groups=why), project)

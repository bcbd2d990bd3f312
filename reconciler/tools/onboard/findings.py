"""Each requirement, held against what an organization says about the identity. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from reconciler.errors import Forbidden, NotFound, ReconcilerError, Rejected
from reconciler.plan.rights import required
from reconciler.plan.rights.checks import CheckResult
from reconciler.plan.rights.required import COLLECTION_ADMINISTRATORS, READERS, Requirement
from reconciler.plan.targets import AccessLevel, GroupMember, OrganizationPlace, ProjectPlace, RoleAssignmentChange
from reconciler.ports.devops import Entitlement, Group, RoleAssignment
from reconciler.spec.model import Mode
from reconciler.spec.principals import folded
from reconciler.tools.onboard.observe import Answer, OnboardRequest, OrganizationState

_VALID_USERS = "Project Valid Users"
"""Every member of a group of the project is in this one of it (Microsoft Learn: security groups)."""
_ALL_VALID_USERS = "Project Collection Valid Users"


@dataclass(frozen=True, slots=True)
class OnboardFinding:
    """One requirement, and whether the identity has it."""

    requirement: Requirement
    result: CheckResult
    detail: str = ""
    """Through what it has it, or why that is unknown or for an administrator to do by hand."""
    reason: str = ""
    """Class name of the error, where it is unknown or for an administrator."""
    target: AccessLevel | GroupMember | RoleAssignmentChange | None = None
    """What would grant it; None where it is there, unknown, or only possible by hand."""


def findings(request: OnboardRequest, state: OrganizationState) -> tuple[OnboardFinding, ...]:
    """Every requirement of the mode, in the order of the list."""
    access, pools = required.in_organization(state.organization, request.mode)
    found = [_access_level(access, request, state), _role(pools, request, state, state.pools)]
    for project in state.projects:
        place = ProjectPlace(state.organization, project.id, project.name)
        reader, queues = required.in_project(place, request.mode)
        found.append(_project_reader(reader, place, request, state))
        found.append(_role(queues, request, state, state.queues[project.id]))
    return (*found, *_hidden(request, state))


def _hidden(request: OnboardRequest, state: OrganizationState) -> Iterator[OnboardFinding]:
    """Projects that the caller cannot see: whether the identity is in them cannot be read."""
    hidden = state.hidden
    if isinstance(hidden, ReconcilerError):
        place = ProjectPlace(state.organization, "", "(hidden projects)")
        yield _unknown(required.in_project(place, request.mode)[0], hidden)
        return
    for project in hidden:
        reader, _ = required.in_project(ProjectPlace(state.organization, project.id, project.name), request.mode)
        yield _unknown(reader, Forbidden("hidden from you; a member of it has to grant this, or limit it by --project"))


def _unknown(requirement: Requirement, error: ReconcilerError) -> OnboardFinding:
    return OnboardFinding(requirement, CheckResult.UNKNOWN, str(error), error.reason)


def _access_level(requirement: Requirement, request: OnboardRequest, state: OrganizationState) -> OnboardFinding:
    found: Answer[Entitlement | None] = state.entitlement
    if isinstance(found, ReconcilerError):
        return _unknown(requirement, found)
    verdict = required.level_verdict(found.license, found.source, found.status) if found else required.NO_LEVEL
    if verdict.enough is None:
        return OnboardFinding(requirement, CheckResult.UNKNOWN, verdict.detail, Rejected.__name__)
    if verdict.enough:
        return OnboardFinding(requirement, CheckResult.OK, verdict.detail)
    if verdict.locked_out:
        return OnboardFinding(requirement, CheckResult.MISSING, verdict.detail, Rejected.__name__)
    target = AccessLevel(
        OrganizationPlace(state.organization),
        request.object_id,
        state.identity_id,
        before=found.license if found and verdict.member else None,
        after=required.BASIC,
    )
    return OnboardFinding(requirement, CheckResult.MISSING, verdict.detail, target=target)


def _project_reader(
    requirement: Requirement, place: ProjectPlace, request: OnboardRequest, state: OrganizationState
) -> OnboardFinding:
    for answer in (state.groups, state.directory):
        if isinstance(answer, ReconcilerError):
            return _unknown(requirement, answer)
    inside = state.groups_of(place.project_id)
    own = {one.descriptor for one in _groups(state.groups)}
    through = next((one.name for one in inside if one.descriptor in own), "") or _administrators(state)
    if through:
        return OnboardFinding(requirement, CheckResult.OK, f"in {through}")
    readers = next((one for one in inside if _named(one, READERS)), None)
    if readers is None:
        detail = f"the project lists no group {READERS}; any other group of it will do"
        return OnboardFinding(requirement, CheckResult.MISSING, detail, NotFound.__name__)
    member = state.principal.descriptor if state.principal else ""
    target = GroupMember(place, request.object_id, member, readers.name, readers.descriptor)
    return OnboardFinding(requirement, CheckResult.MISSING, target=target)


def _role(
    requirement: Requirement,
    request: OnboardRequest,
    state: OrganizationState,
    answer: Answer[Sequence[RoleAssignment]],
) -> OnboardFinding:
    """Held by the identity itself, by a group that it is in, or by one that it will be in by an earlier change."""
    if isinstance(answer, ReconcilerError):
        return _unknown(requirement, answer)
    enough = [one for one in answer if required.allows(one.role, requirement)]
    if state.identity_id and _holder(enough, {state.identity_id}, ()):
        return OnboardFinding(requirement, CheckResult.OK, "assigned")
    ids = {one.id for one in _groups(state.groups)} - {""}
    if through := _holder(enough, ids, ()) or _administrators(state):
        return OnboardFinding(requirement, CheckResult.OK, f"through {through}")
    if isinstance(state.groups, ReconcilerError):
        return _unknown(requirement, state.groups)
    if through := _holder(enough, (), _groups_to_come(requirement, state)):
        return OnboardFinding(requirement, CheckResult.OK, f"through {through}, as every member")
    own = [one.role for one in answer if state.identity_id and one.identity.id == state.identity_id]
    target = RoleAssignmentChange(
        requirement.place, state.identity_id, request.object_id, own[0] if own else None, requirement.role
    )
    return OnboardFinding(requirement, CheckResult.MISSING, target=target)


def _groups_to_come(requirement: Requirement, state: OrganizationState) -> set[str]:
    """Full names (folded) of groups that the identity is in once the changes before this one are made.

    Role assignments show names alone, so a name counts only where one group has it: that of this project, or of the
    organization.
    """
    place = requirement.place
    if isinstance(place, OrganizationPlace):
        return _only(state, [one for one in _groups(state.directory) if not one.project], (_ALL_VALID_USERS,))
    own, inside = {one.descriptor for one in _groups(state.groups)}, state.groups_of(place.project_id)
    joins = not any(one.descriptor in own for one in inside)
    return _only(state, inside, (_VALID_USERS, READERS) if joins else (_VALID_USERS,))


def _only(state: OrganizationState, groups: Sequence[Group], titles: Sequence[str]) -> set[str]:
    often = Counter(folded(one.name) for one in _groups(state.directory))
    names = {folded(one.name) for one in groups if any(_named(one, title) for title in titles)}
    return {name for name in names if often[name] == 1}


def _holder(assignments: Sequence[RoleAssignment], ids: Collection[str], names: Collection[str]) -> str:
    """Name of the identity or group among these that holds one of the assignments; empty where none does."""
    held = (one for one in assignments if one.identity.id in ids or folded(_name(one)) in names)
    return next(map(_name, held), "")


def _name(one: RoleAssignment) -> str:
    """A group shows its full name in either field."""
    shown = one.identity.display_name
    return shown if "]\\" in shown else one.identity.unique_name or shown


def _groups(answer: Answer[Sequence[Group]]) -> Sequence[Group]:
    return () if isinstance(answer, ReconcilerError) else answer


def _named(group: Group, title: str) -> bool:
    return folded(group.title) == folded(title)


def _administrators(state: OrganizationState) -> str:
    """Name of the organization's administrators, where the identity is one of them.

    A project may have a group of this name as well, so the group has to be one of the organization by its scope id.
    """
    own = {one.descriptor for one in _groups(state.groups)}
    found = (
        one
        for one in _groups(state.directory)
        if one.descriptor in own and not one.project and _named(one, COLLECTION_ADMINISTRATORS)
    )
    return next((one.name for one in found), "")


def excess(request: OnboardRequest, state: OrganizationState) -> Iterator[str]:
    """What the identity has beyond the requirements, as far as it was read. It is reported and left as it is."""
    if name := _administrators(state):
        yield f"the identity is in {name}, which is more than any mode requires"
    if request.mode is Mode.ENFORCE or not state.identity_id:
        return
    places = {state.organization: state.pools}
    places |= {f"{state.organization}/{one.name}": state.queues[one.id] for one in state.projects}
    for place, answer in places.items():
        roles: Sequence[RoleAssignment] = () if isinstance(answer, ReconcilerError) else answer
        if any(one.role == required.ADMINISTRATOR and one.identity.id == state.identity_id for one in roles):
            yield f"the identity is Administrator on all agent pools of {place}, more than mode report requires"

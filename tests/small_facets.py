"""Four facets, as small as the five promises allow: a body, queues, doors and keys, for tests of the engine.

They are real `Facet` values over the real survey; what they leave out is everything the engine cannot see.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotReady, ReconcilerError
from reconciler.plan.model import Change, Detail, Gap, GapKind, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AgentPoolPlace,
    CreatePool,
    NewQueue,
    OpenAccess,
    ProjectPlace,
    QueuePlace,
    RoleAssignmentChange,
    UpdatePool,
)
from reconciler.ports.azure import Pending
from reconciler.ports.devops import Project
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey

SCOPE = "distributedtask.agentpoolrole"


def _no_guard(observed: object, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    return ()


def _organizations(spec: Spec, now: datetime) -> tuple[Organization, ...] | None:
    return spec.organizations or None


def _failed(value: object) -> bool:
    return isinstance(value, ReconcilerError)


def _unread(facet: str, organization: str, project: Project, error: Any) -> Gap:
    subject = f"{organization}/{project.name}"
    return Gap(facet, subject, GapKind.UNKNOWN, error.reason, str(error), error.retry_after)


# --- body: the ARM resource, compared as a whole ---


def _look_body(spec: Spec, desired: dict[str, Any], survey: Survey) -> Observation[dict[str, Any]]:
    body = survey.arm_pool(spec)
    if body is not None and body.get("busy"):
        raise NotReady(f"{spec.name}: the resource is being updated")
    return Observation({"id": spec.pool_id, "body": None if body is None else body.get("tags")})


def _diff_body(desired: dict[str, Any], seen: dict[str, Any]) -> Sequence[Change]:
    if seen["body"] == desired:
        return []
    kind = CreatePool if seen["body"] is None else UpdatePool
    details = (Detail("tags", seen["body"], desired),) if kind is UpdatePool else ()
    target = kind(seen["id"], {"tags": desired})
    return [Change("body", "pool", "tags", seen["body"], desired, target, details)]


def _put(change: Change, writers: Writers) -> Pending | None:
    assert isinstance(change.target, CreatePool | UpdatePool)
    return writers.arm.put(change.target.resource_id, change.target.body)


def _tags(spec: Spec, now: datetime) -> Any:
    return spec.body.get("tags")


BODY: Facet[Any, Any] = Facet("body", "ARM body", _tags, _look_body, _diff_body, _no_guard, _put)

# --- queues: one in every project ---


def _look_queues(spec: Spec, desired: tuple[Organization, ...], survey: Survey) -> Observation[Any]:
    missing: list[tuple[str, Any, Any]] = []
    gaps: list[Gap] = []
    for one in desired:
        try:
            pool = survey.agent_pool(one.name, one.agent_pool)
            projects = survey.projects(one.name)
        except ReconcilerError as error:
            kind = GapKind.NOT_READY if isinstance(error, NotReady) else GapKind.UNKNOWN
            gaps.append(Gap("queues", one.name, kind, error.reason, str(error), error.retry_after))
            continue
        found = survey.queues(one.name, projects, pool)
        missing += [(one.name, project, pool) for project in projects if found[project.id] is None]
    return Observation(missing, tuple(gaps))


def _diff_queues(desired: object, seen: Any) -> Sequence[Change]:
    return [
        Change(
            "queues", "queue", f"{organization}/{project.name}", None, pool.name,
            NewQueue(ProjectPlace(organization, project.id, project.name), pool.id, pool.name),
            wait_once="the service may still make it",
        )
        for organization, project, pool in seen
    ]  # fmt: skip


def _make_queue(change: Change, writers: Writers) -> None:
    target = change.target
    assert isinstance(target, NewQueue)
    place = target.place
    writers.devops.create_queue(place.organization, place.project_id, target.pool_id, target.pool_name)


QUEUES: Facet[Any, Any] = Facet("queues", "queues", _organizations, _look_queues, _diff_queues, _no_guard, _make_queue)

# --- doors: open access as the organization says ---


def _look_doors(spec: Spec, desired: tuple[Organization, ...], survey: Survey) -> Observation[Any]:
    seen: list[tuple[str, Any, Any, bool]] = []
    gaps: list[Gap] = []
    for one in desired:
        try:
            pool = survey.agent_pool(one.name, one.agent_pool)
            projects = {project.id: project for project in survey.projects(one.name)}
        except ReconcilerError as error:
            kind = GapKind.NOT_READY if isinstance(error, NotReady) else GapKind.UNKNOWN
            gaps.append(Gap("doors", one.name, kind, error.reason, str(error), error.retry_after))
            continue
        found = survey.queues(one.name, list(projects.values()), pool)
        queues = [q for q in found.values() if q is not None and not isinstance(q, ReconcilerError)]
        gaps += [_unread("doors", one.name, projects[key], e) for key, e in found.items() if _failed(e)]
        wanted = dict.fromkeys(queues, bool(one.open_access))
        for queue, is_open in survey.open_access(one.name, wanted).items():
            project = projects[queue.project_id]
            if isinstance(is_open, ReconcilerError):
                gaps.append(_unread("doors", one.name, project, is_open))
            else:
                seen.append((one.name, project, queue, is_open))
    return Observation(seen, tuple(gaps))


def _diff_doors(desired: tuple[Organization, ...], seen: Any) -> Sequence[Change]:
    wanted = {one.name: bool(one.open_access) for one in desired}
    return [
        Change(
            "doors", "open access", f"{organization}/{project.name}", is_open, allow,
            OpenAccess(QueuePlace(organization, project.id, project.name, queue.id, queue.pool_id), allow),
        )
        for organization, project, queue, is_open in seen
        if (allow := wanted[organization]) != is_open
    ]  # fmt: skip


def _set_door(change: Change, writers: Writers) -> None:
    target = change.target
    assert isinstance(target, OpenAccess)
    place = target.place
    writers.devops.set_open_access(place.organization, place.project_id, place.queue_id, target.allow)


DOORS: Facet[Any, Any] = Facet("doors", "open access", _organizations, _look_doors, _diff_doors, _no_guard, _set_door)

# --- keys: administrators, to the letter; the last one stays ---


def _wanted_keys(spec: Spec, now: datetime) -> Any:
    return {roles.organization: set(roles.administrators or ()) for roles in spec.access.roles} or None


def _look_keys(spec: Spec, desired: dict[str, set[str]], survey: Survey) -> Observation[Any]:
    found = {}
    for organization in desired:
        lines = survey.role_assignments(organization, SCOPE, "1")
        found[organization] = {line.identity.id for line in lines}
    return Observation(found)


def _move(grant: bool) -> tuple[str | None, str | None]:
    return (None, "Administrator") if grant else ("Administrator", None)


def key(change: Change) -> RoleAssignmentChange:
    """Whose role a change is about."""
    assert isinstance(change.target, RoleAssignmentChange)
    return change.target


def _diff_keys(desired: dict[str, set[str]], seen: dict[str, set[str]]) -> Sequence[Change]:
    changes = []
    for organization, wanted in desired.items():
        for who in sorted(wanted ^ seen[organization]):
            grant = who in wanted
            changes.append(
                Change(
                    "keys", "administrator", f"{organization} {who}", *_move(grant),
                    RoleAssignmentChange(AgentPoolPlace(organization, 1), who, who, *_move(grant)),
                )
            )  # fmt: skip
    return changes


def _guard_keys(seen: dict[str, set[str]], changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """No lockout: what is granted in the same plan counts only as long as it is allowed."""
    refusals = []
    for organization, held in seen.items():
        own = [change for change in changes if key(change).place.organization == organization]
        left = held | {key(c).principal for c in own if not c.narrows}
        left -= {key(c).principal for c in own if c.narrows}
        if not left:
            refusals += [
                Refusal(c, "last-administrator", f"{c.subject}: nobody would be left") for c in own if c.narrows
            ]
    return refusals


def _turn_key(change: Change, writers: Writers) -> None:
    target = key(change)
    if target.after is None:
        writers.devops.remove_role(target.place.organization, SCOPE, "1", target.identity_id)
    else:
        writers.devops.assign_role(target.place.organization, SCOPE, "1", target.identity_id, target.after)


KEYS: Facet[Any, Any] = Facet("keys", "administrators", _wanted_keys, _look_keys, _diff_keys, _guard_keys, _turn_key)

FACETS = (BODY, QUEUES, DOORS, KEYS)

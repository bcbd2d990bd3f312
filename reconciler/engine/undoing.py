"""Undoing writes of the record: a spec that says what was there before, planned and applied like any other.

So every guard, cap, mode and proof holds as for a change of the spec, and what is planned beside the reversals is left.
What has no reversal is named with its reason: nothing is deleted, and what was not there before cannot be put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.documents import Json, JsonObject, text_of
from reconciler.engine.run_state import RunState
from reconciler.engine.written_fields import fields_of, values_of, values_of_entry
from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change, Plan
from reconciler.safety import Safety, Unknown
from reconciler.safety.undone import UndoneField
from reconciler.spec import effective
from reconciler.spec.model import OpenAccessException, PipelineGrant, PoolRoles, QueueRoles, Spec

NO_REVERSAL = {
    "newQueue": "a queue is not deleted, as checks and history would go with it; delete it by hand",
    "directoryEntry": "an identity stays known to the organization",
    "accessLevel": "an access level is not lowered",
    "groupMember": "a member is not taken out of a group",
    "restoredCheck": "a check is removed by hand",
    "repairedPipeline": "a definition is edited by hand; its history has the old one",
    "createPool": "a pool is not deleted",
    "replacePool": "the deleted pool is gone; its spec of before creates one like it",
}
_DONE = ("confirmed", "pending", "over")


class CannotUndo(Exception):
    """Why a write has no reversal."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """One write that can be undone."""

    write: JsonObject
    values: Mapping[str, tuple[Json, Json]]
    """Name of each field → before and after."""


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing would do."""

    spec: Spec
    """That says what was there before; for planning and applying alone."""
    plan: Plan
    """The reversals alone."""
    held: Mapping[str, UndoneField]
    """What is not written again afterwards, until the spec in Git agrees."""
    impossible: tuple[tuple[str, str], ...]
    """What cannot be undone, and why."""


def reversed_spec(spec: Spec, writes: Iterable[JsonObject]) -> tuple[Spec, list[Reversal], list[tuple[str, str]]]:
    """The spec that says what was there before these writes; what it covers, and what has no reversal with why."""
    reversals: list[Reversal] = []
    impossible: list[tuple[str, str]] = []
    # The newest first, so that of two writes of one field the oldest one's value counts.
    for write in sorted(writes, key=lambda one: (text_of(one, "at"), int(one.get("number") or 0)), reverse=True):
        subject = f"{write.get('what')} {write.get('subject')}"
        try:
            _check_made(write)
            spec = _reversed(spec, write)
        except CannotUndo as error:
            impossible.append((subject, str(error)))
        else:
            reversals.append(Reversal(write, values_of_entry(write)))
    return spec, reversals, impossible


def undo_plan(
    spec: Spec, plan: Plan, reversals: Sequence[Reversal], impossible: Sequence[tuple[str, str]], *, by: str, at: str
) -> UndoPlan:
    """Of a plan by the reversed spec what undoes these writes, and nothing else."""
    missing = list(impossible)
    held: dict[str, UndoneField] = {}
    chosen: dict[str, Change] = {}
    for one in reversals:
        subject = f"{one.write.get('what')} {one.write.get('subject')}"
        found = _matching(plan.changes, one)
        if found is not None and set(fields_of(found)) <= {name for other in reversals for name in other.values}:
            chosen[found.id] = found
            run = text_of(one.write, "run")
            held |= {name: UndoneField(after, run, by, at) for name, (_, after) in one.values.items()}
        else:
            missing.append((subject, _why_not(plan, one, found)))
    changes = [change for change in plan.changes if change.id in chosen]
    return UndoPlan(spec, replace(plan, changes=tuple(changes), refusals=(), following=()), held, tuple(missing))


def _check_made(write: JsonObject) -> None:
    result, proof = write.get("result") or {}, write.get("proof") or {}
    if proof.get("outcome") != "verified" and result.get("outcome") not in _DONE:
        raise CannotUndo("it is not known to have been made")


def _matching(changes: Iterable[Change], one: Reversal) -> Change | None:
    return next((change for change in changes if set(one.values) & set(fields_of(change))), None)


def _why_not(plan: Plan, one: Reversal, found: Change | None) -> str:
    """Why a reversal is not in the plan."""
    if found is not None:
        return "other fields of the pool differ too, and a write to ARM carries them all: bring the pool in sync first"
    for refusal in plan.refusals:
        if set(one.values) & set(fields_of(refusal.change)):
            return f"refused ({refusal.rule}): {refusal.message}"
    facet = text_of(one.write, "facet")
    gap = next((gap for gap in plan.gaps if gap.facet == facet), None)
    return f"not read: {gap.message}" if gap is not None else "it is as it was before already"


# --- what was there before, as a spec --------------------------------------------------------------------------

_Step: TypeAlias = Callable[[Spec, JsonObject, JsonObject], Spec]


def _reversed(spec: Spec, write: JsonObject) -> Spec:
    place = write.get("place")
    if not isinstance(place, Mapping):
        raise CannotUndo("its entry does not say where it was made")
    kind = text_of(place, "type")
    step = STEPS.get(kind)
    if step is None:
        raise CannotUndo(NO_REVERSAL.get(kind, f"a write of the type {kind or 'unknown'} has no reversal"))
    return step(spec, write, place)


def _open_access(spec: Spec, _write: JsonObject, place: JsonObject) -> Spec:
    organization, project = text_of(place, "organization"), text_of(place, "project")
    kept = [one for one in spec.access.open_access if not _is(one, organization, project)]
    before = OpenAccessException(organization, project, allow=not place.get("allow"), reason="undo")
    return replace(spec, access=replace(spec.access, open_access=(*kept, before)))


def _pipeline(spec: Spec, _write: JsonObject, place: JsonObject) -> Spec:
    organization, project, number = text_of(place, "organization"), text_of(place, "project"), place.get("pipelineId")
    if not isinstance(number, int):
        raise CannotUndo("its entry does not name the pipeline")
    mine = [one for one in spec.access.pipelines if _is(one, organization, project)]
    names = {number, str(place.get("pipeline") or "")}
    listed = [name for one in mine for name in one.pipelines if name not in names]
    if not place.get("authorized"):
        listed.append(number)
    before = PipelineGrant(organization, project, tuple(listed), exclusive=True)
    kept = [one for one in spec.access.pipelines if one not in mine]
    return replace(spec, access=replace(spec.access, pipelines=(*kept, before)))


def _role(spec: Spec, _write: JsonObject, place: JsonObject) -> Spec:
    principal = text_of(place, "principal")
    if not principal or principal == text_of(place, "identityId"):
        raise CannotUndo("the record does not name the person (RECONCILER_NAMES=off)")
    if place.get("itself"):
        raise CannotUndo("the operator keeps its own role")
    organization, before, after = text_of(place, "organization"), place.get("before"), place.get("after")
    if "queueId" in place:
        return _queue_role(spec, place, principal)
    if "poolId" not in place:
        raise CannotUndo("roles of a whole organization or project are not managed by a spec")
    if not effective.is_administrator(str(before or after)):
        raise CannotUndo(f"the role {before or after} of an agent pool is not managed by a spec")
    names = [
        name
        for name in effective.administration(spec, organization).administrators
        if name.casefold() != principal.casefold()
    ]
    if before is not None and effective.is_administrator(str(before)):
        names.append(principal)
    mine = [one for one in spec.access.roles if one.organization.casefold() == organization]
    inherit = effective.inheritance(spec, organization)
    roles = PoolRoles(organization, tuple(names), exclusive=True, inherit=inherit)
    profile = spec.permission_profile
    if profile is not None:
        profile = replace(profile, users=_without(profile.users, principal), groups=_without(profile.groups, principal))
    kept = [one for one in spec.access.roles if one not in mine]
    return replace(spec, permission_profile=profile, access=replace(spec.access, roles=(*kept, roles)))


def _queue_role(spec: Spec, place: JsonObject, principal: str) -> Spec:
    organization, project = text_of(place, "organization"), text_of(place, "project")
    mine = [one for one in spec.access.queue_roles if _is(one, organization, project)]
    roles: dict[str, tuple[str, ...]] = {}
    for one in mine:
        for role, names in one.roles.items():
            roles[role] = (*roles.get(role, ()), *_without(names, principal))
    if place.get("before") is not None:
        role = str(place["before"])
        roles[role] = (*roles.get(role, ()), principal)
    before = QueueRoles(organization, project, roles, exclusive=True)
    kept = [one for one in spec.access.queue_roles if one not in mine]
    return replace(spec, access=replace(spec.access, queue_roles=(*kept, before)))


def _inheritance(spec: Spec, _write: JsonObject, place: JsonObject) -> Spec:
    organization = text_of(place, "organization")
    roles = [
        replace(one, inherit=None) if one.organization.casefold() == organization else one for one in spec.access.roles
    ]
    return replace(
        spec, access=replace(spec.access, roles=(*roles, PoolRoles(organization, inherit=not place.get("on"))))
    )


def _auto_provision(spec: Spec, _write: JsonObject, place: JsonObject) -> Spec:
    organization = text_of(place, "organization")
    changed = [
        replace(one, auto_provision=not place.get("on")) if one.name == organization else one
        for one in spec.organizations
    ]
    return replace(spec, organizations=tuple(changed))


def _pool(spec: Spec, write: JsonObject, _place: JsonObject) -> Spec:
    body = deepcopy(dict(spec.body))
    for detail in write.get("details") or ():
        path, before = text_of(detail, "path"), detail.get("before")
        if before is None:
            raise CannotUndo(f"{path} was not set before, and ARM takes no field away")
        if isinstance(before, Mapping) and set(before) == {"sha256", "characters"}:
            raise CannotUndo(f"{path} was too long to be kept")
        if "[" in path or path == "provisioningState" or "***" in str(before):
            raise CannotUndo(f"{path} is not put back from the record; change the spec")
        _set(body, path.split("."), before)
    return replace(spec, body=body)


def _set(body: dict[str, Json], path: Sequence[str], value: Json) -> None:
    """Put a value at a path of details, which leaves `properties` out."""
    inner = body if path[0] in ("tags", "identity", "location") else body.setdefault("properties", {})
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            raise CannotUndo(f"{'.'.join(path)} is not put back from the record; change the spec")
    inner[path[-1]] = deepcopy(value)


def _is(one: OpenAccessException | PipelineGrant | QueueRoles, organization: str, project: str) -> bool:
    return (one.organization.casefold(), one.project.casefold()) == (organization.casefold(), project.casefold())


def _without(names: Sequence[str], principal: str) -> tuple[str, ...]:
    return tuple(name for name in names if name.casefold() != principal.casefold())


STEPS: Mapping[str, _Step] = {
    "openAccess": _open_access,
    "pipelineAuthorization": _pipeline,
    "roleAssignmentChange": _role,
    "inheritance": _inheritance,
    "autoProvision": _auto_provision,
    "updatePool": _pool,
}
"""Type of the target → how the spec says what was there before."""


def release_agreed(safety: Safety | None, run: RunState, *, undoing: bool) -> None:
    """Hold nothing back any longer with which the spec agrees: everything was read, and nothing plans it."""
    undone = run.gate.undone
    if safety is None or isinstance(undone, Unknown) or not undone.fields or run.plan.gaps or undoing:
        return
    shown = [*run.plan.all_changes, *(one.change for one in run.plan.refusals)]
    planned = {name for change in shown for name in values_of(change)}
    if agreed := undone.fields.keys() - planned:
        with suppress(ReconcilerError):  # the next run does it
            safety.release_undone(run.basis.spec.key, agreed)

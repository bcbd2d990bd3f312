"""Plans in words: who gains and who loses access, what restarts, what is deleted, and what is held back.

One sentence for each effect, by the target of each change and not by the texts of the plan, so that no effect is
missed because a facet calls it by another name. What a sentence says about others (names of people, projects and
pipelines) stands in `Words.names` and is put in by the renderer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Never

from reconciler.plan.model import Change, Detail, GapKind, Plan, Risk
from reconciler.plan.render import folds, words
from reconciler.plan.targets import (
    AccessLevel,
    AgentPoolPlace,
    AutoProvision,
    CreatePool,
    DirectoryEntry,
    GroupMember,
    Inheritance,
    MovePool,
    NewQueue,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    Place,
    ProjectPlace,
    QueuePlace,
    RepairedPipeline,
    ReplacePool,
    RestoredCheck,
    RoleAssignmentChange,
    UpdatePool,
)
from reconciler.spec import effective


class Effect(StrEnum):
    """What people read first, in the order in which they read it."""

    ADMINISTRATORS = "Becomes administrator"
    GAINS = "Gains access"
    LOSES = "Loses access"
    DELETES = "Deleted for good"
    RESTARTS = "Restarts agents: running jobs may be lost"
    APPROVAL = "Held back until the plan is approved"
    REFUSED = "Refused"
    NOT_READ = "Not known: a read failed"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence with a ``{}`` for each of its names."""

    effect: Effect
    text: str
    names: tuple[str, ...]


def effects(plan: Plan) -> Iterator[Words]:
    """Every effect of a plan on people, pipelines and machines."""
    for change in plan.all_changes:
        yield from _of_change(plan, change)
    for refusal in plan.refusals:
        effect = Effect.APPROVAL if refusal.approvable else Effect.REFUSED
        names = (plan.pool, words.summary(refusal.change), refusal.rule, refusal.message)
        yield Words(effect, "{}: {} ({}: {})", names)
    for gaps in words.gaps_by_cause(plan):
        if gaps[0].kind is GapKind.UNKNOWN:
            facets, subjects = words.gap_cells(gaps)
            yield Words(Effect.NOT_READ, "{}: {} {}: {}", (plan.pool, facets, subjects, gaps[0].message))


def _of_change(plan: Plan, change: Change) -> Iterator[Words]:
    """The sentences of one change."""
    target, pool = change.target, plan.pool
    match target:
        case OpenAccess() | PipelineAuthorization():
            yield _use(pool, change, target)
        case RoleAssignmentChange():
            yield _role(plan, target)
        case Inheritance(place=place, on=on):
            text = "Every identity with a role for all agent pools of organization {}: {} "
            yield _access(on, text + ("inherits it" if on else "no longer inherits it"), place.organization, pool)
        case AutoProvision(place=place, on=on):
            text = "Every new project of organization {} " + ("gets" if on else "no longer gets") + " a queue of {}"
            yield _access(on, text, place.organization, pool)
        case NewQueue(place=place):
            yield Words(Effect.GAINS, "Project {} gets a queue of {}", (_project(place), pool))
        case DirectoryEntry(place=place, principal=principal):
            yield Words(Effect.GAINS, "{} becomes a member of organization {}", (principal, place.organization))
        case AccessLevel() | GroupMember():
            yield Words(Effect.GAINS, "{}: {}", (pool, words.summary(change)))
        case CreatePool() | UpdatePool() | ReplacePool() | MovePool():
            yield from _of_pool(plan, change)
        case RestoredCheck() | RepairedPipeline():
            return
        case _:
            yield from _unknown(target, plan, change)


def _use(pool: str, change: Change, target: OpenAccess | PipelineAuthorization) -> Words:
    project = _project(target.place)
    opens = target.allow if isinstance(target, OpenAccess) else target.authorized
    who, names = "All pipelines", [project, pool]
    if isinstance(target, PipelineAuthorization):
        who, names = "Pipeline {}", [_pipeline(change, target.place), project, pool]
    text = f"{who} of project {{}} " + ("may use {}" if opens else "may no longer use {}")
    return _access(opens, text + (" ({})" if change.note else ""), *names, *([change.note] if change.note else []))


def _of_pool(plan: Plan, change: Change) -> Iterator[Words]:
    """A write to ARM: each field that does something to people or machines; of others there is nothing to say first."""
    if isinstance(change.target, ReplacePool):
        fields = ", ".join(change.target.replaces)
        yield Words(Effect.DELETES, "Pool {} is deleted and created again, because of {}", (plan.pool, fields))
    if isinstance(change.target, CreatePool):
        yield Words(Effect.GAINS, "New pool {}: {}", (plan.pool, folds.value(change.after)))
    for detail in change.details:
        for effect in _effects_of(detail):
            yield Words(effect, "{}: {} {} → {}", (plan.pool, _label(detail), *_moved(detail)))


def _effects_of(detail: Detail) -> Iterator[Effect]:
    if detail.widens:
        yield Effect.ADMINISTRATORS if _names_administrators(detail) else Effect.GAINS
    by_risk = {Risk.NARROWS: Effect.LOSES, Risk.RESTARTS: Effect.RESTARTS, Risk.DESTROYS: Effect.DELETES}
    if detail.risk in by_risk:
        yield by_risk[detail.risk]


def _names_administrators(detail: Detail) -> bool:
    """A pool's permission profile is its list of administrators, which ARM applies at creation."""
    return ".permissionProfile." in f".{detail.path}" and detail.path.rpartition(".")[2] in ("users", "groups")


def _label(detail: Detail) -> str:
    return f"{detail.path} (code that runs under every job)" if detail.code else detail.path


def _moved(detail: Detail) -> tuple[str, str]:
    return folds.move(detail.before, detail.after)


def _role(plan: Plan, target: RoleAssignmentChange) -> Words:
    where, names = _where(plan, target.place)
    who = target.principal
    if target.after is None:
        text = f"{{}} is no longer {{}} of {where}"
        return Words(Effect.LOSES, text, (who, target.before or "assigned a role", *names))
    administers = target.after.casefold() == effective.ADMINISTRATOR.casefold()
    effect = Effect.ADMINISTRATORS if administers else Effect.GAINS if target.widens else Effect.LOSES
    instead = ", instead of {}" if target.before else ""
    held = (target.before,) if target.before else ()
    operator = " (the operator itself)" if target.itself else ""
    return Words(effect, f"{{}}{operator} becomes {{}} of {where}{instead}", (who, target.after, *names, *held))


def _where(plan: Plan, place: Place) -> tuple[str, tuple[str, ...]]:
    match place:
        case OrganizationPlace():
            return "all agent pools of organization {}", (place.organization,)
        case ProjectPlace():
            return "all queues of project {}", (_project(place),)
        case AgentPoolPlace():
            return "{} in organization {}", (plan.pool, place.organization)
        case QueuePlace():
            return "the queue of {} in project {}", (plan.pool, _project(place))


def _project(place: QueuePlace | ProjectPlace) -> str:
    return f"{place.organization}/{place.project}"


def _pipeline(change: Change, place: QueuePlace) -> str:
    """As the plan shows it, behind the project."""
    return change.subject.removeprefix(_project(place)).strip() or change.subject


def _access(gains: bool, text: str, *names: str) -> Words:
    return Words(Effect.GAINS if gains else Effect.LOSES, text, names)


def _unknown(target: Never, plan: Plan, change: Change) -> Iterator[Words]:  # noqa: ARG001 - mypy wants a case for each
    yield Words(Effect.DELETES, "{}: {}", (plan.pool, words.summary(change)))

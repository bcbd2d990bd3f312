"""Adopts the chosen changes of one pool, plans again by the new spec, and adopts what follows, until nothing does.

The file is read by the loader after every round: a round that changes the meaning of anything but the pool is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from reconciler.documents import Json
from reconciler.documents.spelling import similar
from reconciler.errors import NotFound, Refused, Rejected
from reconciler.plan.model import Change, Plan
from reconciler.plan.policy import Policy, rules
from reconciler.plan.render import clean
from reconciler.plan.render.words import gap_cells, gaps_by_cause
from reconciler.plan.targets import (
    AgentPoolPlace,
    Inheritance,
    OpenAccess,
    PipelineAuthorization,
    QueuePlace,
    RoleAssignmentChange,
)
from reconciler.ports.devops import Identity
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.spec.source import documents
from reconciler.survey import SharedSurvey
from reconciler.tools.adopt.adoption import Chosen, Observed, adopted
from reconciler.tools.adopt.splice import CannotWrite, rewritten
from reconciler.tools.import_ import spec_name

MOST_ROUNDS = 6
Look = Callable[[Spec], tuple[Plan, SharedSurvey]]
"""Plans by a spec on reads of this moment."""


@dataclass
class AdoptionOutcome:
    """What became of the adoption of one pool."""

    spec: Spec
    """As the file says afterwards."""
    before: bytes
    after: bytes
    plan: Plan
    """Of before."""
    rest: Plan
    """Of afterwards."""
    adopted: list[Change] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    """Subject and reason, each once."""
    warnings: list[str] = field(default_factory=list)


def chosen_of(plan: Plan, names: Sequence[str]) -> list[Chosen]:
    """Changes by their id, subject or the path of a detail, or id and path; all without a name. Raises `NotFound`."""
    changes = {change.id: change for change in plan.differing}
    if not names:
        return [Chosen(change) for change in changes.values()]
    known: dict[str, dict[str, set[str]]] = {}
    for change in changes.values():
        for name in (change.id, change.subject):
            known.setdefault(name.casefold(), {}).setdefault(change.id, set())
        for detail in change.details:
            for name in (detail.path, f"{change.id} {detail.path}"):
                known.setdefault(name.casefold(), {}).setdefault(change.id, set()).add(detail.path)
    paths: dict[str, set[str]] = {}
    whole: set[str] = set()
    for name in names:
        found = known.get(name.strip().casefold(), {})
        if len(found) != 1:
            raise NotFound(_unclear(plan, name, list(found)))
        for key, some in found.items():
            paths.setdefault(key, set()).update(some)
            if not some:
                whole.add(key)
    return [Chosen(changes[key], frozenset() if key in whole else frozenset(some)) for key, some in paths.items()]


def adopt_pool(
    files: Mapping[str, bytes], spec: Spec, names: Sequence[str], look: Look, *, today: date, policy: Policy
) -> AdoptionOutcome:
    """The file of the pool with the observed values in it."""
    first, survey = look(spec)
    chosen = chosen_of(first, names)
    others = {change.id for change in first.differing} - {one.change.id for one in chosen}
    partial = {one.change.id for one in chosen if one.paths}
    data = files[spec.path]
    outcome = AdoptionOutcome(spec, data, data, first, first)
    left: dict[str, tuple[str, str]] = {}
    for _ in range(MOST_ROUNDS):
        if not chosen:
            break
        made = _round(files, outcome, chosen, survey, today)
        left |= {f"{subject}: {why}": (subject, why) for subject, why in made}
        outcome.rest, survey = look(outcome.spec)
        stuck = others | {
            one.id for one in outcome.rest.differing if f"{one.kind} {one.subject}" in dict(left.values())
        }
        chosen = [Chosen(change) for change in outcome.rest.differing if change.id not in stuck | partial]
    differs = {f"{one.kind} {one.subject}" for one in outcome.rest.differing}
    outcome.left = [(subject, why) for subject, why in left.values() if subject in differs]
    whole = {one.id for one in outcome.adopted} - others - partial
    said = {subject for subject, _ in outcome.left}
    outcome.left += [
        (f"{one.kind} {one.subject}", "differs still; change the spec by hand")
        for one in outcome.rest.differing
        if one.id in whole and f"{one.kind} {one.subject}" not in said
    ]
    if not names:
        outcome.left += [(" ".join(gap_cells(gaps)), gaps[0].message) for gaps in gaps_by_cause(outcome.rest)]
    outcome.warnings = list(dict.fromkeys(_against(policy.for_pool(spec.name), spec, outcome)))
    return outcome


def _round(
    files: Mapping[str, bytes], outcome: AdoptionOutcome, chosen: Sequence[Chosen], survey: SharedSurvey, today: date
) -> list[tuple[str, str]]:
    """One round: the file says what the chosen changes show; what is left, and why."""
    spec = outcome.spec
    found = documents(outcome.after)
    index = next(at for at, one in enumerate(found) if str(one.value.get("name", "")).lower() == spec.key)
    observed = Observed(_document(survey, spec), lambda target: _name(survey, target), today)
    result = adopted(found[index].value, spec, chosen, observed)
    if not result.adopted:
        return result.left
    try:
        data = rewritten(outcome.after, index, result.value)
    except CannotWrite as error:
        raise Rejected(f"{spec.path}: {error}; nothing is written, change the file by hand") from None
    outcome.spec = _checked(files, spec, data)
    outcome.after = data
    outcome.adopted += [change for change in result.adopted if change.id not in {one.id for one in outcome.adopted}]
    return result.left


def _document(survey: SharedSurvey, spec: Spec) -> Mapping[str, Json] | None:
    return survey.arm_pool(spec)


def _name(survey: SharedSurvey, target: RoleAssignmentChange) -> str:
    """The name by which a spec can mean the identity of an assignment."""
    organization = target.place.organization
    assignments = survey.role_assignments(organization, *target.place.resource)
    who = next((one.identity for one in assignments if one.identity.id == target.identity_id), None)
    return spec_name(survey, organization, who) if isinstance(who, Identity) else ""


def _checked(files: Mapping[str, bytes], spec: Spec, data: bytes) -> Spec:
    """The spec of the new file. Raises where anything else has another meaning, or the file is not valid."""
    before, after = load(files), load({**files, spec.path: data})
    others = {one.key: one for one in before.specs if one.key != spec.key}
    new = {one.key: one for one in after.specs}
    made = new.pop(spec.key, None)
    if made is None or len(after.problems) > len(before.problems):
        problem = next((one for one in after.problems if one not in before.problems), "it names the pool no more")
        raise Rejected(f"{spec.path}: the file would not be valid: {problem}; nothing is written")
    if new != others:
        raise Refused(f"{spec.path}: the edit would change another pool; nothing is written")
    return made


def _unclear(plan: Plan, name: str, found: Sequence[str]) -> str:
    shown = clean(name[:100])
    if found:
        return f"{plan.pool}: {shown!r} names {len(found)} changes; use the id of one: {', '.join(sorted(found))}"
    ids = [change.id for change in plan.differing]
    others = [
        name for change in plan.differing for name in (change.subject, *(detail.path for detail in change.details))
    ]
    near = similar(name, [*ids, *others], 3) or ids[:5]
    hint = f"; nearest: {', '.join(map(clean, near))}" if near else "; it is in sync"
    return f"{plan.pool}: the plan has no change {shown!r}{hint}"


# --- what the policy would say ----------------------------------------------------------------------------------


def _against(policy: Policy, before: Spec, outcome: AdoptionOutcome) -> Iterator[str]:
    """Why the policy would refuse to make what was adopted."""
    for change in outcome.adopted:
        for _, message in _objections(policy, change):
            yield message
    for _, message in rules.update(policy, dict(before.body), dict(outcome.spec.body)):
        yield message


def _objections(policy: Policy, change: Change) -> Iterator[tuple[str, str]]:
    match change.target:
        case OpenAccess(allow=False, place=place):
            yield from rules.open_access(policy, place.organization, place.project)
        case PipelineAuthorization(authorized=False, place=place, pipeline=written, pipeline_id=number):
            yield from rules.pipeline(policy, f"{place.organization}/{place.project}", written, number)
        case Inheritance(on=False, place=place):
            yield from rules.inheritance(policy, place.organization)
        case RoleAssignmentChange(place=AgentPoolPlace() as place, before=str() as role, principal=who):
            yield from rules.role(policy, place.organization, role, who)
        case RoleAssignmentChange(place=QueuePlace() as place, before=str() as role, principal=who):
            yield from rules.role(policy, f"{place.organization}/{place.project}", role, who)
        case _:
            return


def attributed(outcome: AdoptionOutcome) -> dict[str, str]:
    """Id of each adopted change → who made it, as far as the plan says."""
    said = {(one.facet, one.subject): one.message for one in outcome.plan.remarks if ": changed " in one.message}
    return {
        change.id: said[change.facet, change.subject].partition(": changed ")[2]
        for change in outcome.adopted
        if (change.facet, change.subject) in said
    }

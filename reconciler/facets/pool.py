"""The ARM resource of the pool: created where it is missing, kept equal to the spec where it exists.

Only paths that the spec names are compared (`reconciler.facets.support.arm_document` says how), and every write is the
raw document that was read, with those paths put in: fields that are not understood here travel unchanged. Updates by
GET and full PUT are what the published clients do (terraform-provider-azurerm managed_devops_pool,
azure-cli-extensions mdp).

- `openAccess` and `permissionProfile` count while a pool is created and never again (Microsoft Learn:
  configure-security). Creation sends them, never wider than the desired state of that moment; an update sends
  `permissionProfile` as it was read and no `openAccess`. Other facets reconcile both.
- A pool that is missing is looked for by its name in all that can be read (`reconciler.facets.support.moves`): one that
  was moved to another resource group or subscription is `Moved`, and never created a second time.
- One table says how a property is changed, and what that does (`reconciler.facets.support.mutability`). Location and
  name never change: another location is a change that is refused, with what to do instead, and the rest of the spec is
  applied all the same; unless the spec says `replace: allowed`.
- Where the spec says `agents: whenQuiet`, changes that recycle agents wait until no machine is at work, for as long as
  the spec says; what recycles nothing does not wait for them.
- While ARM is at work on the pool it is not touched. After a Failed or Canceled operation the same document is put
  again, also where it reads as desired: the service itself reports that the operation was not completed.
- Nothing is ever deleted, but a pool that its spec and the policy both let be replaced: the next run then creates it
  again. What that costs is counted before (`reconciler.facets.support.replacement`), and is part of the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import NamedTuple

from reconciler.documents import Json
from reconciler.documents.spelling import counted
from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotReady, Refused
from reconciler.facets.support import body_rules, creation, moves, mutability, replacement
from reconciler.facets.support.arm_document import Difference, differences, merged
from reconciler.facets.support.mutability import Way
from reconciler.facets.support.observing import at_work
from reconciler.facets.support.replacement import Dependents
from reconciler.plan.model import Change, Detail, Gap, GapKind, Refusal, Risk
from reconciler.plan.policy import Policy, rules
from reconciler.plan.targets import CreatePool, MovePool, ReplacePool, UpdatePool
from reconciler.ports.azure import API_VERSION, Pending
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Disruption, Mode, Spec
from reconciler.spec.settled import created_in_silence, state_of
from reconciler.survey import Survey
from reconciler.survey.owed import OwedCheck

NAME = "pool"
NEW = "new pool"
"""Kind of a change that no update can make."""

_READ_ONLY = frozenset({"id", "name", "type", "systemData"})
_LOCATION = "location"
_UNDONE = ("failed", "canceled")
_AT_REST = ("succeeded", *_UNDONE, "")


class DesiredPool(NamedTuple):
    """The resource as the spec describes it."""

    name: str
    resource_id: str
    body: Mapping[str, Json]
    """What the spec names, without the location."""
    spec: Spec
    now: datetime
    quiet: Disruption | None = None
    """How long to wait for agents that would be recycled; None: not at all."""

    def creation(self, guarded: Collection[str] = ()) -> dict[str, Json]:
        """The whole document for a pool that does not exist; `guarded`: organizations in which queues need checks."""
        return creation.document(self.spec, self.now, guarded)


class ObservedPool(NamedTuple):
    """The resource as ARM returns it."""

    resource_id: str
    document: Mapping[str, Json] | None
    """Raw; None where there is no such pool."""
    held: bool = False
    """Whether machines are at work, so that nothing that recycles them may change."""
    dependents: Dependents | None = None
    """What depends on the pool; counted where it would be replaced, and only there."""
    owed: tuple[OwedCheck, ...] = ()
    """Checks that the queues had before the pool was replaced."""

    @property
    def state(self) -> str:
        """`provisioningState` as ARM spells it."""
        return state_of(self.document)

    @property
    def at_rest(self) -> bool:
        """Whether no operation is running; an unknown word counts as running."""
        return self.state.casefold() in _AT_REST

    @property
    def settled(self) -> bool:
        """Whether the last operation succeeded."""
        return self.state.casefold() == "succeeded"


def parse(spec: Spec, now: datetime) -> DesiredPool:
    """Every spec manages its resource; `now` decides which exceptions narrow what a creation would send."""
    body = {key: value for key, value in spec.body.items() if key != _LOCATION}
    quiet = spec.disruption if spec.mode is Mode.ENFORCE else None
    return DesiredPool(spec.name, spec.pool_id, body, spec, now, quiet)


def observe(spec: Spec, desired: DesiredPool, survey: Survey) -> Observation[ObservedPool]:
    """The document; not ready while an operation runs, or while agents are at work that would be recycled."""
    observed = ObservedPool(desired.resource_id, moves.document_of(spec, survey))
    if not observed.at_rest:
        busy = NotReady(f"{spec.name}: ARM is at work on the pool, provisioningState is {observed.state}")
        return Observation(observed, (Gap(NAME, spec.name, GapKind.NOT_READY, busy.reason, str(busy)),))
    if observed.document is None:
        return Observation(observed._replace(owed=survey.debts.checks))
    if spec.replace and observed.settled and _moved(differences(spec.body, observed.document)):
        dependents = replacement.count(spec, observed.document, survey, desired.now)
        return Observation(observed._replace(dependents=dependents))
    if desired.quiet is None:
        return Observation(observed)
    return _quiet(spec, desired, observed, survey)


def diff(desired: DesiredPool, observed: ObservedPool) -> Sequence[Change]:
    """One creation, or one update with a line for each field, or nothing; and what only a new pool can have."""
    if observed.document is None:
        return [_create(desired, observed.owed)]
    state = observed.state.casefold()
    if state not in _AT_REST:
        return []
    body, named = desired.body, differences(desired.spec.body, observed.document)
    found = [one for one in named if one.path[0].casefold() != _LOCATION]
    if observed.held:
        body = _unheld(desired.body, observed.document)
        found = differences(body, observed.document)
    details = list(map(_detail, found))
    if desired.spec.arm_api_version:
        details = [mutability.beyond_this_release(detail) for detail in details]
    if state in _UNDONE:
        details.append(Detail("provisioningState", observed.state, "Succeeded", note="put again"))
    moved = _moved(named)
    if moved and desired.spec.replace and observed.settled:
        # A body for the new place may not fit the old one: nothing else of the resource is put before.
        return [_replace(desired, observed, moved)]
    elsewhere = [] if desired.spec.replace else [_elsewhere(desired, detail) for detail in moved]
    return elsewhere + ([_update(desired, observed.document, body, tuple(details))] if details else [])


def guard(observed: ObservedPool, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """Refuse a PUT of another pool, over a running operation, of unlisted or create-only fields, or against policy."""
    return [
        Refusal(change, rule, f"{change.subject}: {reason}")
        for change in changes
        for rule, reason in list(_objections(change, observed, policy))[:1]
    ]


def apply(change: Change, writers: Writers) -> Pending | None:
    """PUT the document that the plan shows, or delete the pool; the operation is not waited for."""
    match change.target:
        case ReplacePool(resource_id=resource_id):
            return writers.arm.delete(resource_id)
        case CreatePool(resource_id=resource_id, body=body) | UpdatePool(resource_id=resource_id, body=body):
            return writers.arm.put(resource_id, body, change.target.api_version or API_VERSION)
        case other:
            raise Refused(f"{change.subject}: facet {change.facet} does not write a {type(other).__name__}")


# --- parse and observe --------------------------------------------------------------------------------


def _properties(document: Mapping[str, Json]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = document.get("properties") or {}
    return found


def _profile(document: Mapping[str, Json]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = _properties(document).get("organizationProfile") or {}
    return found


def _quiet(spec: Spec, desired: DesiredPool, observed: ObservedPool, survey: Survey) -> Observation[ObservedPool]:
    """Hold back what recycles agents while machines are at work, and for as long as the spec waits for them."""
    found = map(_detail, differences(desired.body, observed.document or {}))
    recycled = [detail.path for detail in found if detail.risk is Risk.RESTARTS]
    working = at_work(spec, survey) if recycled else ""
    if not working or desired.quiet is None:
        return Observation(observed)
    until = survey.waiting_since(desired.now) + desired.quiet.at_most
    over = desired.now >= until
    if over and desired.quiet.proceed:
        return Observation(observed)
    end = "the time is over, and the spec says stay" if over else f"waits for a quiet moment until {until:%FT%RZ}"
    message = f"{spec.name}: {', '.join(recycled)} would recycle agents; {working}; {end}"
    kind = GapKind.DEGRADED if over else GapKind.NOT_READY
    waiting = Gap(NAME, f"{spec.name} agents", kind, NotReady.__name__, message, bounded=True)
    return Observation(ObservedPool(observed.resource_id, observed.document, held=True), (waiting,))


# --- diff ---------------------------------------------------------------------------------------------


def _unheld(body: Mapping[str, Json], document: Mapping[str, Json]) -> dict[str, Json]:
    """The desired body, without the parts of `properties` in which anything recycles agents."""
    held = set()
    for one in differences(body, document):
        if _detail(one).risk is Risk.RESTARTS:
            held.add(one.path[1])
    properties = {key: value for key, value in body.get("properties", {}).items() if key not in held}
    return {**body, "properties": properties}


def _detail(one: Difference) -> Detail:
    path = ".".join(one.path).removeprefix("properties.")
    row = mutability.row_for(path)
    code = row.brings_code(one.before, one.after)
    grants = row.grants(one.before, one.after)
    said = row.note if code else mutability.AS_WELL if grants else ""
    note = row.note if row.way is Way.UNKNOWN else ", ".join(filter(None, [said, row.way.value]))
    return Detail(path, one.before, one.after, row.judge(one.before, one.after), note, code, grants)


def _moved(named: Iterable[Difference]) -> list[Detail]:
    """What only a new pool can have, of all that the spec names."""
    return [detail for detail in map(_detail, named) if mutability.row_for(detail.path).way is Way.REPLACE]


def _replace(desired: DesiredPool, observed: ObservedPool, moved: list[Detail]) -> Change:
    """The deletion, with everything that it costs; what is created afterwards is part of what is approved."""
    others = [_detail(one) for one in differences(desired.body, observed.document or {})]
    costs = (*others, *(observed.dependents.lines if observed.dependents else ()))
    owed = observed.dependents.owed if observed.dependents else ()
    body = desired.creation({one.organization for one in owed if isinstance(one, OwedCheck)})
    return replacement.change(desired.name, desired.resource_id, body, (moved, costs), owed)


def _elsewhere(desired: DesiredPool, detail: Detail) -> Change:
    return Change(
        facet=NAME,
        kind=NEW,
        subject=f"{desired.name} {detail.path}",
        before=detail.before,
        after=detail.after,
        target=MovePool(desired.resource_id, detail.path),
        note=detail.note,
    )


def _create(desired: DesiredPool, owed: Sequence[OwedCheck]) -> Change:
    body = desired.creation({one.organization for one in owed})
    profile = _profile(body)
    organizations = profile.get("organizations") or ()
    agents = _properties(body).get("maximumConcurrency")
    return Change(
        facet=NAME,
        kind="pool",
        subject=desired.name,
        before=None,
        after=f"{counted(agents, 'agent')} for {counted(len(organizations), 'organization')}",
        target=CreatePool(desired.resource_id, body, desired.spec.arm_api_version),
        details=creation.lines(body, newer=bool(desired.spec.arm_api_version)),
        note="create",
    )


def _update(
    desired: DesiredPool, document: Mapping[str, Json], body: Mapping[str, Json], details: tuple[Detail, ...]
) -> Change:
    alone = details[0] if len(details) == 1 else None
    return Change(
        facet=NAME,
        kind="pool",
        subject=desired.name,
        before=alone.before if alone else f"{len(details)} fields as read",
        after=alone.after if alone else f"{len(details)} fields as in the spec",
        target=UpdatePool(desired.resource_id, merged(body, _sendable(document)), desired.spec.arm_api_version),
        details=details,
        note=(Way.RECYCLES if any(detail.risk is Risk.RESTARTS for detail in details) else Way.IN_PLACE).value,
    )


def _sendable(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document as an update may carry it: no `openAccess`, and nothing that the service sets by itself.

    The writer drops read-only fields too; here they go because they would change the plan's hash at every read.
    """
    body: dict[str, Json] = {key: deepcopy(value) for key, value in document.items() if key not in _READ_ONLY}
    body.get("properties", {}).pop("provisioningState", None)
    for item in _profile(body).get("organizations") or ():
        item.pop("openAccess", None)
    return body


# --- guard --------------------------------------------------------------------------------------------

_REMEDY = (
    "the operator deletes no pool without permission: put the old value back, or give a second spec another pool name, "
    "move its projects there, and delete the old pool by hand; or write replace: allowed, where the policy permits it"
)


def _objections(change: Change, observed: ObservedPool, policy: Policy) -> Iterator[tuple[str, str]]:
    """Rule and reason of everything that speaks against it."""
    match change.target:
        case MovePool():
            yield "only-by-a-new-pool", f"is {change.before} and the spec says {change.after}; {_REMEDY}"
        case ReplacePool() as target:
            yield from replacement.objections(change, target, observed.document, observed.dependents, policy)
            yield from created_in_silence(target.body, {})
            yield from rules.creation(policy, target.body)
        case CreatePool() as target:
            yield from _against_put(target, observed)
            yield from created_in_silence(target.body, {})
            yield from rules.creation(policy, target.body)
            yield from body_rules.objections(target.body, version=target.api_version)
        case UpdatePool() as target:
            if observed.held and any(detail.risk is Risk.RESTARTS for detail in change.details):
                yield "not-quiet", "machines are at work that this would recycle"
            yield from _against_put(target, observed)
            yield from created_in_silence(target.body, observed.document or {})
            yield from _against_update(change.details, target.body, _sendable(observed.document or {}))
            yield from rules.update(policy, observed.document or {}, target.body)
            yield from body_rules.objections(target.body, observed.document, target.api_version)
        case other:
            yield "unrecognised", f"a {type(other).__name__} is not written here"


def _against_put(target: CreatePool | UpdatePool, observed: ObservedPool) -> Iterator[tuple[str, str]]:
    if target.resource_id != observed.resource_id:
        yield "unseen-pool", f"{target.resource_id} was not read"
    if not observed.at_rest:
        yield "in-progress", f"ARM is at work on the pool, provisioningState is {observed.state}"
    if isinstance(target, CreatePool) is not (observed.document is None):
        there = "does not exist" if observed.document is None else "exists"
        yield "unseen-pool", f"the pool was read, and it {there}"


def _against_update(
    details: Sequence[Detail], body: Mapping[str, Json], observed: Mapping[str, Json]
) -> Iterator[tuple[str, str]]:
    if body.get("location") != observed.get("location"):
        yield "immutable", f"location is {observed.get('location')} and cannot become {body.get('location')}"
    given = _profile(body).get("permissionProfile")
    if given not in (None, _profile(observed).get("permissionProfile")):
        yield "create-only", "permissionProfile is not as it was read"
    if any("openAccess" in one for one in _profile(body).get("organizations") or ()):
        yield "create-only", "openAccess counts only while a pool is created"
    listed = [detail.path.casefold() for detail in details]
    for path in map(str.casefold, body_rules.touched(observed, body, ())):
        if not any(f"{one}.".startswith((f"{path}.", f"{path}[")) or path.startswith(f"{one}.") for one in listed):
            yield "untold-field", f"{path} would change, and no line of the plan lists it"


FACET: Facet[DesiredPool, ObservedPool] = Facet(
    name=NAME,
    title="the pool in Azure",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)

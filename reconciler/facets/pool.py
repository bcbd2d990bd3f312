"""The ARM resource of the pool: created where it is missing, kept as the spec says where it exists.

Only paths that the spec names are compared (`reconciler.resource` says how), and every write is the raw document that
was read, with those paths put in: what nobody here understood travels unchanged. Updates by GET and full PUT are what
the published clients do (terraform-provider-azurerm managed_devops_pool, azure-cli-extensions mdp).

- `openAccess` and `permissionProfile` count while a pool is created and never again (Microsoft Learn:
  configure-security). Creation sends them, never wider than the spec wants them at that moment; an update sends
  `permissionProfile` as it was read and no `openAccess`. Other facets keep both true.
- Location and name belong to the resource for ever: another location is a gap of reason Immutable, and the rest of
  the spec is applied all the same.
- While ARM is at work on the pool it is not touched. After a Failed or Canceled operation the same document is put
  again, also where it reads as wanted: the service has said itself that it did not come to be.
- Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from reconciler import intent
from reconciler.errors import Immutable, NotReady
from reconciler.facet import Facet, Observation
from reconciler.plan import Action, Change, Detail, Gap, GapKind, Json, Refusal, Risk, Route
from reconciler.policy import Policy
from reconciler.ports import Pending, Writers
from reconciler.resource import Difference, differences, merged, organization_of
from reconciler.spec.model import PermissionKind, Spec
from reconciler.survey import Survey

NAME = "pool"

_READ_ONLY = frozenset({"id", "name", "type", "systemData"})
_UNDONE = ("failed", "canceled")
_AT_REST = ("succeeded", *_UNDONE, "")


@dataclass(frozen=True, slots=True)
class Desired:
    """The resource as git wants it."""

    name: str
    resource_id: str
    body: Mapping[str, Json]
    """What the spec names, without the location."""
    creation: Mapping[str, Json]
    """The whole document for a pool that does not exist."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The resource as ARM answers."""

    resource_id: str
    document: Mapping[str, Json] | None
    """Raw; None where there is no such pool."""

    @property
    def state(self) -> str:
        """`provisioningState` as ARM spells it."""
        return str(_properties(self.document or {}).get("provisioningState") or "")

    @property
    def at_rest(self) -> bool:
        """Whether no operation is running; a word that nobody knows counts as running."""
        return self.state.casefold() in _AT_REST


def parse(spec: Spec, now: datetime) -> Desired:
    """Every spec manages its resource; `now` decides which exceptions narrow what creation sends."""
    body = {key: value for key, value in spec.body.items() if key != "location"}
    return Desired(spec.name, spec.pool_id, body, _creation(spec, now))


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """The document; not ready while an operation runs, degraded where only another resource could match."""
    observed = Observed(desired.resource_id, survey.arm_pool(spec))
    gaps: list[Gap] = []
    if not observed.at_rest:
        busy = NotReady(f"{spec.name}: ARM is at work on the pool, provisioningState is {observed.state}")
        gaps.append(Gap(NAME, spec.name, GapKind.NOT_READY, busy.reason, str(busy)))
    if observed.document is not None:
        gaps += _elsewhere(spec, observed.document)
    return Observation(observed, tuple(gaps))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One creation, or one update with a line for each field, or nothing."""
    if observed.document is None:
        return [_create(desired)]
    if not observed.at_rest:
        return []
    details = [_detail(one) for one in differences(desired.body, observed.document)]
    if observed.state.casefold() in _UNDONE:
        details.append(Detail("provisioningState", observed.state, "Succeeded", note="put again"))
    return [_update(desired, observed.document, tuple(details))] if details else []


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """Refuse a PUT of another pool, over a running operation, of untold or create-only fields, or against policy."""
    return [
        Refusal(change, rule, f"{change.subject}: {reason}")
        for change in changes
        for rule, reason in list(_objections(change, observed, policy))[:1]
    ]


def apply(change: Change, writers: Writers) -> Pending | None:
    """PUT the document that the plan shows; the operation is not waited for."""
    return writers.arm.put(change.args["resourceId"], change.args["body"])


# --- parse and observe --------------------------------------------------------------------------------


def _properties(document: Mapping[str, Json]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = document.get("properties") or {}
    return found


def _profile(document: Mapping[str, Json]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = _properties(document).get("organizationProfile") or {}
    return found


def _creation(spec: Spec, now: datetime) -> dict[str, Json]:
    """The spec's document, narrowed to what holds for every organization and every project from the first moment.

    Creation knows one `openAccess` for an organization and one `permissionProfile` for all. Where an exception closes
    one project, or one organization inherits nothing, the narrower value is sent and the other facets widen the rest.
    """
    document: dict[str, Json] = deepcopy(dict(spec.body))
    closed = {
        one.name
        for one in spec.organizations
        if not all(e.allow for e in intent.exceptions(spec, one.name, now).values())
    }
    for item in _profile(document).get("organizations") or ():
        if item.get("openAccess") and organization_of(str(item.get("url", ""))) in closed:
            item["openAccess"] = False
    profile = spec.permission_profile
    alone = any(intent.inheritance(spec, one.name) is False for one in spec.organizations)
    if profile and profile.kind is PermissionKind.INHERIT and alone:
        document["properties"]["organizationProfile"]["permissionProfile"] = {"kind": PermissionKind.CREATOR_ONLY.value}
    return document


def _elsewhere(spec: Spec, document: Mapping[str, Json]) -> Iterator[Gap]:
    place = {"location": spec.body["location"]} if "location" in spec.body else {}
    for one in differences(place, document):
        message = f"{spec.name}: location is {one.before}, the spec says {one.after}; only a new pool could have it"
        yield Gap(NAME, spec.name, GapKind.DEGRADED, Immutable.__name__, message)


# --- diff ---------------------------------------------------------------------------------------------


def _less(before: Json, after: Json) -> Risk:
    return Risk.NARROWS if (after or 0) < (before or 0) else Risk.NEUTRAL


def _presence(before: Json, after: Json) -> Risk:
    if before is None:
        return Risk.WIDENS
    return Risk.NARROWS if after is None else Risk.NEUTRAL


def _places(before: Json, after: Json) -> Risk:
    """Of lists of projects, where an empty one means all."""
    old, new = ({name.casefold() for name in names or ()} for names in (before, after))
    if not old:
        return Risk.NARROWS
    return Risk.NARROWS if new and old - new else Risk.WIDENS


def _members(before: Json, after: Json) -> Risk:
    """Of lists where an empty one means none."""
    old, new = ({name.casefold() for name in names or ()} for names in (before, after))
    return Risk.NARROWS if old - new else Risk.WIDENS


def _always(risk: Risk) -> Callable[[Json, Json], Risk]:
    return lambda _before, _after: risk


_ORGANIZATION = "organizationProfile.organizations[*]"
_RISKS: tuple[tuple[str, Callable[[Json, Json], Risk]], ...] = (
    ("maximumConcurrency", _less),
    (f"{_ORGANIZATION}.parallelism", _less),
    (f"{_ORGANIZATION}.projects", _places),
    (f"{_ORGANIZATION}.repositories", _places),
    (f"{_ORGANIZATION}.alias", _always(Risk.NEUTRAL)),
    (_ORGANIZATION, _presence),
    ("organizationProfile.kind", _always(Risk.NARROWS)),
    ("identity.userAssignedIdentities", _members),
    ("agentProfile.resourcePredictions*", _always(Risk.NEUTRAL)),
    ("agentProfile.*", _always(Risk.RESTARTS)),
    ("fabricProfile.images[*].buffer", _always(Risk.NEUTRAL)),
    ("fabricProfile.*", _always(Risk.RESTARTS)),
)
"""First match wins; what is not listed is neutral. That new machines are needed where the machine's shape changes is
judged from the fields' meaning; the service does not document which updates recycle agents."""


def _detail(one: Difference) -> Detail:
    path = ".".join(one.path).removeprefix("properties.")
    risks = (judge(one.before, one.after) for pattern, judge in _RISKS if fnmatchcase(path, _literal(pattern)))
    note = "whether the agent pool is renamed is not documented" if path.endswith("alias") else ""
    return Detail(path, one.before, one.after, next(risks, Risk.NEUTRAL), note)


def _literal(pattern: str) -> str:
    """Take brackets as written: only `*` and `?` are wild."""
    return pattern.replace("[", "[[]")


def _create(desired: Desired) -> Change:
    profile = _profile(desired.creation)
    organizations = profile.get("organizations") or ()
    grants = any(one.get("openAccess") for one in organizations) or bool(_principals(desired.creation))
    inherits = (profile.get("permissionProfile") or {}).get("kind") == PermissionKind.INHERIT.value
    agents = _properties(desired.creation).get("maximumConcurrency")
    return Change(
        facet=NAME,
        kind="pool",
        subject=desired.name,
        action=Action.CREATE,
        before=None,
        after=f"{agents} agents for {len(organizations)} organization{'' if len(organizations) == 1 else 's'}",
        risk=Risk.WIDENS if grants or inherits else Risk.NEUTRAL,
        route=Route.ARM,
        args={"resourceId": desired.resource_id, "body": desired.creation},
        note="create",
    )


def _update(desired: Desired, document: Mapping[str, Json], details: tuple[Detail, ...]) -> Change:
    risk = max((detail.risk for detail in details), key=list(Risk).index)
    alone = details[0] if len(details) == 1 else None
    return Change(
        facet=NAME,
        kind="pool",
        subject=desired.name,
        action=Action.UPDATE,
        before=alone.before if alone else f"{len(details)} fields as read",
        after=alone.after if alone else f"{len(details)} fields as in the spec",
        risk=risk,
        route=Route.ARM,
        args={"resourceId": desired.resource_id, "body": merged(desired.body, _sendable(document))},
        details=details,
        note="agents are recycled" if any(detail.risk is Risk.RESTARTS for detail in details) else "in place",
    )


def _sendable(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document as an update may carry it: no `openAccess`, and nothing that the service sets by itself.

    The writer drops read-only fields too; here they go because they would make the plan's hash restless.
    """
    body: dict[str, Json] = {key: deepcopy(value) for key, value in document.items() if key not in _READ_ONLY}
    body.get("properties", {}).pop("provisioningState", None)
    for item in _profile(body).get("organizations") or ():
        item.pop("openAccess", None)
    return body


# --- guard --------------------------------------------------------------------------------------------


def _objections(change: Change, observed: Observed, policy: Policy) -> Iterator[tuple[str, str]]:
    """Rule and reason of everything that speaks against it."""
    if change.args["resourceId"] != observed.resource_id:
        yield "unseen-pool", f"{change.args['resourceId']} was not read"
    if not observed.at_rest:
        yield "in-progress", f"ARM is at work on the pool, provisioningState is {observed.state}"
    if (change.action is Action.CREATE) is not (observed.document is None) or change.action is Action.REMOVE:
        yield "unseen-pool", f"the pool was read, and it is not for {change.action.value}"
    elif observed.document is None:
        yield from _against_creation(change.args["body"], policy)
    else:
        yield from _against_update(change, _sendable(observed.document))


def _principals(document: Mapping[str, Json]) -> list[str]:
    profile = _profile(document).get("permissionProfile") or {}
    return [*(profile.get("users") or ()), *(profile.get("groups") or ())]


def _against_creation(body: Mapping[str, Json], policy: Policy) -> Iterator[tuple[str, str]]:
    if not policy.create_pools:
        yield "policy-create-pools", "the policy of this deployment lets no pool be created"
    if not policy.open_access and any(one.get("openAccess") for one in _profile(body).get("organizations") or ()):
        yield "policy-open-access", "the policy of this deployment lets no open access be granted, creation would"


def _against_update(change: Change, observed: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    body = change.args["body"]
    if body.get("location") != observed.get("location"):
        yield "immutable", f"location is {observed.get('location')} and cannot become {body.get('location')}"
    given = _profile(body).get("permissionProfile")
    if given not in (None, _profile(observed).get("permissionProfile")):
        yield "create-only", "permissionProfile is not as it was read"
    if any("openAccess" in one for one in _profile(body).get("organizations") or ()):
        yield "create-only", "openAccess counts only while a pool is created"
    told = [detail.path for detail in change.details]
    for path in _touched(observed, body, ()):
        if not any(f"{one}.".startswith((f"{path}.", f"{path}[")) or path.startswith(f"{one}.") for one in told):
            yield "untold-field", f"{path} would change, and no line of the plan says so"


def _touched(before: Mapping[str, Json], after: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[str]:
    """Paths at which two documents differ, lists as a whole; a second opinion on what a PUT does."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _touched(old, new, (*path, key))
        elif old != new:
            yield ".".join((*path, key)).removeprefix("properties.")


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="the pool in Azure",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)

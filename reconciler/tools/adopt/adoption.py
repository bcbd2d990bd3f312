"""Puts changes of a plan into the spec that they came from, the other way round: it says what is observed.

Pure but for the names of identities, which are looked up. One change after the other; one that would make the spec
invalid, or that no spec can say, is left with its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date

from reconciler.documents import Json
from reconciler.documents.redaction import redacted
from reconciler.plan.model import Change
from reconciler.plan.targets import (
    AgentPoolPlace,
    ArmTarget,
    AutoProvision,
    CreatePool,
    DirectoryEntry,
    Inheritance,
    NewQueue,
    OpenAccess,
    OrganizationPlace,
    PipelineAuthorization,
    ProjectPlace,
    QueuePlace,
    RepairedPipeline,
    RestoredCheck,
    RoleAssignmentChange,
)
from reconciler.spec.loader import check
from reconciler.spec.model import Spec
from reconciler.spec.problem import spell
from reconciler.tools.adopt import access
from reconciler.tools.adopt.body import Wanted, with_resource
from reconciler.tools.adopt.errors import CannotAdopt
from reconciler.tools.adopt.pairing import same
from reconciler.tools.spec_writer import unwritable

_STATE = "provisioningState"
Name = Callable[[RoleAssignmentChange], str]
"""The name by which a spec can mean the identity; empty where none leads back to it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A change of the plan, and which fields of it are adopted."""

    change: Change
    paths: frozenset[str] = frozenset()
    """Paths of its details; empty: all."""

    @property
    def subject(self) -> str:
        """For people."""
        return f"{self.change.kind} {self.change.subject}"


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the spec says afterwards, and what it does not."""

    value: dict[str, Json]
    adopted: list[Change] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    """Subject and reason."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the adoption needs of the world beside the plan."""

    document: Mapping[str, Json] | None
    """The resource as ARM returns it."""
    name: Name
    today: date


def adopted(value: Mapping[str, Json], spec: Spec, chosen: Iterable[Chosen], observed: Observed) -> Adoption:
    """The spec's document (as its file has it), saying what is observed."""
    result = Adoption(unshared(value))
    groups: dict[str, list[Chosen]] = {}
    for one in sorted(chosen, key=lambda one: not isinstance(one.change.target, ArmTarget)):
        target = one.change.target
        key = f"open access {target.place.organization}" if isinstance(target, OpenAccess) else one.change.id
        groups.setdefault(key, []).append(one)
    waiting = list(groups.values())
    while waiting:
        refused = [(group, why) for group in waiting if (why := _tried(result, spec, group, observed))]
        if len(refused) == len(waiting):  # nothing that came in between helps
            result.left.extend((one.subject, why) for group, why in refused for one in group)
            break
        waiting = [group for group, _ in refused]
    return result


def _tried(result: Adoption, spec: Spec, group: Sequence[Chosen], observed: Observed) -> str:
    """Put one group of changes into the document; why that is not possible now, else empty."""
    tried = deepcopy(result.value)
    try:
        _put(tried, spec, group, observed)
        _check(result.value, tried)
    except CannotAdopt as error:
        return str(error)
    result.value.clear()
    result.value.update(tried)
    result.adopted.extend(one.change for one in group)
    failed = [one for one in group if any(detail.path == _STATE for detail in one.change.details)]
    result.left.extend((one.subject, "the last operation of ARM failed; only a write repairs it") for one in failed)
    return ""


def unshared(value: Json) -> Json:
    """A copy in which no part stands in two places, as that of an alias does."""
    if isinstance(value, Mapping):
        return {key: unshared(item) for key, item in value.items()}
    return [unshared(item) for item in value] if isinstance(value, list) else value


def _put(value: dict[str, Json], spec: Spec, group: Sequence[Chosen], observed: Observed) -> None:
    target = group[0].change.target
    if isinstance(target, CreatePool):
        raise CannotAdopt("the pool does not exist in Azure; delete its spec, or let apply create it")
    if isinstance(target, ArmTarget):
        if observed.document is None:
            raise CannotAdopt("the resource cannot be read")
        value.update(with_resource(value, observed.document, _wanted(group[0])))
        access.drop_strangers(value)
    elif isinstance(target, OpenAccess):
        targets = [one.change.target for one in group if isinstance(one.change.target, OpenAccess)]
        access.open_access(value, spec, targets, observed.today)
    elif isinstance(target, RoleAssignmentChange):
        _role(value, target, observed.name)
    else:
        _put_devops(value, group[0].change, observed.today)


def _put_devops(value: dict[str, Json], change: Change, today: date) -> None:
    match change.target:
        case PipelineAuthorization() as target:
            access.pipeline(value, target)
        case Inheritance(place=place, on=on):
            access.inherit(value, place.organization, on=not on)
        case AutoProvision(place=place, on=on):
            access.auto_provision(value, place.organization, on=not on)
        case NewQueue(place=place):
            access.without_queue(value, place.organization, place.project, today)
        case DirectoryEntry(place=place, principal=principal):
            access.unknown_principal(value, place.organization, principal, queues=change.facet == "queue_roles")
        case RestoredCheck() | RepairedPipeline():
            raise CannotAdopt("no spec says anything about it; it is owed since the pool was replaced")
        case other:
            raise CannotAdopt(f"no spec says anything about a {type(other).__name__}")


def _wanted(one: Chosen) -> Wanted:
    """Fields below a chosen one belong to it."""

    def wanted(path: tuple[str, ...]) -> bool:
        spelt = ".".join(path).removeprefix("properties.")
        return not one.paths or any(
            spelt == name or spelt.startswith((f"{name}.", f"{name}[")) or name.startswith(f"{spelt}.kind")
            for name in one.paths
        )

    return wanted


def _role(value: dict[str, Json], target: RoleAssignmentChange, name: Name) -> None:
    if target.itself:
        raise CannotAdopt("it is the operator's own role, which needs no entry in a spec")
    place, held = target.place, target.before
    lists = target.after is not None and (held is None or target.widens)
    principal = target.principal if lists else name(target)
    if not principal:
        raise CannotAdopt("no name leads back to this identity, so no spec can say it")
    match place:
        case AgentPoolPlace():
            access.administrator(value, place.organization, principal, there=not lists)
        case QueuePlace():
            access.queue_role(value, f"{place.organization}/{place.project}", principal, held)
        case OrganizationPlace() | ProjectPlace():
            raise CannotAdopt("roles of a whole organization or project are in no spec")


def _check(before: Mapping[str, Json], after: Mapping[str, Json]) -> None:
    """Nothing that looks like a secret gets into git, nor what no file can say, and the spec stays valid."""
    if same(dict(before), dict(after)):
        raise CannotAdopt("the spec has no place for it; change the spec by hand")
    if not same(redacted(dict(after)), dict(after)) and same(redacted(dict(before)), dict(before)):
        raise CannotAdopt("the value looks like a secret, and none is written to a spec")
    written = list(unwritable(dict(before), ()))
    for where, why in unwritable(dict(after), ()):
        if (where, why) not in written:
            raise CannotAdopt(f"{spell(where)} {why}")
    known = {message for _, message in check(before).findings}
    found = [(where, message) for where, message in check(after).findings if message not in known]
    if found:
        raise CannotAdopt(f"the spec would not be valid: {spell(found[0][0])} {found[0][1]}")
